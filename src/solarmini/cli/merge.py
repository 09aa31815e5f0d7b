"""`solar merge`."""

import json
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

_CONFIGS = (".yaml", ".yml")


def merge(
    models: Annotated[list[str], Parameter(negative="", consume_multiple=True)],
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    method: Literal["linear", "slerp", "task_arithmetic", "ties"] | None = None,
    t: Annotated[list[float] | None, Parameter(negative="", consume_multiple=True)] = None,
    weights: Annotated[list[float] | None, Parameter(negative="", consume_multiple=True)] = None,
    base: str | None = None,
    density: Annotated[list[float] | None, Parameter(negative="", consume_multiple=True)] = None,
    scale: Annotated[float | None, Parameter(name="--lambda")] = None,
    normalize: bool | None = None,
    dtype: Literal["float32", "bfloat16", "float16"] | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Merge models of one family into a new one.

    `solar merge A B -o DST --method slerp --t 0.5` or `solar merge CONFIG.yaml -o DST` with a
    mergekit configuration (passthrough, linear, slerp, task_arithmetic, ties). Works on one
    tensor at a time in float32; the result is loaded and generates before it is called done.

    Parameters
    ----------
    models
        Two or more models (folders, hub ids, GGUF files, packaged models), or one YAML file.
    output
        New folder for the merged model.
    method
        How to merge; slerp for two models, else linear, when left out.
    t
        slerp: 0 is the first model, 1 the second. Several values are spread over the layers.
    weights
        One weight for each model, in their order (without the base).
    base
        The common ancestor, for task_arithmetic and ties.
    density
        ties: the share of each task vector that is kept; one value, or one for each model.
    scale
        task_arithmetic, ties: factor of the merged task vector.
    normalize
        Divide by the sum of the weights (default: yes for linear and ties).
    dtype
        Number format of the output; as the first model's when left out.
    as_json
        Print what was made as JSON.
    """
    from solarmini.artifact import read_manifest
    from solarmini.checkpoint.reader import Checkpoint
    from solarmini.errors import MergeError
    from solarmini.merge.mergekit_yaml import read_mergekit
    from solarmini.merge.options import spec_from_options
    from solarmini.merge.run import run_merge

    if any(name.lower().endswith(_CONFIGS) for name in models):
        given = (method, t, weights, base, density, scale, normalize, dtype)
        if len(models) != 1 or any(value is not None for value in given):
            raise MergeError(
                "a configuration file says everything itself",
                mend="leave the other models and options out",
            )
        spec = read_mergekit(Path(models[0]))
    else:
        spec = spec_from_options(
            models,
            method=method,
            t=t,
            weights=weights,
            base=base,
            density=density,
            scale=scale,
            normalize=normalize,
            dtype=dtype,
        )
    run_merge(spec, output)
    manifest = read_manifest(output)
    assert manifest is not None
    facts = {
        "output": str(output),
        "method": spec.method,
        "parents": [parent.name for parent in manifest.parents],
        "parameters": Checkpoint.open(output).parameter_count,
        "licence": manifest.licence,
        "fingerprint": manifest.fingerprint,
        "says": manifest.metrics["probe_text"],
    }
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    from rich.markup import escape

    from solarmini.console import out

    out().print(f"merged {' + '.join(facts['parents'])} ({spec.method}) into [bold]{output}[/]")
    out().print(f"licence {manifest.licence or 'unknown'}; it says: {escape(repr(facts['says']))}")
