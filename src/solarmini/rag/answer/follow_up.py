"""A follow-up question made one that stands alone, by rule or by the model."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from solarmini.rag.answer.question import names_of
from solarmini.rag.lexical import english
from solarmini.rag.lexical.query import query_words

if TYPE_CHECKING:
    from solarmini.engine.interface import Engine


class Turn(NamedTuple):
    """A question of the conversation before, and what was answered."""

    question: str
    answer: str


_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|this|that|these|those|he|she|him|his|her|one|ones|there|then|"
    r"same|former|latter|else)\b|그것|그거|이것|이거|그(?=[가-힣\s])|거기|그럼|그러면|그중|같은|나머지",
    re.IGNORECASE,
)
_AND_OF = re.compile(
    r"^\s*(?:and|but|so)?\s*(?:what|how)\s+about\s+(?P<what>.+?)\s*\??\s*$|"
    r"^\s*and\s+(?:(?:for|of|in|on|with)\s+)?(?P<that>.+?)\s*\??\s*$|"
    r"^\s*(?:그럼|그러면|그렇다면)?\s*(?P<ko>[^?]{1,40}?)(?:은|는)\s*(?:요|어때요?|어떤가요)?\s*\?\s*$",
    re.IGNORECASE,
)
_SHORT = 2  # terms from which on a question may stand alone
_NAMED = re.compile(r"(?:[A-Z0-9][\w.+/-]*|[가-힣]*[A-Z0-9][\w.+/-]*)(?:\s+(?:[A-Z0-9][\w.+/-]*))*")
_ASK = (
    "Rewrite the last question so that it can be understood without the conversation. Use only "
    "words of the conversation. Reply with the question alone, in its own language."
)
_ATTRIBUTE = re.compile(r"(?:the|its|their)\s", re.IGNORECASE)
_TOPIC = re.compile(r"(?:^|\s)([가-힣]{2,})(?=[은는이가을를의]\s)")
_LONGEST = 400  # characters of one turn that the model reads


def stands_alone(question: str) -> bool:
    """Whether a question can be understood by itself."""
    terms = query_words(question)
    return not (_AND_OF.match(question) or _POINTS_BACK.search(question) or len(terms) < _SHORT)


def rewrite(question: str, history: Sequence[Turn], engine: "Engine | None" = None) -> str:
    """Return the question with what it takes from the conversation put into words.

    A model's rewriting is used only when every term of it comes from the conversation and none of
    the question's own names is lost; otherwise a rule does it: "what about X?" asks the question
    before about X, and a question that points back gets the names and things asked about before.
    """
    if not history or stands_alone(question):
        return question
    if engine is not None:
        written = _by_model(question, history, engine)
        if _faithful(written, question, history):
            return written
    return _by_rule(question, rewrite_all(history))


def rewrite_all(history: Sequence[Turn]) -> str:
    """Return the last question of a conversation, itself rewritten with those before it."""
    *before, last = history
    return rewrite(last.question, before)


def _by_rule(question: str, before: str) -> str:
    about = _AND_OF.match(question)
    if about is None:
        own = frozenset(query_words(question))
        kept = [word for word in before.rstrip("?. ").split() if _adds(word, own)]
        return f"{question.rstrip('?. ')} ({' '.join(kept)})?" if kept else question
    subject = next(part for part in about.groups() if part)
    named = _NAMED.findall(before[:1].lower() + before[1:])
    if named and _ATTRIBUTE.match(subject):
        return f"What is {subject} of {named[-1]}?"
    if named:
        head, _, tail = before.rpartition(named[-1])
        return head + subject + tail
    topic = _TOPIC.search(before)
    if topic:
        return before[: topic.start(1)] + subject + before[topic.end(1) :]
    return f"{before.rstrip('?. ')}, {subject}?"


def _adds(word: str, own: frozenset[str]) -> bool:
    """Whether a word of the question before says something that this one does not."""
    terms = query_words(word)
    return not english.STOPWORDS.issuperset(terms) and any(term not in own for term in terms)


def _by_model(question: str, history: Sequence[Turn], engine: "Engine") -> str:
    from solarmini.engine.interface import GenerationSettings, UnsupportedError

    said = "\n".join(
        f"Q: {turn.question[:_LONGEST]}\nA: {turn.answer[:_LONGEST]}" for turn in history[-3:]
    )
    asked = f"{_ASK}\n\n{said}\nLast question: {question}"
    settings = GenerationSettings(
        max_tokens=96, grammar='start: /[^\\n?]{3,300}/ "?"\n', temperature=0.0
    )
    prompt = [{"role": "user", "content": asked}]
    try:
        return engine.generate(prompt, settings).text().strip()
    except UnsupportedError:  # no grammars; what it says is checked anyhow
        free = settings.model_copy(update={"grammar": None, "stop": ("\n",)})
        return engine.generate(prompt, free).text().strip()


def _faithful(written: str, question: str, history: Sequence[Turn]) -> bool:
    """Whether a rewriting has no word of its own and kept the names of the question."""
    known = set(query_words(question))
    for turn in history:
        known |= set(query_words(turn.question)) | set(query_words(turn.answer))
    terms = set(query_words(written))
    return bool(terms) and terms <= known and all(name <= terms for name in names_of(question))
