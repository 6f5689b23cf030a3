"""Digests: BLAKE3-256 of content, and MD5 or SHA-256 beside it in the same pass.

A :data:`Digest` is 64 lower-case hexadecimal characters of BLAKE3 with 256 bits of output (O'Connor, Aumasson, Neves,
Wilcox-O'Hearn, *BLAKE3: one function, fast everywhere*, 2020). Secondary digests (MD5, RFC 1321; SHA-256, FIPS 180-4)
exist for other tools' file formats only; nothing in the store is found by them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, NewType, cast

from blake3 import blake3

from store.errors import BadDigest

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor
    from hashlib import _Hash

Digest = NewType("Digest", str)
"""64 lower-case hexadecimal characters of BLAKE3-256."""

HASH_NAMES = ("md5", "sha256")
"""The secondary digests that can be asked for."""

CHUNK = 1 << 20
"""Bytes read at a time: small enough to stay in the CPU's cache between reading and hashing."""

_THREADS_FROM = 1 << 18
"""Below this many bytes a hand-over between threads costs more than the hashing it spreads."""

_HEX = re.compile(r"[0-9a-f]{64}\Z")
_HEX_ONLY = re.compile(r"[0-9a-f]*")


class ObjectId(NamedTuple):
    """An object's digest with its size in bytes."""

    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Hashes:
    """Everything known about the bytes of one object; ``None`` is a secondary digest that nobody asked for."""

    digest: Digest
    size: int
    md5: str | None = None
    sha256: str | None = None

    def covers(self, names: Collection[str]) -> bool:
        """Whether every secondary digest in ``names`` is known."""
        # Asked of every file of an export, so without a generator.
        return not (("md5" in names and self.md5 is None) or ("sha256" in names and self.sha256 is None))


def as_digest(text: object) -> Digest:
    """``text`` if it is a digest, else raise :class:`BadDigest`. Guards every path made from a digest."""
    if isinstance(text, str) and _HEX.match(text):
        return Digest(text)
    raise BadDigest(text)


def as_digests(texts: Sequence[object]) -> list[Digest]:
    """:func:`as_digest` of each."""
    if set(map(type, texts)) <= {str}:
        strings = cast("list[Digest]", texts)
        if set(map(len, strings)) <= {64} and _HEX_ONLY.fullmatch("".join(strings)):
            return strings
    return [as_digest(text) for text in texts]


def digest_bytes(data: bytes | bytearray | memoryview) -> Digest:
    """The digest of bytes in memory."""
    return Digest(blake3(data).hexdigest())


def check_hash_names(names: Collection[str]) -> tuple[str, ...]:
    """``names`` in a fixed order without repeats; ``ValueError`` for one that is not in :data:`HASH_NAMES`."""
    for name in names:
        if name not in HASH_NAMES:
            raise ValueError(f"unknown hash {name!r}; expected some of {', '.join(HASH_NAMES)}")
    return tuple(name for name in HASH_NAMES if name in names)


def _secondary(names: Collection[str]) -> dict[str, _Hash]:
    import hashlib  # late: it loads OpenSSL, and few want secondary digests

    return {name: hashlib.new(name, usedforsecurity=False) for name in check_hash_names(names)}


class MultiHasher:
    """Feeds every byte once to BLAKE3 and to the secondary hashes that were asked for.

    With ``threads`` > 1 and large updates each secondary hash runs on its own thread, and BLAKE3 on those that are left
    (hashlib and blake3 release the GIL). Not for use by several threads at once.
    """

    def __init__(self, names: Collection[str] = (), *, threads: int = 1) -> None:
        self._others = _secondary(names) if names else {}
        self._blake3 = blake3(max_threads=max(1, threads - len(self._others)))
        self._spread = threads > 1 and bool(self._others)
        self._pool: ThreadPoolExecutor | None = None
        self.size = 0

    def update(
        self, data: bytes | bytearray | memoryview, meanwhile: Callable[[], object] | None = None
    ) -> None:
        """Hash the next bytes.

        Args:
            meanwhile: something else to do with them, called once; here, while other threads hash, if there are some.
        """
        self.size += len(data)
        if self._spread and len(data) >= _THREADS_FROM:
            if self._pool is None:
                from concurrent.futures import ThreadPoolExecutor

                self._pool = ThreadPoolExecutor(len(self._others))
            running = [self._pool.submit(other.update, data) for other in self._others.values()]
            try:
                self._blake3.update(data)
                if meanwhile is not None:
                    meanwhile()
            finally:  # what ``data`` is in may be used again after this
                for future in running:
                    future.result()
            return
        self._blake3.update(data)
        for other in self._others.values():
            other.update(data)
        if meanwhile is not None:
            meanwhile()

    def finish(self) -> Hashes:
        """The digests of everything so far. The hasher must not be used afterwards."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        found = {name: other.hexdigest() for name, other in self._others.items()}
        return Hashes(Digest(self._blake3.hexdigest()), self.size, found.get("md5"), found.get("sha256"))


def hash_bytes(data: bytes | memoryview, names: Collection[str] = ()) -> Hashes:
    """All asked digests of bytes in memory."""
    if not names:
        return Hashes(Digest(blake3(data).hexdigest()), len(data))
    hasher = MultiHasher(names)
    hasher.update(data)
    return hasher.finish()


def hash_fd(
    fd: int,
    names: Collection[str] = (),
    *,
    threads: int | None = None,
    checkpoint: Callable[[], None] | None = None,
) -> Hashes:
    """All asked digests of an open file, from its beginning; the file offset is left alone. ``OSError`` if unreadable.

    ``checkpoint`` is called now and then, and may raise to stop it.
    """
    hasher = MultiHasher(names, threads=threads or hash_threads(os.fstat(fd).st_size))
    buffer = memoryview(bytearray(CHUNK))
    while read := os.preadv(fd, [buffer], hasher.size):
        if checkpoint is not None:
            checkpoint()
        hasher.update(buffer[:read])
    return hasher.finish()


def hash_stream(
    stream: BinaryIO, names: Collection[str] = (), sink: Callable[[bytes], None] | None = None
) -> Hashes:
    """All asked digests of what a stream still holds; each chunk is also given to ``sink``."""
    hasher = MultiHasher(names)
    while chunk := stream.read(CHUNK):
        hasher.update(chunk)
        if sink is not None:
            sink(chunk)
    return hasher.finish()


def hash_file(path: str | os.PathLike[str], names: Collection[str] = ()) -> Hashes:
    """All asked digests of a file. ``OSError`` if it cannot be read."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return hash_fd(fd, names)
    finally:
        os.close(fd)


def hash_threads(size: int) -> int:
    """Threads worth using to hash ``size`` bytes on this machine: 1 for small files, at most 8."""
    return 1 if size < 8 * CHUNK else min(8, os.cpu_count() or 1)
