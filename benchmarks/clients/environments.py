"""Clients that people use, each with its own requirements in an environment of its own."""

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]

# name -> what pip is asked for. Old clients fail to start with newer libraries that their own
# requirements allow: httpx 0.28 (openai 1.0), langchain-openai 0.3.35 (langchain-upstage 0.6).
# The one of llama-index brings PyMuPDF (AGPL) for itself.
CLIENTS: dict[str, tuple[str, ...]] = {
    "openai-1.0": ("openai==1.0.0", "httpx<0.28"),
    "openai-1": ("openai>=1,<2",),
    "openai-2": ("openai>=2,<3",),
    "openai-3": ("openai>=3,<4",),
    "langchain-upstage-0.1": ("langchain-upstage==0.1.6",),
    "langchain-upstage-0.6": ("langchain-upstage==0.6.0", "langchain-openai==0.3.0"),
    "langchain-upstage-0.7": ("langchain-upstage>=0.7,<0.8",),
    "langchain-openai": ("langchain-openai",),
    "llama-index-upstage": (
        "llama-index-llms-upstage",
        "llama-index-embeddings-upstage",
        "llama-index-readers-upstage",
    ),
    "haystack": ("haystack-ai",),
    "mcp-upstage": ("mcp-upstage",),
}


def environment(name: str) -> Path:
    """Return the Python of a client's environment, made when it is not there."""
    return prepared(f"client-{name}", CLIENTS[name])


def prepared(name: str, packages: tuple[str, ...], unwanted: tuple[str, ...] = ()) -> Path:
    """Return the Python of an environment with these packages, made when it is not there.

    `unwanted` are removed at the end: what others require and does not work beside them.
    """
    folder = ROOT / ".venvs" / name
    python, made = folder / "bin" / "python", folder / "made"
    if not made.exists():
        print(f"making the environment {name}", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        pip = [python, "-m", "pip"]
        subprocess.run([*pip, "install", "-q", *packages], check=True)
        if unwanted:
            subprocess.run([*pip, "uninstall", "-q", "-y", *unwanted], check=True)
        made.touch()
    return python


_WANTED = ("openai", "langchain", "llama-index", "llama_index", "haystack", "mcp", "httpx")


def versions(python: Path, wanted: tuple[str, ...] = _WANTED) -> dict[str, str]:
    """Return the versions of the packages that matter in an environment."""
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], check=True, capture_output=True, text=True
    ).stdout
    pairs = (line.split("==") for line in listed.splitlines() if "==" in line)
    return {name: version for name, version in pairs if name.lower().startswith(wanted)}
