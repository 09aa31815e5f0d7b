"""Bind an answer to a JSON schema or grammar, token by token, for engines that give logits.

llguidance (MIT) decides which tokens may follow; llama.cpp carries the same library, so a schema
means the same to both engines.
"""

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from solarmini.engine.interface import GenerationSettings, GrammarError
from solarmini.errors import require

if TYPE_CHECKING:
    import torch


# JSON on one line: left to itself, a small model fills a schema's free places with white space
_ONE_LINE = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


def json_rule(schema: Any, *, lenient: bool = False) -> str:
    """Return the Lark expression of JSON that follows `schema`, written on one line.

    A keyword that cannot be enforced makes the grammar invalid; `lenient` leaves it out.
    """
    whole = schema if isinstance(schema, dict) else {"allOf": [schema]}
    manner = _ONE_LINE | ({"lenient": True} if lenient else {})
    return f"%json {json.dumps({'x-guidance': manner, **whole})}"


def grammar_of(settings: GenerationSettings) -> str:
    """Return the grammar (Lark, llguidance's dialect) that a schema or grammar asks for."""
    if settings.json_schema is not None:
        return f"start: {json_rule(settings.json_schema)}\n"
    assert settings.grammar is not None
    return settings.grammar


def checked_grammar(settings: GenerationSettings) -> str:
    """Return the grammar; GrammarError when it is none (llama.cpp would silently ignore it)."""
    guidance = require("llguidance", "serve")
    grammar = grammar_of(settings)
    if wrong := guidance.LLMatcher.validate_grammar(grammar):
        raise _not_enforced(wrong)
    return grammar


def _not_enforced(said: str) -> GrammarError:
    """Return the error without the grammar that the library quotes in full."""
    return GrammarError(f"the answer's form cannot be enforced: {said.splitlines()[0]}")


class Constraints:
    """The constraints of one tokenizer; its tables are made when first needed."""

    def __init__(self, tokenizer: Any, size: int) -> None:
        """`size` is the number of logits, which may be more than the tokenizer's ids."""
        self._tokenizer, self._size = tokenizer, size

    @cached_property
    def _tables(self) -> Any:
        guidance = require("llguidance", "serve")
        backend = self._tokenizer.backend_tokenizer.to_str()
        return guidance.LLTokenizer(
            backend, n_vocab=self._size, eos_token=self._tokenizer.eos_token_id
        )

    def start(self, settings: GenerationSettings) -> "Constraint":
        """Return a constraint at its beginning; GrammarError when it cannot be enforced."""
        guidance = require("llguidance", "serve")
        matcher = guidance.LLMatcher(self._tables, grammar_of(settings))
        if matcher.is_error():
            raise _not_enforced(matcher.get_error())
        return Constraint(matcher, self._size)


class Constraint:
    """Where one answer stands in its grammar."""

    def __init__(self, matcher: Any, size: int) -> None:
        self._matcher, self._size = matcher, size

    @property
    def finished(self) -> bool:
        """Whether nothing may follow any more."""
        return bool(self._matcher.is_stopped())

    def masked(self, logits: "torch.Tensor") -> "torch.Tensor":
        """Return logits [V] with every token that may not follow at -inf."""
        import numpy as np
        import torch

        words = np.frombuffer(self._matcher.compute_bitmask(), np.uint32)
        allowed = np.unpackbits(words.view(np.uint8), bitorder="little")[: self._size]
        mask = torch.from_numpy(allowed.astype(bool)).to(logits.device)
        return logits.masked_fill(~mask, -torch.inf)

    def accept(self, token: int) -> None:
        """Go on by one token."""
        if not self._matcher.is_stopped():
            self._matcher.consume_token(token)
