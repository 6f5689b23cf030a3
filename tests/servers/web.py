"""A web server whose every page a test writes: redirects, credentials, TLS, and answers that are wrong.

It listens on all addresses of this machine: 127.0.0.1, 127.0.0.2 and ``localhost`` make one server several hosts::

    with Site() as site:
        site.pages["/a"] = file(b"...")
        site.pages["/b"] = redirect(site.url("/a", host="localhost"))
        get(site.url("/b"))
        assert not site.asked[-1].own
"""

from __future__ import annotations

import hashlib
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from mldata.testing import Asked

MODIFIED = "Wed, 21 Oct 2015 07:28:00 GMT"


@dataclass(frozen=True)
class Answer:
    """What is sent."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    """``Content-Length`` is added, unless it stands here or the answer is chunked."""
    body: bytes = b""
    cut: int | None = None
    """The connection is closed after this many bytes of the body."""


Page = Callable[[Asked], Answer]


def file(
    data: bytes, headers: Mapping[str, str] | None = None, *, etag: str | None = "", ranges: bool = True
) -> Page:
    """A file with an ETag of its bytes (or the one given, or none), parts of it where they are asked for."""
    tag = f'"{hashlib.md5(data).hexdigest()}"' if etag == "" else etag

    def page(asked: Asked) -> Answer:
        said = {"Content-Type": "application/octet-stream", "Last-Modified": MODIFIED}
        said |= {"ETag": tag} if tag else {}
        said |= {"Accept-Ranges": "bytes"} if ranges else {}
        said |= headers or {}
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("range", ""))
        if (
            part is None
            or not ranges
            or asked.headers.get("if-range", tag or MODIFIED) not in (tag, MODIFIED)
        ):
            return Answer(200, said, data)
        start, stop = int(part[1]), min(int(part[2] or len(data) - 1), len(data) - 1)
        if start >= len(data):
            return Answer(416, {"Content-Range": f"bytes */{len(data)}"})
        said["Content-Range"] = f"bytes {start}-{stop}/{len(data)}"
        return Answer(206, said, data[start : stop + 1])

    return page


def redirect(to: str, status: int = 302) -> Page:
    """Leads elsewhere."""
    return lambda asked: Answer(status, {"Location": to}, b"elsewhere")


class Site:
    """A server on a free port. A context manager; pages may be changed while it runs.

    Args:
        tls: its certificate; None for plain HTTP.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.pages: dict[str, Page] = {}
        """By path, without what stands behind a ``?``."""
        self.first: Page | None = None
        """Asked before the pages; a status of 0 means that the page answers."""
        self.asked: list[Asked] = []
        outer = self

        class Handler(_Handler):
            site = outer

        self._server = _Server(("", 0), Handler)
        self._server.daemon_threads = True
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Site:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """Where a page is."""
        return f"{self._scheme}://{host}:{self.port}{path}"

    def answer(self, asked: Asked) -> Answer:
        """What a request gets."""
        if self.first is not None and (found := self.first(asked)).status:
            return found
        page = self.pages.get(asked.path.partition("?")[0])
        return page(asked) if page is not None else Answer(404, body=b"nothing here")


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients go away in the middle, which is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        if length := int(headers.get("content-length", "0")):
            self.rfile.read(length)
        own = headers["host"].partition(":")[0] == "127.0.0.1"
        asked = Asked(self.path, headers, own, self.command)
        self.site.asked.append(asked)
        answer = self.site.answer(asked)
        chunked = "Transfer-Encoding" in answer.headers
        said = dict(answer.headers)
        if not chunked:
            said.setdefault("Content-Length", str(len(answer.body)))
        self.send_response(answer.status)
        for name, value in said.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            body = answer.body if answer.cut is None else answer.body[: answer.cut]
            self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked and body else body)
        self.close_connection = self.close_connection or answer.cut is not None

    do_HEAD = do_POST = do_GET
