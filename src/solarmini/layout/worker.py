"""One worker process: `python -m solarmini.layout.worker FD MODULE:FUNCTION`.

A program of its own and not a fork or a re-import of the caller's script: it starts the same from
a notebook, a server with threads, or a script without a main guard. It answers one item after the
other over the socket `FD` and ends when the other side is gone.
"""

import contextlib
import importlib
import signal
import sys
from multiprocessing.connection import Connection


def main() -> None:
    """Serve until the socket is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller decides when to stop
    connection = Connection(int(sys.argv[1]))
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        sys.path[:] = connection.recv()
        module, _, name = sys.argv[2].partition(":")
        answer = getattr(importlib.import_module(module), name)
        while True:
            payload, items = connection.recv()
            for item in items:
                connection.send(answer(payload, item))


if __name__ == "__main__":
    main()
