"""Let real clients, unmodified, talk to a real server.

    python benchmarks/clients/run.py [--model smollm2-135m] [--only openai-1.0 …] [-o FILE]

Each client has an environment of its own under .venvs/, made on first use. One server with a key
serves them all, one after the other. Prints a table; writes results/<date>.json; leaves with 1 when
a check failed.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests")]

from environments import CLIENTS, environment, versions  # noqa: E402
from report import tell, write  # noqa: E402
from small_pdf import SmallPdf  # noqa: E402

KEY = "sk-solar-clients"
SCRIPTS = {
    "openai": "openai_calls.py",
    "langchain-upstage": "langchain_upstage_calls.py",
    "langchain-openai": "langchain_openai_calls.py",
    "llama-index": "llama_index_calls.py",
    "haystack": "haystack_calls.py",
    "mcp": "mcp_upstage_calls.py",
}


def script_of(client: str) -> Path:
    """Return the calls of a client: those whose name begins its own."""
    name = max((key for key in SCRIPTS if client.startswith(key)), key=len)
    return HERE / "calls" / SCRIPTS[name]


@contextmanager
def server(model: str, folder: Path, *options: str) -> Iterator[str]:
    """Serve a model; yield its address."""
    keys = folder / "keys.txt"
    keys.write_text(KEY + "\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "solarmini", "serve", model, "--port", str(port)]
    command += ["--threads", "1", "--api-key-file", str(keys), *options]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stderr=log)
        try:
            base = f"http://127.0.0.1:{port}"
            until_ready(base, process, folder / "log")
            yield base
        finally:
            process.terminate()
            process.wait(60)


def until_ready(base: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait for the model."""
    while True:
        if process.poll() is not None:
            raise SystemExit(f"the server ended:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{base}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.5)


def call(client: str, base: str, pdf: Path) -> dict[str, Any]:
    """Run one client's checks."""
    python = environment(client)
    variables = os.environ | {"SOLAR_KEY": KEY, "SOLAR_PDF": str(pdf)}
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [python, script_of(client), base],
            capture_output=True,
            text=True,
            env=variables | {"HOME": home, "HF_HOME": home},
            timeout=900,
            check=False,
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"check"')]
    checks = [json.loads(line) for line in lines]
    if not checks or (done.returncode and all(check["ok"] for check in checks)):
        checks.append({"check": "import", "ok": False, "error": done.stderr[-1500:]})
    return {"client": client, "versions": versions(python), "checks": checks}


def main() -> None:
    """Run the clients asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--only", nargs="*", default=list(CLIENTS), choices=list(CLIENTS))
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pdf = folder / "report.pdf"
        made = SmallPdf()
        made.page().text(72, 90, "A report on the lighthouse.", 14)
        made.text(72, 130, "The lamp burns well. It was lit in 1904.", 10)
        pdf.write_bytes(made.data())
        with server(options.model, folder) as base:
            rows = [call(client, base, pdf) for client in options.only]
    write({"model": options.model, "rows": rows}, "", options.output)
    sys.exit(not tell(rows, "client"))


if __name__ == "__main__":
    main()
