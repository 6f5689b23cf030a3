"""The answer to a request for a file: which bytes of it come, of which state, and what is said of the whole.

Invariant: the bytes are those of the file as they are, from where they were asked for or from the beginning; an answer that does not add up is
refused before its first byte.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mldata.download.addresses import public
from mldata.download.base import Transient, Validator
from mldata.download.failures import no_answer, wait_asked
from mldata.download.sockets import break_connection, read_in_large_pieces
from mldata.download.stated import stated_digests
from mldata.errors import MldataError, NetworkError

if TYPE_CHECKING:
    import httpx

__all__ = ["Head", "WebBody", "chunks", "lowered"]

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_NUMBER = re.compile(r"\d{1,18}")
_CODINGS = {
    "gzip": (".gz", ".tgz", ".taz"), "x-gzip": (".gz", ".tgz", ".taz"), "br": (".br",), "zstd": (".zst", ".tzst"),
    "bzip2": (".bz2", ".tbz", ".tbz2"), "x-bzip2": (".bz2", ".tbz", ".tbz2"), "xz": (".xz", ".txz"), "compress": (".z",),
}  # fmt: skip
"""How the names of files end that are packed like this themselves."""


def _no_file(response: httpx.Response, url: str) -> MldataError:
    """The error for an answer that is no error in HTTP, and no file either."""
    said = f"expected a file, found the answer {response.status_code} {response.reason_phrase}".rstrip()
    if response.status_code == 202:
        return Transient(
            f"{said}: it is being prepared",
            where=public(url),
            retry_after=wait_asked(response.headers, time.time()),
        )
    return NetworkError(
        said, where=public(url), hint="Look at the address in a browser, and give the one of the file itself."
    )


@dataclass(frozen=True)
class Head:
    """What is said of a file without sending it."""

    url: str
    """That has it, behind all redirects; which may have a secret in it."""
    validator: Validator
    ranges: bool
    digests: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""


def chunks(response: httpx.Response, url: str) -> Iterator[bytes]:
    """The bytes of an answer as they come: as they were sent where they were asked for so, else unpacked."""
    import httpx

    plain = response.request.headers.get("Accept-Encoding") == "identity"
    try:
        yield from response.iter_raw() if plain else response.iter_bytes()
    except httpx.DecodingError:
        hint = "Try again; if it stays so, tell whoever runs the server."
        what = "expected an answer that can be unpacked, found it damaged"
        raise NetworkError(what, where=public(url), hint=hint) from None
    except httpx.TransportError as error:
        raise no_answer(
            error, url, float(response.request.extensions.get("timeout", {}).get("read") or 0)
        ) from None


def lowered(response: httpx.Response) -> dict[str, str]:
    """Its headers, names in lower case."""
    return {name.lower(): value for name, value in response.headers.items()}


class WebBody:
    """The answer to a request for a file; see :class:`mldata.download.base.Body`.

    Raises:
        NetworkError: it is not an answer to what was asked.
        Transient: it is not there yet.
    """

    def __init__(
        self,
        response: httpx.Response,
        url: str,
        asked: int,
        stop: int | None = None,
        match: Validator | None = None,
    ) -> None:
        self._response, self._url = response, url
        part = response.status_code == 206
        if response.status_code not in (200, 203, 206):
            response.close()
            raise _no_file(response, url)
        self.ranges = part or response.headers.get("Accept-Ranges", "").strip().lower() == "bytes"
        try:
            self._check_coding()
            self.start, size = (asked, self._part(asked, stop)) if part else (0, self._size())
        except NetworkError:
            response.close()
            raise
        self.validator = Validator(response.headers.get("ETag"), response.headers.get("Last-Modified"), size)
        self.reason = self._why(match) if self.start != asked else None
        self.digests: Mapping[str, str] = stated_digests(response.headers, whole=not part)

    @property
    def head(self) -> Head:
        """What is said of the file."""
        url = str(self._response.url)
        return Head(url, self.validator, self.ranges, self.digests, lowered(self._response))

    def _check_coding(self) -> None:
        """Bytes that were packed on the way are not those of the file, unless it is a packed file that the server describes so."""
        coding = self._response.headers.get("Content-Encoding", "identity").strip().lower()
        if coding in ("identity", "") or urlsplit(self._url).path.lower().endswith(
            _CODINGS.get(coding, ("\0",))
        ):
            return
        raise NetworkError(
            f"expected the bytes of the file as they are, found them packed ({coding[:20]}), which was not asked for",
            where=public(self._url),
            hint="Fetch it by a program that unpacks it, and give the file's path: curl --compressed -O URL",
        )

    def _part(self, asked: int, stop: int | None) -> int | None:
        """Size of the whole file, of an answer that is a part of it: the part that was asked for."""
        said = self._response.headers.get("Content-Range", "")
        found = _RANGE.fullmatch(said)
        if found is not None and int(found[1]) == asked:
            last, size = int(found[2]), None if found[3] == "*" else int(found[3])
            length = self._size()
            fits = asked <= last and (stop is None or last < stop) and (size is None or last < size)
            if fits and length in (None, last + 1 - asked):
                return size
        kind = self._response.headers.get("Content-Type", "").partition(";")[0]
        what = repr(said[:60]) if said else f"none ({kind[:40] or 'no type'})"
        raise NetworkError(
            f"expected the bytes from {asked:,}, found the Content-Range {what}",
            where=public(self._url),
            hint="The server answers requests for parts wrongly: try again with --no-resume.",
        )

    def _size(self) -> int | None:
        """Bytes of what is sent, if that is said."""
        text = self._response.headers.get("Content-Length", "").strip()
        return int(text) if _NUMBER.fullmatch(text) else None

    def _why(self, match: Validator | None) -> str:
        """Why everything comes where a part was asked for."""
        now = self.validator
        if (
            match is not None
            and match != Validator()
            and (match.etag, match.modified) != (now.etag, now.modified)
        ):
            return "the file there has changed"
        if match is not None and not self.ranges:
            return "the server gives no parts of this file"
        return (
            f"the server answered {self._response.status_code} to a request for a part, with the whole file"
        )

    def __iter__(self) -> Iterator[bytes]:
        read_in_large_pieces(self._response)
        yield from chunks(self._response, self._url)

    def interrupt(self) -> None:
        """Make a thread that waits for bytes fail at once. May be called by another one."""
        break_connection(self._response)

    def close(self) -> None:
        """Give the connection back, or close it where bytes are left."""
        self._response.close()

    def __enter__(self) -> WebBody:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
