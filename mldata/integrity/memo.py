"""What is known of contents: verdicts by digest and checker, and digests by the state of a file. Disposable: deleting it loses time only.

A verdict holds for a content, a kind, the version of its checker and of the libraries that can change what is found. A digest holds for a path whose size,
times and inode are what they were when it was read, and which was not written within the clock's granularity of that (git's racy rule: such a
file is not remembered by its state). What says nothing about a content is never remembered: timeouts, crashes, what could not be read.

Format: ``states(path, state, value)``, ``verdicts(key, value)`` and ``lumps(first, value)`` (by the first path: :mod:`mldata.integrity.lump`), ``user_version`` :data:`VERSION`. A key is a digest (32 bytes) and the stamp of a checker (16). A value is the msgpack of a ``Seen``
after the CRC-32 of that. A state is the CRC-32 of the path and of the rest of it, :data:`mldata.integrity.SNIFFING`, the four numbers of ``FileStat``, a key (zeros where the kind is none that
is checked), the kind that was found, NUL, and the one that the name says if it is another. So a row with a flipped bit is not known. A state repeats the value of its key, as many states
are wanted at a time, and those of one folder lie side by side.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from blake3 import blake3

from mldata.integrity import KINDS, SNIFFING
from mldata.integrity.base import VALID
from mldata.integrity.kinds import kind_by_name
from mldata.integrity.look import EMPTY, NO_KIND, Look
from mldata.integrity.lump import pack_lump, signature, unpack_lump
from store import Disposable

if TYPE_CHECKING:
    from sqlite3 import Connection

    from mldata.integrity.target import Target

__all__ = ["Memo", "default_memo"]

VERSION = 1
_SCHEMA = (
    "CREATE TABLE states(path BLOB PRIMARY KEY, state BLOB, value BLOB) WITHOUT ROWID",
    "CREATE TABLE verdicts(key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID",
    "CREATE TABLE lumps(first BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID",
)
_BOUND = 500
"""Names in one question: what the oldest SQLite takes is 999."""
_STATES = "SELECT path, state, value FROM states WHERE path IN ({})"
_VERDICTS = "SELECT key, value FROM verdicts WHERE key IN ({})"
_DIGEST, _STAMP = 32, 16
_NO_KEY = bytes(_DIGEST + _STAMP)
_PROOF = struct.Struct("<I")
_PRESENT = struct.Struct("<BqqqQ")
_STATE = struct.Struct(f"<I{_PRESENT.size}s{_DIGEST}s{_STAMP}s")
"""Without the kinds."""
_VALUES = 1024
"""Different values that are held unpacked: most photographs of a camera have the same."""


def default_memo(state: Path) -> Memo:
    """The memo in a folder of what may be lost: ``.mldata`` of a project, or the user's cache. The folder is made."""
    with suppress(OSError):  # without it there is no memo, which costs time only
        state.mkdir(parents=True, exist_ok=True)
    return Memo(state / "files.sqlite")


class Memo:
    """A file of SQLite. Several threads and processes may use it at the same time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = Disposable(path, _SCHEMA, VERSION)
        self._stamps: dict[str, bytes] = {}
        self._kinds: dict[bytes, tuple[str, str | None, bytes]] = {}
        self._values: dict[bytes | None, tuple[Any, ...]] = {}

    @property
    def knows(self) -> bool:
        """Whether it knows any verdict."""
        return self._file.run(
            lambda db: db.execute("SELECT 1 FROM verdicts LIMIT 1").fetchone() is not None, False
        )

    def recall(self, targets: Sequence[Target], files: Sequence[bytes]) -> list[Look | None]:
        """What is known of these, in their order; ``files`` are their absolute paths. Reads no file, and asks for the state of those alone that bring none."""
        lump = self._lump(targets, files)
        if lump is not None and (together := self._together(files[0], lump[0])) is not None:
            return list(together)
        known: list[Look | None] = [None] * len(targets)
        files_at: dict[bytes, int] = {}
        objects: dict[int, bytes] = {}
        for place, (target, file) in enumerate(zip(targets, files, strict=True)):
            if target.digest is None:
                files_at[file] = place
            elif (kind := kind_by_name(target.path)) is not None:
                objects[place] = self._key(target.digest, kind.name)
        present = (
            dict(zip(files, lump[1], strict=True))
            if lump is not None
            else {file: _present(targets[place], file) for file, place in files_at.items()}
        )

        def work(db: Connection) -> None:
            for path, state, value in _rows(db, _STATES, list(files_at)):
                now = present.get(path)
                if now is not None:
                    known[files_at[path]] = self._look(path, state, value, *now)
            values = dict(_rows(db, _VERDICTS, list(objects.values())))
            for place, key in objects.items():
                seen, target = self._unpacked(values.get(key)), targets[place]
                kind = kind_by_name(target.path)
                if (
                    seen is not None
                    and kind is not None
                    and (now := _present(target, files[place])) is not None
                ):
                    known[place] = Look(kind.name, now[0], seen, digest=target.digest)

        self._file.run(work, None)
        looks = [look for look in known if look is not None]
        if lump is not None and len(looks) == len(known):
            self._keep_lump(files[0], lump[0], looks)
        return known

    def remember_lump(self, targets: Sequence[Target], files: Sequence[bytes], looks: Sequence[Look]) -> None:
        """Keep what was seen of targets that were taken together, if it all may be relied on."""
        lump = self._lump(targets, files)
        if lump is not None and all(
            look.state is not None and _packed(*look.state) == state
            for look, (_, state) in zip(looks, lump[1], strict=True)
        ):
            self._keep_lump(files[0], lump[0], looks)

    def _lump(
        self, targets: Sequence[Target], files: Sequence[bytes]
    ) -> tuple[bytes, list[tuple[int, bytes]]] | None:
        """Signature and states of targets; None where not all have a state."""
        present = [
            _present(target, file) if target.digest is None else None
            for target, file in zip(targets, files, strict=True)
        ]
        states = [now for now in present if now is not None]
        if not states or len(states) != len(present):
            return None
        return signature(files, [state for _, state in states]), states

    def _together(self, first: bytes, sign: bytes) -> list[Look] | None:
        question = "SELECT value FROM lumps WHERE first = ?"
        row = self._file.run(lambda db: db.execute(question, (first,)).fetchone(), None)
        return unpack_lump(row[0], sign, self._stamp) if row is not None else None

    def _keep_lump(self, first: bytes, sign: bytes, looks: Sequence[Look]) -> None:
        row = first, pack_lump(sign, looks, self._stamp)
        self._file.run(lambda db: db.execute("INSERT OR REPLACE INTO lumps VALUES (?, ?)", row).close(), None)

    def seen(self, digest: str, kind: str) -> tuple[Any, ...] | None:
        """What is known of a content: a ``Seen`` as a plain tuple."""
        key = self._key(digest, kind)
        row = self._file.run(lambda db: db.execute(_VERDICTS.format("?"), (key,)).fetchone(), None)
        return self._unpacked(row[1]) if row is not None else None

    def remember(self, learnt: Iterable[tuple[bytes, Look]]) -> None:
        """Keep what was seen of these absolute paths. One transaction."""
        from msgpack import packb

        states, verdicts = [], {}
        for path, look in learnt:
            key, value = _NO_KEY, b""
            if look.seen is not None:
                assert look.digest is not None
                key = self._key(look.digest, look.file_type)
                packed = packb(look.seen)
                value = verdicts[key] = _PROOF.pack(crc32(packed)) + packed
            if look.state is not None:
                state = _packed(*look.state) + key + f"{look.file_type}\0{look.promised or ''}".encode()
                states.append((path, _PROOF.pack(crc32(state, crc32(path))) + state, value))

        def work(db: Connection) -> None:
            with db:
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT OR REPLACE INTO verdicts VALUES (?, ?)", verdicts.items())
                db.executemany("INSERT OR REPLACE INTO states VALUES (?, ?, ?)", states)

        self._file.run(work, None)

    def close(self) -> None:
        """Close the file. It can be used again, and then opens anew."""
        self._file.close()

    def _look(self, path: bytes, state: bytes, value: bytes, size: int, present: bytes) -> Look | None:
        """What a row of ``states`` says; None where the file is another now, or the row was not written like this, or not by the present checker."""
        try:
            proof, then, digest, stamp = _STATE.unpack_from(state)
            if then != present or proof != crc32(state[_PROOF.size :], crc32(path)):
                return None
        except (TypeError, struct.error):  # of a damaged row not even the types are certain
            return None
        kinds = state[_STATE.size :]
        known = self._kinds.get(kinds)
        if known is None:
            found, _, other = kinds.decode().partition("\0")
            known = self._kinds[kinds] = (found, other or None, self._stamp(found))
        if not value:
            return Look(known[0], size, reason=NO_KIND if size else EMPTY)
        seen = self._values.get(value) or self._unpacked(value)
        if stamp != known[2] or seen is None:
            return None
        return Look(known[0], size, seen, VALID, "", "", known[1], digest.hex())

    def _unpacked(self, value: bytes | None) -> tuple[Any, ...] | None:
        """A ``Seen``; None if it is not what was written."""
        seen = self._values.get(value)
        if seen is not None or not isinstance(value, bytes) or len(value) < _PROOF.size:
            return seen
        from msgpack import unpackb

        if _PROOF.unpack_from(value)[0] != crc32(value[_PROOF.size :]):
            return None
        if len(self._values) >= _VALUES:
            self._values.clear()
        seen = self._values[value] = tuple(unpackb(value[_PROOF.size :]))
        return seen

    def _key(self, digest: str, kind: str) -> bytes:
        return bytes.fromhex(digest) + self._stamp(kind)

    def _stamp(self, kind: str) -> bytes:
        """Of the checker of a kind, its version, and those of its libraries."""
        stamp = self._stamps.get(kind)
        if stamp is None:
            info = KINDS.get(kind)
            told = [kind] if info is None else [*map(str, info[:6]), *map(_version, info.libraries)]
            stamp = self._stamps[kind] = blake3("\0".join(told).encode()).digest(_STAMP)
        return stamp


def _rows(db: Connection, question: str, names: Sequence[bytes]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for start in range(0, len(names), _BOUND):
        some = names[start : start + _BOUND]
        rows += db.execute(question.format(",".join("?" * len(some))), some)
    return rows


def _present(target: Target, file: bytes) -> tuple[int, bytes] | None:
    """The size of the file now, and its state as it would be kept; None where it cannot be told."""
    stat = target.stat
    if stat is None:
        try:
            stat = os.stat(file, follow_symlinks=target.follow)
        except OSError:
            return None
    size = stat.st_size
    return size, _packed(size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)


def _packed(size: int, mtime_ns: int, ctime_ns: int, inode: int) -> bytes:
    return _PRESENT.pack(SNIFFING, size, mtime_ns, ctime_ns, inode)


def _version(library: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(library)
    except PackageNotFoundError:
        return "none"
