"""Korean pairs made from running text by rule: shortened, retold, denied, changed, said more.

Korean has few published pairs. A sentence entails its shorter form, and the shorter form does not
entail it; a denied predicate, an opposite or another number contradicts; another noun is not
entailed; the next sentence of a text is neutral.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kiwipiepy import Kiwi
from pairs import CONTRADICTED, ENTAILED, NEUTRAL, NOT_ENTAILED, Pair
from sources import read

from solarmini.rag.ground.lists import OPPOSITES

_SHARES = {
    "ud_sentences": 0.4, "nsmc_reviews": 0.15, "law": 0.1, "literature": 0.08,
    "docs_rustbook": 0.06, "docs_react": 0.06, "python_docs": 0.05, "libreoffice_help": 0.05,
    "gnome_help": 0.05,
}  # fmt: skip
_PARALLEL = {"ntrex": 0.2, "python_docs": 0.15}
_END = re.compile(r"(?<=[다요음함임]\.)\s+")
_HANGUL = re.compile("[가-힣]")
_PREDICATES = ("VV", "VA", "XSV", "XSA", "VCP", "VX", "VCN")
_LEFT = {key: sorted(others) for key, others in OPPOSITES.items() if _HANGUL.search(key)}
_CLAUSE = ("고", "며", "으며", "지만", "는데", "은데", "ᆫ데", "으나", "나", "어서", "아서", "면서")
_DENYING = ("안", "못", "거의", "전혀", "별로", "아니")
_WORDINGS = (
    ("습니다.", "다."), ("합니다.", "한다."), ("됩니다.", "된다."), ("입니다.", "이다."),
    ("했습니다.", "했다."), ("하였다", "했다"), ("되었다", "됐다"), ("하여 ", "해 "),
    ("것이다.", "거다."), ("그러나 ", ""), ("또한 ", ""), ("및 ", "과 "), ("에게 ", "한테 "),
    ("매우 ", "아주 "), ("모든 ", "전체 "), ("하지만 ", ""), ("때문에", "탓에"), ("이용", "사용"),
    ("시작됐다", "시작되었다"), ("에서는 ", "에선 "), ("그는 ", ""), ("영화", "작품"),
    ("재미있", "재밌"), ("있습니다.", "있어요."), ("한다.", "합니다."), ("있다.", "있습니다."),
    ("했다.", "하였다."), ("이다.", "입니다."),
)  # fmt: skip

Morphs = list[tuple[str, str]]


def made(data: Path, count: int = 9000, seed: int = 7) -> Iterator[Pair]:
    """Yield pairs made from `count` sentences."""
    draw, kiwi = random.Random(seed), Kiwi(num_workers=1)
    sentences = _sentences(data, count, draw)
    analysed = [list(found) for found in kiwi.tokenize([one for one, *_ in sentences])]
    nouns = defaultdict(list)
    for tokens in analysed:
        for token in tokens:
            if token.tag in ("NNP", "NNG") and len(token.form) > 1:
                nouns[token.tag].append(token.form)
    for (text, following, english), tokens in zip(sentences, analysed, strict=True):
        other = draw.choice(sentences)[0]
        for premise, claim, label in _pairs(kiwi, text, following, other, tokens, nouns, draw):
            # what is denied or changed was put together anew: so are some of the others
            if label in (ENTAILED, NEUTRAL) and draw.random() < 0.55:
                claim = kiwi.join(kiwi.tokenize(claim))
            if draw.random() < 0.15:
                premise = kiwi.join(kiwi.tokenize(premise))
            yield Pair(premise, claim, label, "made-ko")
            if english and text == premise:  # the same in two languages
                yield Pair(english, claim, label, "made-ko")


def _sentences(data: Path, count: int, draw: random.Random) -> list[tuple[str, str, str]]:
    """Return sentences with those that follow them, and their English if it is known."""
    chosen = []
    for name, share in _SHARES.items():
        found = []
        for row in read(data / f"cpt/ko/{name}_ko.jsonl.gz"):
            text = row["text"][:60000]
            lines = [line.strip() for part in text.split("\n") for line in _END.split(part)]
            for line, following in zip(lines, [*lines[1:], ""], strict=True):
                if _usable(line):
                    found.append((line, following, ""))
            if len(found) > count * share * 4:
                break
        draw.shuffle(found)
        chosen += found[: int(count * share)]
    for name, share in _PARALLEL.items():
        rows = list(read(data / f"cpt/parallel/{name}_en_ko.jsonl.gz"))
        after = [*(row["ko"] for row in rows[1:]), ""]
        both = zip(rows, after, strict=True)
        found = [(row["ko"], next_, row["en"]) for row, next_ in both if _usable(row["ko"])]
        draw.shuffle(found)
        chosen += found[: int(count * share)]
    draw.shuffle(chosen)
    return chosen


def _usable(line: str) -> bool:
    letters = len(line.replace(" ", ""))
    return 14 <= len(line) <= 110 and len(_HANGUL.findall(line)) > 0.6 * letters


def _pairs(
    kiwi: Kiwi,
    text: str,
    following: str,
    other: str,
    tokens: Sequence[Any],
    nouns: dict[str, list[str]],
    draw: random.Random,
) -> Iterator[tuple[str, str, int]]:
    short = _shortened(text, tokens, draw)
    true = _retold(short or text, draw)
    if true != text:
        yield text, true, ENTAILED
    if short and draw.random() < 0.5:
        yield short, _retold(text, draw), NEUTRAL
    morphs = [(token.form, token.tag) for token in tokens]
    changed = [_denied(kiwi, morphs, draw), _opposite(kiwi, morphs, draw), _numbered(text, draw)]
    false = [each for each in changed if each and each != text]
    if false:
        wrong = draw.choice(false)
        if draw.random() < 0.5:
            wrong = _retold(wrong, draw)
        yield (wrong, text, CONTRADICTED) if draw.random() < 0.3 else (text, wrong, CONTRADICTED)
    swapped = _another(kiwi, morphs, nouns, draw)
    if swapped and draw.random() < 0.5:
        yield text, swapped, NOT_ENTAILED
    if 10 < len(following) < 90 and draw.random() < 0.35:
        yield text, following, NEUTRAL
    if draw.random() < 0.12:
        yield text, other, NEUTRAL


def _denied(kiwi: Kiwi, m: Morphs, draw: random.Random) -> str | None:
    """Deny the last predicate."""
    at = next((i for i in reversed(range(len(m))) if m[i][1].split("-")[0] in _PREDICATES), None)
    if at is None:
        return None
    form, tag = m[at][0], m[at][1].split("-")[0]
    if form in ("않", "못하") and tag == "VX":
        return None
    if tag == "VCP":
        return kiwi.join([*m[:at], ("이", "JKS"), ("아니", "VCN"), *m[at + 1 :]])
    if form in ("있", "없"):
        return kiwi.join([*m[:at], ("없" if form == "있" else "있", "VA"), *m[at + 1 :]])
    if tag not in ("VV", "VA", "XSV", "XSA"):
        return None
    acts = tag in ("VV", "XSV")
    rest = [("는다" if acts and f in ("ᆫ다", "는다") else f, t) for f, t in m[at + 1 :]]
    no = draw.choice(("않", "않", "못하")) if acts else "않"
    return kiwi.join([*m[: at + 1], ("지", "EC"), (no, "VX"), *rest])


def _opposite(kiwi: Kiwi, m: Morphs, draw: random.Random) -> str | None:
    """Put the opposite in place of a word that has one."""
    places = []
    for at, (form, tag) in enumerate(m):
        verb = tag.split("-")[0] in ("VV", "VA")
        key = form + "다" if verb else form
        if key in _LEFT and (verb or tag in ("NNG", "MAG", "NNB", "XR")):
            places.append((at, key, verb))
    if not places:
        return None
    at, key, verb = draw.choice(places)
    other = draw.choice(_LEFT[key])
    if verb != other.endswith("다"):
        return None
    tag = m[at][1].split("-")[0]
    return kiwi.join([*m[:at], (other.removesuffix("다"), tag), *m[at + 1 :]])


def _numbered(text: str, draw: random.Random) -> str | None:
    found = list(re.finditer(r"\d+", text))
    if not found:
        return None
    one = draw.choice(found)
    value = int(one[0])
    other = draw.choice((value + 1, value * 2, value + 10, value + 3, value // 2))
    return None if other == value else text[: one.start()] + str(other) + text[one.end() :]


def _another(kiwi: Kiwi, m: Morphs, nouns: dict[str, list[str]], draw: random.Random) -> str | None:
    """Put another noun of its kind in place of one; of a name where there is one."""
    places = [i for i, (form, tag) in enumerate(m) if tag in ("NNP", "NNG") and len(form) > 1]
    if not places:
        return None
    at = draw.choice([i for i in places if m[i][1] == "NNP"] or places)
    other = draw.choice(nouns[m[at][1]])
    return None if other == m[at][0] else kiwi.join([*m[:at], (other, m[at][1]), *m[at + 1 :]])


def _words(text: str, tokens: Sequence[Any]) -> list[tuple[str, list[Any]]]:
    """Return the words of `text` with their morphemes."""
    found, at = [], 0
    for word in text.split():
        start = text.index(word, at)
        at = start + len(word)
        found.append((word, [token for token in tokens if start <= token.start < at]))
    return found


def _shortened(text: str, tokens: Sequence[Any], draw: random.Random) -> str | None:
    """Leave out adverbs and adverbial phrases, the first clause, or attributes."""
    words = _words(text, tokens)
    if len(words) < 4:
        return None
    last = [inside[-1].tag if inside else "" for _, inside in words]
    how = draw.random()
    if how < 0.45:
        out = _adverbs(words, last, draw)
    elif how < 0.75:
        ends = [
            i
            for i in range(1, len(words) - 2)
            if any(token.tag == "EC" and token.form in _CLAUSE for token in words[i][1][-2:])
        ]
        out = set(range(draw.choice(ends) + 1)) if ends else set()
    else:
        out = {
            i
            for i in range(len(words) - 1)
            if last[i] in ("ETM", "JKG", "MM")
            and (i == 0 or last[i - 1] not in ("JKO", "JKB", "JKS", "JX", "EC"))
            and draw.random() < 0.4
        }
    if not out or len(words) - len(out) < 2:
        return None
    return " ".join(word for i, (word, _) in enumerate(words) if i not in out)


def _adverbs(words: list[tuple[str, list[Any]]], last: list[str], draw: random.Random) -> set[int]:
    out: set[int] = set()
    for i, (_, inside) in enumerate(words[:-1]):
        adverb = all(token.tag in ("MAG", "MAJ", "SP") for token in inside)
        if any(token.form in _DENYING for token in inside):
            continue
        if (adverb or (last[i] == "JKB" and i > 0)) and draw.random() < 0.6:
            out.add(i)
            before = i - 1
            while before >= 0 and last[before] in ("JKG", "ETM", "MM", "XSN", "JC"):
                out.add(before)
                before -= 1
    return out


def _retold(text: str, draw: random.Random) -> str:
    """Write a few words in another way; exchange the subject and the place after it."""
    for written, other in draw.sample(_WORDINGS, len(_WORDINGS)):
        if written in text and draw.random() < 0.5:
            text = text.replace(written, other, 1)
    words = text.split()
    places = [
        i
        for i in range(len(words) - 2)
        if re.search("[은는이가]$", words[i]) and re.search("(에|에서|에게|로|으로)$", words[i + 1])
    ]
    if places and draw.random() < 0.4:
        i = draw.choice(places)
        words[i], words[i + 1] = words[i + 1], words[i]
        text = " ".join(words)
    return text
