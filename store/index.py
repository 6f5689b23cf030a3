"""The index: a disposable SQLite cache (WAL) of what would take time to find out again.

It remembers secondary digests of objects, and blobs under a key (the stat cache of a scanned source is one blob).
Nothing depends on it: deleted, damaged at any byte, locked, read-only or on a filesystem that SQLite cannot use, it
answers "not known", and is made anew where possible. Each row carries a digest of itself, so a flipped bit is a row not
known, never a wrong answer.

Format: ``hashes(digest, size, md5, sha256, proof)`` and ``blobs(key, value, proof)``, ``user_version`` 1.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from blake3 import blake3

from store.digest import Digest, Hashes

if TYPE_CHECKING:
    from sqlite3 import Connection

T = TypeVar("T")

VERSION = 1
BUSY_SECONDS = 2.0
"""How long to wait for another writer before working without."""

_SCHEMA = (
    "CREATE TABLE hashes(digest BLOB PRIMARY KEY, size INTEGER, md5 BLOB, sha256 BLOB, proof BLOB) WITHOUT ROWID",
    "CREATE TABLE blobs(key TEXT PRIMARY KEY, value BLOB, proof BLOB)",
    f"PRAGMA user_version = {VERSION}",
)
_ELSEWHERE = frozenset({3, 5, 6, 7, 8, 13, 14, 15, 23})
"""SQLite's primary result codes that say nothing about the file's content: PERM, BUSY, LOCKED, NOMEM, READONLY, FULL,
CANTOPEN, PROTOCOL, AUTH (https://sqlite.org/rescode.html). All others are taken for damage."""

_MOVED = 8 | 4 << 8
"""READONLY_DBMOVED: the file was deleted or replaced under an open connection."""

_inherited: list[Connection | None] = []
"""Keeps a parent's connections from being closed when they are forgotten."""


class Index:
    """The index of one store. Threads may share it: they take turns. A forked child opens its own connection."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        self._pid = os.getpid()
        self._mutex = threading.RLock()
        self._db: Connection | None = None

    def get_hashes(self, digests: Iterable[Digest]) -> dict[Digest, Hashes]:
        """What is remembered about these objects; those not known are left out."""

        def work(db: Connection) -> dict[Digest, Hashes]:
            found = {}
            for digest in digests:
                row = db.execute(
                    "SELECT size, md5, sha256, proof FROM hashes WHERE digest = ?", (bytes.fromhex(digest),)
                ).fetchone()
                if row is not None and (hashes := _hashes_of(digest, *row)) is not None:
                    found[digest] = hashes
            return found

        digests = list(digests)
        return self._try(work, {}) if digests else {}

    def put_hashes(self, hashes: Iterable[Hashes]) -> None:
        """Remember; what is known already about the same object is kept beside it. One transaction."""
        new = {item.digest: item for item in hashes if item.md5 or item.sha256}
        if not new or self.read_only:
            return

        def work(db: Connection) -> None:
            known = (
                {} if db.execute("SELECT 1 FROM hashes LIMIT 1").fetchone() is None else self.get_hashes(new)
            )
            rows = []
            for digest, item in new.items():
                old = known.get(digest)
                md5 = bytes.fromhex(item.md5 or (old.md5 if old else None) or "")
                sha256 = bytes.fromhex(item.sha256 or (old.sha256 if old else None) or "")
                raw = bytes.fromhex(digest)
                rows.append((raw, item.size, md5, sha256, _proof(raw, item.size, md5, sha256)))
            with db:
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT OR REPLACE INTO hashes VALUES (?, ?, ?, ?, ?)", rows)

        self._try(work, None)

    def get_blob(self, key: str) -> bytes | None:
        """The bytes last remembered under ``key``."""

        def work(db: Connection) -> bytes | None:
            row = db.execute("SELECT value, proof FROM blobs WHERE key = ?", (key,)).fetchone()
            if row is None or not isinstance(row[0], bytes) or row[1] != _proof(key.encode(), row[0]):
                return None
            return row[0]

        return self._try(work, None)

    def put_blob(self, key: str, value: bytes) -> None:
        """Remember ``value`` under ``key`` in place of what was there."""
        if self.read_only:
            return

        def work(db: Connection) -> None:
            with db:
                db.execute("BEGIN IMMEDIATE")
                db.execute(
                    "INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)", (key, value, _proof(key.encode(), value))
                )

        self._try(work, None)

    def close(self) -> None:
        """Close the file. The index can be used again; it then opens anew."""
        with self._turn():
            self._disconnect()

    def _turn(self) -> threading.RLock:
        """The lock that is held while the connection is used."""
        if self._pid != os.getpid():
            # After fork: another thread of the parent may have held the lock, and the connection is the parent's.
            # It is never closed here: closing would let go of the parent's file locks.
            _inherited.append(self._db)
            self._mutex, self._db, self._pid = threading.RLock(), None, os.getpid()
        return self._mutex

    def _try(self, work: Callable[[Connection], T], otherwise: T) -> T:
        """Run ``work``; on damage make the file anew and run it again; ``otherwise`` if there is no index to be had."""
        import sqlite3

        with self._turn():
            for attempt in (1, 2):
                try:
                    if self._db is None:
                        self._db = self._connect()
                    return work(self._db)
                except sqlite3.Error as error:
                    code = getattr(error, "sqlite_errorcode", None) or 1
                    if attempt == 2 or (code & 0xFF in _ELSEWHERE and code != _MOVED) or self.read_only:
                        break
                    self._disconnect()
                    if code != _MOVED:
                        self._remove()
        return otherwise

    def _disconnect(self) -> None:
        import sqlite3

        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def _connect(self) -> Connection:
        import sqlite3

        # immutable: no locks and no side files. What a writer changes meanwhile shows as damage or fails its proof.
        mode = "mode=ro&immutable=1" if self.read_only else "mode=rwc"
        uri = f"{self.path.absolute().as_uri()}?{mode}"
        db = sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            if not self.read_only:
                self._prepare(db)
        except BaseException:
            db.close()
            raise
        return db

    @staticmethod
    def _prepare(db: Connection) -> None:
        """Make the tables of a new file; an unknown version counts as damage."""
        import sqlite3

        version = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        if version == VERSION:
            return
        with db:
            db.execute("BEGIN EXCLUSIVE")
            if db.execute("PRAGMA user_version").fetchone()[0] == VERSION:
                return  # another process was faster
            if version != 0:
                raise sqlite3.DatabaseError(f"unknown index version {version}")
            for statement in _SCHEMA:
                db.execute(statement)

    def _remove(self) -> None:
        """Drop a damaged index. Another process that has it open goes on with its own copy."""
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                os.unlink(f"{self.path}{suffix}")


def _proof(*parts: bytes | int) -> bytes:
    """Digest of a row, each part preceded by its length."""
    hasher = blake3()
    for part in parts:
        data = part if isinstance(part, bytes) else part.to_bytes(8, "big", signed=True)
        hasher.update(len(data).to_bytes(8, "big"))
        hasher.update(data)
    return hasher.digest(length=16)


def _hashes_of(digest: Digest, size: object, md5: object, sha256: object, proof: object) -> Hashes | None:
    """A row, if it is what was written."""
    if not (isinstance(size, int) and isinstance(md5, bytes) and isinstance(sha256, bytes)):
        return None
    if proof != _proof(bytes.fromhex(digest), size, md5, sha256):
        return None
    return Hashes(digest, size, md5.hex() or None, sha256.hex() or None)
