"""A GGUF file → a safetensors artifact, tensor by tensor.

transformers loads GGUF but refuses to save what it loaded; here the values (equal to its own
loader's) are written straight to safetensors, so memory holds one tensor and not the model.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from solarmini.artifact import Manifest, finish_artifact, hash_file
from solarmini.checkpoint.atomic import staged_output
from solarmini.checkpoint.gguf_config import config_dict
from solarmini.checkpoint.gguf_file import GgufFile
from solarmini.checkpoint.gguf_tensors import out_tensors
from solarmini.checkpoint.gguf_tokenizer import write_tokenizer
from solarmini.checkpoint.writer import write_checkpoint
from solarmini.errors import require

DTYPES = {"float32": "F32", "bfloat16": "BF16", "float16": "F16"}


def import_gguf(
    path: Path,
    dst: Path,
    *,
    name: str | None = None,
    dtype: str = "float32",
    licence: str | None = None,
    source: Mapping[str, Any] | None = None,
    notices: Mapping[str, bytes] | None = None,
) -> Manifest:
    """Write the model of the GGUF file `path` as an artifact `dst`; return its manifest.

    `dtype` is the output's ("float32" holds every dequantised value exactly). `licence` overrides
    the file's own `general.license`; `notices` are files (name → content) to put beside the
    weights, such as the licence's text. Raises CheckpointError for a file that is damaged or of an
    unsupported kind, OutputError and ResourceError as `staged_output` does.
    """
    require("gguf", "train")
    require("torch", "train")
    transformers = require("transformers", "train")
    file = GgufFile.open(path)
    stated = file.metadata.get("general.license")
    licence = licence or (str(stated).lower() if stated else None)
    keywords = config_dict(file)
    config = transformers.AutoConfig.for_model(**keywords)
    config.architectures = [_class_name(keywords["model_type"])]
    config.dtype = dtype
    tensors = out_tensors(file, config, DTYPES[dtype])
    with staged_output(dst, need_bytes=sum(tensor.nbytes for tensor in tensors)) as staging:
        config.save_pretrained(staging)
        _write_generation_config(file, staging)
        write_tokenizer(file, staging)
        for notice, content in (notices or {}).items():
            (staging / notice).write_bytes(content)
        label = name or path.stem
        (staging / "README.md").write_text(_card(label, licence), encoding="utf-8")
        hashes = write_checkpoint(staging, tensors, label=f"importing {label}")
        return finish_artifact(
            staging,
            name=label,
            stage="base",
            licence=licence,
            settings={
                "source": dict(source or {})
                | {"file": path.name, "sha256": hash_file(path), "format": "gguf"},
                "dtype": dtype,
            },
            known_sha256=hashes,
        )


def _class_name(model_type: str) -> str:
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    return str(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES[model_type])


def _write_generation_config(file: GgufFile, folder: Path) -> None:
    ids = {
        key: file.metadata.get(f"tokenizer.ggml.{key}_token_id")
        for key in ("bos", "eos", "eot", "padding")
    }
    stops = [ids[key] for key in ("eos", "eot") if ids[key] is not None]
    stops = list(dict.fromkeys(stops))
    values = {
        "bos_token_id": ids["bos"],
        "eos_token_id": stops[0] if len(stops) == 1 else stops or None,
        "pad_token_id": ids["padding"],
    }
    present = {key: value for key, value in values.items() if value is not None}
    text = json.dumps(present, indent=2, sort_keys=True) + "\n"
    (folder / "generation_config.json").write_text(text, encoding="utf-8")


def _card(name: str, licence: str | None) -> str:
    front = f"license: {licence}\n" if licence else ""
    return (
        f"---\n{front}library_name: transformers\n---\n# {name}\n\n"
        "Weights dequantised from a GGUF file; where they come from is in `solar.json`.\n"
    )
