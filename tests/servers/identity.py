"""What Kaggle and OpenML answer to who is asking, on loopback; the Hub of ``tests.servers.hub`` has its own.

Kaggle: ``/api/v1/hello``, by Basic or Bearer, which says the user's name, or 401. OpenML: every request with a parameter ``api_key`` that is none
gets 412 with the error 103; a good one, what was asked for.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

KAGGLE_TOKEN = "KGAT_0123456789abcdef0123456789abcdef"
KAGGLE_KEY = "0123456789abcdef0123456789abcdef"
OPENML_KEY = "fedcba9876543210fedcba9876543210"

Answer = tuple[int, Mapping[str, str], bytes]


@dataclass
class Identity:
    """The server, and what it was asked."""

    endpoint: str = ""
    instead: Callable[[str, Mapping[str, str]], Answer] | None = None
    """What it answers in place of the services' answers, from path and headers."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path with parameters, and ``Authorization``."""


def basic(user: str, key: str) -> str:
    """As RFC 7617 has it."""
    return "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()


@contextmanager
def identity() -> Iterator[Identity]:
    """Run it."""
    known = Identity()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            who = self.headers.get("Authorization")
            known.asked.append((self.path, who))
            status, headers, body = (known.instead or _answer)(self.path, dict(self.headers))
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    known.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client may hang up."""


def _answer(path: str, headers: Mapping[str, str]) -> Answer:
    parts = urlsplit(path)
    if parts.path == "/api/v1/hello":
        good = (f"Bearer {KAGGLE_TOKEN}", basic("ann", KAGGLE_KEY))
        if headers.get("Authorization") not in good:
            return _json(401, {"code": 401, "message": "Unauthenticated"})
        return _json(200, {"userName": "ann", "message": "Hello"})
    if parts.path == "/api/v1/json/data/list/limit/1":
        if parse_qs(parts.query).get("api_key") != [OPENML_KEY]:
            return _json(412, {"error": {"code": "103", "message": "Authentication failed"}})
        return _json(200, {"data": {"dataset": [{"did": 2, "name": "anneal"}]}})
    return _json(404, {"code": 404, "message": "Not found"})


def _json(status: int, value: object) -> Answer:
    return status, {}, json.dumps(value).encode()
