"""Our scorer as a model of lm-eval; imported only when lm-eval is there."""

from typing import Any

import numpy as np
from lm_eval.models.huggingface import HFLM

from solarmini.evaluate.scoring import Row, Scorer


class ScorerLM(HFLM):
    """lm-eval's Hugging Face model with our log-probabilities.

    Tokenisation, few-shot prompts, truncation and generation stay lm-eval's; only the scoring of
    continuations is ours, so that a batch of long prompts does not hold the logits of every
    position (25 shots of ARC at vocabulary 49,152: 2.4 GiB for eight rows).
    """

    def __init__(self, scorer: Scorer, tokenizer: Any) -> None:
        super().__init__(
            pretrained=scorer.model,
            tokenizer=tokenizer,
            batch_size=8,
            max_length=scorer.max_length,
        )
        self._scorer = scorer

    @property
    def max_gen_toks(self) -> int:
        """Longest answer in tokens: lm-eval's 256, or half of a smaller context."""
        return min(256, self.max_length // 2)

    def _loglikelihood_tokens(
        self,
        requests: list[tuple[tuple[str, str], list[int], list[int]]],
        disable_tqdm: bool = False,  # noqa: ARG002  (lm-eval's signature)
        override_bs: int | None = None,  # noqa: ARG002
    ) -> list[tuple[float, bool]]:
        rows = []
        for _, context, continuation in requests:
            # The last token is never fed, hence one more than the model's window.
            ids = np.asarray((context + continuation)[-(self.max_length + 1) :])
            targets = np.zeros(len(ids), dtype=bool)
            targets[-len(continuation) :] = True
            rows.append(Row(ids, targets))
        scored = self._scorer.score(rows, "choices")
        answers = [(-float(losses.sum()), bool(greedy.all())) for losses, greedy in scored]
        for request, answer in zip(requests, answers, strict=True):
            if request[0] is not None:
                self.cache_hook.add_partial("loglikelihood", request[0], answer)
        return answers


def make_model(scorer: Scorer, tokenizer: Any) -> ScorerLM:
    """Wrap a loaded model for lm-eval."""
    return ScorerLM(scorer, tokenizer)
