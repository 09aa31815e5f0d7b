"""Write a trained network into the package: layers in 8 bits, word vectors in E5's own 4.

    python training/groundedness/entail/export.py --data ../shared/data \\
        --weights WORK/final.pt --out src/solarmini/rag/ground/entail
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


from network import Cross, tokenizer
from onnxruntime.quantization import QuantType, quantize_dynamic
from pieces import shipped

from solarmini.rag.embed.e5.weights import BLOCK, E5, read

PIECES = 16_000
POSITIONS = 160


class Above(torch.nn.Module):
    """One row of word vectors in, logits out: what onnxruntime runs."""

    def __init__(self, network: Cross) -> None:
        super().__init__()
        self.network = network

    def forward(self, words: torch.Tensor, parts: torch.Tensor) -> torch.Tensor:
        """words [1, tokens, width], parts [1, tokens] -> [1, 3]."""
        return self.network.above(words, parts, None)


def write_words(e5: E5, ids: list[int], out: Path) -> None:
    """Write the 4-bit blocks of the word vectors, as they are."""
    blocks = e5.blocks("emb.word").reshape(-1, e5.width // BLOCK)[ids]
    quarters = blocks["quarters"].reshape(len(ids), -1)
    np.savez_compressed(out / "words.npz", quarters=quarters, scales=blocks["scale"])


def write_layers(network: Cross, out: Path) -> None:
    """Write everything above the word vectors, its matrices in 8 bits with a scale a column."""
    network.pos.weight = torch.nn.Parameter(network.pos.weight[:POSITIONS].clone())
    words, parts = torch.randn(1, 20, network.word.embedding_dim), torch.zeros(1, 20).long()
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        torch.onnx.export(
            Above(network.eval()), (words, parts), str(whole), dynamo=False, opset_version=17,
            input_names=["words", "parts"], output_names=["logits"],
            dynamic_axes={"words": {1: "tokens"}, "parts": {1: "tokens"}},
        )  # fmt: skip
        quantize_dynamic(
            str(whole), str(out / "layers.onnx"), weight_type=QuantType.QInt8, per_channel=True,
            op_types_to_quantize=["MatMul", "Gemm"], extra_options={"MatMulConstBOnly": True},
        )  # fmt: skip


def write(state: dict[str, torch.Tensor], e5: E5, ids: list[int], out: Path) -> None:
    """Write the three files of a network with these weights; `ids` are the pieces it has then."""
    layers = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("layers."))
    network = Cross(e5, len(state["word.weight"]), layers)
    network.load_state_dict(state)
    out.mkdir(parents=True, exist_ok=True)
    tokenizer(e5, ids).save(str(out / "tokenizer.json"), pretty=False)
    write_words(e5, ids, out)
    write_layers(network, out)


def main() -> None:
    """Write the three files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    e5, state = read(), torch.load(given.weights, weights_only=True)
    write(state, e5, shipped(e5, given.data, PIECES), given.out)
    sizes = {path.name: path.stat().st_size for path in sorted(given.out.iterdir())}
    print(json.dumps(sizes, indent=1))


if __name__ == "__main__":
    main()
