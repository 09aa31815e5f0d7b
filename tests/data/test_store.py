"""The store on disk: what goes in comes out, and only a changed input is built again."""

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.artifact import DataRecord
from solarmini.data.examples import ExampleStore, PairStore, make_example
from solarmini.errors import DataError

sequences = st.lists(
    st.lists(st.tuples(st.integers(0, 2**31 - 1), st.booleans()), min_size=1, max_size=9),
    max_size=8,
)


class Source:
    """Examples that count how often they are read."""

    def __init__(self, examples, fingerprint):
        self.examples, self.fingerprint, self.reads = examples, fingerprint, 0
        self.records = (DataRecord(name="n", sha256="0", rows=2, bytes=3, licence="mit"),)
        self.counts = {"rows": len(examples)}

    def __iter__(self):
        self.reads += 1
        return iter(self.examples)


def example(*ids):
    return make_example(ids, [True] * len(ids))


@given(rows=sequences)
def test_examples_come_back_as_they_went_in(tmp_path_factory, rows):
    examples = [make_example(*zip(*row, strict=True)) for row in rows]
    store = ExampleStore.build(examples, tmp_path_factory.mktemp("s") / "store", "f")
    assert len(store) == len(examples)
    for index, (read, given_) in enumerate(zip(store, examples, strict=True)):
        assert np.array_equal(read.ids, given_.ids)
        assert np.array_equal(read.mask, given_.mask)
        assert (read.ids.dtype, read.mask.dtype) == (np.int32, np.bool_)
        assert store.lengths[index] == len(given_)
        assert store.supervised[index] == given_.supervised
    assert store.tokens == sum(map(len, examples))


def test_the_arrays_are_mapped_not_loaded(tmp_path):
    store = ExampleStore.build([example(1, 2, 3)], tmp_path / "store", "f")
    base: Any = store[-1].ids
    while not isinstance(base, np.memmap):
        base = base.base
    assert base.filename is not None
    with pytest.raises(IndexError):
        store[1]


def test_a_store_is_reused_until_its_input_changes(tmp_path):
    source = Source([example(1, 2)], "one")
    ExampleStore.ensure(source, tmp_path / "store")
    again = ExampleStore.ensure(source, tmp_path / "store")
    assert source.reads == 1
    assert again.counts == {"rows": 1}
    assert again.records == source.records
    changed = Source([example(3, 4), example(5, 6)], "two")
    assert len(ExampleStore.ensure(changed, tmp_path / "store")) == 2
    assert changed.reads == 1


def test_an_interrupted_build_leaves_the_old_store_and_no_rest(tmp_path):
    ExampleStore.build([example(1, 2)], tmp_path / "store", "one")

    def breaks():
        yield example(3, 4)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ExampleStore.build(breaks(), tmp_path / "store", "two")
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    assert ExampleStore.open(tmp_path / "store").fingerprint == "one"


def test_rests_of_killed_builds_are_removed_and_running_ones_left(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = tmp_path / f".store.{ended.pid}-x"
    alive = tmp_path / f".store.{os.getpid()}-x"
    for folder in (dead, alive):
        folder.mkdir()
    ExampleStore.build([example(1, 2)], tmp_path / "store", "f")
    assert sorted(path.name for path in tmp_path.iterdir()) == [alive.name, "store"]


def test_a_folder_of_something_else_is_never_replaced(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match="not an example store"):
        ExampleStore.build([], tmp_path / "store", "f")
    assert (tmp_path / "store" / "thesis.txt").exists()


def test_missing_and_damaged_stores(tmp_path):
    with pytest.raises(DataError, match="no example store here"):
        ExampleStore.open(tmp_path)
    ExampleStore.build([example(1, 2, 3)], tmp_path / "store", "f")
    ids = tmp_path / "store" / "ids.bin"
    ids.write_bytes(ids.read_bytes()[:-4])
    with pytest.raises(DataError, match=r"ids\.bin holds 8 bytes, expected 12"):
        ExampleStore.open(tmp_path / "store")


def test_a_store_of_another_version_is_built_again(tmp_path):
    source = Source([example(1, 2)], "one")
    ExampleStore.ensure(source, tmp_path / "store")
    about = tmp_path / "store" / "store.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"version": 0}))
    ExampleStore.ensure(source, tmp_path / "store")
    assert source.reads == 2


def test_pairs_lie_side_by_side(tmp_path):
    examples = [example(1, 2), example(1, 3), example(4, 5), example(4, 6)]
    ExampleStore.build(examples, tmp_path / "store", "f")
    pairs = PairStore.open(tmp_path / "store")
    assert len(pairs) == 2
    assert [side.ids.tolist() for side in pairs[1]] == [[4, 5], [4, 6]]
    odd = ExampleStore.build(examples[:3], tmp_path / "odd", "f")
    with pytest.raises(DataError, match="odd number"):
        PairStore(odd)


def test_ids_and_mask_must_agree():
    with pytest.raises(DataError, match="differ in shape"):
        make_example([1, 2], [True])
    assert make_example([1, 2], [True, True]).mask.tolist() == [False, True]
