"""A server in a thread whose answers a test steers: it notes what it was asked, fails when told to, and breaks off in the middle of a file.

A service derives from :class:`Steered` and writes :meth:`Steered.answer`; a service that gives out files from another host has two of them
that share one :class:`Steering`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from mldata.testing.places import Asked

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    """Percent escapes are resolved."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""
    target: str = ""
    """Path and query as they were sent."""


@dataclass(frozen=True)
class Answer:
    """What is answered."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    file: bool = False
    """Whether it is a file: with an ETag (its MD5 where it has none of its own), in parts if they are asked for, and cut off when a test says so."""


def as_json(value: Any, status: int = 200) -> Answer:
    """An answer in JSON."""
    return Answer(json.dumps(value).encode(), status, {"Content-Type": "application/json"})


@dataclass
class Steering:
    """What a test wants to go wrong, and what was asked so far; several servers may share it."""

    asked: list[Asked] = field(default_factory=list)
    failures: tuple[int, int | None, Mapping[str, str]] = (0, 0, {})
    """Status, how many more times (None: always), headers."""
    cut_after: int | None = None
    """Bytes of the next file that is longer, after which the connection ends."""
    hold_after: int | None = None
    """Bytes of the next file that is longer, after which nothing more comes until :attr:`go_on` is set."""
    go_on: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, asked: Asked) -> Answer | None:
        """Take note of a request. Gives what is to be answered instead of the right answer."""
        with self.lock:
            self.asked.append(asked)
            status, times, headers = self.failures
            if times == 0:
                return None
            self.failures = (status, None if times is None else times - 1, headers)
            return Answer(b"as the test wants it", status, headers)

    def cut(self, size: int) -> int | None:
        """Where to cut off an answer of ``size`` bytes."""
        with self.lock:
            after = self.cut_after
            if after is None or size <= after:
                return None
            self.cut_after = None
            return after

    def hold(self, size: int) -> int | None:
        """Where to hold an answer of ``size`` bytes."""
        with self.lock:
            after, self.hold_after = self.hold_after, None
            return after if after is not None and size > after else None


class Steered:
    """A server on 127.0.0.1, from ``with`` on."""

    own = True
    """Whether it is the service itself: what :class:`~mldata.testing.places.Asked` says."""

    def __init__(self, steering: Steering | None = None) -> None:
        self.steering = steering or Steering()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.service = self

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Any:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: Request) -> Answer:
        """The right answer."""
        raise NotImplementedError


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    service: Steered

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is nothing to print."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _serve(self) -> None:
        service = self.server.service
        parts = urlsplit(self.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        request = Request(
            self.command, unquote(parts.path), {k: v[-1] for k, v in query.items()}, headers, body, self.path
        )
        answer = service.steering.note(Asked(self.path, headers, service.own))
        if answer is None:
            answer = service.answer(request)
        if answer.file and answer.status == 200:
            answer = _part(answer, headers)
        self._send(answer, service.steering if answer.file else None)

    do_GET = do_POST = do_HEAD = _serve

    def _send(self, answer: Answer, steering: Steering | None) -> None:
        """Send it; as it is steered, if it is a file."""
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        cut = steering.cut(len(answer.body)) if steering else None
        hold = steering.hold(len(answer.body)) if steering else None
        self.wfile.write(answer.body[: hold if hold is not None else cut])
        if steering and hold is not None:
            steering.go_on.wait(60)
            self.wfile.write(answer.body[hold:cut])
        if cut is not None:
            self.close_connection = True  # in order: a reset would take what was sent with it, now and then


def _part(answer: Answer, headers: Mapping[str, str]) -> Answer:
    """The file or the part that is asked for (RFC 9110, section 14)."""
    body = answer.body
    etag = answer.headers.get("ETag", f'"{md5(body, usedforsecurity=False).hexdigest()}"')
    said = {
        "ETag": etag, "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT", "Accept-Ranges": "bytes", **answer.headers,
    }  # fmt: skip
    found = _RANGE.fullmatch(headers.get("range", ""))
    if found is None or headers.get("if-range", etag) != etag:
        return Answer(body, 200, said, file=True)
    start, stop = int(found[1]), min(int(found[2] or len(body)) + 1, len(body))
    if start >= len(body):
        return Answer(b"", 416, {**said, "Content-Range": f"bytes */{len(body)}"})
    said["Content-Range"] = f"bytes {start}-{stop - 1}/{len(body)}"
    return Answer(body[start:stop], 206, said, file=True)
