"""A server on this machine that answers for one model as the hub does."""

import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def serve(folder: Path, ref: str, *, ranges: bool = True) -> Generator[tuple[str, Counter[str]]]:
    """Serve `folder` as the model `ref`; yields the endpoint and a count of bytes per file."""
    sent: Counter[str] = Counter()

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            found = [f"/{ref}/resolve/{revision}/" for revision in ("main", COMMIT)]
            prefix = next((p for p in found if self.path.startswith(p)), None)
            if prefix is None:
                return self.missing("RepoNotFound")
            path = folder / self.path.removeprefix(prefix)
            if not path.is_file():
                return self.missing("EntryNotFound")
            size = path.stat().st_size
            first, last = 0, size - 1
            asked = self.headers.get("Range") if ranges else None
            if asked:
                start, _, end = asked.removeprefix("bytes=").partition("-")
                first, last = int(start), min(int(end), last)
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            self.send_header("Content-Length", str(last - first + 1))
            self.send_header("ETag", f'"{path.name}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if body:
                self.send_part(path, first, last + 1)
            return None

        def send_part(self, path: Path, position: int, end: int) -> None:
            with path.open("rb") as file:
                file.seek(position)
                try:
                    while position < end:
                        part = file.read(min(65536, end - position))
                        self.wfile.write(part)
                        position += len(part)
                        sent[path.name] += len(part)
                except ConnectionError:  # the client has seen enough
                    self.close_connection = True

        def missing(self, code: str) -> None:
            self.send_response(404)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
