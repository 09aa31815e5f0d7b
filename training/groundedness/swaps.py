"""Answers made of a context's own sentences, true and with one value changed.

A changed value is another of the same kind from the same passage: the answer to another question,
another number, another name. Word overlap hardly sees it.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from sources import Row, articles, read

from solarmini.rag.chunk.sentences import sentences

_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?![\w.]*\d)")
_KOREAN_VALUE = re.compile(
    r"(?:제\d+조|제\d+항|제\d+호|\d+(?:만|억|천)?(?:년|개월|월|일|원|명|회|퍼센트|배|시간|주|분)|"
    r"대통령령|총리령|법무부령|고용노동부령|국토교통부령|법원|검사|대법원|장관|시장|군수|"
    r"이상|이하|미만|초과|이내|1천|[가-힣]+부장관|[가-힣]+위원회)"
)


_BREAK = re.compile(r",\s+|;\s+|\s+(?=(?:and|but|while|which|who|where|although|because)\s)")
_KOREAN_BREAK = re.compile(r"(?<=[고며서면나만여])\s+|,\s*")


def shorter(sentence: str, kept: str, draw: random.Random) -> str:
    """Leave out clauses of a sentence, but not the one with `kept`: what a reader would retell."""
    breaks = _KOREAN_BREAK if re.search("[가-힣]", sentence) else _BREAK
    parts = [part for part in breaks.split(sentence) if part]
    at = next((i for i, part in enumerate(parts) if kept in part), None)
    if at is None or len(parts) < 2:
        return sentence
    first = max(0, at - draw.choice((0, 0, 1)))
    last = min(len(parts), at + 1 + draw.choice((0, 0, 1)))
    chosen = " ".join(parts[first:last])
    if len(chosen.split()) < 4:
        return sentence
    return chosen[0].upper() + chosen[1:].rstrip(" ,;.") + "."


def _kind(value: str) -> str:
    if re.search(r"\d", value):
        return "number"
    return "name" if value[:1].isupper() else "words"


def english(data: Path, seed: int) -> Iterator[Row]:
    """XQuAD: the sentence with the answer, and a reply to the question; right and swapped."""
    draw = random.Random(seed)
    texts = {
        row["_id"]: row["text"] for row in read(data / "rag/corpus/xquad_en_passages.jsonl.gz")
    }
    asked = defaultdict(list)
    for row in read(data / "rag/dev/xquad_en_queries.jsonl"):
        asked[row["positive_ids"][0]].append((row["query"], row["answers"][0]))
    for name, pairs in asked.items():
        text = texts[name]
        for question, answer in pairs:
            sentence = _holding(text, answer)
            others = [
                other
                for _, other in pairs
                if other.casefold() not in answer.casefold()
                and answer.casefold() not in other.casefold()
            ]
            if sentence is None or not others:
                continue
            alike = [other for other in others if _kind(other) == _kind(answer)]
            wrong = draw.choice(alike or others)
            yield Row(text, sentence, "grounded", "swap-en", name)
            short = shorter(sentence, answer, draw)
            if short != sentence:
                yield Row(text, short, "grounded", "short-en", name)
                if wrong.casefold() not in short.casefold():
                    swapped = short.replace(answer, wrong, 1)
                    yield Row(text, swapped, "notGrounded", "short-en", name)
            if wrong.casefold() not in sentence.casefold():
                swapped = sentence.replace(answer, wrong, 1)
                yield Row(text, swapped, "notGrounded", "swap-en", name)
            for reply, label in ((answer, "grounded"), (wrong, "notGrounded")):
                yield Row(text, f"Question: {question} Answer: {reply}", label, "qa-en", name)


def _holding(text: str, value: str) -> str | None:
    for start, end in sentences(text):
        if value in text[start:end]:
            return text[start:end]
    return None


def numbers(data: Path, seed: int) -> Iterator[Row]:
    """XQuAD: sentences with a number, right and with another number of the passage."""
    draw = random.Random(seed)
    for row in read(data / "rag/corpus/xquad_en_passages.jsonl.gz"):
        text, name = row["text"], row["_id"]
        every = sorted({found[0] for found in _NUMBER.finditer(text)})
        for start, end in sentences(text):
            sentence = text[start:end]
            found = list(_NUMBER.finditer(sentence))
            others = [n for n in every if n not in {f[0] for f in found}]
            if not found or not others or draw.random() < 0.5:
                continue
            value = draw.choice(found)
            wrong = draw.choice(others)
            yield Row(text, sentence, "grounded", "number-en", name)
            swapped = sentence[: value.start()] + wrong + sentence[value.end() :]
            yield Row(text, swapped, "notGrounded", "number-en", name)
            short = shorter(sentence, value[0], draw)
            others = [n for n in every if n not in short]
            if short != sentence and others:
                yield Row(text, short, "grounded", "short-en", name)
                swapped = short.replace(value[0], draw.choice(others), 1)
                yield Row(text, swapped, "notGrounded", "short-en", name)


def statutes(data: Path, seed: int, most: int = 1000) -> Iterator[Row]:
    """Statutes: sentences with a value (term, sum, body), right and with another of the article."""
    draw = random.Random(seed)
    made = 0
    for text, name, lines in articles(data, draw):
        every = sorted({found[0] for found in _KOREAN_VALUE.finditer(text)})
        draw.shuffle(lines)
        for sentence in lines[:2]:
            found = list(_KOREAN_VALUE.finditer(sentence))
            if not found or len(sentence) < 20:
                continue
            value = draw.choice(found)
            others = [
                other
                for other in every
                if other not in sentence and _tail(other) == _tail(value[0])
            ]
            if not others:
                continue
            swapped = sentence[: value.start()] + draw.choice(others) + sentence[value.end() :]
            yield Row(text, sentence, "grounded", "swap-ko", name)
            yield Row(text, swapped, "notGrounded", "swap-ko", name)
            short = shorter(sentence, value[0], draw)
            others = [n for n in every if n not in short and _tail(n) == _tail(value[0])]
            if short != sentence and others:
                yield Row(text, short, "grounded", "short-ko", name)
                swapped = short.replace(value[0], draw.choice(others), 1)
                yield Row(text, swapped, "notGrounded", "short-ko", name)
            made += 2
        if made >= most:
            return


def asked(row: Row, draw: random.Random) -> Row | None:
    """Return a Korean answer as a question answered with yes or no, its label turned with no."""
    if not row.answer.endswith("한다."):
        return None
    no = draw.random() < 0.5
    right = (row.label == "grounded") != no
    question = row.answer.removesuffix("한다.") + draw.choice(("하는가?", "하나요?"))
    answer = f"질문: {question} 답: {'아니오' if no else '예'}"
    label = "grounded" if right else "notGrounded"
    return Row(row.context, answer, label, "asked-ko", row.group)


def _tail(value: str) -> str:
    if re.search(r"\d", value):
        return re.sub(r"[\d.,]|제|만|억|천", "", value)
    return "bound" if value in ("이상", "이하", "미만", "초과", "이내") else "body"
