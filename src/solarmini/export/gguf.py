"""Write a model folder as one GGUF file, tensor by tensor.

The header needs only shapes, so it is written first; then each tensor passes through memory in
pieces of a few million values, whatever the size of the model. The file is made beside its name
and renamed when it is whole and has been accepted, so a file of that name is always a checked one.
"""

import os
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from solarmini import __version__
from solarmini.artifact import read_manifest, weights_fingerprint
from solarmini.checkpoint.atomic import check_disk, fsync_folder
from solarmini.checkpoint.dtypes import FLOATING, ITEMSIZE, decode
from solarmini.checkpoint.reader import Checkpoint
from solarmini.checkpoint.safetensors import TensorInfo
from solarmini.console import progress
from solarmini.errors import ExportError, OutputError, ResourceError, TemplateError, require
from solarmini.export.architecture import Architecture, describe, tensor_names
from solarmini.export.blocks import encode_rows, require_encoder, row_bytes
from solarmini.export.quant import Quant, Shape, tensor_type
from solarmini.export.vocabulary import vocabulary
from solarmini.licences import read_licence
from solarmini.text.chat import ChatFormat
from solarmini.text.tokenizer import load_tokenizer

_PIECE = 4 * 2**20  # values that pass through memory at once, per worker
_ALIGNMENT = 32
_IGNORED = ("rotary_emb.inv_freq",)


@dataclass(frozen=True, slots=True)
class Planned:
    """One tensor of the file: where its values come from and what becomes of them."""

    name: str
    shape: tuple[int, ...]
    kind: str
    source: TensorInfo | np.ndarray
    order: np.ndarray | None = None
    added: float = 0.0
    importance: np.ndarray | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        count = 1
        for size in self.shape[:-1]:
            count *= size
        return count

    @property
    def nbytes(self) -> int:
        """Bytes in the file, without padding."""
        return self.rows * row_bytes(self.kind, self.shape[-1])


@dataclass(frozen=True, slots=True)
class Plan:
    """A GGUF file before a byte of it is written."""

    architecture: Architecture
    quant: Quant
    tensors: tuple[Planned, ...]
    metadata: dict[str, Any]
    fallbacks: dict[str, str]
    notes: tuple[str, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        return sum(-(-tensor.nbytes // _ALIGNMENT) * _ALIGNMENT for tensor in self.tensors)

    @property
    def parameters(self) -> int:
        """Number of values stored."""
        return sum(
            tensor.rows * tensor.shape[-1]
            for tensor in self.tensors
            if isinstance(tensor.source, TensorInfo)
        )

    @property
    def types(self) -> dict[str, int]:
        """How many tensors have each type, most first."""
        return dict(Counter(tensor.kind for tensor in self.tensors).most_common())


def plan_gguf(
    folder: Path,
    quant: Quant,
    *,
    name: str | None = None,
    importance: Mapping[str, np.ndarray] | None = None,
) -> Plan:
    """Work out the file for the model in `folder`; reads headers and the tokenizer only.

    `importance` (by transformers names, from `measure_importance`) guides the quantisation.
    Raises ExportError for a model, tokenizer or element type that GGUF cannot hold exactly.
    """
    require("gguf", "export")
    checkpoint = Checkpoint.open(folder)
    architecture = describe(checkpoint)
    named = _named_tensors(checkpoint, architecture)
    model = Shape(
        architecture.layers,
        "output.weight" not in named,
        architecture.heads // architecture.kv_heads,
    )
    planned, fallbacks = [], {}
    for gguf_name, tensor in named.items():
        kind, wanted = tensor_type(quant, gguf_name, tensor.shape, model)
        if kind != wanted:
            fallbacks[gguf_name] = f"{wanted} -> {kind}"
        require_encoder(kind)
        planned.append(
            Planned(
                gguf_name,
                tensor.shape,
                kind,
                tensor,
                architecture.row_order(gguf_name),
                architecture.added(gguf_name),
                None if importance is None else importance.get(tensor.name),
            )
        )
    for extra_name, values in architecture.extra.items():
        planned.append(Planned(extra_name, values.shape, "F32", values))
    metadata, notes = _metadata(folder, architecture, quant, name or folder.name)
    if importance is not None:
        metadata["quantize.imatrix.entries_count"] = len(importance)
    return Plan(
        architecture, quant, tuple(planned), metadata, fallbacks, architecture.notes + notes
    )


def write_gguf(
    plan: Plan, dst: Path, *, accept: Callable[[Path], None] | None = None, workers: int = 1
) -> None:
    """Write the planned file to `dst`; `accept` may look at it before it gets its name.

    Raises OutputError when `dst` exists, ResourceError when the disk is too small, ExportError for
    values that the type cannot hold, and whatever `accept` raises; then nothing is left behind.
    """
    with _staged_file(dst, plan.nbytes + 16 * 2**20) as beside:
        _write(plan, beside, workers)
        if accept is not None:
            accept(beside)


def _named_tensors(checkpoint: Checkpoint, architecture: Architecture) -> dict[str, TensorInfo]:
    name_of = tensor_names(architecture)
    named: dict[str, TensorInfo] = {}
    for name, tensor in checkpoint.tensors.items():
        if name.endswith(_IGNORED) or (name == "lm_head.weight" and architecture.tied):
            continue
        found = name_of(name)
        if found is None:
            raise ExportError(
                f"GGUF has no place for the tensor '{name}'",
                where=checkpoint.dir,
                mend="merge adapters and drop extra heads first",
            )
        if tensor.dtype not in FLOATING:
            raise ExportError(
                f"'{name}' holds {tensor.dtype} values", where=tensor.path, mend="export floats"
            )
        named[found] = tensor
    if "output.weight" not in named and not architecture.tied:
        raise ExportError("the model has no lm_head.weight and is not tied", where=checkpoint.dir)
    return named


def _metadata(
    folder: Path, architecture: Architecture, quant: Quant, name: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return all metadata, full keys in the order of the file, and notes."""
    tokenizer = load_tokenizer(folder)
    manifest = read_manifest(folder)
    licence = (manifest.licence if manifest else None) or read_licence(folder)
    metadata: dict[str, Any] = {
        "general.type": "model",
        "general.name": name,
        "general.license": licence,
        "general.file_type": quant.file_type,
        "general.quantization_version": None if quant.floating else 2,
    }
    metadata |= {
        f"{architecture.name}.{key}": value for key, value in architecture.metadata.items()
    }
    metadata |= {
        f"tokenizer.{key}": value
        for key, value in vocabulary(tokenizer, architecture.vocabulary, folder).items()
    }
    metadata["solar.version"] = __version__
    metadata["solar.tokenizer_config"] = _read_text(folder / "tokenizer_config.json")
    if manifest and manifest.files:
        metadata["solar.source.fingerprint"] = manifest.fingerprint
    else:
        hashes = {
            path.name: str(path.stat().st_size) for path in sorted(folder.glob("*.safetensors"))
        }
        metadata["solar.source.sizes"] = weights_fingerprint(hashes)
    notes: tuple[str, ...] = ()
    try:
        chat = ChatFormat.load(folder)
    except TemplateError as error:
        notes = (f"no chat template is inside: {error.what}",)
    else:
        metadata["tokenizer.chat_template"] = chat.source
        metadata["tokenizer.ggml.eot_token_id"] = chat.stop_ids[0]
        metadata["solar.chat_template.sha256"] = chat.sha256
        metadata["solar.stop_ids"] = chat.stop_ids
    return {key: value for key, value in metadata.items() if value is not None}, notes


def _read_text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _write(plan: Plan, path: Path, workers: int) -> None:
    import gguf

    writer = gguf.GGUFWriter(path, plan.architecture.name)
    for key, value in plan.metadata.items():
        _add(writer, key, value)
    for tensor in plan.tensors:
        kind = gguf.GGMLQuantizationType[tensor.kind]
        writer.add_tensor_info(tensor.name, tensor.shape, np.dtype(np.float32), tensor.nbytes, kind)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        assert writer.fout is not None
        out = writer.fout[0]
        writer.write_padding(out, out.tell())
        total = sum(tensor.rows * tensor.shape[-1] for tensor in plan.tensors)
        with progress("writing", total) as advance, ThreadPoolExecutor(workers) as pool:
            for tensor in plan.tensors:
                for block in _encoded(tensor, pool, workers, advance):
                    out.write(block.data)
                writer.write_padding(out, tensor.nbytes)
        out.flush()
        os.fsync(out.fileno())
    finally:
        writer.close()


def _add(writer: Any, key: str, value: Any) -> None:
    match value:
        case bool():
            writer.add_bool(key, value)
        case int():
            (writer.add_uint32 if value >= 0 else writer.add_int32)(key, value)
        case float():
            writer.add_float32(key, value)
        case str():
            writer.add_string(key, value)
        case _:
            writer.add_array(key, value)


def _encoded(
    tensor: Planned, pool: ThreadPoolExecutor, workers: int, advance: Callable[[int], None]
) -> Iterator[np.ndarray]:
    """Yield the tensor's bytes in order; `workers` pieces are in the making at a time."""
    columns = tensor.shape[-1]
    step = max(1, _PIECE // columns)
    read = _reader(tensor)

    def make(start: int) -> np.ndarray:
        values = read(start, min(start + step, tensor.rows))
        if tensor.added:
            values = values + np.float32(tensor.added)
        try:
            return np.ascontiguousarray(encode_rows(values, tensor.kind, tensor.importance))
        except ExportError as error:
            raise ExportError(error.what, where=tensor.name, mend=error.mend) from None

    waiting: deque[tuple[int, Future[np.ndarray]]] = deque()
    for start in range(0, tensor.rows, step):
        waiting.append((min(step, tensor.rows - start), pool.submit(make, start)))
        if len(waiting) > workers:
            rows, future = waiting.popleft()
            yield future.result()
            advance(rows * columns)
    while waiting:
        rows, future = waiting.popleft()
        yield future.result()
        advance(rows * columns)


def _reader(tensor: Planned) -> Callable[[int, int], np.ndarray]:
    """Return the function from a range of the file's rows to float32 values [R, C]."""
    columns, source = tensor.shape[-1], tensor.source
    if isinstance(source, np.ndarray):
        whole = source.reshape(-1, columns)
        return lambda start, end: whole[start:end]
    width = columns * ITEMSIZE[source.dtype]

    def read(start: int, end: int) -> np.ndarray:
        with source.path.open("rb", buffering=0) as file:
            raw = os.pread(file.fileno(), (end - start) * width, source.offset + start * width)
        if len(raw) != (end - start) * width:
            raise ExportError("the file changed while it was read", where=source.path)
        return decode(raw, source.dtype, (end - start, columns))

    if tensor.order is None:
        return read
    rows = read(0, tensor.rows)[tensor.order]  # attention matrices: small beside the model
    return lambda start, end: rows[start:end]


@contextmanager
def _staged_file(dst: Path, need_bytes: int) -> Generator[Path]:
    dst = dst.absolute()
    if dst.exists():
        raise OutputError(
            "the output exists already", where=dst, mend="name another file or remove this one"
        )
    beside = dst.with_name(f".{dst.name}.partial-{os.getpid()}")
    try:
        dst.parent.mkdir(parents=True, exist_ok=True)
        check_disk(dst.parent, need_bytes)
        yield beside
        os.replace(beside, dst)
        fsync_folder(dst.parent)
    except OSError as error:
        if error.errno == 28:
            raise ResourceError(
                "the disk ran full while writing; nothing was kept", where=dst
            ) from error
        raise OutputError(
            f"cannot write the output: {error.strerror or error}", where=dst
        ) from error
    finally:
        beside.unlink(missing_ok=True)
