"""Numbers as they are written in English and Korean, to their values."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

_SMALL = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"

ENGLISH: dict[str, int] = {word: value for value, word in enumerate(_SMALL.split())}
ENGLISH |= {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
MULTIPLIERS = {
    "hundred": 100,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
ORDINALS: dict[str, int] = {word: value for value, word in enumerate(_ORDINALS.split(), start=1)}

_KOREAN_TENS = "열 스물 서른 마흔 쉰 예순 일흔 여든 아흔"
_NATIVE_TENS = {form: 10 * at for at, form in enumerate(_KOREAN_TENS.split(), start=1)}
_NATIVE = {
    form: value
    for value, forms in enumerate(
        ("하나 한", "둘 두", "셋 세 석 서", "넷 네 넉 너", "다섯", "여섯", "일곱", "여덟", "아홉"),
        start=1,
    )
    for form in forms.split()
}
_SINO = {character: value for value, character in enumerate("영일이삼사오육칠팔구")} | {"공": 0}
_SINO_SMALL = {"십": 10, "백": 100, "천": 1000}
KOREAN_MULTIPLIERS = {
    "십": 10,
    "백": 100,
    "천": 1000,
    "만": 10**4,
    "억": 10**8,
    "조": 10**12,
    "십만": 10**5,
    "백만": 10**6,
    "천만": 10**7,
}
_VULGAR = {"½": "0.5", "¼": "0.25", "¾": "0.75", "⅓": "0.333", "⅔": "0.667"}
DIGITS = re.compile(r"\d+(?:[.,]\d+)*[½¼¾⅓⅔]?|[½¼¾⅓⅔]")


def of_digits(written: str) -> str:
    """Write a number in digits in one way: "1,234" -> "1234", "74.20" -> "74.2", "6½" -> "6.5"."""
    if written[-1] in _VULGAR:
        whole = Decimal(of_digits(written[:-1])) if written[:-1] else Decimal(0)
        return _plain(whole + Decimal(_VULGAR[written[-1]]))
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", written):
        written = written.replace(",", "")
    try:
        return _plain(Decimal(written))
    except InvalidOperation:  # 1.2.3, 10,5
        return written


def times(number: str, factor: int) -> str:
    """Return `number` (as `of_digits` writes it) times `factor`; unchanged if it is no number."""
    try:
        return _plain(Decimal(number) * factor)
    except InvalidOperation:
        return number


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def of_english(words: Sequence[str]) -> str:
    """Return the value of number words: ("twenty", "one") -> "21", ("three", "million") -> …."""
    total, part = 0, 0
    for word in words:
        if word in MULTIPLIERS:
            factor = MULTIPLIERS[word]
            if factor == 100:
                part = max(part, 1) * 100
            else:
                total, part = total + max(part, 1) * factor, 0
        else:
            part += ENGLISH.get(word, 0)
    return str(total + part)


def of_korean(form: str) -> str | None:
    """Return the value of a Korean numeral, native or Sino-Korean, or None if it is none."""
    if form in _NATIVE:
        return str(_NATIVE[form])
    for tens, value in _NATIVE_TENS.items():
        rest = form.removeprefix(tens)
        if rest != form and (not rest or rest in _NATIVE):
            return str(value + _NATIVE.get(rest, 0))
    if form == "스무":
        return "20"
    total, part, digit = 0, 0, 0
    for character in form:
        if character in _SINO:
            digit = digit * 10 + _SINO[character]
        elif character in _SINO_SMALL:
            part, digit = part + max(digit, 1) * _SINO_SMALL[character], 0
        elif character in "만억조":
            total += max(part + digit, 1) * KOREAN_MULTIPLIERS[character]
            part, digit = 0, 0
        else:
            return None
    return str(total + part + digit) if form else None
