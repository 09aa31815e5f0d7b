"""A Korean yes-or-no question as the statement that "yes" makes: "섬인가요?" -> "섬이다."."""

from typing import Any

from solarmini.rag.lexical.hangul import has_hangul
from solarmini.rag.lexical.korean import analyse

_PLAIN = ("다", "는다", "ᆫ다")
_ACTION = ("VV", "XSV", "VX")
_STATE = ("VA", "XSA")
_FIRST, _FINALS = ord("가"), 28  # syllables of one vowel, by what closes them
_NIEUN, _RIEUL = 4, 8


def asserted(question: str) -> str:
    """Return `question` as a statement; as it is where it is none, or is not Korean."""
    if not has_hangul(question):
        return question
    text = question.rstrip(" ?？.!")
    morphs = [token for token in analyse(text) if token.tag not in ("SF", "SP", "SE")]
    if morphs and (morphs[-1].form, morphs[-1].tag) == ("요", "JX"):
        morphs.pop()
    if len(morphs) < 2 or morphs[-1].tag not in ("EF", "EC"):
        return question
    end = morphs.pop().form
    if end in _PLAIN:
        return text + "."
    return _stated(text, morphs) + "."


def _stated(text: str, morphs: list[Any]) -> str:
    """Put the plain ending after the predicate: 다 for states and the past, ㄴ다 for actions."""
    last = morphs[-1]
    if last.tag == "EP":
        return text[: last.start + last.len] + "다"
    stem = text[: last.start] + last.form
    kinds = [token.tag.split("-")[0] for token in morphs[-4:]]
    state = kinds[-1] not in _ACTION or last.form in ("있", "없")
    if kinds[-1] == "VX" and last.form in ("않", "못하"):
        state = any(kind in _STATE for kind in kinds[:-1])
    if state or not "가" <= stem[-1] <= "힣":
        return stem + "다"
    final = (ord(stem[-1]) - _FIRST) % _FINALS
    if final in (0, _RIEUL):  # 하 -> 한다, 만들 -> 만든다
        return stem[:-1] + chr(ord(stem[-1]) - final + _NIEUN) + "다"
    return stem + "는다"
