"""A server of files that gives ranges, as RFC 9110 says, and that fails in every way that a server fails.

::

    with FileServer({"/a": Served(b"...")}) as server:
        server.fail("/a", Fault(reset_at=1000))  # the next request for it
        download(server.url("/a"))
        assert server.asked[0].range == (0, None)
"""

from __future__ import annotations

import contextlib
import gzip
import re
import socket
import struct
import threading
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

PIECE = 64 * 1024


class Content(Protocol):
    """What has a length and gives parts: bytes, or something as large as one likes."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> bytes: ...


class Large:
    """``size`` bytes that are nowhere: zeros, but for eight at each 64 KiB that say where they are."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, part: slice, /) -> bytes:
        start, stop, _ = part.indices(self.size)
        first = start - start % PIECE
        blocks = (struct.pack(">Q", at).ljust(PIECE, b"\0") for at in range(first, stop, PIECE))
        return b"".join(blocks)[start - first : stop - first]


@dataclass(frozen=True)
class Served:
    """A file, and what is said of it."""

    data: Content
    etag: str | None = '"1"'
    modified: str | None = "Wed, 21 Oct 2015 07:28:00 GMT"
    ranges: bool = True
    """Whether parts are given."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """More, as they are."""
    chunked: bool = False
    """Sent without saying how long it is."""
    auth: str | None = None
    """Value of ``Authorization`` that is needed."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request. Offsets count in the body of the answer."""

    status: int | None = None
    """An error in place of the file."""
    headers: Mapping[str, str] = field(default_factory=dict)
    reset_at: int | None = None
    """The connection is reset."""
    end_at: int | None = None
    """The connection is closed in order."""
    stall_at: int | None = None
    """Nothing more comes until the client goes away."""
    flip_at: int | None = None
    """One bit is another."""
    whole: bool = False
    """200 and everything, though a part was asked for."""
    shift: int = 0
    """A part is this much beside the one that was asked for; ``Content-Range`` says so."""
    gzip: bool = False
    """Compressed, though nobody asked for that."""
    length: int | None = None
    """``Content-Length`` says this, and that many bytes come."""
    pause: float = 0.0
    """Seconds between two pieces of 1 KiB."""
    hold: threading.Event | None = None
    """What comes after the first piece comes when this is set."""
    swap: Served | None = None
    """The file is another one from now on."""


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    path: str
    range: tuple[int, int | None] | None
    """First byte and the one behind the last."""
    headers: Mapping[str, str]
    status: int
    peer: tuple[str, int]
    """The connection that it came on."""
    sent: list[int]
    """One number: bytes of the body so far."""
    start: int = 0
    """Offset in the file of the first of them."""


class FileServer:
    """A server on a free port. A context manager; faults and files may be changed while it runs."""

    def __init__(self, files: Mapping[str, Served]) -> None:
        self.files = dict(files)
        self.asked: list[Asked] = []
        self.stopping = threading.Event()
        self._faults: dict[str, deque[Fault | None]] = defaultdict(deque)
        self._lock = threading.Lock()
        self.under_way = 0
        self.most_under_way = 0
        outer = self

        class Handler(_Handler):
            server_of_files = outer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> FileServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        """Where a file is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def fail(self, path: str, *faults: Fault | None) -> None:
        """What goes wrong with the next requests for ``path``, one each; None: nothing."""
        with self._lock:
            self._faults[path].extend(faults)

    def forget_faults(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._faults.clear()

    def next_fault(self, path: str) -> Fault:
        """The fault of the request that just came."""
        with self._lock:
            waiting = self._faults[path]
            return (waiting.popleft() if waiting else None) or Fault()

    def sent(self, path: str | None = None) -> int:
        """Bytes of bodies that were sent, of one file or of all."""
        return sum(it.sent[0] for it in self.asked if path in (None, it.path))

    def enter(self, step: int) -> None:
        """A request begins (1) or ends (-1)."""
        with self._lock:
            self.under_way += step
            self.most_under_way = max(self.most_under_way, self.under_way)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of_files: FileServer
    wbufsize = 0
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client went away
            super().handle()

    def do_GET(self) -> None:
        self.server_of_files.enter(1)
        try:
            self._answer()
        except OSError:
            self.close_connection = True
        finally:
            self.server_of_files.enter(-1)

    do_HEAD = do_GET

    def _answer(self) -> None:
        server = self.server_of_files
        fault = server.next_fault(self.path)
        if fault.swap is not None:
            server.files[self.path] = fault.swap
        file = server.files.get(self.path)
        if fault.status is not None or file is None:
            self._refuse(fault.status or 404, fault.headers)
            return
        if file.auth is not None and self.headers.get("Authorization") != file.auth:
            self._refuse(401, {"WWW-Authenticate": "Bearer"})
            return
        asked = _range(self.headers.get("Range"))
        part = asked if file.ranges and not fault.whole and self._unchanged(file) else None
        size = len(file.data)
        if part is not None and part[0] >= size:
            self._refuse(416, {"Content-Range": f"bytes */{size}"}, asked)
            return
        start, stop = (part[0], min(part[1] or size, size)) if part is not None else (0, size)
        if part is not None:
            start, stop = max(0, start + fault.shift), min(stop + fault.shift, size)
        headers = {"Accept-Ranges": "bytes"} if file.ranges else {}
        headers |= {"ETag": file.etag} if file.etag else {}
        headers |= {"Last-Modified": file.modified} if file.modified else {}
        headers |= {"Content-Range": f"bytes {start}-{stop - 1}/{size}"} if part is not None else {}
        self._send(
            206 if part is not None else 200, start, stop, file, fault, {**headers, **file.headers}, asked
        )

    def _unchanged(self, file: Served) -> bool:
        """Whether ``If-Range`` lets a part be given: a weak ETag never does."""
        condition = self.headers.get("If-Range")
        if condition is None:
            return True
        if condition.startswith(('"', "W/")):
            return condition == file.etag and not condition.startswith("W/")
        return condition == file.modified

    def _refuse(self, status: int, headers: Mapping[str, str], asked: Any = None) -> None:
        self._note(status, asked)
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _note(self, status: int, asked: tuple[int, int | None] | None, start: int = 0) -> list[int]:
        sent = [0]
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server_of_files.asked.append(
            Asked(self.path, asked, headers, status, self.client_address[:2], sent, start)
        )
        return sent

    def _send(
        self,
        status: int,
        start: int,
        stop: int,
        file: Served,
        fault: Fault,
        headers: Mapping[str, str],
        asked: Any,
    ) -> None:
        data: Content = file.data
        if fault.gzip:
            data = gzip.compress(data[start:stop])
            start, stop, headers = 0, len(data), {**headers, "Content-Encoding": "gzip"}
        length = stop - start if fault.length is None else fault.length
        sent = self._note(status, asked, start)
        self.send_response(status)
        for name, value in {**headers, **fault.headers}.items():
            self.send_header(name, value)
        if file.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command == "HEAD":
            return
        stops = [at for at in (fault.reset_at, fault.end_at, fault.stall_at) if at is not None]
        end = min([stop, start + length, *(start + at for at in stops)])
        for at in range(start, end, 1024 if fault.pause else PIECE):
            piece = data[at : min(end, at + (1024 if fault.pause else PIECE))]
            if fault.flip_at is not None and at <= start + fault.flip_at < at + len(piece):
                place = start + fault.flip_at - at
                piece = piece[:place] + bytes([piece[place] ^ 1]) + piece[place + 1 :]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if file.chunked else piece)
            sent[0] += len(piece)
            if fault.pause:
                self.server_of_files.stopping.wait(fault.pause)
            while fault.hold is not None and not self.server_of_files.stopping.is_set():
                if fault.hold.wait(0.05):
                    break
        if fault.stall_at is not None:
            self._wait_for_the_client()
        if fault.reset_at is not None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if stops or end < start + length:
            self.close_connection = True
            if fault.end_at is not None:
                self.connection.shutdown(socket.SHUT_WR)
        elif file.chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _wait_for_the_client(self) -> None:
        self.connection.settimeout(0.05)
        while not self.server_of_files.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                if not self.connection.recv(1):
                    return


def _range(text: str | None) -> tuple[int, int | None] | None:
    """First byte and the one behind the last; other forms than ``bytes=A-B`` and ``bytes=A-`` are not asked for here."""
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", text or "")
    return (int(found[1]), int(found[2]) + 1 if found[2] else None) if found else None
