"""Many clients at once, some of them rude: does the server stay right, whole and small?

    python benchmarks/serve/load.py [--model smollm2-135m] [--clients 200] [--seconds 60] [--kill]
                                   [--speculate]

Half of the requests stream. One in ten hangs up in mid-answer, one in twenty is malformed. Every
other well-formed request binds the answer to a word that only this request knows, so an answer that
went to the wrong client, or was mixed with another, is seen. With --kill the engine process is
killed half-way. Writes results/load-<date>.json; leaves with 1 when anything was wrong.
"""

import argparse
import asyncio
import datetime
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MALFORMED = (
    b"{",
    b"[]",
    b"\xff\xfe",
    b'{"model": "solar-mini"}',
    b'{"model": "nobody", "messages": [{"role": "user", "content": "x"}]}',
    b'{"model": "solar-mini", "messages": 7}',
    b"[" * 5000,
    b'{"model": "solar-mini", "messages": [{"role": "user", "content": "\\ud800"}]}',
)
HONEST = (429, 503)


@dataclass
class Tally:
    """What became of all requests."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    memory: list[tuple[float, int, int]] = field(default_factory=list)

    def note_wrong(self, what: str) -> None:
        self.outcomes["wrong"] += 1
        if len(self.wrong) < 20:
            self.wrong.append(what)


def body_of(marker: str | None, stream: bool) -> bytes:
    """Return a request; with a marker, one whose answer can only be that marker."""
    asked: dict[str, Any] = {
        "model": "solar-mini",
        "messages": [{"role": "user", "content": "Tell me about the sea."}],
        "max_tokens": 48 if marker else 16,
        "stream": stream,
        "stream_options": {"include_usage": True} if stream else None,
    }
    if marker:
        schema = {
            "type": "object",
            "properties": {"mark": {"const": marker}},
            "required": ["mark"],
            "additionalProperties": False,
        }
        asked["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "mark", "schema": schema},
        }
    return json.dumps(asked).encode()


async def post(
    port: int, body: bytes, leave_after: int | None
) -> tuple[int, dict[str, str], bytes]:
    """Send a chat request on a connection of its own; hang up after some bytes of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        head = (
            "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        first = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = first.split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        if leave_after is not None:
            await reader.read(leave_after)
            return int(lines[0].split()[1]), headers, b""
        data = await reader.read(-1)
        if headers.get("transfer-encoding") == "chunked":
            data = unchunked(data)
        return int(lines[0].split()[1]), headers, data
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def unchunked(data: bytes) -> bytes:
    """Return the body of a chunked answer; ValueError when it was cut off."""
    parts = []
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return b"".join(parts)
        parts.append(data[:length])
        data = data[length + 2 :]


def text_of(data: bytes, stream: bool) -> tuple[str, str, int]:
    """Return text, finish reason and tokens of an answer; raises when it is not whole."""
    if not stream:
        answer = json.loads(data)
        choice = answer["choices"][0]
        tokens = answer["usage"]["completion_tokens"]
        return choice["message"]["content"], choice["finish_reason"], tokens
    events = data.decode().split("\n\n")
    if events[-2:] != ["data: [DONE]", ""]:
        raise ValueError(f"the stream ends with {events[-2:]}"[:400])
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    if len({chunk["id"] for chunk in chunks}) != 1:
        raise ValueError("a stream with several ids")
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    return text, choices[-1]["finish_reason"], chunks[-1]["usage"]["completion_tokens"]


async def client(number: int, port: int, until: float, tally: Tally) -> None:
    """Ask one request after the other until the time is over."""
    chance = random.Random(number)
    count = 0
    while time.monotonic() < until:
        count += 1
        draw, stream = chance.random(), chance.random() < 0.5
        began = time.monotonic()
        try:
            if draw < 0.05:
                await malformed(port, chance, tally)
            elif draw < 0.15:
                body = body_of(None, True)
                status, _, _ = await post(port, body, chance.randrange(1, 2000))
                tally.outcomes["hung up" if status == 200 else str(status)] += 1
            else:
                marker = f"m{number}x{count}" if draw < 0.6 else None
                wait = await well_formed(port, marker, stream, tally)
                if wait:
                    await asyncio.sleep(wait * chance.uniform(0.5, 1.5))
                    continue
        except (OSError, ValueError, KeyError, IndexError, asyncio.IncompleteReadError) as error:
            tally.note_wrong(f"{type(error).__name__}: {error}")
        tally.seconds.append(time.monotonic() - began)


async def malformed(port: int, chance: random.Random, tally: Tally) -> None:
    status, _, data = await post(port, chance.choice(MALFORMED), None)
    if status in (400, 404) and set(json.loads(data)["error"]) == {
        "message", "type", "param", "code",
    }:  # fmt: skip
        tally.outcomes["malformed, refused"] += 1
    elif status in HONEST:
        tally.outcomes[str(status)] += 1
    else:
        tally.note_wrong(f"a malformed request got {status}: {data[:200]!r}")


async def well_formed(port: int, marker: str | None, stream: bool, tally: Tally) -> float:
    """Ask and check; return how long to wait before the next request (0: not at all)."""
    status, headers, data = await post(port, body_of(marker, stream), None)
    if status in HONEST:
        tally.outcomes[str(status)] += 1
        return float(headers["retry-after"])
    if status != 200:
        tally.note_wrong(f"{status}: {data[:300]!r}")
        return 0
    if stream and b'"code": "engine_restarted"' in data:
        tally.outcomes["engine died in mid-stream, said so"] += 1
        return 0
    text, reason, tokens = text_of(data, stream)
    if marker is not None:
        good = reason == "stop" and json.loads(text) == {"mark": marker}
    else:
        good = 0 <= tokens <= 16 and reason in ("stop", "length")
    if good:
        tally.outcomes["answered, streamed" if stream else "answered"] += 1
    else:
        tally.note_wrong(f"marker {marker}: {reason} {text!r}")
    return 0


def resident(pid: int) -> int:
    """Return a process's memory in bytes; 0 when it is gone."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def engine_of(pid: int) -> int:
    """Return the engine process of a server; 0 while there is none."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
    return 0


async def watch(pid: int, until: float, kill: bool, tally: Tally) -> None:
    """Take note of the memory every second; kill the engine half-way if asked to."""
    began = time.monotonic()
    half = began + (until - began) / 2
    while time.monotonic() < until:
        engine = engine_of(pid)
        tally.memory.append((time.monotonic() - began, resident(pid), resident(engine)))
        if kill and engine and time.monotonic() > half:
            kill = False
            os.kill(engine, signal.SIGKILL)
        await asyncio.sleep(1)


def started(options: argparse.Namespace, stack: ExitStack) -> tuple[int, int]:
    """Start the server; return its port and process."""
    command = [sys.executable, "-m", "solarmini", "serve", options.model, "--port", "0"]
    command += ["--threads", str(options.threads), "--parallel", str(options.parallel)]
    command += ["--context", "512", *(["--speculate"] if options.speculate else [])]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines, said = iter(process.stderr), []
    drain = threading.Thread(target=lambda: [None for _ in lines], daemon=True)
    stack.callback(lambda: drain.join(10) if drain.is_alive() else None)
    stack.callback(process.wait, 60)
    stack.callback(process.send_signal, signal.SIGTERM)
    port = 0
    for line in lines:
        said.append(line)
        event = json.loads(line) if line.startswith("{") else {}
        if "url" in event:
            port = int(event["url"].rsplit(":", 1)[1])
        if event.get("event") == "ready":
            drain.start()
            return port, process.pid
    raise SystemExit("the server did not start:\n" + "".join(said)[-2000:])


async def run(options: argparse.Namespace, port: int, pid: int) -> Tally:
    tally = Tally()
    until = time.monotonic() + options.seconds
    async with asyncio.TaskGroup() as group:
        group.create_task(watch(pid, until, options.kill, tally))
        for number in range(options.clients):
            group.create_task(client(number, port, until, tally))
    return tally


def report_of(options: argparse.Namespace, tally: Tally) -> dict[str, Any]:
    """Return the figures: outcomes, times, memory after a quarter of the time and at the end."""
    seconds = sorted(tally.seconds)
    quarter = tally.memory[len(tally.memory) // 4]
    last = tally.memory[-1]
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "settings": {key: value for key, value in vars(options).items() if key != "output"},
        "outcomes": dict(sorted(tally.outcomes.items())),
        "requests": sum(tally.outcomes.values()),
        "wrong": tally.wrong,
        "seconds_median": round(seconds[len(seconds) // 2], 3),
        "seconds_99": round(seconds[int(len(seconds) * 0.99)], 3),
        "server_mb_at_a_quarter": round(quarter[1] / 1e6, 1),
        "server_mb_at_the_end": round(last[1] / 1e6, 1),
        "engine_mb_at_a_quarter": round(quarter[2] / 1e6, 1),
        "engine_mb_at_the_end": round(last[2] / 1e6, 1),
        "load_average": os.getloadavg()[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--speculate", action="store_true", help="with prompt lookup")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    with ExitStack() as stack:
        port, pid = started(options, stack)
        tally = asyncio.run(run(options, port, pid))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=30) as answer:
            health = json.load(answer)
    report = {**report_of(options, tally), "health_after": health}
    options.model = Path(options.model).name
    report["settings"]["model"] = options.model
    print(json.dumps(report, indent=1))
    output = options.output or HERE / "results" / f"load-{report['date'][:10]}.json"
    output.parent.mkdir(exist_ok=True)
    output.write_text(json.dumps(report, indent=1) + "\n")
    sys.exit(bool(tally.outcomes["wrong"]))


if __name__ == "__main__":
    main()
