"""Other tools that turn a PDF into Markdown on this machine, each in its documented best setting.

    python benchmarks/layout/peers.py NAME PDFS OUT

writes OUT/<stem>.md for every PDF and prints the processor time. They live in an environment of
their own, `.venvs/layout-peers`, made on first use; opendataloader-pdf also needs Java.
"""

import argparse
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

# One file after another in one process, as a pipeline would use the library. `files` are Paths,
# `save(path, text)` writes the answer.
_START = """
import sys
from pathlib import Path
files = sorted(Path(sys.argv[1]).glob("*.pdf"))
out = Path(sys.argv[2])
def save(path, text):
    (out / f"{path.stem}.md").write_text(text or "", encoding="utf-8", errors="replace")
"""


@dataclass(frozen=True)
class Peer:
    """A tool: what pip installs, and the program that runs it over `files`."""

    requirement: str
    program: str


PEERS = {
    "liteparse": Peer(
        "liteparse==2.18.0",
        """
import liteparse
parser = liteparse.LiteParse(
    ocr_enabled=False, output_format="markdown", keep_headers_footers=True, quiet=True
)
for path in files:
    save(path, parser.parse(str(path)).text)
""",
    ),
    "pdf-inspector": Peer(
        "pdf-inspector==1.25.2",
        """
import pdf_inspector
for path in files:
    save(path, pdf_inspector.process_pdf(str(path)).markdown)
""",
    ),
    "opendataloader": Peer(
        "opendataloader-pdf==2.5.16",
        """
import opendataloader_pdf
opendataloader_pdf.convert(
    [str(path) for path in files], output_dir=str(out), format="markdown",
    include_header_footer=True, image_output="off", quiet=True,
)
""",
    ),
    "kreuzberg": Peer(
        "kreuzberg==4.10.4",
        """
import kreuzberg
config = kreuzberg.ExtractionConfig(
    use_cache=False, output_format=kreuzberg.OutputFormat.MARKDOWN, disable_ocr=True
)
for path in files:
    save(path, kreuzberg.extract_file_sync(str(path), config=config).content)
""",
    ),
    "markitdown": Peer(
        "markitdown[pdf]==0.1.8",
        """
from markitdown import MarkItDown
converter = MarkItDown()
for path in files:
    save(path, converter.convert(str(path)).text_content)
""",
    ),
    "pypdfium2": Peer(
        "pypdfium2==5.15.2",
        """
import pypdfium2
for path in files:
    with pypdfium2.PdfDocument(path) as document:
        save(path, "\\n\\n".join(page.get_textpage().get_text_range() for page in document))
""",
    ),
}


def environment() -> Path:
    """Return the Python of the peers' environment, made on first use."""
    folder = ROOT / ".venvs" / "layout-peers"
    python = folder / "bin" / "python"
    if not (folder / "made").exists():
        venv.create(folder, with_pip=True, clear=True)
        needed = [peer.requirement for peer in PEERS.values()]
        subprocess.run([python, "-m", "pip", "install", "-q", *needed], check=True)
        (folder / "made").touch()
    return python


def run_peer(
    name: str, pdfs: Path, out: Path, *, tell: Callable[[str], object] = print
) -> float | None:
    """Answer every PDF of `pdfs` into `out`; return processor seconds, None where it failed."""
    out.mkdir(parents=True, exist_ok=True)
    child = subprocess.Popen(
        [environment(), "-W", "ignore", "-c", _START + PEERS[name].program, pdfs, out],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = child.stderr.read() if child.stderr else ""
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        tell(f"{name}: {said.strip().splitlines()[-1:] or child.returncode}")
        return None
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Run one peer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=list(PEERS))
    parser.add_argument("pdfs", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    seconds = run_peer(options.name, options.pdfs, options.out)
    if seconds is None:
        sys.exit(1)
    print(f"{options.name}: {seconds:.2f} CPU-s")


if __name__ == "__main__":
    main()
