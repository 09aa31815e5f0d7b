"""`solar export`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from solarmini.engine.faithful import Faithfulness
    from solarmini.export.gguf import Plan
    from solarmini.export.memory import Memory


def export(
    model: str,
    /,
    *,
    to: Literal["gguf", "safetensors"] = "gguf",
    quant: str | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    context: int | None = None,
    name: str | None = None,
    calibrate: bool = True,
    check: bool = True,
    threads: int | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Write a model as GGUF or safetensors, checked against the original.

    The file gets its name only when the engine has loaded it and found it to be the model it was
    made of. Says what it takes to run it, and what the quantisation costs.

    Parameters
    ----------
    model
        Folder, hub id, GGUF file or packaged model (`smollm2-135m`).
    to
        gguf for llama.cpp and everything built on it; safetensors for vLLM and transformers.
    quant
        gguf: f32, f16, bf16, q8_0, q6_k, q5_k_m, q5_k_s, q5_1, q5_0, q4_k_m, q4_k_s, q4_1, q4_0,
        q3_k_m or q2_k (default q8_0). safetensors: f32, f16 or bf16 (default bf16).
    output
        File or folder to write. Default: the model's name and the quantisation, here.
    context
        Tokens for which the memory is predicted. Default: the model's own, up to 4,096.
    name
        Name of the model inside the file. Default: the folder's.
    calibrate
        Measure on a few texts which weights matter, and round those more carefully. Needs room for
        the model in float32; a model without it is quantised plainly.
    check
        Load the file and compare it with the model before it gets its name.
    threads
        Threads that quantise. Default: the idle cores.
    as_json
        Print what was written as JSON.
    """
    from solarmini.checkpoint.resolve import resolve

    folder = resolve(model)
    label = name or _label(folder)
    if to == "safetensors":
        facts = _safetensors(folder, output, quant or "bf16", label)
    else:
        facts = _gguf(folder, output, quant or "q8_0", label, context, calibrate, check, threads)
    if as_json:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        _print(facts)


def _label(folder: Path) -> str:
    from solarmini.artifact import read_manifest

    manifest = read_manifest(folder)
    return manifest.name if manifest else folder.name


def _safetensors(folder: Path, output: Path | None, precision: str, name: str) -> dict[str, Any]:
    from solarmini.export.safetensors import export_safetensors

    dst = output or Path(f"{name}-{precision}")
    manifest = export_safetensors(folder, dst, precision)
    size = sum(record.bytes for record in manifest.files.values())
    return {"path": str(dst), "format": "safetensors", "quant": precision, "bytes": size}


def _gguf(
    folder: Path,
    output: Path | None,
    quant: str,
    name: str,
    context: int | None,
    calibrate: bool,
    check: bool,
    threads: int | None,
) -> dict[str, Any]:
    from solarmini.engine.faithful import check_gguf
    from solarmini.engine.llama import DEFAULT_CONTEXT
    from solarmini.engine.threads import choose_threads
    from solarmini.export.gguf import plan_gguf, write_gguf
    from solarmini.export.importance import measure_importance
    from solarmini.export.memory import memory_of_plan
    from solarmini.export.quant import find_quant

    kind = find_quant(quant)
    plan_gguf(folder, kind, name=name)  # what cannot be written is said before the model is run
    weights = measure_importance(folder) if calibrate and kind.weighs else None
    plan = plan_gguf(folder, kind, name=name, importance=weights)
    dst = output or Path(f"{name}-{kind.name}.gguf")
    found: list[Faithfulness] = []

    def accept(written: Path) -> None:
        found.append(check_gguf(written, folder, kind, threads=threads))

    write_gguf(plan, dst, accept=accept if check else None, workers=choose_threads(threads))
    own = plan.architecture.context
    memory = memory_of_plan(
        plan.architecture, plan.nbytes, min(own, context or min(own, DEFAULT_CONTEXT))
    )
    return _facts(plan, dst, memory, found[0] if found else None)


def _facts(
    plan: "Plan", dst: Path, memory: "Memory", check: "Faithfulness | None"
) -> dict[str, Any]:
    size = dst.stat().st_size
    return {
        "path": str(dst),
        "format": "gguf",
        "quant": plan.quant.name,
        "bytes": size,
        "parameters": plan.parameters,
        "bits_per_weight": round(8 * plan.nbytes / plan.parameters, 3),
        "tensors": plan.types,
        "fallbacks": plan.fallbacks,
        "calibrated": any(tensor.importance is not None for tensor in plan.tensors)
        if plan.quant.weighs
        else None,
        "notes": list(plan.notes),
        "memory": memory.to_dict(),
        "check": check.to_dict() if check else None,
    }


def _print(facts: dict[str, Any]) -> None:
    from solarmini.console import out, size_text

    console = out()
    console.print(f"[bold]{facts['path']}[/]  {size_text(facts['bytes'])}", soft_wrap=True)
    if facts["format"] == "safetensors":
        return
    types = ", ".join(f"{count} {kind}" for kind, count in facts["tensors"].items())
    console.print(f"{facts['bits_per_weight']:.2f} bits a weight; tensors: {types}")
    if facts["fallbacks"]:
        count = len(facts["fallbacks"])
        first, change = next(iter(facts["fallbacks"].items()))
        console.print(
            f"{count} tensors have rows that are no whole blocks and took another type "
            f"({first}: {change})",
            soft_wrap=True,
        )
    if facts["calibrated"] is False:
        console.print("quantised without calibration")
    memory = facts["memory"]
    console.print(
        f"memory at {memory['context']:,} tokens: {size_text(memory['total'])} "
        f"(weights {size_text(memory['weights'])}, keys and values {size_text(memory['cache'])}, "
        f"buffers {size_text(memory['buffers'])}, program {size_text(memory['program'])})",
        soft_wrap=True,
    )
    _print_check(facts["check"])
    for note in facts["notes"]:
        console.print(f"[yellow]note:[/] {note}", soft_wrap=True)


def _print_check(check: dict[str, Any] | None) -> None:
    from solarmini.console import out

    if check is None:
        out().print("[yellow]not checked[/]")
    elif not check["compared"]:
        out().print(
            f"loads and reads: perplexity {check['perplexity']:.2f} over {check['positions']} "
            "tokens; too large here to be compared with the original in float32",
            soft_wrap=True,
        )
    else:
        out().print(
            f"checked over {check['positions']} tokens: {check['agreement']:.1%} of the likeliest "
            f"tokens agree with transformers, perplexity {check['perplexity']:.3f} against "
            f"{check['reference_perplexity']:.3f} ([bold]x{check['ratio']:.4f}[/])",
            soft_wrap=True,
        )
