"""Teach the pretrained line recogniser Korean: `python training/hangul/train.py --help`.

The network is PP-OCRv6's smallest recogniser (Apache-2.0), whose features already tell strokes
apart; its last layer is replaced by one over our alphabet (rows of shared characters are kept) and
everything is trained on drawn lines. Because lines are drawn, the middle of each character is
known: besides CTC the frame at that middle is told its character, which spares the long search for
an alignment. One core is enough; the learning rate follows the clock, so that it ends on time.
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from alphabet import build
from fonts import faces
from make_lines import HEIGHT, Lines, Sample
from measure import character_error, greedy, validation_lines, word_accuracy
from network import OnnxNet
from texts import KOREAN, Texts, paragraphs
from torch import Tensor

COLUMNS = 6400  # pixel columns a batch holds
HIDDEN = 128  # units before the last layer (80 in the pretrained network)


def adopt(net: OnnxNet, alphabet: list[str]) -> int:
    """Give `net` a head over blank + alphabet; return how many rows were taken over."""
    weight, bias = (p.detach() for p in net.head())
    torch.manual_seed(0)
    net.widen(HIDDEN)
    old = {char: i for i, char in enumerate(net.dictionary)}
    new_weight = torch.randn(HIDDEN, len(alphabet) + 1) * float(weight.std()) * 0.5
    new_bias = torch.full((len(alphabet) + 1,), float(bias[1:].mean()))
    taken = 0
    for i, char in enumerate(["", *alphabet]):
        if char in old:
            new_weight[: len(weight), i] = weight[:, old[char]]
            new_weight[len(weight) :, i] *= 0.1
            new_bias[i] = bias[old[char]]
            taken += 1
    net.set_head(new_weight.contiguous(), new_bias)
    return taken


def collate(samples: list[Sample]) -> tuple[Tensor, list[int]]:
    """Pad to the bucket's width with the mid grey that stands for nothing; pixels to -1..1."""
    width = bucket(max(s.pixels.shape[1] for s in samples))
    batch = np.zeros((len(samples), HEIGHT, width, 3), np.float32)
    for row, sample in zip(batch, samples, strict=True):
        row[:, : sample.pixels.shape[1]] = sample.pixels.astype(np.float32) / 127.5 - 1
    steps = [-(-s.pixels.shape[1] // 8) for s in samples]
    return torch.from_numpy(batch).permute(0, 3, 1, 2), steps  # channels last in memory


def bucket(width: int) -> int:
    """Widths are rounded up, so that few shapes occur: kernels are compiled for each."""
    step = 32 if width <= 256 else 64 if width <= 768 else 128
    return -(-width // step) * step


class Batches:
    """Endless batches of lines of like width."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.waiting: dict[int, list[Sample]] = {}
        self.seconds = 0.0

    def draw(self) -> list[Sample]:
        """Draw lines until those of one width fill a batch."""
        before = time.time()
        while True:
            sample = self.lines.sample()
            width = bucket(sample.pixels.shape[1])
            group = self.waiting.setdefault(width, [])
            group.append(sample)
            if len(group) == min(COLUMNS // width, 40):
                self.waiting[width] = []
                self.seconds += time.time() - before
                return group


def loss_of(
    scores: Tensor, samples: list[Sample], steps: list[int], index: dict[str, int], frames: float
) -> Tensor:
    """CTC per character, plus `frames` x cross entropy at the middles of the characters."""
    logs = scores.float().log_softmax(-1)
    count = logs.shape[1]
    targets = torch.tensor([index[c] for s in samples for c in s.text])
    lengths = torch.tensor([len(s.text) for s in samples])
    steps_t = torch.tensor(steps).clamp(max=count)
    loss = F.ctc_loss(
        logs.transpose(0, 1), targets, steps_t, lengths, reduction="sum", zero_infinity=True
    ) / len(targets)
    if frames:
        rows = torch.repeat_interleave(torch.arange(len(samples)), lengths)
        at = torch.from_numpy(np.concatenate([s.centres for s in samples]) / 8).long()
        at = at.clamp(0, count - 1)
        loss = loss + frames * F.nll_loss(logs[rows, at], targets)
    return loss


def validate(net: OnnxNet, alphabet: list[str], lines: dict[str, list[Sample]]) -> dict[str, float]:
    """Character error (Korean) or word accuracy (English) of each held-out set."""
    result = {}
    net.eval()
    for name, samples in lines.items():
        read = []
        for start in range(0, len(samples), 8):
            part = samples[start : start + 8]
            images, steps = collate(part)
            with torch.no_grad():
                best = net(images).argmax(-1).numpy()
            read += [greedy(row[:n], alphabet) for row, n in zip(best, steps, strict=True)]
        truth = [s.text for s in samples]
        measure = word_accuracy if name.startswith("en") else character_error
        result[name] = round(measure(truth, read), 4)
    net.train()
    return result


class Averaged:
    """Exponential average of the weights: what is exported."""

    def __init__(self, net: OnnxNet) -> None:
        self.values = {k: v.detach().clone() for k, v in net.state_dict().items()}
        self.count = 0

    def update(self, net: OnnxNet) -> None:
        """Take the present weights in."""
        self.count += 1
        keep = min(0.998, (self.count + 1) / (self.count + 10))
        for name, value in net.state_dict().items():
            self.values[name].lerp_(value, 1 - keep)


def parameters(net: OnnxNet, head_rate: float, rate: float) -> torch.optim.AdamW:
    """AdamW over the head and over the rest, at their own rates."""
    head = {id(p) for p in net.head()}
    rest = [p for p in net.parameters() if id(p) not in head]
    matrices = [p for p in rest if p.ndim > 1]
    vectors = [p for p in rest if p.ndim <= 1]
    return torch.optim.AdamW(
        [
            {"params": list(net.head()), "lr": head_rate, "peak": head_rate, "weight_decay": 0.0},
            {"params": matrices, "lr": rate, "peak": rate, "weight_decay": 0.01},
            {"params": vectors, "lr": rate, "peak": rate, "weight_decay": 0.0},
        ],
        betas=(0.9, 0.99),
    )


class Run:
    """A training run in the folder `args.out`: what it is made of, and how far it is."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        args.out.mkdir(parents=True, exist_ok=True)
        self.net = OnnxNet(args.model)
        self.alphabet = alphabet_of(args.out / "characters.txt", args.data)
        taken = adopt(self.net, self.alphabet)
        print(len(self.alphabet), "characters,", taken, "rows kept", flush=True)
        self.index = {c: i + 1 for i, c in enumerate(self.alphabet)}
        fonts = faces(args.fonts)
        seed = int(time.time()) if args.seed < 0 else args.seed
        self.batches = Batches(Lines(fonts, Texts(args.data, self.alphabet, seed), seed))
        self.checks = validation_lines(fonts, args.data, self.alphabet, 24)
        self.optimiser = parameters(self.net, args.head_rate, args.rate)
        self.averaged = Averaged(self.net)
        self.step, spent = 0, 0.0
        if (args.out / "last.pt").exists():
            spent = self.resume(torch.load(args.out / "last.pt", weights_only=True))
        self.start = time.time() - spent
        self.end = args.until or time.time() + args.minutes * 60
        self.saved = self.checked = time.time()

    def resume(self, state: dict) -> float:
        """Go on from a checkpoint; return the seconds already spent."""
        self.net.load_state_dict(state["net"])
        self.averaged.values, self.averaged.count = state["averaged"], state["count"]
        if not self.args.fresh:
            self.optimiser.load_state_dict(state["optimiser"])
            for group, rate in zip(
                self.optimiser.param_groups,
                (self.args.head_rate, self.args.rate, self.args.rate),
                strict=True,
            ):
                group["peak"] = rate
        self.step = state["step"]
        return state["spent"]

    def save(self) -> None:
        """Write a checkpoint, whole or not at all."""
        self.saved = time.time()
        state = {
            "net": self.net.state_dict(),
            "averaged": self.averaged.values,
            "count": self.averaged.count,
            "step": self.step,
            "spent": self.saved - self.start,
            "optimiser": self.optimiser.state_dict(),
        }
        torch.save(state, self.args.out / "new.pt")
        (self.args.out / "new.pt").replace(self.args.out / "last.pt")

    def check(self) -> None:
        """Measure the averaged weights on the held-out lines."""
        live = {k: v.clone() for k, v in self.net.state_dict().items()}
        self.net.load_state_dict(self.averaged.values)
        figures = validate(self.net, self.alphabet, self.checks)
        self.net.load_state_dict(live)
        print(time.strftime("%H:%M:%S"), self.step, json.dumps(figures), flush=True)
        self.checked = time.time()

    def learn(self, samples: list[Sample]) -> float:
        """One step; return the loss."""
        now = time.time()
        part = min((now - self.start) / (self.end - self.start), 1.0)
        head = {id(p) for p in self.net.head()}
        frozen = now - self.start < self.args.head_minutes * 60
        for p in self.net.parameters():
            p.requires_grad_(id(p) in head or not frozen)
        warm = min((self.step + 1) / 200, 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * warm * (0.02 + 0.98 * math.cos(part * math.pi / 2) ** 2)
        images, steps = collate(samples)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.args.bf16):
            scores = self.net(images)
        loss = loss_of(scores, samples, steps, self.index, 0.5 * max(0.0, 1 - part / 0.6))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self.averaged.update(self.net)
        self.step += 1
        return loss.item()

    def go(self) -> None:
        """Train until the time is over."""
        mean, count, mark = 0.0, 0, time.time()
        while time.time() < self.end:
            samples = self.batches.draw()
            loss = self.learn(samples)
            count += len(samples)
            mean = 0.98 * mean + 0.02 * loss if mean else loss
            if self.step % 50 == 0:
                took = time.time() - mark
                print(
                    f"{time.strftime('%H:%M:%S')} step {self.step} loss {mean:.4f} "
                    f"{count / took:.1f} lines/s drawing {self.batches.seconds / took:.0%} "
                    f"lr {self.optimiser.param_groups[1]['lr']:.1e}",
                    flush=True,
                )
                mark, count, self.batches.seconds = time.time(), 0, 0.0
            over = time.time() >= self.end
            if over or time.time() - self.saved > self.args.save_seconds:
                self.save()
            if over or time.time() - self.checked > self.args.check_seconds:
                self.check()


def alphabet_of(listing: Path, data: Path) -> list[str]:
    """The alphabet of a run: made from the corpora the first time."""
    if not listing.exists():
        alphabet = build(line for name in KOREAN for line in paragraphs(data / name))
        listing.write_text("".join(c + "\n" for c in alphabet), encoding="utf-8")
    return listing.read_text(encoding="utf-8").split("\n")[:-1]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="pretrained rec.onnx")
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--until", type=float, default=0, help="end at this Unix time instead")
    parser.add_argument("--head-minutes", type=float, default=6, help="only the head at first")
    parser.add_argument("--rate", type=float, default=6e-4)
    parser.add_argument("--head-rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=-1)
    parser.add_argument("--save-seconds", type=float, default=180)
    parser.add_argument("--check-seconds", type=float, default=600)
    parser.add_argument("--no-bf16", dest="bf16", action="store_false")
    parser.add_argument("--fresh", action="store_true", help="resume without the optimiser")
    args = parser.parse_args()
    torch.set_num_threads(1)
    Run(args).go()


if __name__ == "__main__":
    main()
