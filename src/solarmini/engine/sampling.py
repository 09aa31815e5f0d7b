"""Choose the next token from logits."""

from collections import Counter
from collections.abc import Sequence

import torch

from solarmini.engine.interface import GenerationSettings


def sampler(settings: GenerationSettings, device: torch.device) -> "torch.Generator | None":
    """Return the random source of one answer; None for greedy choice, which needs none."""
    if settings.temperature == 0:
        return None
    generator = torch.Generator(device=device)
    if settings.seed is None:
        generator.seed()
    else:
        generator.manual_seed(settings.seed)
    return generator


def choose(
    logits: torch.Tensor, settings: GenerationSettings, generator: "torch.Generator | None"
) -> int:
    """Return a token id for float logits [V]: the largest, or one drawn at random.

    Temperature first, then top-k, top-p on what top-k left (nucleus sampling, arXiv:1904.09751:
    the fewest tokens whose probabilities reach top_p), and min-p (at least this share of the
    likeliest token's probability).
    """
    logits = logits.float()
    if generator is None:
        return int(logits.argmax())
    scaled = keep_top(logits / settings.temperature, settings.top_k, settings.top_p)
    probabilities = torch.softmax(scaled, dim=-1)
    if settings.min_p:
        floor = probabilities.max() * settings.min_p
        probabilities = probabilities.masked_fill(probabilities < floor, 0.0)
    return int(torch.multinomial(probabilities, 1, generator=generator))


def keep_top(logits: torch.Tensor, top_k: int, top_p: float) -> torch.Tensor:
    """Return logits [V] with everything outside top-k and top-p set to -inf."""
    if top_k and top_k < logits.numel():
        limit = torch.topk(logits, top_k).values[-1]
        logits = logits.masked_fill(logits < limit, -torch.inf)
    if top_p < 1:
        ordered, places = torch.sort(logits, descending=True, stable=True)
        mass = torch.softmax(ordered, dim=-1)
        outside = mass.cumsum(-1) - mass >= top_p  # the first is always inside
        logits = logits.index_fill(0, places[outside], -torch.inf)
    return logits


def adjusted(
    logits: torch.Tensor, settings: GenerationSettings, made: Sequence[int]
) -> torch.Tensor:
    """Return logits [V] after bias, and penalties for the tokens `made` of the answer so far.

    A token that occurred loses `presence_penalty` once and `frequency_penalty` per occurrence
    (OpenAI's definition).
    """
    if settings.logit_bias:
        logits = logits.clone()
        for index, bias in settings.logit_bias:
            if 0 <= index < logits.numel():
                logits[index] += bias
    if made and (settings.presence_penalty or settings.frequency_penalty):
        counts = Counter(made)
        places = torch.tensor(list(counts), device=logits.device)
        times = torch.tensor(list(counts.values()), device=logits.device, dtype=logits.dtype)
        loss = settings.presence_penalty + settings.frequency_penalty * times
        logits = logits.index_add(0, places, -loss)
    return logits
