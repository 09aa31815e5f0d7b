"""One JSON object a line on standard error: what happened, never what was said."""

import contextlib
import datetime
import json
import logging
import sys
import threading
from collections.abc import Generator
from typing import Any, TextIO


class Log:
    """Writes events; safe to use from several threads."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream, self._lock = stream, threading.Lock()

    def write(self, event: str, **facts: Any) -> None:
        """Write one event with its facts; those that are None are left out."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        kept = {key: value for key, value in facts.items() if value is not None}
        text = json.dumps({"time": now, "event": event, **kept}, ensure_ascii=False, default=str)
        stream = self._stream or sys.stderr
        with self._lock:
            print(text.encode("utf-8", "replace").decode(), file=stream, flush=True)

    @contextlib.contextmanager
    def heard(self, *libraries: str) -> Generator[None]:
        """Write what libraries warn of as events too, so that every line of the log is JSON."""
        handler = _Heard(self)
        for name in libraries:
            logging.getLogger(name).addHandler(handler)
        try:
            yield
        finally:
            for name in libraries:
                logging.getLogger(name).removeHandler(handler)


class _Heard(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.write("library", name=record.name, level=record.levelname, said=_said(record))


def _said(record: logging.LogRecord) -> str:
    text = record.getMessage()
    return text if not record.exc_info else f"{text}: {record.exc_info[1]!r}"
