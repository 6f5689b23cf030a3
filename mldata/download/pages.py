"""Pages for people in place of data: what a login, a captive portal or a shop window of a site answers to whoever asks for a file.

Invariant: such a page is told by its first bytes, whatever the server calls it, and none of it is given on.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mldata.errors import NetworkError, shown

if TYPE_CHECKING:
    from mldata.download.base import Body, Origin, Validator

__all__ = ["DataOrigin", "looks_like_html"]

LOOKED_AT = 4096
"""Bytes."""
PAGES = (".html", ".htm", ".xhtml", ".shtml", ".mhtml", ".mht", ".xml", ".svg", ".md")
"""How names of files end that may be pages."""
_BEGIN = re.compile(rb"<!doctype\s+html|<(html|head|body|title|meta|script)[\s>]")
_TITLE = re.compile(rb"<title[^>]{0,200}>\s*([^<]{1,200})", re.IGNORECASE)


def looks_like_html(data: bytes) -> bool:
    """Whether the beginning of a file is that of a page for people."""
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    while text.startswith((b"<!--", b"<?xml")):
        _, found, text = text.partition(b"-->" if text.startswith(b"<!--") else b"?>")
        text = text.lstrip() if found else b""
    return _BEGIN.match(text) is not None


class DataOrigin:
    """An origin that has data: a page in its place is an error. See :class:`mldata.download.base.Origin`.

    Args:
        origin: where the bytes come from.
        file: name of the file; one that may be a page is let through.
    """

    def __init__(self, origin: Origin, file: str) -> None:
        self._origin, self._file = origin, file
        self.name, self.identity = origin.name, origin.identity

    def open(self, start: int = 0, stop: int | None = None, match: Validator | None = None) -> Body:
        """See :meth:`mldata.download.base.Origin.open`. The body raises ``NetworkError`` before the first byte of a page."""
        body = self._origin.open(start, stop, match)
        return (
            body
            if body.start or self._file.lower().endswith(PAGES)
            else _DataBody(body, self._file, self.name)
        )


class _DataBody:
    """A body from the beginning of a file, looked at before it is given on."""

    def __init__(self, body: Body, file: str, where: str) -> None:
        self._body, self._file, self._where = body, file, where
        self.start, self.validator, self.ranges = body.start, body.validator, body.ranges
        self.digests, self.reason = body.digests, body.reason

    def __iter__(self) -> Iterator[bytes]:
        chunks = iter(self._body)
        begin = bytearray()
        for chunk in chunks:
            begin += chunk
            text = begin.lstrip(b"\xef\xbb\xbf \t\r\n")
            if len(begin) >= LOOKED_AT or (text and not text.startswith(b"<")):
                break
        if looks_like_html(bytes(begin[:LOOKED_AT])):
            title = _TITLE.search(begin)
            called = title and html.unescape(title[1].decode("utf-8", "replace")).strip()
            raise NetworkError(
                f"expected the data of {self._file}, found a page of HTML"
                + (f" called {shown(called)}" if called else ""),
                where=self._where,
                hint="Open the address in a browser: does the network or the site want a login, or a licence to be accepted? "
                "Then give the address of the file itself. Nothing was stored.",
            )
        if begin:
            yield bytes(begin)
        yield from chunks

    def interrupt(self) -> None:
        """Make a thread that waits for bytes fail at once."""
        getattr(self._body, "interrupt", self._body.close)()

    def close(self) -> None:
        self._body.close()

    def __enter__(self) -> _DataBody:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
