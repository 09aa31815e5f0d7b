"""Measure one model on everything that was asked for, in one load."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solarmini.artifact import describe_parent
from solarmini.config import Settings
from solarmini.console import err
from solarmini.data.examples import Example, make_example
from solarmini.data.formats import ChatRow, PairRow, TextRow
from solarmini.data.rows import SourceRow, read_rows, row_hash
from solarmini.data.sources import DataSource, parse_source
from solarmini.errors import EvaluateError
from solarmini.evaluate.heldout import evaluate_chat, evaluate_preference
from solarmini.evaluate.perplexity import evaluate_text
from solarmini.evaluate.records import Context, Record, RecordSet, machine_name, now, versions_of
from solarmini.evaluate.scoring import Scorer
from solarmini.evaluate.suites import ChoiceTask
from solarmini.text.chat import ChatFormat
from solarmini.text.tokenizer import load_tokenizer
from solarmini.train.precision import PrecisionName

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class DataTask(Settings):
    """A source to measure on, and the name its records get."""

    name: str
    source: DataSource


class EvaluateSettings(Settings):
    """What to measure and how.

    Windows over text hold `seq_len` tokens and move by `stride` (half of `seq_len` when None).
    `limit` keeps the first rows of each choice task; limits of other data stand in their sources.
    """

    text: tuple[DataTask, ...] = ()
    chat: tuple[DataTask, ...] = ()
    preference: tuple[DataTask, ...] = ()
    choices: tuple[ChoiceTask, ...] = ()
    template: str = "model"
    seq_len: int = 1024
    stride: int | None = None
    limit: int | None = None
    precision: PrecisionName = "auto"
    device: str = "auto"
    batch_tokens: int = 4096
    name: str | None = None


def parse_data_task(spec: str) -> DataTask:
    """Read `[NAME=]PATH[#split][@limit]`; the name is the file's without its endings."""
    label, equals, path = spec.partition("=")
    if not equals or "/" in label or Path(spec).exists():
        label, path = "", spec
    source = parse_source(path)
    return DataTask(name=label or source.name.split(".")[0] or source.name, source=source)


def evaluate_model(model_dir: Path, settings: EvaluateSettings) -> RecordSet:
    """Measure a model; return the records in the order asked for.

    Raises EvaluateError when nothing is asked for, when data does not fit, or a name is used
    twice; the model is loaded only after all data was read.
    """
    _check(settings)
    tokenizer = load_tokenizer(model_dir)
    texts = [(task, _texts(task)) for task in settings.text]
    chat_format = None
    if settings.chat or settings.preference:
        chat_format = ChatFormat.load(model_dir, settings.template)
    chats = [(task, _rows(task, ChatRow)) for task in settings.chat]
    pairs = [(task, _rows(task, PairRow)) for task in settings.preference]
    scorer = Scorer(
        model_dir,
        precision=settings.precision,
        device=settings.device,
        batch_tokens=settings.batch_tokens,
    )
    context = _context(model_dir, settings, scorer)
    records: list[Record] = []
    seq_len = settings.seq_len
    stride = settings.stride or max(1, seq_len // 2)
    for task, rows in texts:
        found = [row.value.text for row in rows if isinstance(row.value, TextRow)]
        records += evaluate_text(
            scorer, tokenizer, task.name, found, _sha256(rows), context,
            seq_len=seq_len, stride=stride,
        )  # fmt: skip
    if chat_format is not None:
        for task, rows in chats:
            examples, kept = _chat_examples(rows, chat_format, scorer.max_length)
            records += evaluate_chat(
                scorer, task.name, examples, _sha256(kept), chat_format.sha256, context
            )
        for task, rows in pairs:
            both, kept = _pair_examples(rows, chat_format, scorer.max_length)
            records += evaluate_preference(
                scorer, task.name, both, _sha256(kept), chat_format.sha256, context
            )
    if settings.choices:
        records += _choices(scorer, tokenizer, settings, context)
    return RecordSet(records=tuple(records))


def _choices(
    scorer: Scorer,
    tokenizer: "PreTrainedTokenizerBase",
    settings: EvaluateSettings,
    context: Context,
) -> list[Record]:
    from solarmini.evaluate.choice import evaluate_choices

    return evaluate_choices(scorer, tokenizer, settings.choices, context, settings.limit)


def _check(settings: EvaluateSettings) -> None:
    tasks = [*settings.text, *settings.chat, *settings.preference, *settings.choices]
    if not tasks:
        raise EvaluateError(
            "nothing to measure", mend="name --text, --chat, --preference or --task"
        )
    names = [task.name for task in tasks]
    for name in names:
        if names.count(name) > 1:
            raise EvaluateError(
                f"two tasks are called '{name}'", mend="give one a name of its own: NAME=FILE"
            )
    for task in settings.choices:
        if task.spec and not task.file.exists():
            raise EvaluateError("there is no such file", where=task.file)


def _context(model_dir: Path, settings: EvaluateSettings, scorer: Scorer) -> Context:
    about = describe_parent(model_dir)
    return Context(
        model=settings.name or about.name,
        fingerprint=about.fingerprint,
        stage=about.stage,
        precision=scorer.precision,
        date=now(),
        machine=machine_name(),
        versions=versions_of("torch", "transformers", "lm_eval"),
    )


def _texts(task: DataTask) -> list[SourceRow]:
    rows = _rows(task, TextRow)
    if not any(isinstance(row.value, TextRow) and row.value.text.strip() for row in rows):
        raise EvaluateError("the text is empty", where=task.source.path)
    return rows


def _rows(task: DataTask, kind: type) -> list[SourceRow]:
    rows = list(read_rows(task.source))
    if not rows:
        raise EvaluateError("the data holds no rows", where=task.source.path)
    wanted = "preference pairs" if kind is PairRow else "conversations"
    wanted = "text" if kind is TextRow else wanted
    for row in rows:
        if not isinstance(row.value, kind):
            raise EvaluateError(
                f"a row of {wanted} was expected, this is {row.format}", where=row.row.where
            )
    return rows


def _sha256(rows: Sequence[SourceRow]) -> str:
    """Hash what the rows say: the same rows give the same hash from any file."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(row_hash(row.value).encode())
    return digest.hexdigest()


def _chat_examples(
    rows: Sequence[SourceRow], chat_format: ChatFormat, longest: int
) -> tuple[list[Example], list[SourceRow]]:
    examples, kept = [], []
    for row in rows:
        if isinstance(row.value, ChatRow):
            messages: Any = row.value.messages
            encoded = chat_format.encode(messages)
            if len(encoded.ids) <= longest:
                examples.append(make_example(encoded.ids, encoded.mask))
                kept.append(row)
    _note_dropped(len(rows) - len(kept), longest)
    return examples, kept


def _pair_examples(
    rows: Sequence[SourceRow], chat_format: ChatFormat, longest: int
) -> tuple[list[tuple[Example, Example]], list[SourceRow]]:
    pairs, kept = [], []
    for row in rows:
        if not isinstance(row.value, PairRow):
            continue
        prompt = row.value.prompt
        both = [
            _answer_only(chat_format, [*prompt, *answer], len(prompt))
            for answer in (row.value.chosen, row.value.rejected)
        ]
        if max(len(example) for example in both) <= longest:
            pairs.append((both[0], both[1]))
            kept.append(row)
    _note_dropped(len(rows) - len(kept), longest)
    return pairs, kept


def _answer_only(chat_format: ChatFormat, messages: list[Any], shared: int) -> Example:
    """Encode a conversation with the answer's tokens as targets, not those of earlier turns."""
    encoded = chat_format.encode(messages)
    mask = list(encoded.mask)
    prompt = chat_format.encode(messages[:shared], add_generation_prompt=True)
    mask[: len(prompt.ids)] = [False] * len(prompt.ids)
    return make_example(encoded.ids, mask)


def _note_dropped(count: int, longest: int) -> None:
    if count:
        err().print(f"note: left out {count} rows longer than the model's {longest} positions")
