"""English words to their stems: Porter2 for the regular ones, a short list for the others."""

from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snowballstemmer.english_stemmer import EnglishStemmer

_IRREGULAR = {
    form: base
    for base, forms in {
        "begin": "began begun",
        "become": "became",
        "break": "broke broken",
        "build": "built",
        "buy": "bought",
        "child": "children",
        "choose": "chose chosen",
        "draw": "drew drawn",
        "fall": "fell fallen",
        "feel": "felt",
        "fight": "fought",
        "find": "found",
        "fly": "flew flown",
        "foot": "feet",
        "give": "gave given",
        "go": "went gone",
        "grow": "grew grown",
        "hold": "held",
        "keep": "kept",
        "know": "knew known",
        "lead": "led",
        "leave": "left",
        "lose": "lost",
        "make": "made",
        "man": "men",
        "mean": "meant",
        "meet": "met",
        "mouse": "mice",
        "pay": "paid",
        "rise": "rose risen",
        "say": "said",
        "see": "saw seen",
        "sell": "sold",
        "send": "sent",
        "speak": "spoke spoken",
        "spend": "spent",
        "stand": "stood",
        "take": "took taken",
        "teach": "taught",
        "tell": "told",
        "think": "thought",
        "win": "won",
        "woman": "women",
        "write": "wrote written",
    }.items()
    for form in forms.split()
}
_STOPWORDS = """
a an the of in on at to from by for with and or but as is are was were be been being it its
this that these those there their they them he she his her him we our you your i my me what
which who whom whose when where why how do does did can could will would shall should may
might must have has had not no if than then so such into about any some please tell explain
"""
STOPWORDS = frozenset(_STOPWORDS.split())


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return the stem of a casefolded word: "studies" -> "studi", "built" -> "build"."""
    if not word.isascii() or not word.isalpha():
        return word
    return _porter2().stemWord(_IRREGULAR.get(word, word))


@cache
def _porter2() -> "EnglishStemmer":
    from solarmini.errors import require

    return require("snowballstemmer", "rag").stemmer("english")
