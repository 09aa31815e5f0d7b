"""Say a sentence a little differently without changing what it says.

Without this, every true answer made of a sentence would be that sentence to the letter, and being
so would be all that a classifier learns.
"""

import random
import re

_LEFT_OUT = re.compile(
    r"\b(?:the|a|an|also|just|very|only a few|however|then|thus|therefore|[a-z]+ly)\s+",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\s*\([^()]{1,60}\)")
_MARK = re.compile(r"^(?:[①-⑳]\s*|\d+(?:의\d+)?\.\s*|다만,\s*|제\d+조(?:의\d+)?\([^)]*\)\s*)+")
_KOREAN = (
    ("하여야 한다", "해야 한다"),
    ("하지 아니한다", "하지 않는다"),
    ("아니하는", "않는"),
    ("하여", "해"),
    ("에게", "한테"),
    ("한다.", "합니다."),
    ("있다.", "있습니다."),
    ("이다.", "입니다."),
    ("또는", "나"),
    ("은 ", "이 "),
    ("는 ", "가 "),
)
_NUMERALS = "zero one two three four five six seven eight nine ten eleven twelve"
_WORDS = _NUMERALS.split()
_SMALL = re.compile(r"(?<![\w.,$£])(\d|1[0-2])(?![\w.,%])")


def retold(sentence: str, draw: random.Random) -> str:
    """Return `sentence` with a few words left out or written in another way."""
    sentence = _ASIDE.sub(lambda found: draw.choice((found[0], "")), sentence)
    if re.search("[가-힣]", sentence):
        sentence = _MARK.sub("", sentence)
        for written, other in _KOREAN:
            if draw.random() < 0.4:
                sentence = sentence.replace(written, other, 1)
        return sentence
    sentence = _LEFT_OUT.sub(lambda found: draw.choice((found[0], "")), sentence)
    if draw.random() < 0.3:
        sentence = _SMALL.sub(lambda found: _WORDS[int(found[0])], sentence)
    if draw.random() < 0.2:
        sentence = draw.choice(("According to the text, ", "It says that ")) + sentence
    return sentence
