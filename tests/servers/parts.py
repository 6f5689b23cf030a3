"""A web server of a few files in memory: parts of them, or not, and what it sent. Troubles are told to it beforehand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
PIECE = 16 << 10


@dataclass
class Parts:
    """What a server has and does."""

    files: dict[str, bytes] = field(default_factory=dict)
    """By path, without the first slash."""
    url: str = ""
    parts: bool = True
    """Whether it gives parts."""
    sizes: bool = True
    """Whether it says how large a file is (else the connection ends with it)."""
    etag: str = '"1"'
    troubles: list[int] = field(default_factory=list)
    """Next answers: a status, or 0 for one that breaks off half way."""
    retry_after: int | None = None
    """Seconds that answers with an error ask to wait."""
    sent: int = 0
    """Bytes of files."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and ``Range`` of each request."""
    tokens: list[str | None] = field(default_factory=list)
    """``Authorization`` of each request."""
    lock: Lock = field(default_factory=Lock)


@contextmanager
def serve_parts(files: dict[str, bytes]) -> Iterator[Parts]:
    """A server of ``files`` on a port of its own."""
    state = Parts(files)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state}))
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Parts

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        state, asked = self.state, self.headers.get("Range", "")
        name = self.path.lstrip("/")
        with state.lock:
            state.asked.append((name, asked))
            state.tokens.append(self.headers.get("Authorization"))
            trouble = state.troubles.pop(0) if state.troubles else None
        data = state.files.get(name)
        if trouble or data is None:
            return self._say(trouble or 404)
        found = _RANGE.fullmatch(asked) if state.parts else None
        if state.etag and self.headers.get("If-Range", state.etag) != state.etag:
            found = None
        start, stop = 0, len(data)
        if found is not None:
            start, stop = int(found[1]), min(int(found[2] or len(data)) + 1, len(data))
            if start >= len(data):
                return self._say(416)
        self.send_response(206 if found else 200)
        if state.etag:
            self.send_header("ETag", state.etag)
        if found is not None:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
        if state.parts:
            self.send_header("Accept-Ranges", "bytes")
        if state.sizes:
            self.send_header("Content-Length", str(stop - start))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        until = stop if trouble is None else start + (stop - start) // 2
        try:
            for at in range(start, until, PIECE):
                piece = data[at : min(at + PIECE, until)]
                self.wfile.write(piece)
                with state.lock:
                    state.sent += len(piece)
        except OSError:  # who asked has enough
            self.close_connection = True
        if trouble is not None:
            self.close_connection = True

    def _say(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if self.state.retry_after is not None:
            self.send_header("Retry-After", str(self.state.retry_after))
        self.end_headers()
