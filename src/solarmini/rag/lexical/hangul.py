"""Hangul syllables as letters: decomposition, two-letter windows, keyboard layout."""

from collections.abc import Iterator

_FIRST, _LAST = 0xAC00, 0xD7A3
_VOWELS, _FINALS = 21, 28
_KOREAN = 0.3  # share of Hangul in the letters of a Korean text, at least

INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"

# Latin keys of the standard two-set (KS X 5002) layout
_KEYS = dict(
    zip(
        "rRseEfaqQtTdwWczxvgkoiOjpuPhynbml",
        "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎㅏㅐㅑㅒㅓㅔㅕㅖㅗㅛㅜㅠㅡㅣ",
        strict=True,
    )
)
_DOUBLE_VOWELS = {
    "ㅗㅏ": "ㅘ",
    "ㅗㅐ": "ㅙ",
    "ㅗㅣ": "ㅚ",
    "ㅜㅓ": "ㅝ",
    "ㅜㅔ": "ㅞ",
    "ㅜㅣ": "ㅟ",
    "ㅡㅣ": "ㅢ",
}
_DOUBLE_FINALS = {
    "ㄱㅅ": "ㄳ",
    "ㄴㅈ": "ㄵ",
    "ㄴㅎ": "ㄶ",
    "ㄹㄱ": "ㄺ",
    "ㄹㅁ": "ㄻ",
    "ㄹㅂ": "ㄼ",
    "ㄹㅅ": "ㄽ",
    "ㄹㅌ": "ㄾ",
    "ㄹㅍ": "ㄿ",
    "ㄹㅎ": "ㅀ",
    "ㅂㅅ": "ㅄ",
}


def is_syllable(character: str) -> bool:
    """Whether `character` is a precomposed Hangul syllable."""
    return _FIRST <= ord(character) <= _LAST


def has_hangul(text: str) -> bool:
    """Whether any Hangul syllable occurs in `text`."""
    return any(_FIRST <= ord(character) <= _LAST for character in text)


def is_korean(text: str) -> bool:
    """Whether `text` is in Korean: a Korean question about an English name still is."""
    spelled = [c for c in text if c.isalpha()]
    return sum(map(is_syllable, spelled)) > _KOREAN * len(spelled)


def letters(syllable: str) -> tuple[int, int, int]:
    """Return initial, vowel and final of a syllable as indices; final 0 is none."""
    code = ord(syllable) - _FIRST
    return code // (_VOWELS * _FINALS), code // _FINALS % _VOWELS, code % _FINALS


def compose(initial: int, vowel: int, final: int = 0) -> str:
    """Return the syllable of three indices; the inverse of `letters`."""
    return chr(_FIRST + (initial * _VOWELS + vowel) * _FINALS + final)


def bigrams(word: str) -> Iterator[str]:
    """Yield every window of two characters of `word`; a word of one yields nothing."""
    for at in range(len(word) - 1):
        yield word[at : at + 2]


def from_latin_keys(typed: str) -> str | None:
    """Return the Hangul that these Latin keys give on a Korean keyboard, or None.

    "wjwkrrnjs" -> "저작권". None unless every key is a letter and the letters make whole
    syllables.
    """
    keys = [_KEYS.get(key) or _KEYS.get(key.lower()) for key in typed]
    if not typed or None in keys:
        return None
    rest = "".join(key for key in keys if key)
    made = []
    while rest:
        syllable, rest = _take_syllable(rest)
        if syllable is None:
            return None
        made.append(syllable)
    return "".join(made)


def _take_syllable(keys: str) -> tuple[str | None, str]:
    """Take the longest syllable from the front that leaves an initial for a following vowel."""
    if keys[0] not in INITIALS or len(keys) < 2 or keys[1] not in VOWELS:
        return None, keys
    initial, at = INITIALS.index(keys[0]), 2
    vowel = keys[1]
    if at < len(keys) and vowel + keys[at] in _DOUBLE_VOWELS:
        vowel, at = _DOUBLE_VOWELS[vowel + keys[at]], at + 1
    final = ""
    while at < len(keys) and keys[at] not in VOWELS:
        if at + 1 < len(keys) and keys[at + 1] in VOWELS:
            break  # this consonant begins the next syllable
        joined = _DOUBLE_FINALS.get(final + keys[at], "") if final else keys[at]
        if not joined or joined not in FINALS:
            break
        final, at = joined, at + 1
    syllable = compose(initial, VOWELS.index(vowel), FINALS.index(final) if final else 0)
    return syllable, keys[at:]
