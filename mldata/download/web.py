"""HTTP: requests that answer with something small, and files as origins of a download.

Invariants: a credential goes to the hosts that it belongs to and to no other, also behind a redirect (see ``trail``); bytes of a file are
asked for as they are (``Accept-Encoding: identity``), since ranges and digests mean those; no message has a secret in it.

Proxies are those of the environment (``HTTPS_PROXY``, ``NO_PROXY``, ...), certificates those of ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` if they
are set, as ``httpx`` reads them.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mldata.download.addresses import authority, is_private, public, resolve
from mldata.download.base import Transient, Validator
from mldata.download.failures import answer_error, no_answer
from mldata.download.pages import looks_like_html
from mldata.download.patience import Patience
from mldata.download.sockets import break_connection, read_in_large_pieces
from mldata.download.stated import stated_digests
from mldata.download.trail import Trail
from mldata.errors import AuthError, NetworkError
from mldata.version import __version__

if TYPE_CHECKING:
    import httpx

__all__ = ["Auth", "Head", "Reply", "Web", "WebBody", "WebOrigin"]

SMALL = 64 * 1024 * 1024
"""Bytes that an answer to :meth:`Web.get` may have."""
GLANCE = 4096
"""Bytes that are read of the answer that is an error, or a redirect."""
LIMIT = 120.0
"""Seconds that a small request may take, with all that is tried again; the answer that comes last may take as long again."""
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_NUMBER = re.compile(r"\d{1,18}")
_CODINGS = {
    "gzip": (".gz", ".tgz", ".taz"), "x-gzip": (".gz", ".tgz", ".taz"), "br": (".br",), "zstd": (".zst", ".tzst"),
    "bzip2": (".bz2", ".tbz", ".tbz2"), "x-bzip2": (".bz2", ".tbz", ".tbz2"), "xz": (".xz", ".txz"), "compress": (".z",),
}  # fmt: skip
"""How the names of files end that are packed like this themselves."""


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


@dataclass(frozen=True)
class Head:
    """What is said of a file without sending it."""

    url: str
    """That has it, behind all redirects; as :attr:`Reply.url`."""
    validator: Validator
    ranges: bool
    digests: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""


class Web:
    """A pool of connections. Safe among threads.

    Args:
        timeout: seconds for connecting, and without any byte.
    """

    def __init__(self, timeout: float = 30.0) -> None:
        self._timeout = timeout
        self._cookies = CookieJar()
        # Connections of requests that may not reach private addresses are kept apart: one that is open already is not looked at again.
        self._clients: dict[bool, httpx.Client] = {}
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
                    return Reply(last, response.status_code, _lowered(response), body)
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
                    if isinstance(error, Transient) or not hasattr(error, "status"):
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

    def _client(self, outside: bool) -> httpx.Client:
        """The connections of requests that may reach private addresses, or may not."""
        import httpx

        with self._making:
            if outside not in self._clients:
                self._clients[outside] = httpx.Client(
                    http2=True,
                    timeout=self._timeout,
                    follow_redirects=False,
                    limits=httpx.Limits(max_connections=64, max_keepalive_connections=32),
                    headers={"User-Agent": f"mldata/{__version__}"},
                    cookies=self._cookies,
                )
            return self._clients[outside]

    def _open(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        auth: Auth | None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        outside: bool = False,
    ) -> tuple[httpx.Response, str]:
        """The answer behind all redirects, its body not read yet, and the address that gave it."""
        trail = _trail(url, outside)
        while True:
            sent = {**trail.headers(headers), **(auth.headers(trail.url) if auth is not None else {})}
            response = self._send(trail, method, sent, params, content)
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
    ) -> httpx.Response:  # fmt: skip
        import httpx

        try:
            client = self._client(trail.outside)
            extensions = {"trace": trail.watch} if trail.outside else None
            request = client.build_request(
                method, trail.url, headers=headers, params=params, content=content, extensions=extensions
            )
            return client.send(request, stream=True)
        except (httpx.TransportError, httpx.InvalidURL, UnicodeError) as error:
            raise no_answer(error, trail.url, self._timeout) from None
        except (OSError, ValueError, ImportError) as error:
            # Neither comes of a request: the certificates or the proxy that the environment names cannot be used.
            hint = "Check the variables SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY."
            what = f"the network cannot be used as the environment says ({type(error).__name__})"
            raise NetworkError(what, where=public(trail.url), hint=hint) from None


def _trail(url: str, outside: bool) -> Trail:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        good = False
    if not good:
        hint = "Check the address."
        raise NetworkError(f"expected an address such as https://host/file, found {url[:100]!r}", hint=hint)
    return Trail(url, outside=outside)


def _small(response: httpx.Response, url: str) -> bytes:
    body, until = bytearray(), time.monotonic() + LIMIT
    for chunk in _chunks(response, url):
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

    body = bytearray()
    try:
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > GLANCE:
                break
    except httpx.TransportError:
        pass
    finally:
        response.close()
    return bytes(body[:GLANCE])


def _chunks(response: httpx.Response, url: str) -> Iterator[bytes]:
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


def _lowered(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


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
        response, _ = self._web._open(method, self.url, headers, self._auth, outside=outside)
        return WebBody(response, self.url, start, stop, match)


class WebBody:
    """The answer to a request for a file; see :class:`mldata.download.base.Body`.

    Raises:
        NetworkError: it is not an answer to what was asked.
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
        return Head(url, self.validator, self.ranges, self.digests, _lowered(self._response))

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
        yield from _chunks(self._response, self._url)

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
