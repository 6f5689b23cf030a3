"""HTTP: requests that answer with something small, and files as origins of a download.

Invariants: a credential goes to the hosts that it belongs to and to no other, also behind a redirect; bytes of a file are asked for as they
are (``Accept-Encoding: identity``), since ranges and digests mean those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from mldata.download.base import Denied, HttpError, Transient, Validator
from mldata.errors import NetworkError
from mldata.version import __version__

if TYPE_CHECKING:
    import httpx

__all__ = ["Auth", "Reply", "Web", "WebOrigin"]

MOST_REDIRECTS = 10
SMALL = 64 * 1024 * 1024
"""Bytes that an answer to :meth:`Web.get` may have."""
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


@dataclass(frozen=True)
class Auth:
    """A credential as HTTP sends it."""

    value: str = field(repr=False)
    """Of the header ``Authorization``."""
    hosts: frozenset[str]
    """That it belongs to: names, with ``:port`` where that is not the scheme's own."""

    def headers(self, url: str) -> dict[str, str]:
        """What to send to ``url``."""
        return {"Authorization": self.value} if urlsplit(url).netloc.rpartition("@")[2] in self.hosts else {}


@dataclass(frozen=True)
class Reply:
    """A whole small answer."""

    url: str
    """That gave it, behind all redirects."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> Any:
        """The value that the body holds. Raises ``NetworkError`` where that is no JSON."""
        import json

        try:
            return json.loads(self.body)
        except ValueError:
            raise NetworkError(f"expected JSON, found {self.body[:60]!r}", where=self.url) from None


class Web:
    """A pool of connections. Safe among threads.

    Args:
        timeout: seconds for connecting, and without any byte.
    """

    def __init__(self, timeout: float = 30.0) -> None:
        self._timeout = timeout

    @cached_property
    def _client(self) -> httpx.Client:
        import httpx

        return httpx.Client(
            http2=True,
            timeout=self._timeout,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=32),
            headers={"User-Agent": f"mldata/{__version__}"},
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: Auth | None = None,
        method: str = "GET",
        content: bytes | None = None,
    ) -> Reply:
        """Ask for something small.

        Raises:
            HttpError: an answer of 400 or above that is neither of these two.
            AuthError: 401 or 403.
            Transient, NetworkError: no good answer came.
        """
        response = self._open(method, url, dict(headers or {}), auth, params, content)
        try:
            body = b""
            for chunk in _chunks(response, url):
                body += chunk
                if len(body) > SMALL:
                    raise NetworkError(f"expected an answer of at most {SMALL:,} bytes", where=url)
            return Reply(str(response.url), response.status_code, dict(response.headers), body)
        finally:
            response.close()

    def json(self, url: str, **options: Any) -> Any:
        """:meth:`get`, as the value that it answers."""
        return self.get(url, **options).json()

    def origin(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: Auth | None = None,
        identity: str | None = None,
    ) -> WebOrigin:
        """A file as the origin of a download.

        Args:
            identity: what names it, where the URL is not always the same.
        """
        return WebOrigin(self, url, dict(headers or {}), auth, identity or url)

    def _open(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        auth: Auth | None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """The answer behind all redirects, its body not read yet."""
        import httpx

        for _ in range(MOST_REDIRECTS + 1):
            sent = {**headers, **(auth.headers(url) if auth is not None else {})}
            request = self._client.build_request(method, url, headers=sent, params=params, content=content)
            try:
                response = self._client.send(request, stream=True)
            except httpx.TransportError as error:
                raise Transient(f"no answer: {error}", where=url) from None
            if response.next_request is None:
                if response.status_code >= 400:
                    _refuse(response, url)
                return response
            response.close()
            url, params = urljoin(str(response.url), response.headers["Location"]), None
            if response.status_code == 303:
                method, content = "GET", None
        raise NetworkError(f"expected at most {MOST_REDIRECTS} redirects", where=url)


def _refuse(response: httpx.Response, url: str) -> None:
    import httpx

    status = response.status_code
    try:
        body = b"".join(response.iter_bytes())[:4096]
    except httpx.TransportError:
        body = b""
    finally:
        response.close()
    said = f"the answer {status} {response.reason_phrase}"
    if status in (401, 403):
        raise Denied(said, status=status, body=body, headers=response.headers, where=url)
    if status in _AGAIN:
        after = response.headers.get("Retry-After", "")
        raise Transient(said, where=url, retry_after=float(after) if after.isdigit() else None)
    raise HttpError(said, status=status, body=body, headers=response.headers, where=url)


def _chunks(response: httpx.Response, url: str) -> Iterator[bytes]:
    import httpx

    try:
        yield from response.iter_bytes()
    except httpx.TransportError as error:
        raise Transient(f"the connection broke: {error}", where=url) from None


class WebOrigin:
    """A file at a URL; see :class:`mldata.download.base.Origin`."""

    def __init__(self, web: Web, url: str, headers: dict[str, str], auth: Auth | None, identity: str) -> None:
        self._web, self._headers, self._auth = web, headers, auth
        self.url = url
        self.name = url
        self.identity = identity

    def open(self, start: int = 0, stop: int | None = None, match: Validator | None = None) -> WebBody:
        """See :meth:`mldata.download.base.Origin.open`."""
        headers = {"Accept-Encoding": "identity", **self._headers}
        if start or stop is not None:
            headers["Range"] = f"bytes={start}-{stop - 1 if stop is not None else ''}"
            if match is not None and (match.etag if match.strong else match.modified) is not None:
                headers["If-Range"] = str(match.etag if match.strong else match.modified)
        return WebBody(self._web._open("GET", self.url, headers, self._auth), self.url, start)


class WebBody:
    """The answer to a request for a file; see :class:`mldata.download.base.Body`."""

    def __init__(self, response: httpx.Response, url: str, asked: int) -> None:
        self._response, self._url = response, url
        self.ranges = response.status_code == 206 or response.headers.get("Accept-Ranges") == "bytes"
        self.start, size = 0, response.headers.get("Content-Length")
        if response.status_code == 206:
            found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if found is None or int(found[1]) != asked:
                response.close()
                raise NetworkError(f"expected the bytes from {asked}, found {found and found[0]}", where=url)
            self.start, size = asked, found[3] if found[3] != "*" else None
        self.reason = f"the server answered {response.status_code}" if self.start != asked else None
        self.validator = Validator(
            response.headers.get("ETag"), response.headers.get("Last-Modified"), int(size) if size else None
        )
        self.digests: Mapping[str, str] = {}

    def __iter__(self) -> Iterator[bytes]:
        yield from _chunks(self._response, self._url)

    def close(self) -> None:
        """Give the connection back, or close it where bytes are left."""
        self._response.close()

    def __enter__(self) -> WebBody:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
