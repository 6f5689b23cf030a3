"""What is known of bytes that came in part: whose they are, which of them are there, and what tells that they are right.

The bytes are cut into *pieces* of one length. Of each the state says how many of its first bytes are there and their digest, so that a
partial is hashed and compared before anything is added to it.

Format of a state: 4 bytes, the length of the body (big-endian); the body, a canonical encoding (``canonical.py``); the digest of the body,
32 bytes. What follows means nothing: the file keeps its length when its state becomes shorter.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from store.canonical import decode, encode
from store.digest import Digest, as_digest, digest_bytes
from store.errors import BadDigest, BadEncoding

__all__ = ["PartialState", "Piece", "piece_size"]

MOST_PIECES = 256
LEAST_PIECE = 16 << 20
MOST_WHERE = 1000
"""Characters of ``where`` that a state remembers."""

_KIND = "mldata-partial"
_VERSION = 1


@dataclass(frozen=True)
class Piece:
    """The first bytes of one piece."""

    have: int
    """Bytes that are there, at least one."""
    digest: Digest
    """Of these."""


@dataclass(frozen=True)
class PartialState:
    """A state of a partial."""

    where: str
    """What messages call the place that it comes from; no credential is in it."""
    piece: int
    """Bytes of each piece but the last."""
    created: int
    """Seconds since the epoch."""
    size: int | None = None
    """Bytes in all; None if nobody said."""
    etag: str | None = None
    modified: str | None = None
    pieces: Mapping[int, Piece] = field(default_factory=dict)
    """By number, from 0; those with nothing are left out."""
    became: Digest | None = None
    """The object that it is about to become, or has become: then the data may be gone."""

    @property
    def have(self) -> int:
        """Bytes that are there."""
        return sum(piece.have for piece in self.pieces.values())

    def encode(self, number: int) -> bytes:
        """As a file has it. ``number`` says which of two states is the newer one."""
        body = encode(
            {
                "kind": _KIND,
                "version": _VERSION,
                "number": number,
                "where": self.where.encode("utf-8", "replace").decode()[:MOST_WHERE],
                "piece": self.piece,
                "created": self.created,
                "size": self.size,
                "etag": self.etag,
                "modified": self.modified,
                "pieces": [[n, p.have, bytes.fromhex(p.digest)] for n, p in sorted(self.pieces.items())],
                "became": None if self.became is None else bytes.fromhex(self.became),
            }
        )
        return struct.pack(">I", len(body)) + body + bytes.fromhex(digest_bytes(body))

    @classmethod
    def decode(cls, data: bytes) -> tuple[int, PartialState] | None:
        """The number and the state in a file; None if there is none in it that is whole."""
        length = int.from_bytes(data[:4], "big")
        body, check = data[4 : 4 + length], data[4 + length : 4 + length + 32]
        if not body or len(check) != 32 or bytes.fromhex(digest_bytes(body)) != check:
            return None
        try:
            return _read(decode(body))
        except (BadEncoding, BadDigest, KeyError, TypeError, ValueError, AttributeError):
            return None


def _read(value: Any) -> tuple[int, PartialState] | None:
    if value["kind"] != _KIND or value["version"] != _VERSION:
        return None
    size, piece = value["size"], int(value["piece"])
    pieces = {int(n): Piece(int(have), as_digest(digest.hex())) for n, have, digest in value["pieces"]}
    if piece < 1 or any(n < 0 or not 0 < it.have <= piece for n, it in pieces.items()):
        return None
    if size is not None and any(n * piece + it.have > size for n, it in pieces.items()):
        return None
    became = value["became"]
    state = PartialState(
        str(value["where"]), piece, int(value["created"]), size, value["etag"], value["modified"], pieces,
        None if became is None else as_digest(became.hex()),
    )  # fmt: skip
    return int(value["number"]), state


def piece_size(size: int | None) -> int:
    """Bytes of a piece for a file of ``size``: a power of two, so that there are :data:`MOST_PIECES` of them at most."""
    piece = LEAST_PIECE
    while size is not None and piece * MOST_PIECES < size:
        piece *= 2
    return piece
