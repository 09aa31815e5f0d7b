"""A process killed at any moment leaves a store that is whole and has all it said was done."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from rag_parts import HashingEmbedder

from solarmini.rag.knowledge import KnowledgeBase

HERE = Path(__file__).parent
KILLS = int(os.environ.get("SOLAR_KILLS", "4"))


def killed_run(store: Path, folder: Path, seconds: float) -> list[list[str]]:
    """Run the driver, kill it that long after it opened the store; return what it said."""
    environment = os.environ | {"PYTHONPATH": str(HERE.parent), "PYTHONUNBUFFERED": "1"}
    driver = [sys.executable, str(HERE / "kill_driver.py"), str(store), str(folder)]
    with subprocess.Popen(driver, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first == "open\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        said = process.stdout.read()
    lines = said.split("\n")[:-1]  # a line cut short was not said
    return [line.split(" ") for line in lines]


def test_kill_at_random_points(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    for n in range(6):
        (folder / f"{n}.txt").write_text(f"start {n}")
    store = tmp_path / "kb.db"
    dice = random.Random(11)
    there: dict[str, bool] = {}
    for _ in range(KILLS):
        last: dict[str, str] = {}
        for action, source, *_ in killed_run(store, folder, dice.uniform(0.0, 0.6)):
            last[source] = action
            there[source] = action != "deleted"
        with KnowledgeBase.open(store, embedder=HashingEmbedder()) as kb:
            assert kb.problems() == []
            stored = {document.source for document in kb.documents()}
            # the step under way when it was killed may be done or not; all others are as said
            wrong = [s for s, present in there.items() if present != (s in stored)]
            assert len(wrong) <= 1, wrong
            there = {source: source in stored for source in there | dict.fromkeys(stored)}
            kb.add(folder)  # goes on where it was
            assert kb.problems() == []
            present = {path.as_posix() for path in folder.glob("*.txt")}
            assert {document.source for document in kb.documents()} == present
            there = dict.fromkeys(present, True)
