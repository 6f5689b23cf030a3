"""The socket below an answer of httpx: read in large pieces, and broken under a thread that waits for it.

Both are faces that httpcore documents: ``network_stream`` among an answer's extensions, and ``socket`` among what that tells.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

__all__ = ["break_connection", "read_in_large_pieces"]

LARGE = 512 * 1024
"""Bytes asked for at a time. httpcore asks for 64 KiB, and what it does between two reads takes longer than reading that."""


def read_in_large_pieces(response: httpx.Response) -> None:
    """Let an answer's connection read :data:`LARGE` bytes at a time from now on. HTTP/2 shares its connection, and is left as it is."""
    stream = response.extensions.get("network_stream")
    if stream is None or response.http_version == "HTTP/2" or "read" in vars(stream):
        return
    plain = stream.read

    def read(max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = plain(max(max_bytes, LARGE), timeout)
        return data

    stream.read = read


def break_connection(response: httpx.Response) -> None:
    """End the connection of an answer, so that whoever waits for it gets an error at once. Closing alone would let him wait."""
    stream = response.extensions.get("network_stream")
    found = stream.get_extra_info("socket") if stream is not None else None
    if isinstance(found, socket.socket):
        with suppress(OSError):  # it is broken already
            found.shutdown(socket.SHUT_RDWR)
