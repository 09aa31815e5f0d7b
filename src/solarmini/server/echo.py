"""Prompts that are repeated before their continuation, with log-probabilities if asked for.

So clients score texts with a completion's `echo` and `logprobs`: our own remote engine, and
lm-eval's `local-completions`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from solarmini.engine.interface import Prompt
from solarmini.server.answers import Scored
from solarmini.server.state import State


@dataclass(frozen=True, slots=True)
class Echo:
    """What a choice repeats first: its text, and its tokens if they were scored."""

    text: str = ""
    tokens: Sequence[Scored] = ()


async def echoes(state: State, prompts: Sequence[Prompt], scores: int | None) -> list[Echo]:
    """Return what to repeat of each prompt.

    `scores` is how many of the likeliest tokens stand beside each, at most one; None: no scores.
    """
    if scores is None and all(isinstance(prompt, str) for prompt in prompts):
        return [Echo(str(prompt)) for prompt in prompts]
    state.gate.check()
    await state.gate.acquire()
    try:
        read = await state.link.result("read", prompts=list(prompts), scored=scores is not None)
    finally:
        state.gate.release()
    found = []
    for prompt, tokens in zip(prompts, read, strict=True):
        raw = b"".join(bytes.fromhex(token[1]) for token in tokens)
        text = prompt if isinstance(prompt, str) else raw.decode("utf-8", "replace")
        kept = [[*token[:3], token[3][:scores]] for token in tokens]
        found.append(Echo(text, () if scores is None else kept))
    return found
