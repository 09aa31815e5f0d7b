import pytest

from solarmini.layout.pdf.fonts import face


@pytest.mark.parametrize(
    ("name", "weight"),
    [
        ("Helvetica", 400),
        ("ABCDEF+Arial-BoldMT", 700),
        ("Arial,Bold", 700),
        ("CMBX12", 700),
        ("CMR10", 400),
        ("NimbusRomNo9L-Medi", 700),
        ("NimbusRomNo9L-Regu", 400),
        ("Roboto-Medium", 500),
        ("OpenSans-SemiBold", 600),
        ("Lato-Light", 300),
        ("Inter-Black", 900),
        ("GothamBd", 700),
        ("NotoSansKR-ExtraBold", 800),
        ("Bodoni", 400),
    ],
)
def test_weight_is_read_from_the_name(name: str, weight: int) -> None:
    assert face(name).weight == weight


@pytest.mark.parametrize(
    ("name", "italic", "mono"),
    [
        ("Times-Italic", True, False),
        ("TimesNewRomanPS-BoldItalicMT", True, False),
        ("CMTI10", True, False),
        ("CMTT9", False, True),
        ("CourierNewPSMT", False, True),
        ("JetBrainsMono-Regular", False, True),
        ("Monotype-Corsiva", False, False),
        ("Capital-Regular", False, False),
        ("Digital", False, False),
    ],
)
def test_slant_and_pitch_are_read_from_the_name(name: str, italic: bool, mono: bool) -> None:
    found = face(name)
    assert (found.italic, found.mono) == (italic, mono)


def test_flags_speak_where_the_name_does_not() -> None:
    assert face("F1", flags=1 << 18).weight == 700
    assert face("F1", flags=1 << 6).italic
    assert face("F1", stem_weight=750).weight == 700
    assert face("F1-Regular", stem_weight=750).weight == 400  # descriptors are often wrong
    assert face("F1", slant=-12).italic
