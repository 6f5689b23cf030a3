"""``gs://BUCKET/OBJECT``: Google Cloud Storage, by gcsfs.

Credentials are Google's application default ones; ``STORAGE_EMULATOR_HOST`` names another endpoint. An object is read by its generation, so
parts of two states never meet, and as it is stored: one that is kept compressed (``Content-Encoding: gzip``) is not unpacked on the way.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import zlib
from pathlib import Path
from typing import Any

from mldata.sources.buckets.base import TIMEOUT, UNCACHED, Address, Changed, Info, Kind, Opened, Span, pieces

__all__ = ["KIND"]

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,221}")
_LARGEST_ANSWER = 64 << 20
"""Bytes of a list of objects, unpacked."""


def _check(address: Address) -> str | None:
    return (
        None
        if _BUCKET.fullmatch(address.host)
        else "gs://BUCKET, gs://BUCKET/OBJECT or gs://BUCKET/FOLDER/*.csv"
    )


def _signed() -> bool:
    if os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        return True
    home = os.environ.get("CLOUDSDK_CONFIG") or os.path.expanduser("~/.config/gcloud")
    if os.path.exists(os.path.join(home, "application_default_credentials.json")):
        return True
    try:  # only Google's own machines have a server for that; elsewhere asking it takes seconds
        return Path("/sys/class/dmi/id/product_name").read_text().startswith("Google")
    except OSError:
        return False


def _make(_: Address, anonymous: bool) -> Any:
    from gcsfs.core import GCSFileSystem

    class Plain(GCSFileSystem):  # type: ignore[misc]
        """Tries once, and takes bytes as they are stored."""

        async def _request(self, method: str, path: str, *args: Any, **options: Any) -> Any:
            once = GCSFileSystem._request.__wrapped__
            status, headers, info, data = await once(self, method, path, *args, **options)
            if headers.get("Content-Encoding") == "gzip" and "alt=media" not in path:
                data = zlib.decompressobj(31).decompress(data, _LARGEST_ANSWER)
            return status, headers, info, data

    return Plain(
        token="anon" if anonymous else "google_default",
        access="read_only",
        requests_timeout=TIMEOUT,
        session_kwargs={"auto_decompress": False},
        **UNCACHED,
    )


def _digests(info: Info) -> dict[str, str]:
    try:
        return {"md5": base64.b64decode(info["md5Hash"], validate=True).hex()}
    except (KeyError, TypeError, binascii.Error):  # what was put together of parts has none
        return {}


def _read(fs: Any, span: Span) -> Opened:
    def read(start: int, stop: int) -> bytes:
        try:
            return bytes(fs.cat_file(span.path, start=start, end=stop, generation=span.version or None))
        except FileNotFoundError:
            raise Changed from None

    return Opened(pieces(read, span))


KIND = Kind(
    scheme="gs",
    package="gcsfs",
    extra="gs",
    login="set GOOGLE_APPLICATION_CREDENTIALS, or run: gcloud auth application-default login",
    make=_make,
    root=lambda address: address.host,
    version=lambda info: str(info.get("generation") or ""),
    read=_read,
    check=_check,
    digests=_digests,
    signed=_signed,
    prefixes=True,
)
