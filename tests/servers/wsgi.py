"""A WSGI application on this machine, that writes down what it is asked, fails when it is told to, and breaks connections."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from mldata.testing import Asked

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Steered:
    """An application around another one, steered as :class:`mldata.testing.RemotePlace` says."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.requests: list[Asked] = []
        self._failing: tuple[int, int | None, dict[str, str]] | None = None
        self._cut: int | None = None
        self.hang = threading.Event()
        """What is cut off stays open until this is set, without another byte."""
        self.hang.set()

    def fail(self, status: int, times: int | None, headers: Mapping[str, str] | None = None) -> None:
        self._failing = (status, times, dict(headers or {}))

    def cut(self, after: int) -> None:
        self._cut = after

    def refuse(self, environ: dict[str, Any]) -> tuple[str, dict[str, str], bytes] | None:
        """The answer to who may not ask this; None: they may."""
        return None

    def failure(self, status: int) -> tuple[dict[str, str], bytes]:
        """Headers and body of an answer that is an error."""
        return {}, b""

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key[:5] == "HTTP_"}  # fmt: skip
        environ["wsgi.input"] = io.BytesIO(
            _body(environ)
        )  # what is left unread would be taken for the next request
        self.requests.append(Asked(environ.get("RAW_URI", environ["PATH_INFO"]), headers))
        if self._failing is not None:
            status, times, extra = self._failing
            if times is None or times > 0:
                self._failing = (status, None if times is None else times - 1, extra)
                more, body = self.failure(status)
                start(f"{status} Told To", [*{**more, **extra}.items(), ("Content-Length", str(len(body)))])
                return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
        if (refused := self.refuse(environ)) is not None:
            line, more, body = refused
            start(line, [*more.items(), ("Content-Length", str(len(body)))])
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
        answer = self._app(environ, start)
        after = self._cut
        if after is None or environ["REQUEST_METHOD"] != "GET":
            return answer
        data = b"".join(answer)
        if len(data) <= after:
            return [data]
        self._cut = None
        return self._broken(environ, data[:after])

    def _broken(self, environ: dict[str, Any], data: bytes) -> Iterator[bytes]:
        yield data
        self.hang.wait(60)
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError


def _body(environ: dict[str, Any]) -> bytes:
    if environ.get("wsgi.input_terminated"):
        return bytes(environ["wsgi.input"].read())
    return bytes(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@contextmanager
def serving(app: App, handler: type[WSGIRequestHandler] = WSGIRequestHandler) -> Iterator[str]:
    """The address of ``app`` while it is served."""
    quiet = type("Quiet", (_Quiet, handler), {})
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
