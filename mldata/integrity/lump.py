"""What was seen of a few hundred files that were asked for together, as one value: so many are known again at the cost of one comparison.

A lump stands for exactly these paths in these states, in this order, and these checkers; where anything differs, each file is looked up alone.

Format: a digest of paths and states (16 bytes), the CRC-32 of the rest, the msgpack of columns: kinds with their stamps, different ``Seen``, then for each file the number of its kind, its size, the
number of its ``Seen`` (-1: none) and the kind that its name says; the digests (32 bytes each, zeros where there is none) in one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

from blake3 import blake3

from mldata.integrity.base import SKIPPED, VALID
from mldata.integrity.look import EMPTY, NO_KIND, Look

__all__ = ["pack_lump", "signature", "unpack_lump"]

_DIGEST = 32
_HEAD = struct.Struct("<16sI")


def signature(files: Sequence[bytes], states: Sequence[bytes]) -> bytes:
    """Of paths and states, whose length is fixed."""
    hasher = blake3(b"\0".join(files))
    hasher.update(b"\0\0" + b"".join(states))
    return hasher.digest(16)


def pack_lump(sign: bytes, looks: Sequence[Look], stamp: Callable[[str], bytes]) -> bytes:
    """The value; every look is of a checker, or of a file that is of no kind."""
    from msgpack import packb

    kinds: dict[str, int] = {}
    seens: dict[bytes, int] = {}
    rows: list[list[Any]] = [[], [], [], []]
    digests = []
    for look in looks:
        number = -1 if look.seen is None else seens.setdefault(packb(look.seen), len(seens))
        row = (kinds.setdefault(look.file_type, len(kinds)), look.size, number, look.promised)
        for column, value in zip(rows, row, strict=True):
            column.append(value)
        digests.append(bytes.fromhex(look.digest) if look.digest is not None else bytes(_DIGEST))
    told = packb([[(kind, stamp(kind)) for kind in kinds], list(seens), *rows, b"".join(digests)])
    return bytes(_HEAD.pack(sign, crc32(told)) + told)


def unpack_lump(value: Any, sign: bytes, stamp: Callable[[str], bytes]) -> list[Look] | None:
    """The looks; None if the value is of other files or states, of other checkers, or not as it was written."""
    from msgpack import unpackb

    if not isinstance(value, bytes) or len(value) < _HEAD.size:
        return None
    told = value[_HEAD.size :]
    if _HEAD.unpack_from(value) != (sign, crc32(told)):
        return None
    kinds, packed, at, sizes, numbers, promised, digests = unpackb(told)
    if any(stamp(kind) != written for kind, written in kinds):
        return None
    names = [kind for kind, _ in kinds]
    seens = [tuple(unpackb(seen)) for seen in packed]
    text = digests.hex()
    make = tuple.__new__
    looks: list[Look] = []
    start = 0
    for kind, size, number, other in zip(at, sizes, numbers, promised, strict=True):
        stop = start + 2 * _DIGEST
        if number >= 0:
            # As Look(...) does, which takes twice as long.
            looks.append(
                make(Look, (names[kind], size, seens[number], VALID, "", "", other, text[start:stop], None))
            )
        else:
            looks.append(Look(names[kind], size, None, SKIPPED, "", NO_KIND if size else EMPTY))
        start = stop
    return looks
