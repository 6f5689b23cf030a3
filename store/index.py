"""The index: a disposable SQLite cache (WAL) of what would take time to find out again.

It remembers secondary digests of objects, and blobs under a key (the stat cache of a scanned source is one blob).
Nothing depends on it: deleted, damaged at any byte, locked, read-only or on a filesystem that SQLite cannot use, it
answers "not known", and is made anew where possible. Each row carries a digest of itself, so a flipped bit is a row not
known, never a wrong answer.

Format: ``hashes(digest, size, md5, sha256, proof)`` and ``blobs(key, value, proof)``, ``user_version`` 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from blake3 import blake3

from store.digest import Digest, Hashes
from store.disposable import Disposable

if TYPE_CHECKING:
    from sqlite3 import Connection

VERSION = 1
_AT_ONCE = 500
"""Rows asked for in one statement; SQLite takes 999 or more."""

_SCHEMA = (
    "CREATE TABLE hashes(digest BLOB PRIMARY KEY, size INTEGER, md5 BLOB, sha256 BLOB, proof BLOB) WITHOUT ROWID",
    "CREATE TABLE blobs(key TEXT PRIMARY KEY, value BLOB, proof BLOB)",
)


class Index(Disposable):
    """The index of one store."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        super().__init__(path, _SCHEMA, VERSION, read_only=read_only)

    def get_hashes(self, digests: Iterable[Digest]) -> dict[Digest, Hashes]:
        """What is remembered about these objects; those not known are left out."""

        listed = sorted(digests)  # in the order of the table, which halves the time of the look-ups

        def work(db: Connection) -> dict[Digest, Hashes]:
            found = {}
            for start in range(0, len(listed), _AT_ONCE):
                asked = [bytes.fromhex(digest) for digest in listed[start : start + _AT_ONCE]]
                marks = ",".join("?" * len(asked))
                rows = f"SELECT digest, size, md5, sha256, proof FROM hashes WHERE digest IN ({marks})"
                for row in db.execute(rows, asked):
                    if (hashes := _hashes_of(*row)) is not None:
                        found[hashes.digest] = hashes
            return found

        return self.run(work, {}) if listed else {}

    def find_sha256(self, sha256: str) -> list[Hashes]:
        """Objects remembered to have this SHA-256 (64 hex digits): one where nothing went wrong, none where nothing is remembered.

        The first call makes a database index, so that a store that nobody asks has none to keep up.
        """

        def work(db: Connection) -> list[Hashes]:
            if not self.read_only:
                db.execute("CREATE INDEX IF NOT EXISTS hashes_by_sha256 ON hashes(sha256)")
            rows = db.execute(
                "SELECT digest, size, md5, sha256, proof FROM hashes WHERE sha256 = ?",
                (bytes.fromhex(sha256),),
            ).fetchall()
            found = (_hashes_of(*row) for row in rows)
            return [hashes for hashes in found if hashes is not None and hashes.sha256 == sha256]

        return self.run(work, [])

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

        self.run(work, None)

    def get_blob(self, key: str) -> bytes | None:
        """The bytes last remembered under ``key``."""

        def work(db: Connection) -> bytes | None:
            row = db.execute("SELECT value, proof FROM blobs WHERE key = ?", (key,)).fetchone()
            if row is None or not isinstance(row[0], bytes) or row[1] != _proof(key.encode(), row[0]):
                return None
            return row[0]

        return self.run(work, None)

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

        self.run(work, None)


def _proof(*parts: bytes | int) -> bytes:
    """Digest of a row, each part preceded by its length."""
    told: list[bytes] = []
    for part in parts:
        data = part if isinstance(part, bytes) else part.to_bytes(8, "big", signed=True)
        told += (_LENGTHS.get(len(data)) or len(data).to_bytes(8, "big"), data)
    return blake3(b"".join(told)).digest(length=16)


_LENGTHS = {length: length.to_bytes(8, "big") for length in (0, 8, 16, 32)}


def _hashes_of(raw: object, size: object, md5: object, sha256: object, proof: object) -> Hashes | None:
    """A row, if it is what was written."""
    if not (
        isinstance(raw, bytes)
        and isinstance(size, int)
        and isinstance(md5, bytes)
        and isinstance(sha256, bytes)
    ):
        return None
    if proof != _proof(raw, size, md5, sha256):
        return None
    return Hashes(Digest(raw.hex()), size, md5.hex() or None, sha256.hex() or None)
