"""`solar upscale`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from solarmini.growth.upscale import Grown


def upscale(
    source: str,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    drop: int | None = None,
    layers: int | None = None,
    method: Literal["dus", "identity", "interpose", "llama-pro", "stack"] = "dus",
    plan: str | None = None,
    attenuate: Annotated[bool, Parameter(negative="")] = False,
    attenuation: float | None = None,
    as_llama: Annotated[bool, Parameter(negative="")] = False,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    context: int | None = None,
    max_shard_size: str = "5GB",
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Grow a model in depth (depth up-scaling and others).

    Depth up-scaling puts two copies of a model of n layers on top of each other, without the last
    m of the lower and the first m of the upper copy: 2(n-m) layers. The paper made SOLAR 10.7B of
    Mistral 7B so (n=32, m=8, 48 layers). The new model then needs continued pretraining.

    Weights are copied as byte ranges: memory stays small whatever the model's size. The output
    appears only when it is whole.

    Parameters
    ----------
    source
        A model folder, GGUF file, packaged model or hub id.
    output
        Folder to make.
    drop
        m, the layers dropped from each copy. Default: the paper's ratio, a quarter of the base's
        layers rounded up (8 of 32, 8 of 30, 3 of 12).
    layers
        Total number of layers wanted, instead of --drop.
    method
        dus: depth up-scaling. identity: the same map, second copies add nothing at first.
        interpose: the layers that dus doubles, each copied beside itself. llama-pro: an identity
        copy after each of evenly spaced groups. stack: the whole model repeated.
    plan
        Any layer map, as inclusive ranges of base layers: "0-23,8-31".
    attenuate
        Scale what both copies of a doubled layer add to the residual stream.
    attenuation
        The factor of --attenuate (default 0.7071, one over the square root of two).
    as_llama
        Write a Mistral as the Llama that SOLAR 10.7B is: no sliding window, 4096 positions.
    dry_run
        Print the layer map and what the model will need; read (of a hub id: fetch) only config
        and headers, write nothing.
    context
        Tokens for the predicted memory (default: the model's positions, 4096 at most).
    max_shard_size
        Largest weight file.
    as_json
        Print the facts as JSON.
    """
    from solarmini.checkpoint.layers import layer_count
    from solarmini.checkpoint.reader import Checkpoint
    from solarmini.checkpoint.resolve import resolve, resolve_headers
    from solarmini.errors import ConfigError
    from solarmini.growth import upscale as growth

    limit = growth.parse_size(max_shard_size)
    if output is None and not dry_run:
        raise ConfigError("where should the model go?", mend="give -o FOLDER, or --dry-run")
    folder = None if dry_run else resolve(source)
    base = resolve_headers(source) if folder is None else Checkpoint.open(folder)
    factor = None
    if attenuate or attenuation is not None:
        factor = growth.DEFAULT_ATTENUATION if attenuation is None else attenuation
    layer_plan = growth.plan_for(
        layer_count(base.config),
        method=method,
        drop=drop,
        layers=layers,
        ranges=plan,
        attenuate=factor,
    )
    grown = growth.prepare([base], layer_plan, to_llama=as_llama)
    if output is not None and folder is not None:
        growth.run_upscale(
            folder,
            output,
            plan=layer_plan,
            to_llama=as_llama,
            max_shard_bytes=limit,
            base_name=None if Path(source).exists() else source,
        )
    _print(grown, output, dry_run, context, as_json)


def _print(
    grown: "Grown", output: Path | None, dry_run: bool, context: int | None, as_json: bool
) -> None:
    import json

    from solarmini.growth import report

    if as_json:
        facts = report.facts(grown, context)
        facts["output"] = None if dry_run or output is None else str(output)
        print(json.dumps(facts, indent=2))
        return
    from solarmini.console import out, size_text
    from solarmini.growth.picture import layer_map
    from solarmini.growth.predict import context_of

    console = out()
    console.print(layer_map(grown.plan, console.width))
    if dry_run:
        base, new = report.base_needs(grown.bases[0]), report.grown_needs(grown)
        length = context or context_of(grown.config)
        console.print(report.needs_table(base, new, length))
    else:
        parameters = grown.parameter_count
        console.print(f"wrote {output}: {parameters:,} parameters, {size_text(grown.nbytes)}")
