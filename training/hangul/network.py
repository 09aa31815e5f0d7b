"""An ONNX graph as a torch module, and back: weights are trained in place in the same graph.

Exported recognition models have their batch normalisation folded in, so fine-tuning what is in the
file needs no original training code: `OnnxNet` runs the nodes with torch, its parameters are the
graph's float initialisers, and `save` writes them back. Nothing else of the graph changes, so what
runs in onnxruntime is what was trained.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as F
import yaml
from onnx import numpy_helper
from torch import Tensor, nn

Values = dict[str, Any]


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def _ints(value: Any) -> list[int]:
    return [int(v) for v in (value.tolist() if isinstance(value, Tensor) else value)]


def _conv(x: Tensor, weight: Tensor, bias: Tensor | None = None, **a: Any) -> Tensor:
    if bias is not None:
        bias = bias.flatten()
    top, left, bottom, right = a.get("pads", (0, 0, 0, 0))
    if a.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        sizes, strides = weight.shape[2:], a.get("strides", (1, 1))
        whole = [
            max((-(-n // s) - 1) * s + k - n, 0)
            for n, k, s in zip(x.shape[2:], sizes, strides, strict=True)
        ]
        top, left = whole[0] // 2, whole[1] // 2
        bottom, right = whole[0] - top, whole[1] - left
    if (top, left) != (bottom, right):
        x = F.pad(x, (left, right, top, bottom))
        top = left = 0
    return F.conv2d(
        x, weight, bias, a.get("strides", 1), (top, left), a.get("dilations", 1), a.get("group", 1)
    )


def _pool(x: Tensor, kind: Callable[..., Tensor], **a: Any) -> Tensor:
    top, left, bottom, right = a.get("pads", (0, 0, 0, 0))
    if (top, left) != (bottom, right):
        fill = 0.0 if kind is F.avg_pool2d else -torch.inf
        x = F.pad(x, (left, right, top, bottom), value=fill)
        top = left = 0
    ceil = bool(a.get("ceil_mode", 0))
    return kind(x, a["kernel_shape"], a.get("strides"), (top, left), ceil_mode=ceil)


def _mean(x: Tensor, axes: Any = None, **a: Any) -> Tensor:
    axes = a.get("axes", axes)
    return x.mean(_ints(axes), keepdim=bool(a.get("keepdims", 1)))


def _reshape(x: Tensor, shape: Tensor, **_: Any) -> Tensor:
    sizes = [x.shape[i] if n == 0 else n for i, n in enumerate(_ints(shape))]
    return x.reshape(sizes)


def _slice(x: Tensor, *given: Any, **a: Any) -> Tensor:
    starts, ends = (_ints(v) for v in given[:2]) if given else (a["starts"], a["ends"])
    axes = _ints(given[2]) if len(given) > 2 else list(a.get("axes", range(len(starts))))
    steps = _ints(given[3]) if len(given) > 3 else [1] * len(starts)
    index: list[Any] = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        index[axis] = slice(start, end, step)
    return x[tuple(index)]


def _squeeze(x: Tensor, axes: Any = None, **a: Any) -> Tensor:
    axes = a.get("axes", axes)
    return x.squeeze() if axes is None else x.squeeze(tuple(_ints(axes)))


def _unsqueeze(x: Tensor, axes: Any = None, **a: Any) -> Tensor:
    for axis in sorted(_ints(a.get("axes", axes))):
        x = x.unsqueeze(axis)
    return x


def _cast(x: Tensor, **a: Any) -> Tensor:
    kinds = {1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool}
    return x if a["to"] == 1 and x.is_floating_point() else x.to(kinds[a["to"]])


def _split(x: Tensor, sizes: Any = None, **a: Any) -> tuple[Tensor, ...]:
    sizes = a.get("split", sizes)
    axis = a.get("axis", 0)
    if sizes is None:
        return x.chunk(a["num_outputs"], axis)
    return x.split(_ints(sizes), axis)


def _norm(x: Tensor, weight: Tensor, bias: Tensor | None = None, **a: Any) -> Tensor:
    return F.layer_norm(x, weight.shape, weight, bias, a.get("epsilon", 1e-5))


def _gather(x: Tensor, index: Tensor, **a: Any) -> Tensor:
    axis = a.get("axis", 0)
    return x.select(axis, int(index)) if index.ndim == 0 else x.index_select(axis, index)


def _gemm(x: Tensor, weight: Tensor, bias: Tensor | None = None, **a: Any) -> Tensor:
    return F.linear(x, weight if a.get("transB") else weight.T, bias)


def _batch_norm(x: Tensor, *w: Tensor, **a: Any) -> Tensor:
    # with the statistics of the pretraining: a scale and a shift, both still learned
    scale = w[0] * (w[3].detach() + a.get("epsilon", 1e-5)).rsqrt()
    shape = (1, -1) + (1,) * (x.ndim - 2)
    shift = w[1] - w[2].detach() * scale
    return x * scale.view(shape).to(x.dtype) + shift.view(shape).to(x.dtype)


def _hard_sigmoid(x: Tensor, **a: Any) -> Tensor:
    if abs(a.get("alpha", 0.2) - 1 / 6) < 1e-6 and a.get("beta", 0.5) == 0.5:
        return F.hardsigmoid(x)
    return (x * a.get("alpha", 0.2) + a.get("beta", 0.5)).clamp(0, 1)


def _pad(x: Tensor, pads: Any = None, *_: Any, **a: Any) -> Tensor:
    pads = _ints(a.get("pads", pads))
    half = len(pads) // 2
    flat = [n for axis in reversed(range(half)) for n in (pads[axis], pads[axis + half])]
    return F.pad(x, flat)


OPS: dict[str, Callable[..., Any]] = {
    "Conv": _conv,
    "BatchNormalization": _batch_norm,
    "Relu": lambda x, **_: F.relu(x),
    "HardSwish": lambda x, **_: F.hardswish(x),
    "HardSigmoid": _hard_sigmoid,
    "Sigmoid": lambda x, **_: x.sigmoid(),
    "Tanh": lambda x, **_: x.tanh(),
    "Erf": lambda x, **_: x.erf(),
    "Gelu": lambda x, **a: F.gelu(x, approximate=a.get("approximate", b"none").decode()),
    "Mul": lambda x, y, **_: x * y,
    "Add": lambda x, y, **_: x + y,
    "Sub": lambda x, y, **_: x - y,
    "Div": lambda x, y, **_: x / y if x.is_floating_point() else x // y,
    "Pow": lambda x, y, **_: x.pow(y),
    "Sqrt": lambda x, **_: x.sqrt(),
    "Clip": lambda x, lo=None, hi=None, **a: x.clamp(a.get("min", lo), a.get("max", hi)),
    "ReduceMean": _mean,
    "GlobalAveragePool": lambda x, **_: x.mean((2, 3), keepdim=True),
    "AveragePool": lambda x, **a: _pool(x, F.avg_pool2d, **a),
    "MaxPool": lambda x, **a: _pool(x, F.max_pool2d, **a),
    "Transpose": lambda x, **a: x.permute(a["perm"]),
    "Reshape": _reshape,
    "Flatten": lambda x, **a: x.flatten(a.get("axis", 1)),
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Slice": _slice,
    "Split": _split,
    "Concat": lambda *x, **a: torch.cat(x, a["axis"]),
    "Shape": lambda x, **_: torch.tensor(x.shape),
    "Gather": _gather,
    "Cast": _cast,
    "MatMul": lambda x, y, **_: x @ y,
    "Gemm": _gemm,
    "Softmax": lambda x, **a: x.softmax(a.get("axis", -1)),
    "LayerNormalization": _norm,
    "Identity": lambda x, **_: x,
    "Pad": _pad,
}


class OnnxNet(nn.Module):
    """The graph of `path`, run by torch up to the scores before its last Softmax.

    Input (batch, 3, 48, width) float in -1..1, output (batch, width / 8, characters) scores.
    `dictionary` is what the file's own metadata says it writes, if it does.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.proto = onnx.load(str(path))
        graph = self.proto.graph
        self.dictionary = dictionary(path, self.proto)
        self.constants: Values = {}
        self.slots: dict[str, str] = {}
        self.weights = nn.ParameterDict()
        for tensor in graph.initializer:
            self._hold(tensor.name, numpy_helper.to_array(tensor))
        self.nodes = []
        for node in graph.node:
            if node.op_type == "Constant":
                self._hold(node.output[0], numpy_helper.to_array(node.attribute[0].t))
            else:
                self.nodes.append(
                    (OPS[node.op_type], list(node.input), list(node.output), _attributes(node))
                )
        self._fuse()
        inside = {i.name for i in graph.initializer}
        self.input = next(i.name for i in graph.input if i.name not in inside)
        self._find_head()

    def _hold(self, name: str, array: np.ndarray) -> None:
        if array.dtype == np.float32 and array.size > 1:
            slot = f"w{len(self.slots)}"
            self.slots[name] = slot
            self.weights[slot] = nn.Parameter(torch.from_numpy(array.copy()))
        else:
            self.constants[name] = torch.from_numpy(np.array(array))

    def _fuse(self) -> None:
        """Skip identities, give biases to their convolutions, and put GELUs back together."""
        same: dict[str, str] = {}
        nodes = []
        for run, inputs, outputs, attributes in self.nodes:
            inputs = [same.get(i, i) for i in inputs]
            if run is OPS["Identity"]:
                same[outputs[0]] = inputs[0]
            else:
                nodes.append((run, inputs, outputs, attributes))
        uses = Counter(i for node in nodes for i in node[1])
        kept: list[Any] = []
        for run, inputs, outputs, attributes in nodes:
            before = kept[-1] if kept else (None, [], [""], {})
            chained = before[2][0] in inputs and uses[before[2][0]] == 1
            if run is OPS["Add"] and before[0] is _conv and chained and inputs[1] in self.slots:
                bias = self.weights[self.slots[inputs[1]]]
                if bias.numel() == bias.shape[1] and len(before[1]) == 2:
                    kept[-1] = (_conv, [*before[1], inputs[1]], outputs, before[3])
                    continue
            kept.append((run, inputs, outputs, attributes))
            if [n[0] for n in kept[-5:]] == [OPS[n] for n in ("Div", "Erf", "Add", "Mul", "Mul")]:
                source, half = kept[-5][1][0], kept[-1][1][1]
                if source in kept[-2][1] and float(self.constants[half]) == 0.5:
                    kept[-5:] = [(F.gelu, [source], outputs, {})]
        self.nodes = kept

    def _find_head(self) -> None:
        """Names of the matrix and bias before the last Softmax; nodes after them are dropped."""
        last = max(i for i, n in enumerate(self.nodes) if n[0] is OPS["Softmax"])
        self.scores = self.nodes[last][1][0]
        self.nodes = self.nodes[:last]
        self.head_weight = self.head_bias = ""
        for _, inputs, _, _ in reversed(self.nodes):
            for name in inputs:
                shape = self.weights[self.slots[name]].shape if name in self.slots else ()
                if len(shape) == 2 and not self.head_weight:
                    self.head_weight = name
                elif len(shape) == 1 and not self.head_bias and not self.head_weight:
                    self.head_bias = name
            if self.head_weight:
                break

    def head(self) -> tuple[nn.Parameter, nn.Parameter]:
        """The last matrix (features, characters) and bias (characters)."""
        return self.weights[self.slots[self.head_weight]], self.weights[self.slots[self.head_bias]]

    def widen(self, count: int) -> None:
        """Give the last hidden layer `count` units in all: more to tell characters apart by."""
        name = self.head_weight
        made = {o: (run, inputs) for run, inputs, outputs, _ in self.nodes for o in outputs}
        source = next(i for run, i, _, _ in self.nodes if run is OPS["MatMul"] and name in i)[0]
        (_, (hidden, bias)) = made[source]
        matrix = made[hidden][1][1]
        old, shift = self.weights[self.slots[matrix]], self.weights[self.slots[bias]]
        more = count - old.shape[1]
        wide = torch.randn(old.shape[0], more) * old.std()
        self.weights[self.slots[matrix]] = nn.Parameter(torch.cat([old.detach(), wide], 1))
        self.weights[self.slots[bias]] = nn.Parameter(
            torch.cat([shift.detach(), torch.zeros(more)])
        )

    def set_head(self, weight: Tensor, bias: Tensor) -> None:
        """Replace the last layer by one over another alphabet."""
        self.weights[self.slots[self.head_weight]] = nn.Parameter(weight)
        self.weights[self.slots[self.head_bias]] = nn.Parameter(bias)

    def forward(self, x: Tensor) -> Tensor:
        """Run the graph."""
        values: Values = {self.input: x, "": None}
        values.update(self.constants)
        for name, slot in self.slots.items():
            values[name] = self.weights[slot]
        for run, inputs, outputs, attributes in self.nodes:
            out = run(*(values[i] for i in inputs), **attributes)
            if len(outputs) == 1:
                values[outputs[0]] = out
            else:
                values.update(zip(outputs, out, strict=False))
        return values[self.scores]

    def save(self, path: Path, metadata: dict[str, str]) -> None:
        """Write the graph with the present weights and `metadata` as its only metadata."""
        proto = onnx.ModelProto()
        proto.CopyFrom(self.proto)
        for tensor in proto.graph.initializer:
            if tensor.name in self.slots:
                array = self.weights[self.slots[tensor.name]].detach().float().numpy()
                tensor.CopyFrom(numpy_helper.from_array(array.copy(), tensor.name))
        for node in proto.graph.node:
            if node.op_type == "Constant" and node.output[0] in self.slots:
                array = self.weights[self.slots[node.output[0]]].detach().float().numpy()
                node.attribute[0].t.CopyFrom(numpy_helper.from_array(array.copy()))
        del proto.metadata_props[:]
        onnx.helper.set_model_props(proto, metadata)
        del proto.graph.value_info[:]
        for dim in proto.graph.output[0].type.tensor_type.shape.dim[-1:]:
            dim.dim_value = self.head()[1].numel()
        onnx.checker.check_model(proto)
        onnx.save(proto, str(path))


def dictionary(path: Path, proto: onnx.ModelProto) -> list[str]:
    """Characters of the file's classes, blank first and space last as PaddleOCR orders them.

    They are in the file's metadata or in `inference.yml` beside it.
    """
    for prop in proto.metadata_props:
        if prop.key == "character":
            return ["", *prop.value.split("\n"), " "]
    beside = path.with_name("inference.yml")
    listed = yaml.safe_load(beside.read_text(encoding="utf-8"))["PostProcess"]["character_dict"]
    return ["", *(str(char) for char in listed), " "]
