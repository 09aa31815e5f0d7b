"""One tiny model and its engine for the whole folder."""

import errno
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import tiny_model

from solarmini import console
from solarmini.engine import pages
from solarmini.engine.llama import LlamaEngine
from solarmini.engine.local import TransformersEngine
from solarmini.export.gguf import plan_gguf, write_gguf
from solarmini.export.quant import QUANTS


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("llama", tmp_path_factory.mktemp("engine") / "tiny", seed=4)


@pytest.fixture(autouse=True)
def fresh_consoles() -> None:
    """A console made in an earlier test writes to that test's captured output."""
    console.out.cache_clear()
    console.err.cache_clear()


@pytest.fixture(scope="session")
def exact(tiny: Path) -> Iterator[TransformersEngine]:
    """Return an engine in float32, whatever this machine does fast."""
    with TransformersEngine(tiny, precision="fp32") as engine:
        yield engine


@pytest.fixture(scope="session")
def engine(tiny: Path) -> Iterator[TransformersEngine]:
    with TransformersEngine(tiny) as engine:
        yield engine


@pytest.fixture(scope="session")
def gguf(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model in float32 for llama.cpp."""
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write_gguf(plan_gguf(tiny, QUANTS["f32"]), path)
    return path


@pytest.fixture(scope="session")
def llama(gguf: Path) -> Iterator[LlamaEngine]:
    # with plain attention, a random model's near ties fall otherwise when others answer as well
    with LlamaEngine(gguf, parallel=4, threads=1, attention="flash", warm_up=False) as engine:
        yield engine


@pytest.fixture(scope="session")
def plain(gguf: Path) -> Iterator[LlamaEngine]:
    """What a small model gets by itself: plain attention."""
    with LlamaEngine(gguf, threads=1, warm_up=False) as engine:
        yield engine


@pytest.fixture
def refusals(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return what the kernel answers, from now on, where it has no huge page to give."""
    ask, answers = pages._advise, []
    kernel = tuple(int(part) for part in platform.release().split(".")[:2])
    expected = (*pages._NO_MORE, *((errno.EINVAL,) if kernel < (6, 1) else ()))  # no collapsing

    def asked(start: int, size: int, advice: int) -> int:
        answer = ask(start, size, advice)
        if answer in expected:
            answers.append(answer)
        return answer

    monkeypatch.setattr(pages, "_advise", asked)
    return answers
