"""A corpus on Ray. The cluster test needs `pip install 'solar-mini[ray]'` and half a minute."""

import json
import pickle
from pathlib import Path

import pytest
from small_pdf import report

from solarmini.errors import MissingExtraError
from solarmini.layout.corpus import plan
from solarmini.layout.ray import ReadFile, read_on_ray
from solarmini.layout.reading import Reading
from solarmini.layout.save import Saving

FAST = Reading(mode="fast")
TEXT = Saving(format="text")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.pdf").write_bytes(report(1))
    (folder / "deep" / "b.pdf").write_bytes(report(2))
    (folder / "bad.pdf").write_bytes(b"%PDF-1.7 nothing")
    return folder


def test_what_runs_on_the_cluster_reads_and_writes(corpus: Path) -> None:
    """The object is sent to another machine: it is pickled, and makes its worker there."""
    reader = pickle.loads(pickle.dumps(ReadFile(FAST, TEXT, "1")))
    items = plan([corpus], corpus.parent / "out", "text")
    rows = [{"source": str(item.source), "output": str(item.output)} for item in items]
    try:
        outcomes = [json.loads(reader(row)["outcome"]) for row in rows]
    finally:
        reader.close()
    assert [(o["status"], o["pages"]) for o in outcomes] == [
        ("done", 1),
        ("failed", 0),
        ("done", 1),
    ]
    assert "says on page 1" in (corpus.parent / "out" / "deep" / "b.txt").read_text()
    assert "damaged" in outcomes[1]["problems"][0]["what"]


def test_without_ray_the_extra_is_named(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "ray", None)
    items = plan([corpus], corpus.parent / "out", "text")
    with pytest.raises((MissingExtraError, ModuleNotFoundError), match="ray"):
        list(read_on_ray(items, FAST, TEXT, address="local"))


@pytest.mark.filterwarnings("ignore")
def test_a_local_cluster_reads_a_folder(corpus: Path) -> None:
    items = plan([corpus], corpus.parent / "out", "text")
    outcomes = {Path(o.source).name: o for o in read_on_ray(items, FAST, TEXT, address="local")}
    assert {name: o.status for name, o in outcomes.items()} == {
        "a.pdf": "done",
        "b.pdf": "done",
        "bad.pdf": "failed",
    }
    assert outcomes["b.pdf"].pages == 2
    assert "says on page 2" in (corpus.parent / "out" / "deep" / "b.txt").read_text()
