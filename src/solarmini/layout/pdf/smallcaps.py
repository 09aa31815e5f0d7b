"""Small capitals: glyphs that look like capitals though the file calls them small letters."""

import numpy as np

TALL = frozenset(map(ord, "bdfhkli"))  # small letters that reach higher than an x
DEEP = frozenset(map(ord, "gpyj"))  # that reach below the baseline (Q does so too: no q)
LEVEL = frozenset(map(ord, "acemnorsuvwxz"))
LIKE_X = 1.13  # times the height of an x up to which a tall letter is a small capital
ON_LINE = 0.06  # sizes below the baseline up to which a deep letter is one
APART = 0.04  # share by which the heights of the two kinds must differ to tell single letters


def small_capitals(
    codes: np.ndarray,
    place: np.ndarray,
    up: np.ndarray,
    down: np.ndarray,
    face: np.ndarray,
    starts: np.ndarray,
) -> np.ndarray:
    """Tell which characters are small capitals: bool (n,).

    `place` is where each character begins, `up` and `down` are how far its ink reaches above and
    below its baseline, in font sizes; `face` numbers the fonts; `starts` are the first characters
    of words.
    """
    caps = np.zeros(len(codes), dtype=bool)
    # the parts of a ligature have one box between them
    whole = np.ones(len(codes), dtype=bool)
    whole[1:] &= (up[1:] != up[:-1]) | (down[1:] != down[:-1]) | (place[1:] != place[:-1])
    whole[:-1] &= whole[1:]
    level, tall, deep = (np.isin(codes, list(kind)) & whole for kind in (LEVEL, TALL, DEEP))
    if not (tall.any() or deep.any()):
        return caps
    x_height = np.full(int(face.max()) + 1, np.nan)
    for number in np.unique(face[level]):
        heights = up[level & (face == number)]
        shapes = np.round(np.stack([up, down])[:, face == number], 3)
        # fonts without outlines give every sign the same box: nothing can be told
        if len(heights) > 1 and len(np.unique(shapes, axis=1).T) > 2:
            x_height[number] = np.median(heights)
    known = x_height[face]
    measured = np.isfinite(known) & (known > 0.1)
    like_x = up < LIKE_X * np.where(measured, known, 1.0)
    yes = measured & ((tall & like_x) | (deep & like_x & (down < ON_LINE)))
    no = measured & ((tall & ~like_x) | (deep & (down >= ON_LINE)))
    word = np.zeros(len(codes), dtype=np.int64)
    word[starts] = 1
    word = np.cumsum(word) - 1
    small = np.isin(codes, list(LEVEL | TALL | DEEP))
    words = np.bincount(word, minlength=len(starts))
    yes_of = np.bincount(word, yes, minlength=len(starts))
    no_of = np.bincount(word, no, minlength=len(starts))
    chosen = (yes_of > 0) & (no_of == 0) & (words > 1)
    if not chosen.any():
        return caps
    chosen |= _undecided(up, level, face, word, chosen, (yes_of == 0) & (no_of == 0))
    caps = chosen[word] & ((codes >= 0x61) & (codes <= 0x7A) | (codes >= 0xDF) & (codes <= 0xFE))
    return caps & (small | (codes == 0x74) | (codes == 0x71) | (codes > 0x7A))


def _undecided(
    up: np.ndarray,
    level: np.ndarray,
    face: np.ndarray,
    word: np.ndarray,
    chosen: np.ndarray,
    open_: np.ndarray,
) -> np.ndarray:
    """Of words with level letters only, those whose height is that of the small capitals."""
    more = np.zeros(len(chosen), dtype=bool)
    for number in np.unique(face[chosen[word]]):
        own = level & (face == number)
        capital = up[own & chosen[word]]
        plain = up[own & ~chosen[word] & ~open_[word]]
        if not len(capital):
            continue
        high = np.median(capital)
        candidates = np.unique(word[own & open_[word]])
        if len(plain) and abs(high - np.median(plain)) < APART * high:
            continue
        middle = (high + np.median(plain)) / 2 if len(plain) else (1 - APART) * high
        for at in candidates.tolist():
            height = np.median(up[own & (word == at)])
            taller = high > middle
            if (height > middle) == taller and abs(height - high) < 2 * APART * high:
                more[at] = True
    return more
