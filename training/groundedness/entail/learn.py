"""Train the cross-encoder on a CPU: bf16, rows of like length together, until a time is up.

    python training/groundedness/entail/learn.py --data ../shared/data --public PUBLIC --work WORK
    python … --data ../shared/data --public PUBLIC --work WORK --from WORK/base.pt --folds 5

The first writes WORK/base.pt, which has seen nothing of the sets that are reported. The second
goes on from it with their rows: once without each fold, whose answers it then reads
(WORK/held_out.npz), and once with all (WORK/final.pt).
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sources
from export import PIECES, write
from made import made
from network import BEGIN, END, PAD, Cross, from_e5, tokenizer
from pairs import CONTRADICTED, ENTAILED, NEUTRAL, NOT_ENTAILED, Pair, published
from pieces import kept, shipped
from sklearn.model_selection import GroupKFold
from tokenizers import Tokenizer

from solarmini.rag.embed.e5.weights import E5, read
from solarmini.rag.ground.claims import Statement, statements
from solarmini.rag.ground.entail.encoder import Encoder, load
from solarmini.rag.ground.features import measure
from solarmini.rag.ground.meaning import given
from solarmini.rag.ground.passages import Context

LAYERS, FROZEN = 8, 3
MOST, MOST_CLAIM = 112, 60  # tokens
BATCH = 2048  # tokens
RATE, WARM, FALL, SMOOTH = 1.2e-4, 150, 0.7, 0.05
# how much of a set an epoch takes
SHARES = {
    "snli": 0.7, "cad": 0.8, "indonli": 0.5, "jnli": 0.4, "jsts": 0.5, "breaking": 0.1,
    "boolq-en": 0.6, "parakqc": 0.3, "made-ko": 0.6,
}  # fmt: skip

# of the second training: the reported rows, and some of the first not to be forgotten
SECOND = {"kobest-boolq": 0.4, "boolq-ko": 0.055}
SECOND_RATE, SECOND_FROZEN, SECOND_EPOCHS = 8e-5, 5, 3

Encoded = tuple[np.ndarray, int]  # ids, and where the claim begins


def encode(pairs: Sequence[tuple[str, str]], pieces: Tokenizer) -> list[Encoded]:
    """Return the ids of each premise and claim, as `Encoder.logits` puts them together."""
    premises = pieces.encode_batch_fast([one for one, _ in pairs], add_special_tokens=False)
    claims = pieces.encode_batch_fast([two for _, two in pairs], add_special_tokens=False)
    found = []
    for premise, claim in zip(premises, claims, strict=True):
        second = claim.ids[:MOST_CLAIM]
        first = premise.ids[: MOST - 3 - len(second)]
        found.append((np.array([BEGIN, *first, END, *second, END]), len(first) + 2))
    return found


def batch(rows: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and parts, [rows, longest]."""
    ids = torch.full((len(rows), max(len(row) for row, _ in rows)), PAD)
    parts = torch.zeros_like(ids)
    for at, (row, second) in enumerate(rows):
        ids[at, : len(row)] = torch.from_numpy(row)
        parts[at, second : len(row)] = 1
    return ids, parts


def batches(
    encoded: Sequence[Encoded],
    kinds: np.ndarray,
    shares: dict[str, float],
    draw: np.random.Generator,
) -> Iterator[list[int]]:
    """Yield the rows of one epoch, in batches of about BATCH tokens, without end."""
    while True:
        chosen = []
        for kind in np.unique(kinds):
            mine = np.flatnonzero(kinds == kind)
            share = shares.get(str(kind), 1.0)
            chosen.append(draw.choice(mine, int(len(mine) * share), replace=False))
        order = draw.permutation(np.concatenate(chosen))
        together: list[list[int]] = []
        for start in range(0, len(order), 4000):
            now: list[int] = []
            for row in sorted(order[start : start + 4000], key=lambda i: len(encoded[i][0])):
                if now and (len(now) + 1) * len(encoded[row][0]) > BATCH:
                    together.append(now)
                    now = []
                now.append(int(row))
            together.append(now)
        for at in draw.permutation(len(together)):
            yield together[at]


def loss_of(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy, labels smoothed; of "not entailed", that it is one of the other two."""
    logs = logits.float().log_softmax(1)
    neither = -torch.logsumexp(logs[:, NEUTRAL:], 1)
    own = -logs.gather(1, labels.clamp(max=CONTRADICTED)[:, None])[:, 0]
    smoothed = own * (1 - SMOOTH) - SMOOTH * logs.mean(1)
    return torch.where(labels == NOT_ENTAILED, neither, smoothed).mean()


def learn(
    network: Cross,
    pairs: Sequence[Pair],
    pieces: Tokenizer,
    minutes: float,
    epochs: float,
    rate: float,
    shares: dict[str, float],
    saved: Path | None = None,
) -> None:
    """Train until `minutes` of wall time or `epochs` are over; the rate falls at the end.

    The weights are written to `saved` now and then, to look at while it goes on.
    """
    torch.manual_seed(0)
    draw = np.random.default_rng(0)
    encoded = encode([pair[:2] for pair in pairs], pieces)
    labels = torch.tensor([pair.label for pair in pairs])
    kinds = np.array([pair.source for pair in pairs])
    tokens = sum(
        len(row) * shares.get(str(k), 1.0) for (row, _), k in zip(encoded, kinds, strict=True)
    )
    most = int(epochs * tokens / BATCH * 1.05) + 1
    network.train()
    trained = [each for each in network.parameters() if each.requires_grad]
    groups = [
        {"params": [each for each in trained if each.ndim > 1], "weight_decay": 0.01},
        {"params": [each for each in trained if each.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, rate, betas=(0.9, 0.98), fused=True)
    begun, losses = time.monotonic(), []
    for step, chosen in enumerate(batches(encoded, kinds, shares, draw)):
        done = max((time.monotonic() - begun) / (60 * minutes), step / most)
        if done >= 1:
            break
        warm = min(1.0, (step + 1) / min(WARM, most / 6))
        for group in optimizer.param_groups:
            group["lr"] = rate * warm * min(1.0, max(0.02, (1 - done) / FALL))
        ids, parts = batch([encoded[row] for row in chosen])
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(ids, parts)
        loss = loss_of(logits, labels[chosen])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        if (step + 1) % 100 == 0:
            print(step + 1, f"{done:.2f}", f"loss {np.mean(losses[-100:]):.4f}", flush=True)
        if saved is not None and (step + 1) % 1000 == 0:
            torch.save(network.state_dict(), saved)


def as_checked(context: str, stated: Statement, pieces: Tokenizer) -> tuple[str, str]:
    """Return the premise and the claim that a check gives to the network."""
    source = Context([context])
    network = Encoder(pieces, np.empty(0), np.empty(0), None)  # only its tokens are asked for
    return given(measure(stated, source), stated, source, network)


def asked_as_checked(pairs: Sequence[Pair], pieces: Tokenizer) -> list[Pair]:
    """Put Korean questions as a check does: as statements, beside what bears on them."""
    found = []
    for pair in pairs:
        if pair.source == "boolq-ko":
            stated = Statement(0, len(pair.claim), pair.claim, affirmed=True)
            pair = Pair(*as_checked(pair.premise, stated, pieces), pair.label, pair.source)
        found.append(pair)
    return found


def reported(data: Path, pieces: Tokenizer) -> tuple[list[Pair], list[str]]:
    """Return the rows of the Korean set that is reported, as pairs, with their contexts."""
    labels = {"grounded": ENTAILED, "notSure": NEUTRAL, "notGrounded": CONTRADICTED}
    found, contexts = [], []
    for row in sources.korean(data):
        (stated,) = statements(row.answer)[:1]
        label = labels[row.label]
        if stated.denied:
            label = CONTRADICTED - label
        found.append(Pair(*as_checked(row.context, stated, pieces), label, row.source))
        contexts.append(row.group)
    return found, contexts


def main() -> None:
    """Train the base, or go on from it in folds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--public", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--from", dest="base", type=Path)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--epochs", type=float, default=12)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    random.seed(0)
    torch.manual_seed(0)
    e5 = read()
    listing = args.work / "pieces.json"
    if args.base is None:
        pairs = [*published(args.public, args.data), *made(args.data)]
        listing.write_text(json.dumps(kept(e5, args.data, pairs)))
    ids = json.loads(listing.read_text())
    pieces, network = tokenizer(e5, ids), from_e5(e5, ids, LAYERS)
    if args.base is None:
        pairs = asked_as_checked(pairs, pieces)
        network.freeze(FROZEN)
        learn(network, pairs, pieces, args.minutes, args.epochs, RATE, SHARES, args.work / "now.pt")
        torch.save(network.state_dict(), args.work / "base.pt")
        return
    go_on(network, pieces, e5, args)


def go_on(network: Cross, pieces: Tokenizer, e5: E5, args: argparse.Namespace) -> None:
    """Train further on the reported rows: without each fold, then with all.

    Each fold is read by the network as it would be shipped.
    """
    pairs, contexts = reported(args.data, pieces)
    before = [pair for pair in published(args.public, args.data) if pair.source == "boolq-ko"]
    before = asked_as_checked(before, pieces)
    begin = torch.load(args.base, weights_only=True)
    held = np.zeros((len(pairs), 3), np.float32)
    folds = list(GroupKFold(args.folds).split(pairs, groups=contexts))
    kept_then = shipped(e5, args.data, PIECES)
    network.freeze(SECOND_FROZEN)
    for number, (train, test) in enumerate([*folds, (np.arange(len(pairs)), None)]):
        network.load_state_dict(begin)
        mine = [*(pairs[row] for row in train), *before]
        learn(network, mine, pieces, args.minutes, SECOND_EPOCHS, SECOND_RATE, SECOND)
        if test is not None:
            # a folder of its own: what is opened once is kept under its path
            folder = args.work / f"fold-{number}"
            write(network.state_dict(), e5, kept_then, folder)
            reader = load(folder)
            held[test] = [reader.logits(*pairs[row][:2]) for row in test]
    np.savez_compressed(args.work / "held_out.npz", logits=held)
    torch.save(network.state_dict(), args.work / "final.pt")


if __name__ == "__main__":
    main()
