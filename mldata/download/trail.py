"""The way of one request behind redirects: where it may go on, and what it may carry there.

Invariants: what was asked by ``https`` does not go on by ``http``; what began at a public host ends at none of this machine or network,
by its name, by what that resolves to, or by the address really connected to; only harmless headers go to another host.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from mldata.download.addresses import authority, is_private, public, resolve
from mldata.errors import NetworkError

if TYPE_CHECKING:
    import httpx

__all__ = ["Trail", "has_proxy"]

MOST_REDIRECTS = 10
HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "if-range", "range", "user-agent"})
"""Headers that tell no other host anything; who asks is in none of them."""


class Trail:
    """One request, from the address that was asked for to the one that answers.

    Args:
        url: that is asked for.
        outside: whether something public led here already.
    """

    def __init__(self, url: str, *, outside: bool = False) -> None:
        self.start = self.url = url
        self.outside = outside
        self._seen = Counter({url: 1})
        if outside:
            self._keep_out()

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Those of the caller that may go where the trail is now."""
        if _origin(self.url) == _origin(self.start):
            return dict(headers)
        return {name: value for name, value in headers.items() if name.lower() in HARMLESS}

    def follow(self, response: httpx.Response) -> None:
        """Go on to where a redirect leads. Raises ``NetworkError`` where that is not allowed, or leads nowhere."""
        self.outside = self.outside or self._is_public(response)
        came = self.url
        try:
            to = urlsplit(urljoin(came, response.headers["Location"]))
        except ValueError:
            raise self._refuse("expected a redirect to an address of the web", "one that is none") from None
        if to.scheme not in ("http", "https") or not to.hostname:
            raise self._refuse("expected a redirect to an address of the web", f"one to {to.scheme}:")
        if urlsplit(came).scheme == "https" and to.scheme == "http":
            raise self._refuse(
                "expected a redirect that stays with https", f"one to http://{authority(to.geturl())}"
            )
        # Who asks is said by the caller, for the hosts that it belongs to; a server does not say it for him.
        self.url = to._replace(netloc=to.netloc.rpartition("@")[2], fragment="").geturl()
        self._seen[self.url] += 1
        if self._seen[self.url] > 2:  # once more is what a server does that sets a cookie first
            raise self._refuse("expected a redirect to a file", "redirects in a circle")
        if self._seen.total() > MOST_REDIRECTS:
            raise self._refuse(f"expected at most {MOST_REDIRECTS} redirects", "more")
        if self.outside:
            self._keep_out()

    def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """What the HTTP library tells of a new connection: one to a private address is not made or, if the name turns out to mean
        another address than it was looked up to, closed before anything is sent."""
        if event == "connection.connect_tcp.started" and not has_proxy(self.url):
            for address in resolve(str(info["host"])):
                if is_private(address):
                    raise self._private(address)
        if event == "connection.connect_tcp.complete" and not has_proxy(self.url):
            stream = info["return_value"]
            found = _peer(stream)
            if found is not None and is_private(found):
                stream.close()
                raise self._private(found)

    def _keep_out(self) -> None:
        """Refuse a host that is private by its name; what others resolve to is seen when a connection is made."""
        host = urlsplit(self.url).hostname or ""
        if is_private(host):
            raise self._private(host)

    def _is_public(self, response: httpx.Response) -> bool:
        host = urlsplit(self.url).hostname or ""
        stream = response.extensions.get("network_stream")
        # A proxy looks names up itself, and is the one at the other end.
        address = None if stream is None or has_proxy(self.url) else _peer(stream)
        return not is_private(host if address is None else address)

    def _private(self, address: str) -> NetworkError:
        host = urlsplit(self.url).hostname
        at = address if address == host else f"{host} ({address})"
        error = self._refuse(
            "expected an address that is public, as the one that led there is", f"{at}, of a private network"
        )
        error.hint = "If it is meant, give that address itself."
        return error

    def _refuse(self, expected: str, found: str) -> NetworkError:
        hint = "Look at the address in a browser, and give the one of the file itself."
        return NetworkError(f"{expected}, found {found}", where=public(self.start), hint=hint)


def has_proxy(url: str) -> bool:
    """Whether requests there go through a proxy, by the environment."""
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    found = getproxies()
    return (parts.scheme in found or "all" in found) and not proxy_bypass(parts.netloc.rpartition("@")[2])


def _origin(url: str) -> tuple[str, str]:
    return urlsplit(url).scheme, authority(url)


def _peer(stream: Any) -> str | None:
    """The address at the other end of a connection."""
    found = stream.get_extra_info("server_addr")
    return str(found[0]) if isinstance(found, tuple) else None
