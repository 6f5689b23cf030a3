"""What went wrong between this machine and another, told apart: what may pass, what stays, and what to do about it.

Invariant: no message has a header, a password or a signature in it; texts of the libraries below, which may, are left out.
"""

from __future__ import annotations

import datetime
import errno
import math
import os
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from mldata.download.addresses import authority, public
from mldata.download.base import Denied, HttpError, Transient
from mldata.download.trail import has_proxy
from mldata.errors import MldataError, NetworkError

if TYPE_CHECKING:
    import httpx

__all__ = ["answer_error", "no_answer", "wait_asked"]

PASSING = frozenset({408, 421, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524, 529, 530})
"""Answers that may be others when asked again."""
ADVICE = {
    400: "The server does not understand the request: check the address.",
    404: "Check the address: the server has nothing there.",
    405: "The server does not give this out by GET: check the address.",
    410: "It was there and was taken away for good: look for where it is kept now.",
    451: "It is kept back for legal reasons.",
}
PROXY_HINT = "Check the variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY; a proxy that wants to know who asks: http://USER:PASSWORD@HOST:PORT"
_T = re.compile(r";\s*t=(\d+)")
_LEFT = re.compile(r";\s*r=(\d+)")
_CLOCK = "check this machine's clock; for a certificate of your own organisation, name its file: SSL_CERT_FILE=/path/ca.pem"


def no_answer(error: Exception, url: str, timeout: float) -> MldataError:
    """The error for a request that had no answer.

    Args:
        error: that the HTTP library raised, or that setting it up did.
        url: that was asked.
        timeout: seconds, as they were allowed.
    """
    import httpx

    host, where = authority(url), public(url)
    other = f"the proxy on the way to {host}" if has_proxy(url) else host
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            said = cause.verify_message or "it does not verify"
            hint = f"Nothing was sent. {_CLOCK[0].upper()}{_CLOCK[1:]}"
            return NetworkError(
                f"expected a valid certificate of {host}, found: {said}", where=where, hint=hint
            )
        if isinstance(cause, socket.gaierror):
            if cause.errno == socket.EAI_AGAIN:
                return Transient(f"the name of {other} cannot be looked up now", where=where)
            hint = "Check the name, and that this machine is online: mldata doctor"
            hint = PROXY_HINT if has_proxy(url) else hint
            return NetworkError(f"expected a host, found no address for {other}", where=where, hint=hint)
    if isinstance(error, httpx.ProxyError):
        return NetworkError(
            f"the proxy on the way to {host} did not let the request through", where=where, hint=PROXY_HINT
        )
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
        return NetworkError(
            "expected an address such as https://host/file", where=where, hint="Check the address."
        )
    if isinstance(error, httpx.LocalProtocolError | UnicodeError):
        hint = "A credential with a line break or a letter in it that none has? See: mldata auth status"
        return NetworkError("the request cannot be sent as HTTP", where=where, hint=hint)
    if isinstance(error, httpx.TimeoutException):
        what = (
            f"no connection to {other}"
            if isinstance(error, httpx.ConnectTimeout)
            else f"nothing from {other}"
        )
        return Transient(f"{what} within {timeout:g} seconds", where=where)
    for cause in causes:
        if isinstance(cause, ssl.SSLError) and not isinstance(
            cause, ssl.SSLEOFError | ssl.SSLZeroReturnError
        ):
            hint = "Does it speak plain http there? Check scheme and port."
            return NetworkError(
                f"expected TLS, found something else at {host} ({_reason(cause)})", where=where, hint=hint
            )
        if isinstance(cause, ConnectionRefusedError):
            return Transient(f"{other} refuses connections: nothing answers there now", where=where)
        if isinstance(cause, OSError) and cause.errno is not None:
            what = os.strerror(cause.errno) if cause.errno in errno.errorcode else type(cause).__name__
            return Transient(f"the connection to {other} broke: {what}", where=where)
    if isinstance(error, httpx.RemoteProtocolError):
        return Transient(f"{other} ended the connection before its answer was whole", where=where)
    return Transient(f"the connection to {other} broke ({type(error).__name__})", where=where)


def answer_error(response: httpx.Response, url: str, body: bytes) -> MldataError:
    """The error for an answer of 400 or above.

    Args:
        url: that was asked at first.
        body: the beginning of what was sent with the answer.
    """
    status, headers, where = response.status_code, response.headers, public(url)
    who = authority(str(response.url))
    said = f"{who} answered {status} {response.reason_phrase}".rstrip()
    after = wait_asked(headers, time.time())
    if status in PASSING or (status == 403 and after is not None):
        asked = f", and asks to wait {after:,.0f} seconds" if after and after >= 1 else ""
        return Transient(said + asked, where=where, retry_after=after)
    if status == 401:
        hint = f"Show a credential that {who} knows; if you have: it is wrong or has run out."
        return Denied(
            f"{said}: it wants to know who asks",
            status=status,
            body=body,
            headers=headers,
            where=where,
            hint=hint,
        )
    if status == 403:
        hint = f"Ask whoever runs {who} for access, or show a credential that has it."
        return Denied(
            f"{said}: it does not let you", status=status, body=body, headers=headers, where=where, hint=hint
        )
    if status == 407:
        return HttpError(
            "the proxy wants to know who asks (407)", status=status, where=where, hint=PROXY_HINT
        )
    hint = ADVICE.get(status, "Try later; if it stays, tell whoever runs the server.")
    return HttpError(said, status=status, body=body, headers=headers, where=where, hint=hint)


def wait_asked(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that the other side asks to wait; None if it does not say.

    By ``Retry-After`` (RFC 9110, section 10.2.3: seconds or a date), else by the fields of a rate limit that is used up: ``RateLimit``
    (``r`` left, ``t`` seconds), ``RateLimit-Reset`` and ``X-RateLimit-Reset`` (seconds, or seconds since 1970).

    Args:
        now: seconds since 1970.
    """
    if (text := headers.get("retry-after")) is not None:
        return _seconds(text, now)
    if (text := headers.get("ratelimit")) and (time_left := _T.search(text)):
        left = _LEFT.search(text)
        return float(time_left[1]) if left is None or int(left[1]) == 0 else None
    for prefix in ("ratelimit", "x-ratelimit"):
        if headers.get(f"{prefix}-remaining", "").strip() == "0" and (text := headers.get(f"{prefix}-reset")):
            return _seconds(text, now)
    return None


def _seconds(text: str, now: float) -> float | None:
    try:
        found = float(text)
        found = found - now if found > 1e9 else found
    except ValueError:
        try:
            date = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        date = date if date.tzinfo else date.replace(tzinfo=datetime.UTC)
        found = date.timestamp() - now
    return max(found, 0.0) if math.isfinite(found) else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, outermost first."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or "TLS error").lower().replace("_", " ")
