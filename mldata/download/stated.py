"""Digests that an answer states of the whole file: what the file has to be, if the server is right.

Read are ``Repr-Digest`` (RFC 9530), ``Digest`` (RFC 3230), ``Content-MD5`` (RFC 1864), and what Google, Amazon and Azure storage say. Invariant:
only what is of all bytes of the file as they are sent; anything that is not well formed is no statement.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

__all__ = ["stated_digests"]

SIZES = {"sha256": 32, "sha1": 20, "md5": 16}
_NAMES = {
    "sha-256": "sha256",
    "sha256": "sha256",
    "sha": "sha1",
    "sha-1": "sha1",
    "sha1": "sha1",
    "md5": "md5",
}
_ITEM = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=\s*:?([A-Za-z0-9+/=]+?):?\s*")


def stated_digests(headers: Mapping[str, str], whole: bool) -> dict[str, str]:
    """Kinds of :data:`mldata.download.base.DIGESTS`, as lower-case hex.

    Args:
        headers: of the answer; names in any case if the mapping takes any.
        whole: whether the answer has the whole file, and not a part.
    """
    found: dict[str, str] = {}
    for kind, text in _statements(headers, whole):
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue
        if len(data) == SIZES[kind]:
            found.setdefault(kind, data.hex())
    return found


def _statements(headers: Mapping[str, str], whole: bool) -> Iterator[tuple[str, str]]:
    """Kind and base64 of each, those that are meant most exactly first."""
    yield from _items(headers.get("repr-digest"))
    yield from _items(headers.get("digest"))
    for kind in ("sha256", "sha1"):
        # Of an upload in parts it is over their checksums, and says so by its type or by "-PARTS" at its end.
        if headers.get("x-amz-checksum-type", "FULL_OBJECT") == "FULL_OBJECT":
            yield kind, headers.get(f"x-amz-checksum-{kind}", "")
    stored = headers.get("x-goog-stored-content-encoding", "identity")
    if stored in ("identity", headers.get("content-encoding", "identity")):
        yield from _items(
            headers.get("x-goog-hash")
        )  # is of what is stored, which may be unpacked when it is sent
    yield "md5", headers.get("x-ms-blob-content-md5", "")
    if whole:  # in an answer that has a part, it is of the part
        yield "md5", headers.get("content-md5", "")


def _items(text: str | None) -> Iterator[tuple[str, str]]:
    for item in (text or "").split(","):
        if (found := _ITEM.fullmatch(item)) and (kind := _NAMES.get(found[1].lower())):
            yield kind, found[2]
