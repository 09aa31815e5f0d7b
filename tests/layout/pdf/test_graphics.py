import numpy as np
import pytest
from raw_pdf import RawPdf, gray_image, show

from solarmini.errors import DocumentError, LimitError
from solarmini.layout.limits import Limits
from solarmini.layout.primitives import Box, PageContent
from solarmini.layout.source import open_source


def read(pdf: RawPdf, **limits) -> PageContent:
    with open_source(pdf.data(), limits=Limits(**limits)) as source:
        return source.page(1)


def page(content: str, **more) -> PageContent:
    return read(RawPdf(**more).page(content))


def near(box: Box, *expected: float) -> bool:
    return np.allclose(box, expected, atol=0.6)


def test_strokes_and_thin_boxes_are_rules() -> None:
    content = page("2 w 100 700 m 300 700 l S 100 600 m 100 400 l S 150 500 200 1 re f")
    assert len(content.rules) == 3
    assert not content.drawings
    flat, upright, thin = (content.rules[i] for i in (0, 1, 2))
    assert flat.horizontal
    assert near(flat.box, 100, 99, 300, 101)
    assert flat.thickness == pytest.approx(2)
    assert not upright.horizontal
    assert near(upright.box, 99, 200, 101, 400)
    assert thin.horizontal
    assert near(thin.box, 150, 299, 350, 300)


def test_pieces_that_touch_and_dashes_are_one_rule() -> None:
    content = page(
        "".join(f"{x} 700 m {x + 50} 700 l S " for x in range(100, 300, 50))  # cell by cell
        + "".join(f"{x} 650 m {x + 4} 650 l S " for x in range(100, 300, 6))  # dashes
        + "".join(f"{x} 600 1 1 re f " for x in range(100, 300, 3))  # dots
        + "100 550 m 180 550 l S 220 550 m 300 550 l S"  # two rules
    )
    assert all(rule.horizontal for rule in content.rules)
    spans = [(round(r.box.left, -1), round(r.box.right, -1)) for r in content.rules]
    assert spans == [(100, 300), (100, 300), (100, 300), (100, 180), (220, 300)]


def test_a_framed_box_is_a_drawing_and_four_rules() -> None:
    content = page("0.9 g 100 600 200 50 re B")
    (drawing,) = content.drawings
    assert drawing.filled
    assert drawing.rectangle
    assert not drawing.curved
    assert near(drawing.box, 100, 150, 300, 200)
    assert drawing.color == 0xE6E6E6
    assert sorted(rule.horizontal for rule in content.rules) == [False, False, True, True]


def test_other_shapes_are_drawings() -> None:
    content = page("100 600 m 150 700 200 700 250 600 c S 1 0 0 rg 300 600 m 350 600 l 320 640 l f")
    curve, corner = content.drawings
    assert curve.curved
    assert not curve.filled
    assert not curve.rectangle
    assert not corner.curved
    assert corner.filled
    assert corner.color == 0xFF0000
    assert near(corner.box, 300, 160, 350, 200)


def test_what_leaves_no_mark_is_nothing() -> None:
    content = page(
        "1 g 100 600 200 50 re f "  # white on paper
        "100 500 200 50 re n "  # not painted
        "0.8 1 0.8 rg 0 0 600 800 re f "  # the ground of the whole page
        "0 g 700 900 50 50 re f"  # off the page
    )
    assert not content.drawings
    assert not content.rules


def test_forms_carry_their_matrices() -> None:
    pdf = RawPdf(xobjects={"A": 60})
    pdf.stream(
        60,
        "/Type /XObject /Subtype /Form /BBox [0 0 99 99] /Matrix [2 0 0 2 0 0] "
        "/Resources << /XObject << /B 61 0 R >> >>",
        b"q 1 0 0 1 10 10 cm /B Do Q",
    )
    pdf.stream(61, "/Type /XObject /Subtype /Form /BBox [0 0 99 99]", b"0 0 m 20 0 l S")
    content = read(pdf.page("q 1 0 0 1 100 500 cm /A Do Q"))
    (rule,) = content.rules
    assert near(rule.box, 120, 279, 160, 281)
    assert rule.thickness == pytest.approx(2)


def test_forms_inside_themselves_end() -> None:
    pdf = RawPdf(xobjects={"A": 60})
    pdf.stream(
        60,
        "/Type /XObject /Subtype /Form /BBox [0 0 600 800] "
        "/Resources << /XObject << /A 60 0 R >> >>",
        b"10 10 m 90 10 l S /A Do",
    )
    content = read(pdf.page("/A Do " + show(72, 700, "text")))
    assert [line.text for line in content.lines] == ["text"]
    assert len(content.rules) == 1


def test_pictures_are_cut_to_what_is_shown() -> None:
    pdf = RawPdf(xobjects={"S": 60})
    pdf.objects[60] = gray_image(40, 30)
    content = read(
        pdf.page(
            "q 200 0 0 100 100 600 cm /S Do Q q 100 100 50 60 re W n 300 0 0 300 50 50 cm /S Do Q"
        )
    )
    whole, cut = content.pictures
    assert near(whole.box, 100, 100, 300, 200)
    assert whole.pixels == (40, 30)
    assert near(cut.box, 100, 640, 150, 700)


def test_strips_of_one_picture_are_one() -> None:
    pdf = RawPdf(xobjects={"S": 60})
    pdf.objects[60] = gray_image(40, 5)
    strips = "".join(f"q 200 0 0 20 100 {400 + 20 * n} cm /S Do Q " for n in range(6))
    content = read(pdf.page(strips + "q 200 0 0 20 100 300 cm /S Do Q"))
    assert [picture.pixels for picture in content.pictures] == [(40, 30), (40, 5)]
    assert near(content.pictures[0].box, 100, 280, 300, 400)


def test_a_shading_is_a_drawing() -> None:
    content = page(
        "q 100 600 200 50 re W n /G sh Q",
        resources="/Shading << /G << /ShadingType 2 /ColorSpace /DeviceGray /Coords [0 0 600 0] "
        "/Function << /FunctionType 2 /Domain [0 1] /C0 [0] /C1 [1] /N 1 >> >> >>",
    )
    (drawing,) = content.drawings
    assert drawing.filled
    assert near(drawing.box, 100, 150, 300, 200)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_places_are_those_of_the_page_as_seen(turn: int) -> None:
    """What is drawn and where it is said to be are the same places."""
    content_of = "1 0 0 rg 150 300 80 40 re f 0 0 1 RG 4 w 120 500 m 320 500 l S"
    pdf = RawPdf(media="[0 0 900 900]", extra=f"/Rotate {turn} /CropBox [100 200 500 800]")
    with open_source(pdf.page(content_of).data()) as source:
        content = source.page(1)
        assert content.render is not None
        pixels = content.render(72).astype(int)
    assert pixels.shape == (round(content.height), round(content.width), 3)
    (drawing,), (rule,) = content.drawings, content.rules
    for box, color in ((drawing.box, [255, 0, 0]), (rule.box, [0, 0, 255])):
        hit = np.argwhere((np.abs(pixels - color) < 60).all(axis=2))
        top, left = hit.min(0)
        bottom, right = hit.max(0) + 1
        assert near(box, left, top, right, bottom)
    assert rule.horizontal == (turn in (0, 180))


def test_too_many_objects_are_left_out_and_named() -> None:
    content = read(RawPdf().page("10 10 5 30 re f " * 50 + show(72, 700, "text")), max_objects=20)
    assert len(content.drawings) == 20
    assert "30 drawings" in content.problems[0].what
    assert [line.text for line in content.lines] == ["text"]


def test_too_many_characters_are_left_out_and_named() -> None:
    content = read(RawPdf().page(show(72, 700, "x" * 500)), max_characters=100)
    assert sum(len(line.text) for line in content.lines) == 100
    assert "400 of 500 characters" in content.problems[0].what


def test_a_drawing_is_bounded() -> None:
    limits = Limits(max_render_pixels=100_000)
    with open_source(RawPdf().page("").data(), limits=limits) as source:
        render = source.page(1).render
        assert render is not None
        pixels = render(600)
        assert pixels.dtype == np.uint8
        assert 90_000 < pixels.shape[0] * pixels.shape[1] <= 101_500
        with pytest.raises(DocumentError, match="0 dpi"):
            render(0)
    huge = RawPdf(media="[0 0 14400 14400]").page("")
    with open_source(huge.data(), limits=limits) as source:
        render = source.page(1).render
        assert render is not None
        with pytest.raises(LimitError, match="too large to draw"):
            render(72)
    with pytest.raises(DocumentError, match="closed"):
        render(72)


def test_white_rules_count_on_coloured_cells_only() -> None:
    content = page("0.2 0.4 0.6 rg 100 500 200 100 re f 1 g 100 549 200 2 re f 100 300 200 2 re f")
    (rule,) = content.rules
    assert near(rule.box, 100, 249, 300, 251)
