"""HTTP: requests that answer with something small, and files as origins of a download.

Invariants: a credential goes to the hosts that it belongs to and to no other, also behind a redirect (see ``trail``); bytes of a file are
asked for as they are (``Accept-Encoding: identity``), since ranges and digests mean those; no message has a secret in it.

Proxies are those of the environment (``HTTPS_PROXY``, ``NO_PROXY``, ...), certificates those of ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` if they
are set, as ``httpx`` reads them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mldata.download.addresses import authority, is_private, public, resolve
from mldata.download.answers import Head, WebBody, chunks, lowered
from mldata.download.base import Denied, HttpError, Transient, Validator
from mldata.download.failures import answer_error, no_answer
from mldata.download.logs import keep_secrets_out
from mldata.download.pages import looks_like_html
from mldata.download.patience import Patience
from mldata.download.trail import Trail
from mldata.errors import AuthError, NetworkError
from mldata.version import __version__

if TYPE_CHECKING:
    import ssl

    import httpx

__all__ = ["Auth", "Head", "Reply", "Web", "WebBody", "WebOrigin"]

SMALL = 64 * 1024 * 1024
"""Bytes that an answer to :meth:`Web.get` may have."""
GLANCE = 4096
"""Bytes that are read of the answer that is an error, or a redirect."""
BULK = 64 * 1024
"""Bytes from which on a part of a file is asked for by HTTP/1.1."""
GLANCE_SECONDS = 5.0
LIMIT = 120.0
"""Seconds that a small request may take, with all that is tried again; the answer that comes last may take as long again."""


@dataclass(frozen=True)
class Auth:
    """A credential as HTTP sends it."""

    value: str = field(repr=False)
    """Of the header ``Authorization``."""
    hosts: frozenset[str]
    """That it belongs to: names, with ``:port`` where that is not the scheme's own."""

    def headers(self, url: str) -> dict[str, str]:
        """What to send to ``url``."""
        return {"Authorization": self.value} if authority(url) in map(str.lower, self.hosts) else {}


@dataclass(frozen=True)
class Reply:
    """A whole small answer."""

    url: str
    """That gave it, behind all redirects. It may have a secret in it: messages show :func:`mldata.download.addresses.public` of it."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> Any:
        """The value that the body holds. Raises ``NetworkError`` where that is no JSON."""
        import json

        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            found = "a page of HTML" if looks_like_html(self.body) else repr(self.body[:60])
            hint = "Is there a login page, a proxy or another service at this address?"
            raise NetworkError(f"expected JSON, found {found}", where=public(self.url), hint=hint) from None


class Web:
    """A pool of connections. Safe among threads.

    Args:
        timeout: seconds for connecting, and without any byte.
    """

    def __init__(self, timeout: float = 30.0) -> None:
        self._timeout = timeout
        self._cookies = CookieJar()
        # Connections of requests that may not reach private addresses are kept apart: one that is open already is not looked at again.
        self._clients: dict[tuple[bool, bool], httpx.Client] = {}
        self._only_http2: set[str] = set()
        """Authorities that answered in no other protocol."""
        self._making = threading.Lock()
        self._public: dict[str, bool] = {}

    def close(self) -> None:
        """Close all connections."""
        with self._making:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

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
        """Ask for something small; again after a passing failure, whatever the method: what is sent here asks, and changes nothing.

        Raises:
            HttpError: an answer of 400 or above that is neither of these two.
            Denied: 401 or 403.
            Transient, NetworkError: no good answer came.
        """
        patience = Patience(limit=LIMIT)
        while True:
            try:
                response, last = self._open(method, url, dict(headers or {}), auth, params, content)
                try:
                    body = _small(response, url)
                    return Reply(last, response.status_code, lowered(response), body)
                finally:
                    response.close()
            except Transient as error:
                patience.wait(error)

    def json(self, url: str, **options: Any) -> Any:
        """:meth:`get`, as the value that it answers."""
        return self.get(url, **options).json()

    def head(self, url: str, *, headers: Mapping[str, str] | None = None, auth: Auth | None = None) -> Head:
        """What is said of a file: by ``HEAD`` or, where a server has that for errors only, by asking for its first byte.

        Raises: as :meth:`get`.
        """
        patience = Patience(limit=LIMIT)
        origin = self.origin(url, headers=headers, auth=auth)
        while True:
            try:
                try:
                    with origin.open(method="HEAD") as body:
                        found = body.head
                except (AuthError, NetworkError) as error:
                    # Who asks to wait is not asked another way at once; servers fail at HEAD in all others.
                    asked_to_wait = isinstance(error, Transient) and error.retry_after is not None
                    if asked_to_wait or not isinstance(error, Transient | HttpError | Denied):
                        raise
                else:
                    if found.validator.size != 0:
                        return found
                    # Some servers say so of whatever is asked by HEAD; and of an empty file there is no first byte.
                    with origin.open() as body:
                        return body.head
                with origin.open(0, 1) as body:
                    return body.head
            except Transient as error:
                patience.wait(error)

    def origin(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: Auth | None = None,
        identity: str | None = None,
        named_by: str | None = None,
    ) -> WebOrigin:
        """A file as the origin of a download.

        Args:
            identity: what names it, where the URL is not always the same.
            named_by: the address of what names it; if that is public, ``url`` has to be public too.
        """
        return WebOrigin(self, url, dict(headers or {}), auth, identity or public(url), named_by)

    def _client(self, outside: bool, http2: bool = True) -> httpx.Client:
        """The connections of requests that may reach private addresses, or may not, by HTTP/2 where it is offered, or not."""
        import httpx

        with self._making:
            if (outside, http2) not in self._clients:
                keep_secrets_out()
                self._clients[outside, http2] = httpx.Client(
                    http2=http2,
                    verify=_trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")),
                    timeout=self._timeout,
                    follow_redirects=False,
                    limits=httpx.Limits(max_connections=64, max_keepalive_connections=32),
                    headers={"User-Agent": f"mldata/{__version__}"},
                    cookies=self._cookies,
                )
            return self._clients[outside, http2]

    def _open(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        auth: Auth | None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        outside: bool = False,
        bulk: bool = False,
    ) -> tuple[httpx.Response, str]:
        """The answer behind all redirects, its body not read yet, and the address that gave it.

        Args:
            bulk: much may come. By HTTP/2 that would be slow: the library below lets no more than 64 KiB be on their way at a time.
        """
        trail = _trail(url, outside)
        while True:
            sent = {**trail.headers(headers), **(auth.headers(trail.url) if auth is not None else {})}
            response = self._send(trail, method, sent, params, content, bulk)
            if not response.has_redirect_location:
                if response.status_code >= 400:
                    raise answer_error(response, url, _glance(response))
                return response, str(response.url)
            _glance(response)
            trail.follow(response)
            params = None
            if response.status_code == 303 and method != "HEAD":
                method, content = "GET", None

    def _is_public(self, url: str) -> bool:
        """Whether a host is not of this machine or network. One that cannot be looked up here is taken for public."""
        host = urlsplit(url).hostname or ""
        if host not in self._public:
            self._public[host] = not is_private(host) and not any(map(is_private, resolve(host)))
        return self._public[host]

    def _send(
        self, trail: Trail, method: str, headers: dict[str, str], params: Mapping[str, str] | None, content: bytes | None,
        bulk: bool = False,
    ) -> httpx.Response:  # fmt: skip
        import httpx

        bulk = bulk and authority(trail.url) not in self._only_http2
        try:
            client = self._client(trail.outside, http2=not bulk)
            extensions = {"trace": trail.watch} if trail.outside else None
            request = client.build_request(
                method, trail.url, headers=headers, params=params, content=content, extensions=extensions
            )
            return client.send(request, stream=True)
        except (httpx.TransportError, httpx.InvalidURL, UnicodeError) as error:
            if bulk and isinstance(error, httpx.RemoteProtocolError) and "disconnected" not in str(error):
                self._only_http2.add(authority(trail.url))  # what it sent was no HTTP/1.1
                return self._send(trail, method, headers, params, content)
            raise no_answer(error, trail.url, self._timeout) from None
        except (OSError, ValueError, ImportError) as error:
            # Neither comes of a request: the certificates or the proxy that the environment names cannot be used.
            hint = "Check the variables SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY."
            what = f"the network cannot be used as the environment says ({type(error).__name__})"
            raise NetworkError(what, where=public(trail.url), hint=hint) from None


@lru_cache(maxsize=4)
def _trusted(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Whom to trust, as httpx reads these two variables; reading the certificates takes longer than many a request."""
    import httpx

    return httpx.create_ssl_context()


def _trail(url: str, outside: bool) -> Trail:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        good = False
    if not good:
        hint = "Check the address."
        raise NetworkError(
            f"expected an address such as https://host/file, found {public(url)[:100]!r}", hint=hint
        )
    return Trail(url, outside=outside)


def _small(response: httpx.Response, url: str) -> bytes:
    body, until = bytearray(), time.monotonic() + LIMIT
    for chunk in chunks(response, url):
        body += chunk
        if len(body) > SMALL:
            hint = "Is this the address of a file? It is not what was asked for."
            raise NetworkError(
                f"expected an answer of at most {SMALL:,} bytes, found more", where=public(url), hint=hint
            )
        if time.monotonic() > until:
            raise Transient(f"the answer was not whole within {LIMIT:g} seconds", where=public(url))
    return bytes(body)


def _glance(response: httpx.Response) -> bytes:
    """The beginning of an answer that is not what was asked for. Read to its end if that is near, so that the connection can be used again."""
    import httpx

    body, until = bytearray(), time.monotonic() + GLANCE_SECONDS
    try:
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > GLANCE or time.monotonic() > until:
                break
    except (httpx.TransportError, httpx.DecodingError):
        pass
    finally:
        response.close()
    return bytes(body[:GLANCE])


class WebOrigin:
    """A file at a URL; see :class:`mldata.download.base.Origin`."""

    def __init__(
        self,
        web: Web,
        url: str,
        headers: dict[str, str],
        auth: Auth | None,
        identity: str,
        named_by: str | None = None,
    ) -> None:
        self._web, self._headers, self._auth, self._named_by = web, headers, auth, named_by
        self.url = url
        self.name = public(url)
        self.identity = identity

    def open(
        self, start: int = 0, stop: int | None = None, match: Validator | None = None, method: str = "GET"
    ) -> WebBody:
        """See :meth:`mldata.download.base.Origin.open`."""
        headers = {**self._headers, "Accept-Encoding": "identity"}
        if start or stop is not None:
            headers["Range"] = f"bytes={start}-{stop - 1 if stop is not None else ''}"
            if match is not None and (match.etag if match.strong else match.modified) is not None:
                headers["If-Range"] = str(match.etag if match.strong else match.modified)
        outside = self._named_by is not None and self._web._is_public(self._named_by)
        bulk = method == "GET" and (stop is None or stop - start > BULK)
        response, _ = self._web._open(method, self.url, headers, self._auth, outside=outside, bulk=bulk)
        return WebBody(response, self.url, start, stop, match)
