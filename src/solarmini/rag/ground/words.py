"""Text to units that can be compared: words by stem or morpheme, numbers by value, negation."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from solarmini.rag.ground import lists, numbers
from solarmini.rag.lexical import english
from solarmini.rag.lexical.hangul import has_hangul

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*[½¼¾⅓⅔]?|[½¼¾⅓⅔]|[^\W\d_]+(?:['’][^\W\d_]+)?|[%$€£¥°]|[.!?;]+")
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")


@dataclass(slots=True)
class Unit:
    """A word, number or name; its characters are text[start:end].

    `key` is what is compared. `kind`: "word", "name", "number", or "light" for words that carry
    little (articles, particles of speech, auxiliary verbs). `measure` is what a number counts
    ("year", "명"); `negated` tells whether the text denies the word; `role` is the case that a
    Korean particle marks ("JKS" subject, "JKO" object), or "past" for a predicate of the past.
    """

    key: str
    start: int
    end: int
    kind: str = "word"
    measure: str = ""
    negated: bool = False
    role: str = ""


def units(text: str) -> list[Unit]:
    """Return the units of `text` in order."""
    return _korean(text) if has_hangul(text) else _english(text)


def _english(text: str) -> list[Unit]:
    found: list[Unit] = []
    opening, negated = True, 0
    tokens = list(_TOKEN.finditer(text))
    at = 0
    while at < len(tokens):
        token, surface = tokens[at], tokens[at][0]
        word = surface.casefold().replace("’", "'")
        if surface[0] in ".!?;":
            opening, negated, at = True, 0, at + 1
            continue
        used, unit = _english_number(tokens, at, text)
        if unit is None:
            used, unit = 1, _english_word(token, surface, word, opening)
        if word in lists.ENGLISH_NOT or word.endswith("n't"):
            negated = 4
        elif unit.kind != "light":
            unit.negated, negated = negated > 0, negated - 1
        found.append(unit)
        opening, at = False, at + used
    _measure(found, text)
    return found


def _english_word(token: re.Match[str], surface: str, word: str, opening: bool) -> Unit:
    bare = word.split("'")[0]
    light = bare in english.STOPWORDS or bare in lists.ENGLISH_LIGHT or word in lists.ENGLISH_LIGHT
    if bare in lists.ENGLISH_VALUES or (
        surface[0].isupper() and not light and (not opening or surface[1:].lower() != surface[1:])
    ):
        kind = "name"
    else:
        kind = "light" if light or not surface[0].isalnum() else "word"
    return Unit(english.stem(bare), token.start(), token.end(), kind)


def _english_number(tokens: list[re.Match[str]], at: int, text: str) -> tuple[int, Unit | None]:
    """Read a number that begins at token `at`; return how many tokens it takes, and its unit."""
    token, word = tokens[at], tokens[at][0].casefold()
    if word[0].isdigit() or word[0] in "½¼¾⅓⅔":
        value, used, end = numbers.of_digits(word), 1, token.end()
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        if following and following[0].casefold() in numbers.MULTIPLIERS:
            value = numbers.times(value, numbers.MULTIPLIERS[following[0].casefold()])
            used, end = 2, following.end()
        elif ordinal := _ORDINAL.match(text, end):
            used, end = used + (following is not None and following.start() == end), ordinal.end()
        return used, Unit("#" + value, token.start(), end, "number")
    if word in numbers.ORDINALS and word != "second":
        return 1, Unit("#" + str(numbers.ORDINALS[word]), token.start(), token.end(), "number")
    if word not in numbers.ENGLISH and word != "hundred":
        return 1, None
    words = [word]
    while at + len(words) < len(tokens):
        following = tokens[at + len(words)]
        joint = text[tokens[at + len(words) - 1].end() : following.start()]
        known = following[0].casefold()
        if joint not in (" ", "-") or not (
            known in numbers.ENGLISH or known in numbers.MULTIPLIERS
        ):
            break
        words.append(known)
    if words == ["one"]:  # far more often a pronoun than a count
        return 1, None
    end = tokens[at + len(words) - 1].end()
    return len(words), Unit("#" + numbers.of_english(words), token.start(), end, "number")


def _measure(found: list[Unit], text: str) -> None:
    """Tell each number what it counts: the sign before it, or the word or sign after it."""
    for at, unit in enumerate(found):
        if unit.kind != "number":
            continue
        if unit.start and text[unit.start - 1] in "$€£¥":
            unit.measure = text[unit.start - 1]
        elif at + 1 < len(found) and found[at + 1].start - unit.end <= 1:
            unit.measure = found[at + 1].key


def _korean(text: str) -> list[Unit]:
    from solarmini.rag.lexical.korean import analyse

    found: list[Unit] = []
    negate_next = False
    tokens = analyse(text)
    at = 0
    while at < len(tokens):
        token = tokens[at]
        tag = token.tag.split("-")[0]
        if found and (
            tag in ("JKS", "JKO", "JKB", "JKG") or (tag == "EP" and token.form in "었았")
        ):
            found[-1].role = "past" if tag == "EP" else tag
        if _is_not(token.form, tag):
            if tag == "MAG":
                negate_next = True
            else:
                _negate_last(found)
        used, unit = _korean_number(tokens, at, text)
        if unit is None:
            used, unit = 1, _korean_word(token, tag)
        if unit is not None:
            if negate_next and unit.kind != "light" and tag != "MAG":
                unit.negated, negate_next = True, False
            found.append(unit)
        at += used
    return found


def _is_not(form: str, tag: str) -> bool:
    return (form, tag) in lists.KOREAN_NOT


def _negate_last(found: list[Unit]) -> None:
    for unit in reversed(found):
        if unit.kind != "light":
            unit.negated = not unit.negated
            return


def _korean_word(token: Any, tag: str) -> Unit | None:
    start, end = token.start, token.start + token.len
    form = token.form
    if tag == "SL":
        word = form.casefold()
        return Unit(english.stem(word), start, end, "name" if form[0].isupper() else "word")
    if tag in ("VV", "VA", "VX", "VCN"):
        key = form + "다"
        light = tag == "VX" or key in lists.KOREAN_LIGHT
        return Unit(key, start, end, "light" if light else "word")
    if tag == "NNP":
        return Unit(form, start, end, "name")
    if tag in ("NNG", "XR", "SH", "MAG", "NR", "MM", "NP", "NNB"):
        light = form in lists.KOREAN_LIGHT or tag in ("NP", "NNB", "MM")
        return Unit(form, start, end, "light" if light else "word")
    if form in ("%", "℃", "°"):
        return Unit(form, start, end, "light")
    if tag in ("JX", "XSN") and form in lists.KOREAN_ONLY:
        return Unit(form, start, end, "light")
    return None


def _korean_number(tokens: list[Any], at: int, text: str) -> tuple[int, Unit | None]:
    """Read a number that begins at morpheme `at`, with what multiplies and what it counts."""
    token = tokens[at]
    if token.tag == "SN" and numbers.DIGITS.fullmatch(token.form):
        value = numbers.of_digits(token.form)
    elif token.tag in ("NR", "MM") and (written := numbers.of_korean(token.form)):
        value = written
    else:
        return 1, None
    used, end = 1, token.start + token.len
    while at + used < len(tokens):
        following = tokens[at + used]
        if following.tag != "NR" or following.start > end + 1:
            break
        if token.tag == "SN" and following.form in numbers.KOREAN_MULTIPLIERS:
            value = numbers.times(value, numbers.KOREAN_MULTIPLIERS[following.form])
        elif token.tag != "SN" and (
            joined := numbers.of_korean(text[token.start : _end(following)])
        ):
            value = joined
        else:
            break
        used, end = used + 1, _end(following)
    unit = Unit("#" + value, token.start, end, "number")
    if at + used < len(tokens):
        following = tokens[at + used]
        counts = following.tag in ("NNB", "NNG", "SW", "SL") and following.start - end <= 1
        if counts:
            unit.measure = following.form
            if following.tag == "NNB":
                used, unit.end = used + 1, _end(following)
    if token.tag == "MM" and not unit.measure:  # "한" and "세" are also other words
        return 1, None
    return used, unit


def _end(token: Any) -> int:
    return token.start + token.len


def shingles(text: str, size: int = 3) -> Iterator[str]:
    """Yield every window of `size` letters and digits of `text`, case and space left out."""
    run = "".join(character for character in text.casefold() if character.isalnum())
    for at in range(max(len(run) - size + 1, 1 if run else 0)):
        yield run[at : at + size]
