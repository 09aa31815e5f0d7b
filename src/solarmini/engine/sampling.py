"""Choose the next token from logits."""

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

    Temperature first, then top-k, then top-p on what top-k left (nucleus sampling,
    arXiv:1904.09751: the fewest tokens whose probabilities reach top_p).
    """
    logits = logits.float()
    if generator is None:
        return int(logits.argmax())
    scaled = logits / settings.temperature
    probabilities = torch.softmax(keep_top(scaled, settings.top_k, settings.top_p), dim=-1)
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
