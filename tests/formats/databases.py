"""SQLite databases for tests."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any


def database(*statements: str, rows: Sequence[Sequence[Any]] = ()) -> bytes:
    """The file of a database in which these statements were executed, and then ``rows`` put into the table ``t``."""
    with closing(sqlite3.connect(":memory:")) as made:
        for statement in statements:
            made.execute(statement)
        if rows:
            made.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(rows[0]))})", rows)
        made.commit()
        return made.serialize()
