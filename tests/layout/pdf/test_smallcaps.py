import numpy as np

from solarmini.layout.pdf.smallcaps import small_capitals

# above and below the baseline, in sizes: a letter as it is and as a small capital
PLAIN = {"b": (0.7, 0), "d": (0.7, 0.01), "h": (0.7, 0), "g": (0.45, 0.21), "o": (0.46, 0.01)}
PLAIN |= {"e": (0.46, 0.01), "s": (0.455, 0.01), "n": (0.45, 0), "a": (0.46, 0.01), "t": (0.6, 0)}
CAPITAL = dict.fromkeys("bdhgnat", (0.48, 0)) | dict.fromkeys("oes", (0.49, 0.01))


def told(words: list[tuple[str, dict[str, tuple[float, float]]]]) -> str:
    codes, shapes, starts = [], [], []
    for word, look in words:
        starts.append(len(codes))
        codes += map(ord, word)
        shapes += [look[char] for char in word]
    up, down = np.array(shapes).T
    caps = small_capitals(
        np.array(codes),
        np.arange(len(codes), dtype=float),
        up,
        down,
        np.zeros(len(codes), dtype=np.int64),
        np.array(starts),
    )
    text = [chr(c).upper() if cap else chr(c) for c, cap in zip(codes, caps, strict=True)]
    ends = [*starts[1:], len(codes)]
    return " ".join("".join(text[a:b]) for a, b in zip(starts, ends, strict=True))


def test_words_in_small_capitals_are_capitals() -> None:
    words = [("the", PLAIN), ("hoods", CAPITAL), ("and", PLAIN), ("song", CAPITAL), ("nose", PLAIN)]
    assert told(words) == "the HOODS and SONG nose"


def test_words_of_level_letters_follow_the_height_of_the_others() -> None:
    words = [("the", PLAIN), ("hoods", CAPITAL), ("sees", CAPITAL), ("nose", PLAIN)]
    assert told(words) == "the HOODS SEES nose"


def test_plain_text_stays() -> None:
    assert told([("the", PLAIN), ("bogs", PLAIN), ("sees", PLAIN)]) == "the bogs sees"


def test_boxes_that_are_all_alike_tell_nothing() -> None:
    flat = dict.fromkeys("abdeghnost", (0.8, 0.2))
    assert told([("the", flat), ("bogs", flat)]) == "the bogs"
