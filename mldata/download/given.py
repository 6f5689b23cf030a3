"""Addresses that a user gives: checked before anything is asked, and what to say where the server refuses.

Invariant: no message has the user, a password or a signature of the address in it.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from mldata.download.addresses import authority, has_secret, public
from mldata.download.base import HttpError
from mldata.errors import AuthError, MldataError, NetworkError, SourceError, Where

__all__ = ["DIGITS", "LOGIN_HINT", "given_address", "given_digests", "is_digest", "refusal"]

LOGIN_HINT = "put it in ~/.netrc, readable by you only: machine {host} login USER password PASSWORD"
DIGITS = {"sha256": 64, "sha1": 40, "md5": 32}
"""Hexadecimal digits of the digests that a user may state, strongest first."""
GONE = (404, 410)
_SPACE = re.compile(r"[\x00-\x20\x7f-\x9f]")
_USER = re.compile(r"//[^/]*@")


def given_address(url: str, form: str, where: Where | str | None = None) -> str:
    """The address, its scheme in lower case. Raises ``SourceError`` where it cannot be meant.

    Args:
        form: how such an address looks, for the message.
        where: it stands; None where it says so itself.
    """
    expected = f"expected an address such as {form}"
    try:
        shown, parts = public(url), urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        raise SourceError(expected, where=where, hint="Check host and port.") from None
    at = shown if where is None else where
    if parts.scheme not in ("http", "https") or not host:
        found = repr(_USER.sub("//", shown)[:80])
        raise SourceError(f"{expected}, found {found}", where=where, hint="Check scheme, host and port.")
    if "@" in parts.netloc:
        hint = f"Leave it out of the address, and {LOGIN_HINT.format(host=host)}"
        raise SourceError("expected an address without a user and a password", where=at, hint=hint)
    if _SPACE.search(url):
        raise SourceError(
            f"{expected}, found a space or control character", where=at, hint="Write spaces as %20."
        )
    return parts.geturl()


def given_digests(fragment: str) -> dict[str, str]:
    """The digests behind the ``#`` of an address, ``sha256=HEX&md5=HEX``, strongest first. Raises ``ValueError`` with what is none."""
    found: dict[str, str] = {}
    for item in fragment.split("&"):
        kind, _, value = item.partition("=")
        if kind in found or not is_digest(kind, value):
            raise ValueError(item)
        found[kind] = value.lower()
    return {kind: found[kind] for kind in DIGITS if kind in found}


def is_digest(kind: str, value: str) -> bool:
    """Whether ``value`` is a digest of that kind, in hexadecimal digits."""
    return kind in DIGITS and re.fullmatch(f"[0-9a-fA-F]{{{DIGITS[kind]}}}", value) is not None


def refusal(error: MldataError, what: str, url: str, where: str) -> MldataError:
    """What a user is told where a server does not give out what was asked for; other errors as they are.

    Args:
        error: as HTTP had it.
        what: that was asked for.
        url: its address.
        where: the source.
    """
    host = authority(url)
    if isinstance(error, AuthError):
        login = LOGIN_HINT.format(host=urlsplit(url).hostname)
        hint = f"Some servers say so of what is not there: check the address. If you have a login at {host}, {login}"
        if has_secret(url):
            hint = f"The signature or token in the address may be wrong or have run out: get a new one from {host}."
        return AuthError(f"expected {what}: {error.message}", where=where, hint=hint)
    if isinstance(error, HttpError):
        kind: type[MldataError] = SourceError if error.status in GONE else NetworkError
        return kind(f"expected {what}: {error.message}", where=where, hint=error.hint)
    return error
