"""What can be measured of a claim beside its context, as a row of numbers."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from solarmini.rag.ground import lists
from solarmini.rag.ground.align import Alignment, align, best_sentences, found_in, weight
from solarmini.rag.ground.claims import Statement
from solarmini.rag.ground.entail.encoder import Reading
from solarmini.rag.ground.near import nearness
from solarmini.rag.ground.passages import Context, Sentence
from solarmini.rag.ground.words import Unit, shingles, units
from solarmini.rag.lexical.hangul import has_hangul

_WORD = re.compile(r"[^\W\d_]+|\d+")
_MOST = 250  # units of a claim, and of what supports it, that are looked at


@dataclass(slots=True)
class Evidence:
    """A claim's measures by name, the sentences that support it, and what speaks against it.

    `said` are the claim's units without the light ones. `reading` is what the network makes of the
    claim, once it was asked.
    """

    measures: dict[str, float]
    said: list[Unit]
    support: list[Sentence] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    size: float = 1.0
    reading: Reading | None = None


def measure(claim: Statement, context: Context) -> Evidence:
    """Measure one claim against a context, by its words alone."""
    every = units(claim.stated)
    said = [unit for unit in every if unit.kind != "light"][:_MOST]
    support, grid = best_sentences(said, context.sentences)
    window = _window(support)
    aligned = align(said, window)
    found = Evidence({}, said, support, size=max(1.0, sum(weight(unit) for unit in said)))
    m = found.measures
    _length(m, claim, said, context)
    _coverage(m, said, grid, context)
    _order(m, said, aligned, context)
    _surface(m, claim, context, support)
    _values(found, said, aligned, window, context)
    _nearness(found, claim, said, context)
    _denial(found, claim, said, every, aligned, window, context)
    _manner(m, claim, every, context)
    return found


def _window(support: Sequence[Sentence]) -> list[Unit]:
    """Return the units of the supporting sentences in the order of the text."""
    placed = sorted(support, key=lambda each: (each.passage, each.start))
    return [unit for sentence in placed for unit in sentence.units][:_MOST]


def _length(m: dict[str, float], claim: Statement, said: list[Unit], context: Context) -> None:
    m["units"] = math.log1p(len(said))
    m["context"] = math.log1p(len(context.units))
    m["sentences"] = math.log1p(len(context.sentences))
    m["korean"] = float(has_hangul(claim.stated))


def _coverage(
    m: dict[str, float], said: list[Unit], grid: list[list[float]], context: Context
) -> None:
    weights = [weight(unit) for unit in said]
    total = sum(weights) or 1.0
    first = grid[0] if grid else [0.0] * len(said)
    both = [max(column) for column in zip(*grid, strict=True)] if grid else first
    keys, families, text = context.places, context.families, context.text.casefold()
    whole = [max(b, found_in(u, keys, families, text)) for u, b in zip(said, both, strict=True)]
    m["cover"] = sum(w * f for w, f in zip(weights, whole, strict=True)) / total
    m["cover_best"] = sum(w * f for w, f in zip(weights, first, strict=True)) / total
    m["cover_two"] = sum(w * f for w, f in zip(weights, both, strict=True)) / total
    m["plain_best"] = sum(f > 0 for f in first) / max(len(said), 1)
    m["new"] = float(sum(f == 0 for f in whole))
    m["new_best"] = float(sum(f == 0 for f in first))
    words = [f for u, f in zip(said, both, strict=True) if u.kind == "word"]
    m["new_words"] = float(sum(f == 0 for f in words))
    m["nothing"] = float(not said)


def _order(m: dict[str, float], said: list[Unit], aligned: Alignment, context: Context) -> None:
    total = sum(weight(unit) for unit in said) or 1.0
    m["in_order"] = aligned.weight / total
    m["moved"] = float(len(aligned.moved))
    m["missing"] = float(len(aligned.missing))
    m["replaced"] = float(sum(min(len(a), len(b)) for a, b in aligned.replaced))
    m["runs"] = len(aligned.replaced) / max(len(said), 1)
    pairs = list(pairwise(said))
    known = sum((one.key, other.key) in context.pairs for one, other in pairs)
    m["pairs"] = known / len(pairs) if pairs else m["cover"]
    longest = run = 0
    last = (-2, -2)
    for pair in aligned.pairs:
        run = run + 1 if pair == (last[0] + 1, last[1] + 1) else 1
        longest, last = max(longest, run), pair
    m["longest"] = longest / max(len(said), 1)
    m["head"] = float(bool(said) and 0 not in {i for i, _ in aligned.pairs})
    m["tail"] = float(bool(said) and len(said) - 1 not in {i for i, _ in aligned.pairs})


def _surface(
    m: dict[str, float], claim: Statement, context: Context, support: list[Sentence]
) -> None:
    ours = set(shingles(claim.stated))
    m["letters"] = len(ours & context.shingles) / max(len(ours), 1)
    words = set(_WORD.findall(claim.stated.casefold()))
    theirs = set(_WORD.findall(context.text.casefold()))
    m["words"] = len(words & theirs) / max(len(words), 1)
    best = set(_WORD.findall(" ".join(each.text for each in support)))
    m["said_of_best"] = len(words & best) / max(len(best), 1)


def _values(
    found: Evidence, said: list[Unit], aligned: Alignment, window: list[Unit], context: Context
) -> None:
    m = found.measures
    in_window = {unit.key for unit in window}
    for kind in ("number", "name"):
        values = [unit for unit in said if unit.kind == kind]
        m[f"{kind}s"] = float(len(values))
        m[f"{kind}s_new"] = float(sum(unit.key not in context.places for unit in values))
        m[f"{kind}s_far"] = float(sum(unit.key not in in_window for unit in values))
        m[f"{kind}s_unsaid"] = float(
            len({u.key for u in window if u.kind == kind} - {unit.key for unit in values})
        )
    m["clash_number"] = m["clash_name"] = m["clash_word"] = m["clash_measure"] = 0.0
    for ours, theirs in aligned.replaced:
        _clash(found, [said[i] for i in ours], [window[j] for j in theirs])
    for i, j in aligned.pairs:
        one, other = said[i].measure, window[j].measure
        m["clash_measure"] += bool(one and other and one != other)
    m["opposite"] = m["opposite_denied"] = 0.0
    for at in aligned.missing:
        others = lists.OPPOSITES.get(said[at].key, frozenset())
        rivals = [unit for unit in window if unit.key in others]
        same = [unit.key for unit in rivals if unit.negated == said[at].negated]
        if same:
            m["opposite"] += 1
            found.problems.append(f"{said[at].key} ≠ {min(same)}")
        elif rivals:  # "not far" beside "near"
            m["opposite_denied"] += 1


def _clash(found: Evidence, ours: list[Unit], theirs: list[Unit]) -> None:
    """Count values that stand where the source has other values of their kind."""
    kinds = {unit.kind for unit in theirs}
    for unit in ours:
        if unit.kind in kinds:
            found.measures[f"clash_{unit.kind}"] += 1 / len(ours)
            if unit.kind != "word":
                other = next(each for each in theirs if each.kind == unit.kind)
                found.problems.append(f"{unit.key.lstrip('#')} ≠ {other.key.lstrip('#')}")


def _nearness(found: Evidence, claim: Statement, said: list[Unit], context: Context) -> None:
    """Compare each value's neighbourhood in the context with that of its rivals."""
    m = found.measures
    reply = [i for i, unit in enumerate(said) if _in_reply(unit, claim)]
    values = [[i] for i, unit in enumerate(said) if unit.kind != "word" and i not in reply]
    near = [nearness(at, said, context) for at in values]
    m["near_least"] = min((each.value for each in near), default=1.0)
    m["near_mean"] = sum(each.value for each in near) / len(near) if near else 1.0
    m["margin_least"] = min((each.value - each.rival for each in near), default=1.0)
    m["is_reply"] = float(bool(reply))
    m["reply_found"] = m["reply_near"] = m["reply_margin"] = m["reply_together"] = 1.0
    if reply:
        whole = nearness(reply, said, context)
        m["reply_found"] = sum(said[i].key in context.places for i in reply) / len(reply)
        m["reply_near"], m["reply_margin"] = whole.value, whole.value - whole.rival
        m["reply_together"] = _together(reply, said, context)
        if m["reply_margin"] < 0:
            found.problems.append(f"nearer: {whole.rival_key.lstrip('#')}")
    m["measure_other"] = float(
        sum(
            unit.measure in context.counted and unit.key not in context.counted[unit.measure]
            for unit in said
            if unit.measure
        )
    )
    m["measure_same"] = float(
        sum(unit.key in context.counted.get(unit.measure, ()) for unit in said if unit.measure)
    )


def _in_reply(unit: Unit, claim: Statement) -> bool:
    return claim.reply is not None and unit.start >= claim.reply


def _together(reply: list[int], said: list[Unit], context: Context) -> float:
    """Return how much of the question stands with the reply, as a share of where most stands."""
    keys = {said[i].key for i in reply}
    asked = {unit.key for i, unit in enumerate(said) if i not in reply} - keys
    most = with_reply = 0
    for sentence in context.sentences:
        held = len(asked & sentence.keys)
        most = max(most, held)
        if keys & sentence.keys:
            with_reply = max(with_reply, held)
    return with_reply / most if most else 1.0


def _denial(
    found: Evidence,
    claim: Statement,
    said: list[Unit],
    every: list[Unit],
    aligned: Alignment,
    window: list[Unit],
    context: Context,
) -> None:
    m = found.measures
    differing = [(i, j) for i, j in aligned.pairs if said[i].negated != window[j].negated]
    m["denied"] = float(len(differing))
    roles = [(said[i].role, window[j].role) for i, j in aligned.pairs]
    m["role"] = float(sum({"JKS", "JKO"} == set(pair) for pair in roles))
    m["past"] = float(sum((one == "past") != (other == "past") for one, other in roles))
    m["past_new"] = float(sum(said[i].role == "past" for i in aligned.missing))
    m["negated"] = float(sum(unit.negated for unit in said))
    m["negated_source"] = float(sum(unit.negated for unit in window))
    m["negated_unmatched"] = float(sum(said[i].negated for i in aligned.missing))
    m["asked"] = float(claim.denied or claim.affirmed)
    m["parity"] = float((m["negated"] - m["negated_source"]) % 2)
    if differing:
        found.problems.append(f"denied: {said[differing[0][0]].key}")
    new = {unit.key for unit in every} - context.light - set(context.places)
    m["all"] = float(bool(new & (lists.KOREAN_ALL | lists.ENGLISH_ONLY | lists.KOREAN_ONLY)))


def _manner(m: dict[str, float], claim: Statement, every: list[Unit], context: Context) -> None:
    """Measure talk: questions, the speaker, opinions. A source about the world has none of it."""
    words = claim.stated.casefold().split()
    sources = set(context.text.casefold().split())
    m["asks"] = float("?" in claim.stated and not (claim.affirmed or claim.denied))
    m["self"] = float(sum(word in lists.ENGLISH_SELF and word not in sources for word in words))
    m["hedge"] = float(sum(word in lists.ENGLISH_HEDGES and word not in sources for word in words))
    m["self"] += sum(unit.key in lists.KOREAN_SELF for unit in every) * (m["korean"] > 0)
    light = [unit.key for unit in every if unit.kind == "light"]
    m["light_new"] = float(sum(key not in context.light for key in light))
    m["light"] = len(light) / max(len(every), 1)
