"""What the network is given to read: as much of the context as bears on the claim and fits."""

from bisect import bisect_right
from collections.abc import Sequence

from solarmini.rag.ground.align import weight
from solarmini.rag.ground.entail.encoder import MOST_CLAIM, MOST_TOKENS, Encoder
from solarmini.rag.ground.passages import Context, Sentence
from solarmini.rag.ground.words import Unit

_MOST_LOOKED_AT = 12  # sentences
_MOST_PLACES = 200  # of the claim's units in one sentence


def premise(
    claim: str,
    said: Sequence[Unit],
    support: Sequence[Sentence],
    context: Context,
    encoder: Encoder,
) -> str:
    """Return the whole context where it fits beside the claim, else its sentences that do.

    The sentences of `support` come first, then those with most of the claim's units (`said`),
    nearest first; they are joined in the order of the text. A first sentence that is too long
    is cut to the part with the claim's words.
    """
    room = MOST_TOKENS - 3 - min(len(encoder.tokens(claim)), MOST_CLAIM)
    sizes: dict[int, int] = {}
    chosen: list[Sentence] = []
    for sentence in _ranked(said, support, context)[:_MOST_LOOKED_AT]:
        text = context.written(sentence)
        sizes[id(sentence)] = size = len(encoder.tokens(text))
        if size <= room:
            chosen.append(sentence)
            room -= size
        elif not chosen:
            return _cut(text, said, sentence, room, encoder)
    chosen.sort(key=lambda each: (each.passage, each.start))
    return " ".join(context.written(each) for each in chosen)


def _ranked(said: Sequence[Unit], support: Sequence[Sentence], context: Context) -> list[Sentence]:
    best = support[0] if support else None
    weights = {unit.key: weight(unit) for unit in said}

    def rank(sentence: Sentence) -> tuple[float, float, int]:
        held = sum(weights[key] for key in sentence.keys & weights.keys())
        near = best is not None and sentence.passage == best.passage
        distance = abs(sentence.start - best.start) if near and best else 1_000_000
        return (-held, distance, sentence.passage)

    first = {id(each) for each in support}
    others = [each for each in context.sentences if id(each) not in first]
    return [*support, *sorted(others, key=rank)]


def _cut(text: str, said: Sequence[Unit], sentence: Sentence, room: int, encoder: Encoder) -> str:
    """Return the `room` tokens of a sentence that hold most of the claim."""
    weights = {unit.key: weight(unit) for unit in said}
    spans = encoder.spans(text)
    ends = [end for _, end in spans]
    places = [
        (bisect_right(ends, unit.start - sentence.start), unit.key)
        for unit in sentence.units
        if unit.key in weights
    ][:_MOST_PLACES]
    most, first, last = -1.0, 0, 0
    for number, (begin, _) in enumerate(places):
        inside = [(at, key) for at, key in places[number:] if at < begin + room]
        held = sum(weights[key] for key in {key for _, key in inside})
        if held > most:
            most, first, last = held, begin, inside[-1][0]
    begin = max(0, min((first + last - room) // 2, len(spans) - room))
    return text[spans[begin][0] : spans[min(begin + room, len(spans)) - 1][1]]
