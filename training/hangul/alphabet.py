"""The characters the recogniser writes, and how text is brought to them."""

import unicodedata
from collections import Counter
from collections.abc import Iterable

PUNCTUATION = (
    "·•–—“”‘’…※→←↑↓⇒℃㎡㎥㎏㎜㎝㎞㈜㉠㉡㉢「」『』《》〈〉【】〔〕°±×÷≤≥≈≠∞√∑∂∫∈∴†‡§¶©®™№€£¥₩¢‰′″"
)
SHAPES = "○●◎◇◆□■△▲▽▼☆★◦▪▶◀♥♡☞☎✓✔⊙¬"
NUMERALS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅰⅱⅲⅳⅴ½¼¾²³¹⁴₁₂₃"
GREEK = "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ"
LATIN1 = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿ¡¿«»ªºŒœŠšŽžıłŁčćżęąśńőğ"
JAMO = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎㅏㅐㅑㅒㅓㅔㅕㅖㅗㅛㅜㅠㅡㅣ"

# What looks the same is written the same.
SAME = {
    **dict.fromkeys("ㆍ‧∙⋅・･ᆞ", "·"),
    **dict.fromkeys("〜～∼˜", "~"),
    **dict.fromkeys("―─━", "—"),
    **dict.fromkeys("‐‑−﹣\u00ad", "-"),
    **dict.fromkeys("\u00a0\u2002\u2003\u2009\u200a\u202f\u3000\t", " "),
    **dict.fromkeys("\u200b\u200c\u200d\ufeff\ufe0f", ""),
    "㎖": "ml", "￦": "₩", "⋯": "…", "∘": "°", "º": "°", "℉": "°F", "´": "'", "＇": "'",
    "‚": ",", "„": "“", "‟": "“", "‛": "‘", "∙": "·", "ﬁ": "fi", "ﬂ": "fl", "Ⓡ": "®",
    "μ": "μ", "µ": "μ", "∆": "Δ", "Ω": "Ω", "〃": "″", "◾": "■", "▸": "▶", "►": "▶",
    "｢": "「", "｣": "」", "≪": "《", "≫": "》", "＜": "<", "＞": ">", "❍": "○", "◯": "○",
    "⑴": "(1)", "⑵": "(2)", "⑶": "(3)", "⑷": "(4)", "⑸": "(5)",
}  # fmt: skip
for _code in range(0xFF01, 0xFF5F):
    SAME.setdefault(chr(_code), chr(_code - 0xFEE0))
_TABLE = str.maketrans(SAME)


def normal(text: str) -> str:
    """Composed, with look-alikes folded and single spaces."""
    folded = unicodedata.normalize("NFC", text).translate(_TABLE)
    return " ".join(folded.split())


def ksx1001_syllables() -> list[str]:
    """The 2,350 syllables of KS X 1001, in its order."""
    rows = range(0xB0, 0xC9)
    return [bytes((high, low)).decode("euc_kr") for high in rows for low in range(0xA1, 0xFF)]


def build(corpus: Iterable[str], *, least: int = 3, hanja: int = 320) -> list[str]:
    """Return the alphabet: space and ASCII first, syllables, then Hanja by frequency.

    `least` is how often a syllable outside KS X 1001 must occur in `corpus` to be included.
    """
    counts: Counter[str] = Counter()
    for text in corpus:
        counts.update(text)
    syllables = ksx1001_syllables()
    known = set(syllables)
    more = [c for c, n in counts.items() if "가" <= c <= "힣" and c not in known and n >= least]
    ideographs = [c for c in counts if "\u4e00" <= c <= "\u9fff"]
    ideographs.sort(key=lambda c: (-counts[c], c))
    base = [chr(code) for code in range(32, 127)]
    signs = list(PUNCTUATION + SHAPES + NUMERALS + GREEK + LATIN1 + JAMO)
    folded = [c for c in signs if normal(c) == c]
    return list(dict.fromkeys(base + folded + syllables + sorted(more) + ideographs[:hanja]))
