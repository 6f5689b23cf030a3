"""Addresses of the web: which part of one may be shown, and which hosts are of this machine or network only.

Invariant: what :func:`public` gives has no password and no signature in it, and is equal for the same thing, whoever asks and whenever.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import SplitResult, urlsplit

__all__ = ["authority", "has_secret", "insecure", "is_loopback", "is_private", "public", "resolve"]

PORTS = {"http": 80, "https": 443}
SECRETS = frozenset(
    [
        "sig",
        "signature",
        "token",
        "access_token",
        "auth_token",
        "authtoken",
        "id_token",
        "refresh_token",
        "auth",
        "authorization",
        "apikey",
        "api_key",
        "api-key",
        "x-api-key",
        "password",
        "passwd",
        "pwd",
        "secret",
        "client_secret",
        "jwt",
        "awsaccesskeyid",
        "key-pair-id",
        "private_token",
        "private-token",
    ]
)
"""Names of parameters, in lower case, whose value is a secret; all that begin with :data:`SIGNED` are too."""
SIGNED = ("x-amz-", "x-goog-")
COMPANIONS = frozenset(
    [
        "expires",
        "policy",
        "se",
        "st",
        "sp",
        "sv",
        "sr",
        "spr",
        "sip",
        "skoid",
        "sktid",
        "skt",
        "ske",
        "sks",
        "skv",
        "ses",
        "sdd",
        "googleaccessid",
    ]
)
"""What goes with a signature, and is another one every time."""
_LOOPBACK = re.compile(r"(.+\.)?localhost\.?", re.IGNORECASE)  # RFC 6761, section 6.3
_NEIGHBOUR = re.compile(r".+\.local\.?", re.IGNORECASE)  # RFC 6762
_USER = re.compile(r"//[^/]*@")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def authority(url: str) -> str:
    """Host in lower case, with ``:port`` where that is not the scheme's own; no user."""
    parts = urlsplit(url)
    name, port = _host(parts), _port(parts)
    name = f"[{name}]" if ":" in name else name
    return name if port in (None, PORTS.get(parts.scheme)) else f"{name}:{port}"


def public(url: str) -> str:
    """The address without user, password, signature and fragment: what messages, keys and identities have of it.

    Of what is no address, the beginning without what may be any of these.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return _USER.sub("//", re.split("[?#]", url, maxsplit=1)[0])
    query = _without_secrets(parts.query)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query, fragment="").geturl()


def has_secret(url: str) -> bool:
    """Whether a parameter of the address looks like a signature, a token or a password."""
    return any(_is_secret(name) for name, _ in _parameters(url.partition("#")[0].partition("?")[2]))


def insecure(url: str) -> str | None:
    """What to warn of where anyone on the way can read and change what comes; None for ``https`` and for this machine."""
    parts = urlsplit(url)
    if parts.scheme != "http" or is_loopback(_host(parts)):
        return None
    return f"{public(url)} comes over plain http: anyone on the way can read and change it. Use https:// if {authority(url)} has it."


def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is this machine."""
    found = _address(host)
    return found.is_loopback if found is not None else _LOOPBACK.fullmatch(host) is not None


def is_private(address: str) -> bool:
    """Whether an address (or a name that always means one) is no public one: of this machine, this network, or a group.

    Addresses of IPv4 that stand within one of IPv6 (RFC 4291, 3056, 4380, 6052) count as themselves.
    """
    found = _address(address)
    if found is None:
        return bool(_LOOPBACK.fullmatch(address) or _NEIGHBOUR.fullmatch(address))
    if isinstance(found, ipaddress.IPv6Address):
        within = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if within is None and found in _NAT64:
            within = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if within is not None:
            return is_private(str(within))
    return not found.is_global or found.is_multicast


def resolve(host: str) -> list[str]:
    """The addresses of a host; none if it has none that can be found out here."""
    try:
        return sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except (OSError, UnicodeError):
        return []


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def _host(parts: SplitResult) -> str:
    return parts.hostname or ""


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:  # out of range: such an address is refused when it is asked
        return None


def _parameters(query: str) -> list[tuple[str, str]]:
    """Name in lower case and text as it stands, of each."""
    from urllib.parse import unquote_plus

    return (
        [(unquote_plus(text.partition("=")[0]).lower(), text) for text in query.split("&")] if query else []
    )


def _is_secret(name: str) -> bool:
    return name in SECRETS or name.startswith(SIGNED)


def _without_secrets(query: str) -> str:
    found = _parameters(query)
    if not any(_is_secret(name) for name, _ in found):
        return query
    return "&".join(text for name, text in found if not _is_secret(name) and name not in COMPANIONS)
