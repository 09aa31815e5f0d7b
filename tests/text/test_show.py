"""Tokens as a person reads them."""

from tokenizer_zoo import byte_level, sentencepiece

from solarmini.text import ChatFormat
from solarmini.text.show import colour_tokens, mark_tokens, readable_pieces, share_line

TALK = [{"role": "user", "content": "안녕?\n"}, {"role": "assistant", "content": "네, 힣 👩‍👩‍👧"}]


def test_byte_tokens_become_whole_hangul():
    tokenizer = byte_level()
    ids = tokenizer("힣a").input_ids
    assert len(ids) == 4  # three bytes that no merge joins, and a letter
    pieces = list(readable_pieces(tokenizer, ids, [False] * 4))
    assert [(piece.text, len(piece.ids)) for piece in pieces] == [("힣", 3), ("a", 1)]


def test_sentencepiece_bytes_and_spaces_are_shown_as_text():
    tokenizer = sentencepiece()
    ids = tokenizer("hello 힣\n").input_ids
    pieces = list(readable_pieces(tokenizer, ids, [False] * len(ids)))
    assert pieces[0].special
    assert "".join(piece.text for piece in pieces) == "<s> hello 힣\n"


def test_plain_mode_marks_exactly_the_supervised_stretch():
    chat = ChatFormat(byte_level())
    encoded = chat.encode(TALK)
    assert mark_tokens(chat.tokenizer, encoded.ids, encoded.mask) == (
        "<|im_start|>user\n안녕?\n<|im_end|>\n<|im_start|>assistant\n[네, 힣 👩‍👩‍👧<|im_end|>]\n"
    )


def test_a_character_cut_by_supervision_is_not_joined():
    tokenizer = byte_level()
    ids = tokenizer("힣").input_ids
    pieces = list(readable_pieces(tokenizer, ids, [False, True, True]))
    assert [piece.ids for piece in pieces] == [(ids[0],), tuple(ids[1:])]


def test_colours_tell_supervised_special_and_split_characters():
    chat = ChatFormat(byte_level())
    encoded = chat.encode(TALK)
    shown = colour_tokens(chat.tokenizer, encoded.ids, encoded.mask)
    assert "힣₃" in shown.plain
    assert "⏎\n" in shown.plain
    styles = {shown.plain[span.start : span.end]: str(span.style) for span in shown.spans}
    assert "green" in styles["힣"]
    assert styles["<|im_start|>"] == "reverse dim"


def test_share_is_counted():
    assert share_line([False, True, True, False]) == "2 of 4 tokens supervised (50.0 %)"
    assert share_line([]) == "0 of 0 tokens supervised (0.0 %)"
