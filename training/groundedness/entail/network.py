"""The cross-encoder in torch: the lower layers of E5 and a head of three classes."""

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import Unigram
from torch import Tensor, nn
from torch.nn import functional

from solarmini.rag.embed.e5.weights import E5

BEGIN, PAD, END, UNKNOWN = range(4)
CLASSES = ("entailed", "neutral", "contradicted")
_DROPPED = 26  # of 256


def _dropped(x: Tensor, training: bool) -> Tensor:
    """Dropout with eight numbers from each that is drawn: drawing is not done in parallel."""
    if not training:
        return x
    drawn = torch.empty((x.numel() + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
    kept = drawn.view(torch.uint8)[: x.numel()].view(x.shape) >= _DROPPED
    return x * kept.to(x.dtype) * (256 / (256 - _DROPPED))


class Layer(nn.Module):
    """Attention and two linear layers, each with a residual and a norm after it (BERT)."""

    def __init__(self, width: int, inner: int, heads: int, epsilon: float) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.ao = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fi, self.fo = nn.Linear(width, inner), nn.Linear(inner, width)
        self.aln, self.oln = nn.LayerNorm(width, epsilon), nn.LayerNorm(width, epsilon)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """x [batch, tokens, width]; mask [batch, 1, 1, tokens], true where there is a token."""
        batch, _, width = x.shape
        split = (batch, -1, self.heads, width // self.heads)
        q, k, v = (part.reshape(split).transpose(1, 2) for part in self.qkv(x).split(width, -1))
        alike = q @ k.transpose(-1, -2) * split[-1] ** -0.5
        if mask is not None:
            alike = alike.masked_fill(~mask, -1e4)
        # written out: on rows this short the fused kernel takes a third of the time of a step
        said = torch.softmax(alike, -1).to(v.dtype) @ v
        said = self.ao(said.transpose(1, 2).reshape(batch, -1, width))
        x = self.aln(x + _dropped(said, self.training))
        return self.oln(x + _dropped(self.fo(functional.gelu(self.fi(x))), self.training))


class Cross(nn.Module):
    """Premise and claim in, three logits out. Word vectors are not trained."""

    def __init__(self, e5: E5, pieces: int, layers: int) -> None:
        super().__init__()
        width = e5.width
        self.word = nn.Embedding(pieces, width, padding_idx=PAD)
        self.pos, self.typ = nn.Embedding(e5.positions, width), nn.Embedding(2, width)
        self.ln = nn.LayerNorm(width, e5.epsilon)
        self.layers = nn.ModuleList(
            Layer(width, e5.inner, e5.heads, e5.epsilon) for _ in range(layers)
        )
        self.head = nn.Sequential(
            nn.Linear(width, width), nn.Tanh(), nn.Dropout(_DROPPED / 256), nn.Linear(width, 3)
        )

    def forward(self, ids: Tensor, parts: Tensor) -> Tensor:
        """ids and parts (0 premise, 1 claim) [batch, tokens] -> [batch, 3]."""
        return self.above(self.word(ids), parts, (ids != PAD)[:, None, None, :])

    def above(self, words: Tensor, parts: Tensor, mask: Tensor | None) -> Tensor:
        """Run everything above the word vectors [batch, tokens, width]."""
        x = self.ln(words + self.pos.weight[: words.shape[1]] + self.typ(parts))
        x = _dropped(x, self.training)
        for layer in self.layers:
            x = layer(x, mask)
        return self.head(x[:, 0])

    def freeze(self, layers: int) -> None:
        """Keep the vectors and the first `layers` as they are."""
        self.word.requires_grad_(False)
        if layers:
            for part in (self.pos, self.typ, self.ln, *self.layers[:layers]):
                part.requires_grad_(False)


def from_e5(e5: E5, kept: list[int], layers: int) -> Cross:
    """Return E5's first layers over the pieces `kept` (their ids in E5), with a new head."""
    network = Cross(e5, len(kept), layers)

    def tensor(name: str, columns: int = 0) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(e5.tensor(name, columns)))

    kinds = tensor("emb.type", e5.width)
    state = {
        "word.weight": tensor("emb.word", e5.width)[torch.tensor(kept)],
        "pos.weight": tensor("emb.pos", e5.width),
        "typ.weight": torch.stack([kinds[0], kinds[0] + 0.02 * torch.randn(e5.width)]),
        "ln.weight": tensor("emb.ln.w"),
        "ln.bias": tensor("emb.ln.b"),
    }
    for n in range(layers):
        ours, theirs = f"layers.{n}.", f"l{n}."
        qkv = [tensor(f"{theirs}{part}.w", e5.width) for part in "qkv"]
        state[ours + "qkv.weight"] = torch.cat(qkv)
        state[ours + "qkv.bias"] = torch.cat([tensor(f"{theirs}{part}.b") for part in "qkv"])
        for part, columns in (("ao", e5.width), ("fi", e5.width), ("fo", e5.inner)):
            state[f"{ours}{part}.weight"] = tensor(f"{theirs}{part}.w", columns)
            state[f"{ours}{part}.bias"] = tensor(f"{theirs}{part}.b")
        for part in ("aln", "oln"):
            state[f"{ours}{part}.weight"] = tensor(f"{theirs}{part}.w")
            state[f"{ours}{part}.bias"] = tensor(f"{theirs}{part}.b")
    missing, unknown = network.load_state_dict(state, strict=False)
    if unknown or any(not name.startswith("head") for name in missing):
        raise SystemExit(f"the model's file lacks {missing} or has {unknown}")
    return network


def tokenizer(e5: E5, kept: list[int]) -> Tokenizer:
    """Return E5's tokenizer with the pieces `kept` alone; new ids are places in `kept`."""
    made = Tokenizer(Unigram([(e5.pieces[i], float(e5.scores[i])) for i in kept], unk_id=UNKNOWN))
    made.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace(
        replacement="▁", prepend_scheme="always", split=True
    )
    return made
