"""Pieces of text are whole characters, add up to the whole text, and end before a stop string."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_zoo import byte_level, sentencepiece

from solarmini.engine.stream import TextStream

TEXT = "한국어 답변: 안녕하세요! 👩‍👩‍👧 café\n\n  x = 1"


@pytest.fixture(scope="module", params=["byte-level", "legacy", "first"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    if request.param == "byte-level":
        return byte_level()
    return sentencepiece(scheme=request.param)


def streamed(tokenizer: Any, ids: list[int], **options: Any) -> list[str]:
    stream = TextStream(tokenizer, **options)
    pieces = []
    for index in ids:
        pieces.append(stream.push(index))
        if stream.stopped:
            break
    return [piece for piece in [*pieces, stream.finish()] if piece]


@given(text=st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\ufffd")))
def test_pieces_add_up(tokenizer: Any, text: str) -> None:
    ids = tokenizer.encode(text, add_special_tokens=False)
    pieces = streamed(tokenizer, ids)
    assert "".join(pieces) == tokenizer.decode(ids, skip_special_tokens=True)
    assert not any("\ufffd" in piece for piece in pieces)


def test_never_half_a_syllable(tokenizer: Any) -> None:
    ids = tokenizer.encode(TEXT, add_special_tokens=False)
    pieces = streamed(tokenizer, ids)
    assert "".join(pieces) == tokenizer.decode(ids)
    assert len(pieces) > 10
    assert len(ids) > len(pieces)  # several tokens make one syllable here
    for length in range(len(ids)):  # cut anywhere, what was said is a beginning of the text
        said = "".join(streamed(tokenizer, ids[:length]))
        assert tokenizer.decode(ids).startswith(said)


@pytest.mark.parametrize("stop", ["안녕", "\n\n", "x = 1", "!", "하세요! 👩"])
def test_ends_before_the_stop_string(tokenizer: Any, stop: str) -> None:
    ids = tokenizer.encode(TEXT, add_special_tokens=False)
    said = "".join(streamed(tokenizer, ids, stop=(stop, "never")))
    text = tokenizer.decode(ids)
    assert said == text[: text.index(stop)]


def test_an_unfinished_stop_string_is_text(tokenizer: Any) -> None:
    ids = tokenizer.encode(TEXT, add_special_tokens=False)
    assert "".join(streamed(tokenizer, ids, stop=("x = 12", "1 "))) == tokenizer.decode(ids)
    assert "".join(streamed(tokenizer, ids, stop=("",))) == tokenizer.decode(ids)


def test_special_tokens_are_not_text() -> None:
    tokenizer = byte_level()
    ids = tokenizer.encode("a<|im_end|>b")
    assert "".join(streamed(tokenizer, ids)) == "ab"


def test_the_prompt_decides_about_the_leading_space() -> None:
    """A decoder that strips the first space of a text must not strip that of an answer."""
    from tokenizers import decoders

    tokenizer = sentencepiece()
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.backend_tokenizer.decoder = decoders.Sequence([*parts, decoders.Strip(" ", 1, 0)])
    prompt = tokenizer.encode("Hello", add_special_tokens=False)
    answer = tokenizer.encode("world", add_special_tokens=False)
    assert "".join(streamed(tokenizer, answer, before=prompt)) == " world"
    assert "".join(streamed(tokenizer, answer)) == "world"
