"""A merge of whole models from the options of `solar merge` and of a recipe's merge stage."""

from collections.abc import Sequence

from solarmini.errors import MergeError
from solarmini.merge.spec import WITH_BASE, MergeSpec


def spec_from_options(
    models: Sequence[str],
    *,
    method: str | None = None,
    t: Sequence[float] | None = None,
    weights: Sequence[float] | None = None,
    base: str | None = None,
    density: Sequence[float] | None = None,
    scale: float | None = None,
    normalize: bool | None = None,
    dtype: str | None = None,
) -> MergeSpec:
    """Return the merge that the options ask for; MergeError names an option that does not fit.

    The method is slerp for two models without weights, else linear, when none is named.
    """
    if len(models) < 2 and base is None:
        raise MergeError("one model cannot be merged", mend="name two or more, or a .yaml file")
    method = method or ("slerp" if len(models) == 2 and weights is None else "linear")
    _refuse_strangers(method, t, weights, base, density, scale, normalize)
    common: dict[str, float | tuple[float, ...]] = {}
    by_model: dict[int, dict[str, float]] = {index: {} for index in range(len(models))}
    if method == "slerp":
        common["t"] = tuple(t) if t and len(t) > 1 else (t[0] if t else 0.5)
    else:
        for index, value in enumerate(_one_each(weights or [1.0], models, "--weights")):
            by_model[index]["weight"] = value
    for index, value in enumerate(_one_each(density, models, "--density") if density else []):
        by_model[index]["density"] = value
    if scale is not None:
        common["lambda"] = scale
    if normalize is not None:
        common["normalize"] = float(normalize)
    if method in WITH_BASE:
        if base is None:
            raise MergeError(
                f"{method} needs the models' common ancestor", mend="name it with --base"
            )
        if base in models:
            raise MergeError("the base is one of the models", mend="name it with --base only")
        return MergeSpec.whole(
            method,
            [*models, base],
            base=len(models),
            dtype=dtype,
            parameters=common,
            by_model=by_model,
        )
    return MergeSpec.whole(
        method,
        models,
        base=0 if method == "slerp" else None,
        dtype=dtype,
        parameters=common,
        by_model=by_model,
    )


def _one_each(values: Sequence[float], models: Sequence[str], option: str) -> Sequence[float]:
    if len(values) == 1:
        return [values[0]] * len(models)
    if len(values) != len(models):
        raise MergeError(f"{len(values)} values for {len(models)} models", where=option)
    return values


def _refuse_strangers(method: str, *values: object) -> None:
    """Refuse options that the method would have to ignore."""
    options = ("--t", "--weights", "--base", "--density", "--lambda", "--normalize")
    takes = {
        "linear": {"--weights", "--normalize"},
        "slerp": {"--t"},
        "task_arithmetic": {"--weights", "--base", "--lambda", "--normalize"},
        "ties": {"--weights", "--base", "--lambda", "--normalize", "--density"},
    }[method]
    for option, value in zip(options, values, strict=True):
        if value is not None and option not in takes:
            raise MergeError(f"{method} does not use {option}", mend=f"it takes {sorted(takes)}")
