"""Calls are read out of an answer the same way however it is cut into pieces."""

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from solarmini.server.call_stream import CallStream, calls_in

values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=5,
)
calls = st.lists(
    st.tuples(st.text(max_size=6), st.dictionaries(st.text(max_size=5), values, max_size=3)),
    min_size=1,
    max_size=3,
)


@given(calls, st.booleans(), st.lists(st.integers(0, 200), max_size=8))
def test_cut_anywhere(made: list[tuple[str, dict]], ascii_only: bool, cuts: list[int]) -> None:
    objects = [{"name": name, "arguments": arguments} for name, arguments in made]
    text = json.dumps(objects if len(made) > 1 else objects[0], ensure_ascii=ascii_only)
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    stream = CallStream()
    names: list[str] = []
    arguments: list[str] = []
    for start, end in itertools.pairwise(places):
        for part in stream.feed(text[start:end]):
            if part.name is not None:
                assert part.place == len(names)
                names.append(part.name)
                arguments.append("")
            arguments[part.place] += part.arguments
        assert not stream.is_words
    assert stream.whole
    assert [(n, json.loads(a)) for n, a in zip(names, arguments, strict=True)] == made
    assert [call.name for call in calls_in(text)[0]] == names


def test_arguments_come_before_the_call_is_whole() -> None:
    stream = CallStream()
    assert stream.feed('{"name": "wea') == []
    (begun,) = stream.feed('ther", "arguments": ')
    assert (begun.place, begun.name, begun.arguments) == (0, "weather", "")
    assert [part.arguments for part in stream.feed('{"city": "Se')] == ['{"city": "Se']
    assert [part.arguments for part in stream.feed('o}\\"ul"}')] == ['o}\\"ul"}']
    assert not stream.whole
    assert stream.feed("}") == []
    assert stream.whole


def test_what_was_cut_is_said_to_be() -> None:
    text = '[{"name": "a", "arguments": {"x": 1}}, {"name": "b", "arguments": {"y": "'
    found, cut = calls_in(text)
    assert cut
    assert [(call.name, call.arguments) for call in found] == [("a", '{"x": 1}'), ("b", '{"y": "')]
    for words in ("", "fox", '{"name": "a"', '{"name": "a", "other": 1}', '"name"'):
        assert calls_in(words) == ([], False)
