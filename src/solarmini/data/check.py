"""Look at data as a stage would: single rows as tokens, or a whole source as figures."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from solarmini.data.builders import encode_pair, encode_row, end_of_document
from solarmini.data.formats import ChatRow, PairRow, TextRow
from solarmini.data.rows import SourceRow, read_rows, row_hash
from solarmini.data.sources import DataSource
from solarmini.errors import DataError, SolarError
from solarmini.text.chat import ChatFormat, Encoded
from solarmini.text.tokenizer import PieceTokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PROBLEMS_SHOWN = 20


class RowEncoder:
    """Encode any row as its stage would: text, conversation, or both sides of a pair."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", template: str) -> None:
        """Remember the template; it is only loaded when a row needs it."""
        self.tokenizer = tokenizer
        self._pieces = PieceTokenizer(tokenizer)
        self._template = template
        self._format: ChatFormat | None = None
        self._end: int | None = None

    @property
    def chat_format(self) -> ChatFormat:
        """The chat format; TemplateError when the model and the template do not fit."""
        if self._format is None:
            self._format = ChatFormat(self.tokenizer, self._template)
        return self._format

    def encode(self, row: SourceRow) -> list[tuple[str, Encoded]]:
        """Return (label, tokens) of the row: one, or chosen and rejected."""
        match row.value:
            case TextRow(text):
                if self._end is None:
                    self._end = end_of_document(self.tokenizer)
                ids = [*self._pieces.leading, *self._pieces.whole(text), self._end]
                return [("text", Encoded(ids, [False] + [True] * (len(ids) - 1)))]
            case ChatRow(messages):
                return [("conversation", encode_row(self.chat_format, messages, row))]
            case PairRow() as pair:
                chosen, rejected = encode_pair(self.chat_format, pair, row)
                return [("chosen", chosen), ("rejected", rejected)]

    def writes_control(self, row: SourceRow) -> bool:
        """Say whether the row's own text holds a special token, such as <|im_end|>."""
        match row.value:
            case TextRow(text):
                said = text
            case ChatRow(messages):
                said = "\n".join(turn["content"] for turn in messages)
            case PairRow(prompt, chosen, rejected):
                said = "\n".join(turn["content"] for turn in (*prompt, *chosen, *rejected))
        return any(token in said for token in self._pieces.special.values())


def find_row(source: DataSource, number: int) -> SourceRow:
    """Return row ``number`` (from 1) of the source, after its split and limit."""
    count = 0
    for count, row in enumerate(read_rows(source), start=1):
        if count == number:
            return row
    raise DataError(
        f"there is no row {number}", where=source.path, mend=f"the source gives {count} rows"
    )


@dataclass
class Report:
    """What a check found. Lengths are in tokens, one for each sequence."""

    formats: Counter[str] = field(default_factory=Counter)
    lengths: list[int] = field(default_factory=list)
    supervised: int = 0
    too_long: int = 0
    duplicates: int = 0
    same_prompt: int = 0
    control: int = 0
    bad_rows: int = 0
    problems: list[dict[str, str | None]] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows that could be read."""
        return sum(self.formats.values())

    @property
    def tokens(self) -> int:
        """Tokens of all sequences."""
        return sum(self.lengths)

    def note(self, error: SolarError) -> None:
        """Count a row that is wrong, and keep the first of them."""
        self.bad_rows += 1
        if len(self.problems) < PROBLEMS_SHOWN:
            self.problems.append({"what": error.what, "where": error.where, "mend": error.mend})

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for JSON."""
        tokens = self.tokens
        return {
            "rows": self.rows,
            "formats": dict(self.formats),
            "sequences": len(self.lengths),
            "tokens": tokens,
            "longest": max(self.lengths, default=0),
            "supervised": self.supervised,
            "supervised_share": self.supervised / tokens if tokens else 0.0,
            "too_long": self.too_long,
            "duplicates": self.duplicates,
            "same_prompt": self.same_prompt,
            "control_tokens": self.control,
            "bad_rows": self.bad_rows,
            "problems": self.problems,
            "histogram": [{"up_to": up_to, "sequences": n} for up_to, n in histogram(self.lengths)],
        }


def check_source(source: DataSource, encoder: RowEncoder, seq_len: int) -> Report:
    """Read and encode every row; wrong ones are noted and the reading goes on."""
    report = Report()
    seen: set[str] = set()
    prompts: set[str] = set()
    for row in read_rows(source, report.note):
        report.formats[row.format] += 1
        if isinstance(row.value, ChatRow | PairRow):
            encoder.chat_format  # noqa: B018  a wrong template is one error, not one a row
        try:
            sequences = encoder.encode(row)
        except SolarError as error:
            report.note(error)
            continue
        for _, encoded in sequences:
            report.lengths.append(len(encoded.ids))
            report.supervised += sum(encoded.mask)
        report.too_long += any(len(encoded.ids) > seq_len for _, encoded in sequences)
        report.control += encoder.writes_control(row)
        whole, prompt = row_hash(row.value)[:24], row_hash(row.value, prompt_only=True)[:24]
        if whole in seen:
            report.duplicates += 1
        elif prompt in prompts:
            report.same_prompt += 1
        seen.add(whole)
        prompts.add(prompt)
    return report


def histogram(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Count lengths in bins that double: (largest length of the bin, how many)."""
    if not lengths:
        return []
    bins = Counter(max(length - 1, 0).bit_length() for length in lengths)
    return [(1 << power, bins[power]) for power in range(min(bins), max(bins) + 1)]
