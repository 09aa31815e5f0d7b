"""How much memory a GGUF file takes when it runs, before it is run.

Weights are the file's tensors; the key-value cache holds, for each position of each stream, a key
and a value of every layer in 16 bits; the buffers hold one batch's activations, what plain
attention multiplies out (flash attention does not), and the logits of the positions that are asked
for (one a stream, or a guess).
"""

from dataclasses import asdict, dataclass

from solarmini.checkpoint.gguf_file import GgufFile
from solarmini.export.architecture import Architecture

# Tokens that our engine lets llama.cpp compute at once (its n_ubatch). On processors 512, its
# default, reads prompts no faster, and reserves four times the buffers.
BATCH = 128
_PROGRAM = 95 * 2**20  # Python with the engine loaded, measured
_PER_WORD = 800  # bytes of a vocabulary's entry: llama.cpp's, and the tokenizer's
_GUESS = 12  # positions whose logits are computed together


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of a running model: weights, key-value cache, buffers, and the program itself."""

    context: int
    parallel: int
    weights: int
    cache: int
    buffers: int
    program: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.cache + self.buffers + self.program

    def to_dict(self) -> dict[str, int]:
        """Return all figures and their sum, for JSON."""
        return {**asdict(self), "total": self.total}


def predict_memory(
    weights: int,
    *,
    layers: int,
    key_width: int,
    value_width: int,
    hidden: int,
    feed_forward: int,
    vocabulary: int,
    heads: int,
    context: int,
    parallel: int = 1,
    batch: int = BATCH,
) -> Memory:
    """Return the memory of a model whose tensors take `weights` bytes.

    `key_width` and `value_width` are the values of one position in one layer, `context` the tokens
    of one stream. Attention is plain, whose scores are multiplied out; flash needs a little less.
    """
    positions = -(-context // 256) * 256 * parallel
    cache = 2 * layers * positions * (key_width + value_width)
    rows = min(batch, positions)
    buffers = 4 * rows * (4 * hidden + 2 * feed_forward)
    buffers += 4 * rows * (positions // parallel) * heads
    buffers += 4 * vocabulary * max(parallel, _GUESS)
    return Memory(context, parallel, weights, cache, buffers, _PROGRAM + _PER_WORD * vocabulary)


def memory_of_plan(architecture: Architecture, weights: int, context: int) -> Memory:
    """Return the predicted memory of a file that is about to be written."""
    width = architecture.kv_heads * architecture.head_dim
    return predict_memory(
        weights,
        layers=architecture.layers,
        key_width=width,
        value_width=width,
        hidden=architecture.hidden,
        feed_forward=int(architecture.metadata["feed_forward_length"]),
        vocabulary=architecture.vocabulary,
        heads=architecture.heads,
        context=context,
    )


def memory_of_file(file: GgufFile, context: int, parallel: int = 1, batch: int = BATCH) -> Memory:
    """Return the predicted memory of a GGUF file; CheckpointError when its metadata is short."""
    heads = int(file.need("attention.head_count"))
    kv_heads = int(file.get("attention.head_count_kv", heads))
    hidden = int(file.need("embedding_length"))
    key = int(file.get("attention.key_length", hidden // heads))
    return predict_memory(
        sum(tensor.nbytes for tensor in file.tensors.values()),
        layers=int(file.need("block_count")),
        key_width=kv_heads * key,
        value_width=kv_heads * int(file.get("attention.value_length", key)),
        hidden=hidden,
        feed_forward=int(file.need("feed_forward_length")),
        vocabulary=file.tensors["token_embd.weight"].shape[0],
        heads=heads,
        context=context,
        parallel=parallel,
        batch=batch,
    )
