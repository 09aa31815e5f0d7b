"""Small real parts for tests of the knowledge base: an embedder, and sources made by hand."""

from collections.abc import Iterator, Sequence
from typing import Any
from zlib import crc32

import numpy as np

from solarmini.engine.interface import Event, Generation, GenerationSettings
from solarmini.rag.chunk.model import Block, Parsed, Place
from solarmini.rag.embed.interface import unit
from solarmini.rag.lexical.terms import document_terms


class HashingEmbedder:
    """A real, if crude, embedder: terms hashed into 64 signed places. No model, no download."""

    name = "hashing-64"
    dimension = 64

    def __init__(self) -> None:
        self.passages_made = 0

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        self.passages_made += len(texts)
        return np.stack([self.query(text) for text in texts])

    def query(self, text: str) -> np.ndarray:
        vector = np.zeros(self.dimension, dtype=np.float32)
        for term, often in document_terms(text).items():
            place = crc32(term.encode())
            vector[place % 64] += often if place & 64 else -often
        return unit(vector)


def parsed(*paragraphs: str, title: str | None = None) -> Parsed:
    """Blocks of plain paragraphs, each on a page of its own."""
    blocks = [Block("text", text, (Place(n, None, n),)) for n, text in enumerate(paragraphs, 1)]
    return Parsed("txt", tuple(blocks), len(paragraphs), title)


class Says:
    """An engine whose model says what it is told to, piece by piece; keeps what it was asked."""

    name = "says"
    context_length = 4096
    parallel = 1

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.prompts: list[str] = []
        self.settings: list[GenerationSettings] = []

    def tokenize(self, text: str) -> list[int]:
        return [ord(c) for c in text[::4]]

    def generate(self, prompt: Any, settings: GenerationSettings) -> "Saying":
        self.prompts.append(prompt[-1]["content"])
        self.settings.append(settings)
        return Saying(self.answers.pop(0))


class Saying(Generation):
    """A text that comes in pieces of seven characters."""

    def __init__(self, text: str) -> None:
        super().__init__(prompt_tokens=1)
        self.said = text

    def _events(self) -> Iterator[Event]:
        for at in range(0, len(self.said), 7):
            if self.cancelled:
                return
            yield Event(self.said[at : at + 7])
