"""What is known of contents: verdicts by digest and checker, and digests by the state of a file. Disposable: deleting it loses time only.

A verdict holds for a content, a kind, the version of its checker and of the libraries that can change what is found. A digest holds for a path whose size,
times and inode are what they were when it was read, and which was not written within the clock's granularity of that (git's racy rule: such a
file is not remembered by its state). What says nothing about a content is never remembered: timeouts, crashes, what could not be read.

Format: ``states(path, state, verdict, proof)`` and ``verdicts(key, value, proof)``, ``user_version`` :data:`VERSION`. A state is
:data:`mldata.integrity.SNIFFING`, the four numbers of ``FileStat``, the kind that was found, NUL, and that which the name says if it is another; ``verdict`` is the key of one. A key is a digest (32 bytes) and the stamp of a checker
(16), a value the msgpack of a ``Seen``. ``proof`` is the CRC-32 of the other columns: a row with a flipped bit is not known.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from blake3 import blake3

from mldata.integrity import KINDS, SNIFFING
from mldata.integrity.base import VALID
from mldata.integrity.kinds import kind_by_name
from mldata.integrity.look import EMPTY, NO_KIND, Look
from store import Disposable

if TYPE_CHECKING:
    from sqlite3 import Connection

    from mldata.integrity.target import Target

__all__ = ["Memo", "default_memo"]

VERSION = 1
_SCHEMA = (
    "CREATE TABLE states(path BLOB PRIMARY KEY, state BLOB, verdict BLOB, proof INTEGER) WITHOUT ROWID",
    "CREATE TABLE verdicts(key BLOB PRIMARY KEY, value BLOB, proof INTEGER) WITHOUT ROWID",
)
_BOUND = 500
"""Names in one question: what the oldest SQLite takes is 999."""
_STATES = (
    "SELECT s.path, s.state, s.verdict, s.proof, v.value, v.proof FROM states s"
    " LEFT JOIN verdicts v ON v.key = s.verdict WHERE s.path IN ({})"
)
_VERDICTS = "SELECT key, value, proof FROM verdicts WHERE key IN ({})"
_STATE = struct.Struct("<BqqqQ")
_DIGEST = 32


def default_memo(state: Path) -> Memo:
    """The memo in a folder of what may be lost: ``.mldata`` of a project, or the user's cache."""
    return Memo(state / "files.sqlite")


class Memo:
    """A file of SQLite. Several threads and processes may use it at the same time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = Disposable(path, _SCHEMA, VERSION)
        self._stamps: dict[str, bytes] = {}
        self._kinds: dict[bytes, tuple[str, str | None, bytes]] = {}

    @property
    def knows(self) -> bool:
        """Whether it knows any verdict."""
        return self._file.run(
            lambda db: db.execute("SELECT 1 FROM verdicts LIMIT 1").fetchone() is not None, False
        )

    def recall(self, targets: Sequence[Target], files: Sequence[bytes]) -> list[Look | None]:
        """What is known of these, in their order; ``files`` are their absolute paths. Reads no file, and asks for the state of those alone that bring none."""
        states = {
            file: state
            for target, file in zip(targets, files, strict=True)
            if target.digest is None and (state := _present(target, file)) is not None
        }
        keys = {
            file: (key, target)
            for target, file in zip(targets, files, strict=True)
            if target.digest is not None and (key := self._promised(target)) is not None
        }
        known: dict[bytes, Look] = {}

        def work(db: Connection) -> None:
            for path, state, key, proof, value, value_proof in _rows(db, _STATES, list(states)):
                if (
                    _proves(proof, path, state, key)
                    and state[: _STATE.size] == states.get(path)
                    and (look := self._look(state, key, value, value_proof)) is not None
                ):
                    known[path] = look
            values = {row[0]: row for row in _rows(db, _VERDICTS, [key for key, _ in keys.values()])}
            for file, (key, target) in keys.items():
                if key in values and (seen := _seen(*values[key])) is not None:
                    kind = kind_by_name(target.path)
                    assert kind is not None
                    size = target.stat.st_size if target.stat is not None else os.stat(file).st_size
                    known[file] = Look(kind.name, size, seen, digest=target.digest)

        self._file.run(work, None)
        return [known.get(file) for file in files]

    def seen(self, digest: str, kind: str) -> tuple[Any, ...] | None:
        """What is known of a content: a ``Seen`` as a plain tuple."""
        key = self._key(digest, kind)
        row = self._file.run(lambda db: db.execute(_VERDICTS.format("?"), (key,)).fetchone(), None)
        return _seen(*row) if row is not None else None

    def remember(self, learnt: Iterable[tuple[bytes, Look]]) -> None:
        """Keep what was seen of these absolute paths. One transaction."""
        from msgpack import packb

        states, verdicts = [], {}
        for path, look in learnt:
            key = b""
            if look.seen is not None:
                assert look.digest is not None
                key = self._key(look.digest, look.file_type)
                value = packb(look.seen)
                verdicts[key] = (key, value, crc32(key + value))
            if look.state is not None:
                state = _packed(*look.state) + f"{look.file_type}\0{look.promised or ''}".encode()
                states.append((path, state, key, crc32(path + state + key)))

        def work(db: Connection) -> None:
            with db:
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?)", verdicts.values())
                db.executemany("INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?)", states)

        self._file.run(work, None)

    def close(self) -> None:
        """Close the file. It can be used again, and then opens anew."""
        self._file.close()

    def _look(self, state: bytes, key: bytes, value: bytes | None, proof: int | None) -> Look | None:
        """What a row of ``states`` says, with its verdict; None where that is not known, or not of the present checker."""
        _, size, mtime_ns, ctime_ns, inode = _STATE.unpack_from(state)
        told = state[_STATE.size :]
        known = self._kinds.get(told)
        if known is None:
            found, _, other = told.decode().partition("\0")
            known = self._kinds[told] = (found, other or None, self._stamp(found))
        kind, promised, stamp = known
        stat = (size, mtime_ns, ctime_ns, inode)
        if not key:
            return Look(kind, size, reason=NO_KIND if size else EMPTY, state=stat)
        if key[_DIGEST:] != stamp or (seen := _seen(key, value, proof)) is None:
            return None
        return Look(kind, size, seen, VALID, "", "", promised, key[:_DIGEST].hex(), stat)

    def _promised(self, target: Target) -> bytes | None:
        kind = kind_by_name(target.path)
        assert target.digest is not None
        return self._key(target.digest, kind.name) if kind is not None else None

    def _key(self, digest: str, kind: str) -> bytes:
        return bytes.fromhex(digest) + self._stamp(kind)

    def _stamp(self, kind: str) -> bytes:
        """Of the checker of a kind, its version, and those of its libraries."""
        stamp = self._stamps.get(kind)
        if stamp is None:
            info = KINDS.get(kind)
            told = [kind] if info is None else [*map(str, info[:6]), *map(_version, info.libraries)]
            stamp = self._stamps[kind] = blake3("\0".join(told).encode()).digest(16)
        return stamp


def _rows(db: Connection, question: str, names: Sequence[bytes]) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(names), _BOUND):
        some = names[start : start + _BOUND]
        yield from db.execute(question.format(",".join("?" * len(some))), some)


def _seen(key: bytes, value: bytes | None, proof: int | None) -> tuple[Any, ...] | None:
    from msgpack import unpackb

    return tuple(unpackb(value)) if _proves(proof, key, value) else None


def _proves(proof: Any, *parts: Any) -> bool:
    """Whether a row is what was written: of damaged rows not even the types are certain."""
    try:
        return bool(proof == crc32(b"".join(parts)))
    except TypeError:
        return False


def _present(target: Target, file: bytes) -> bytes | None:
    """The state of the file now, as it would be kept; None where it cannot be told."""
    stat = target.stat
    if stat is None:
        try:
            stat = os.stat(file, follow_symlinks=target.follow)
        except OSError:
            return None
    return _packed(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)


def _packed(size: int, mtime_ns: int, ctime_ns: int, inode: int) -> bytes:
    return _STATE.pack(SNIFFING, size, mtime_ns, ctime_ns, inode)


def _version(library: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(library)
    except PackageNotFoundError:
        return "none"
