"""Rows to examples: documents for pretraining, conversations, preference pairs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from solarmini.data.examples import Example, make_example
from solarmini.data.formats import ChatRow, PairRow, TextRow
from solarmini.data.rows import SourceRow
from solarmini.data.sources import DataSource
from solarmini.data.streams import Stream, TooLong, rows_of_kind
from solarmini.errors import DataError, SupervisionError, TemplateError
from solarmini.text.chat import ChatFormat, Encoded, Message
from solarmini.text.tokenizer import PieceTokenizer, tokenizer_digest

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_BATCH_ROWS = 256
_BATCH_CHARS = 2_000_000
# What ends a document for tokenizers whose eos_token ends a chat turn (SmolLM2, Qwen, Llama 3).
_DOCUMENT_ENDS = ("<|endoftext|>", "<|end_of_text|>")


def end_of_document(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Return the id that ends a document: the base model's end-of-text token, else EOS."""
    added = {str(token.content): index for index, token in tokenizer.added_tokens_decoder.items()}
    for text in _DOCUMENT_ENDS:
        if text in added:
            return added[text]
    if not isinstance(tokenizer.eos_token_id, int):
        raise DataError(
            "the tokenizer has no token that ends a document",
            mend="set eos_token in tokenizer_config.json",
        )
    return tokenizer.eos_token_id


def text_examples(
    sources: Sequence[DataSource], tokenizer: "PreTrainedTokenizerBase", seq_len: int
) -> Stream[Example]:
    """Cut documents into pieces of at most ``seq_len`` tokens.

    A document gets the tokenizer's BOS if it adds one itself, and :func:`end_of_document` at its
    end. The next piece begins with the last token of the one before, so every token but the
    document's first is a target exactly once. Empty documents are counted and left out.
    """
    _check_length(seq_len)
    pieces = PieceTokenizer(tokenizer)
    end = end_of_document(tokenizer)

    def read(source: DataSource, tally: Counter[str]) -> Iterator[Example]:
        for texts in _batches(source, tally):
            for ids in pieces.whole_batch(texts):
                for piece in cut([*pieces.leading, *ids, end], seq_len):
                    tally["supervised"] += len(piece) - 1
                    yield piece

    settings = {"kind": "text", "tokenizer": tokenizer_digest(tokenizer), "seq_len": seq_len}
    return Stream(sources, settings, read, len)


def cut(ids: Sequence[int], seq_len: int) -> Iterator[Example]:
    """Cut ids into pieces that overlap by one token; all but a piece's first are targets."""
    array = np.asarray(ids, dtype=np.int32)
    for start in range(0, len(array) - 1, seq_len - 1):
        piece = array[start : start + seq_len]
        mask = np.ones(len(piece), dtype=bool)
        mask[0] = False
        yield Example(piece, mask)


def _batches(source: DataSource, tally: Counter[str]) -> Iterator[list[str]]:
    texts: list[str] = []
    chars = 0
    for _, value in rows_of_kind(source, TextRow, "text", tally):
        if not value.text.strip():
            tally["dropped_empty"] += 1
            continue
        texts.append(value.text)
        chars += len(value.text)
        if len(texts) >= _BATCH_ROWS or chars >= _BATCH_CHARS:
            yield texts
            texts, chars = [], 0
    if texts:
        yield texts


def chat_examples(
    sources: Sequence[DataSource],
    chat_format: ChatFormat,
    seq_len: int,
    too_long: TooLong = "error",
) -> Stream[Example]:
    """Turn conversations into examples whose targets are the assistant's turns.

    Raises SupervisionError for a row without any target, or with nothing but targets. A row
    longer than ``seq_len`` is an error, dropped, or truncated at its end, as ``too_long`` says;
    a truncated row that keeps no target is dropped. Both are counted.
    """
    _check_length(seq_len)

    def read(source: DataSource, tally: Counter[str]) -> Iterator[Example]:
        for row, value in rows_of_kind(source, ChatRow, "conversations", tally):
            encoded = encode_row(chat_format, value.messages, row)
            example = _fit(encoded, seq_len, too_long, row, tally)
            if example is not None:
                tally["supervised"] += example.supervised
                yield example

    settings = _chat_settings("chat", chat_format, seq_len, too_long)
    return Stream(sources, settings, read, len)


def preference_examples(
    sources: Sequence[DataSource],
    chat_format: ChatFormat,
    seq_len: int,
    too_long: TooLong = "error",
) -> Stream[tuple[Example, Example]]:
    """Turn preference triples into (chosen, rejected); targets are the answers' tokens only.

    Both share the prompt's ids exactly. A pair is kept or dropped as a whole; one whose two
    answers are the same after tokenisation and truncation teaches nothing and is counted out.
    """
    _check_length(seq_len)

    def read(source: DataSource, tally: Counter[str]) -> Iterator[tuple[Example, Example]]:
        for row, value in rows_of_kind(source, PairRow, "preference triples", tally):
            pair = _pair(chat_format, value, row, (seq_len, too_long), tally)
            if pair is not None:
                tally["supervised"] += pair[0].supervised + pair[1].supervised
                yield pair

    settings = _chat_settings("preference", chat_format, seq_len, too_long)
    return Stream(sources, settings, read, lambda pair: len(pair[0]) + len(pair[1]))


def _pair(
    chat_format: ChatFormat,
    value: PairRow,
    row: SourceRow,
    fit: tuple[int, TooLong],
    tally: Counter[str],
) -> tuple[Example, Example] | None:
    noted: Counter[str] = Counter()
    sides = [_fit(side, *fit, row, noted) for side in encode_pair(chat_format, value, row)]
    # One row, one count, even when both answers are too long.
    tally.update(dict.fromkeys(noted, 1))
    chosen, rejected = sides
    if chosen is None or rejected is None:
        return None
    if np.array_equal(chosen.ids, rejected.ids):
        tally["dropped_identical"] += 1
        return None
    return chosen, rejected


def encode_pair(chat_format: ChatFormat, value: PairRow, row: SourceRow) -> tuple[Encoded, Encoded]:
    """Encode (chosen, rejected) of a triple; the shared prompt is never a target."""
    try:
        prompt = chat_format.encode(value.prompt, add_generation_prompt=True).ids
    except TemplateError as error:
        raise _at(error, row) from None
    chosen, rejected = (
        encode_row(chat_format, (*value.prompt, *answer), row)
        for answer in (value.chosen, value.rejected)
    )
    for side in (chosen, rejected):
        if side.ids[: len(prompt)] != prompt:
            raise SupervisionError(
                "the answer does not continue the prompt's tokens",
                where=row.row.where,
                mend="choose a template that only appends, such as --template solar",
            )
        side.mask[: len(prompt)] = [False] * len(prompt)
    return chosen, rejected


def encode_row(chat_format: ChatFormat, messages: Sequence[Message], row: SourceRow) -> Encoded:
    """Encode a row's conversation; errors name its file and number.

    Raises SupervisionError when no token or every token would be a target.
    """
    try:
        encoded = chat_format.encode(messages)
    except TemplateError as error:
        raise _at(error, row) from None
    count, total = sum(encoded.mask), len(encoded.ids)
    if count == 0:
        raise SupervisionError(
            f"the row teaches nothing: 0 % of its {total} tokens are supervised",
            where=row.row.where,
            mend="it needs an assistant turn; add the answer, or delete the row",
        )
    if count >= total - 1:  # the first token can never be a target
        raise SupervisionError(
            f"the row is supervised to 100 % ({total} tokens): the prompt would be learned too",
            where=row.row.where,
            mend="the template must write the user's turn and a header before the answer",
        )
    return encoded


def _fit(
    encoded: Encoded, seq_len: int, too_long: TooLong, row: SourceRow, tally: Counter[str]
) -> Example | None:
    ids, mask = encoded.ids, encoded.mask
    if len(ids) <= seq_len:
        return make_example(ids, mask)
    match too_long:
        case "error":
            raise DataError(
                f"the row has {len(ids)} tokens, the sequence length is {seq_len}",
                where=row.row.where,
                mend="raise the sequence length, or choose to drop or truncate long rows",
            )
        case "drop":
            tally["dropped_too_long"] += 1
            return None
        case "truncate":
            if not any(mask[:seq_len]):
                tally["dropped_too_long"] += 1  # nothing of the answer would be left
                return None
            tally["truncated"] += 1
            return make_example(ids[:seq_len], mask[:seq_len])


def _at(error: TemplateError, row: SourceRow) -> TemplateError:
    return TemplateError(error.what, where=row.row.where, mend=error.mend)


def _check_length(seq_len: int) -> None:
    if seq_len < 2:
        raise DataError(f"a sequence length of {seq_len} leaves nothing to predict")


def _chat_settings(
    kind: str, chat_format: ChatFormat, seq_len: int, too_long: TooLong
) -> dict[str, object]:
    return {
        "kind": kind,
        "tokenizer": tokenizer_digest(chat_format.tokenizer),
        "template": chat_format.sha256,
        "seq_len": seq_len,
        "too_long": too_long,
    }
