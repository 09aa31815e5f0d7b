"""`solar evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from solarmini.evaluate.records import RecordSet


def evaluate(
    model: str,
    /,
    *,
    text: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    chat: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    preference: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    task: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    template: str = "model",
    seq_len: int = 1024,
    stride: int | None = None,
    limit: int | None = None,
    precision: Literal["auto", "fp32", "bf16"] = "auto",
    device: str = "auto",
    name: str | None = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Measure a model: perplexity of text, loss on held-out answers, preferences, choice tasks.

    Every number comes with its count and a 95 % confidence interval; the record file also keeps
    data and template hashes, so that `solar compare` can tell what may be compared.

        solar evaluate grown --text docs.jsonl#heldout --chat heldout.jsonl -o grown.json
        solar evaluate grown --task arc_challenge=test.jsonl:fewshot=train.jsonl --limit 100

    Data is written [NAME=]PATH[#train|#heldout][@rows]; tasks
    [NAME@]TASK=FILE[:fewshot=FILE][:shots=N], on local files in the task's own columns.

    Parameters
    ----------
    model
        A model folder, GGUF file, packaged model or hub id.
    text
        Text to measure perplexity, loss per token and bits per byte on.
    chat
        Conversations to measure the loss on the answers' tokens on.
    preference
        Preference pairs to measure how often the chosen answer is likelier on.
    task
        Choice tasks: arc_challenge, arc_easy, hellaswag, mmlu, truthfulqa_mc2, winogrande, gsm8k,
        kobest_boolq, _copa, _hellaswag, _sentineg, _wic; choice_en and choice_ko for own rows.
    output
        Record file to write (JSON).
    template
        Chat template: model, solar, chatml or a .jinja file.
    seq_len
        Tokens of a window over long text.
    stride
        Tokens by which a window moves on; half of seq_len unless given.
    limit
        First rows of each choice task to ask (of each subject for MMLU).
    precision
        Number format of matrix products; auto takes what the device does fast.
    device
        auto, cpu, cuda or mps.
    name
        Name of the model in the records; that of its manifest, folder or hub id unless given.
    overwrite
        Replace an existing record file.
    as_json
        Print the records as JSON.
    """
    from solarmini.artifact import read_manifest
    from solarmini.checkpoint.resolve import resolve
    from solarmini.errors import OutputError
    from solarmini.evaluate.evaluate import EvaluateSettings, evaluate_model, parse_data_task
    from solarmini.evaluate.records import write_records
    from solarmini.evaluate.suites import parse_choice_task

    if output is not None and output.exists() and not overwrite:
        raise OutputError(
            "the record file exists already", where=output, mend="name another one, or --overwrite"
        )
    folder = resolve(model)
    if name is None and read_manifest(folder) is None and not Path(model).exists():
        name = model  # of a hub id; its folder in the cache is named by a hash
    settings = EvaluateSettings(
        text=tuple(parse_data_task(spec) for spec in text or ()),
        chat=tuple(parse_data_task(spec) for spec in chat or ()),
        preference=tuple(parse_data_task(spec) for spec in preference or ()),
        choices=tuple(parse_choice_task(spec) for spec in task or ()),
        template=template,
        seq_len=seq_len,
        stride=stride,
        limit=limit,
        precision=precision,
        device=device,
        name=name,
    )
    records = evaluate_model(folder, settings)
    if output is not None:
        write_records(output, records.records, overwrite=overwrite)
    if as_json:
        print(records.model_dump_json(exclude={"records": {"__all__": {"items"}}}))
    else:
        _print(records)


def _print(records: "RecordSet") -> None:
    from rich.markup import escape
    from rich.table import Table

    from solarmini.console import out

    first = records.records[0]
    out().print(f"[bold]{escape(first.model)}[/] [dim]{first.stage}, {first.precision}[/]")
    table = Table()
    table.add_column("task", no_wrap=True)
    table.add_column("measure", no_wrap=True)
    for header in ("value", "95 % interval", "n"):
        table.add_column(header, justify="right", no_wrap=True)
    for record in records.records:
        interval = "-"
        if record.ci_low is not None and record.ci_high is not None:
            interval = f"{record.ci_low:.4g} … {record.ci_high:.4g}"
        shots = f" [dim]{record.shots}-shot[/]" if record.shots else ""
        table.add_row(
            escape(record.task) + shots,
            f"{record.metric} {'↑' if record.higher_is_better else '↓'}",
            f"[bold]{record.value:.4g}[/]",
            interval,
            f"{record.n:,}",
        )
    out().print(table)
