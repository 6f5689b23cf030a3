"""A SQLite file (WAL) that may be lost at any time: deleted, damaged at any byte, locked, read-only or on a filesystem that SQLite cannot use, its user
gets another answer instead, and it is made anew where possible.

Invariant: nothing raises for the state of the file. A row that is read may still have been altered: whoever keeps rows here proves each by a digest or checksum.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sqlite3 import Connection

T = TypeVar("T")

BUSY_SECONDS = 2.0
"""How long to wait for another writer before working without."""

_ELSEWHERE = frozenset({3, 5, 6, 7, 8, 13, 14, 15, 23})
"""SQLite's primary result codes that say nothing about the file's content: PERM, BUSY, LOCKED, NOMEM, READONLY, FULL,
CANTOPEN, PROTOCOL, AUTH (https://sqlite.org/rescode.html). All others are taken for damage."""

_MOVED = 8 | 4 << 8
"""READONLY_DBMOVED: the file was deleted or replaced under an open connection."""

_inherited: list[Connection | None] = []
"""Keeps a parent's connections from being closed when they are forgotten."""


class Disposable:
    """One such file. Threads may share it: they take turns. A forked child opens its own connection.

    Args:
        schema: statements that make the tables of a new file.
        version: its ``user_version``; a file with another one counts as damaged.
    """

    def __init__(self, path: Path, schema: Sequence[str], version: int, *, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        self._schema, self._version = schema, version
        self._pid = os.getpid()
        self._mutex = threading.RLock()
        self._db: Connection | None = None

    def close(self) -> None:
        """Close the file. It can be used again, and then opens anew."""
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

    def run(self, work: Callable[[Connection], T], otherwise: T) -> T:
        """Run ``work``; on damage make the file anew and run it again; ``otherwise`` if there is no such file to be had."""
        import sqlite3

        with self._turn():
            for attempt in (1, 2):
                try:
                    if self._db is None:
                        self._db = self._connect()
                    return work(self._db)
                except (
                    sqlite3.Error,
                    UnicodeDecodeError,
                ) as error:  # the latter: a damaged name in a message
                    code = getattr(error, "sqlite_errorcode", None) or 1
                    if attempt == 2 or (code & 0xFF in _ELSEWHERE and code != _MOVED) or self.read_only:
                        break
                    self._disconnect()
                    if code != _MOVED:
                        self._remove()
        return otherwise

    def _disconnect(self) -> None:
        if self._db is not None:
            import sqlite3

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

    def _prepare(self, db: Connection) -> None:
        """Make the tables of a new file; an unknown version counts as damage."""
        import sqlite3

        version = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        if version == self._version:
            return
        with db:
            db.execute("BEGIN EXCLUSIVE")
            if db.execute("PRAGMA user_version").fetchone()[0] == self._version:
                return  # another process was faster
            if version != 0:
                raise sqlite3.DatabaseError(f"unknown version {version}")
            for statement in self._schema:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {self._version}")

    def _remove(self) -> None:
        """Drop a damaged file. Another process that has it open goes on with its own copy."""
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                os.unlink(f"{self.path}{suffix}")
