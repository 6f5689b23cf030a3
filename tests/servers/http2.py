"""A server that speaks HTTP/2 only, over TLS: each request is answered by one page, as HTTP/1.1 would."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamEnded
from h2.exceptions import ProtocolError

from mldata.testing import Asked
from tests.servers.web import Page


class Http2Site:
    """A server on a free port of 127.0.0.1. A context manager.

    Args:
        tls: its certificate.
        page: what answers.
    """

    def __init__(self, tls: ssl.SSLContext, page: Page) -> None:
        tls.set_alpn_protocols(["h2"])
        self._tls, self._page = tls, page
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.asked: list[Asked] = []
        self.connections = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Http2Site:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def url(self, path: str) -> str:
        """Where a page is."""
        return f"https://127.0.0.1:{self._socket.getsockname()[1]}{path}"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                plain, _ = self._socket.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with suppress(OSError, ProtocolError), self._tls.wrap_socket(plain, server_side=True) as stream:
            connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
            connection.initiate_connection()
            waiting: dict[int, Asked] = {}
            data = b""
            while True:
                stream.sendall(connection.data_to_send())
                data = stream.recv(65536)
                if not data:
                    return
                for event in connection.receive_data(data):
                    if isinstance(event, RequestReceived):
                        headers = {str(name): str(value) for name, value in event.headers}
                        waiting[event.stream_id] = Asked(headers[":path"], headers, True, headers[":method"])
                    elif isinstance(event, StreamEnded):
                        self._answer(connection, event.stream_id, waiting.pop(event.stream_id))

    def _answer(self, connection: H2Connection, stream: int, asked: Asked) -> None:
        self.asked.append(asked)
        answer = self._page(asked)
        said = {
            ":status": str(answer.status),
            **{name.lower(): value for name, value in answer.headers.items()},
        }
        connection.send_headers(stream, list({**said, "content-length": str(len(answer.body))}.items()))
        connection.send_data(stream, answer.body if asked.method != "HEAD" else b"", end_stream=True)
