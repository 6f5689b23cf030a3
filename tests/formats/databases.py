"""SQLite databases for tests."""

from __future__ import annotations

import sqlite3
from contextlib import closing


def database(*statements: str) -> bytes:
    """The file of a database in which these statements were executed."""
    with closing(sqlite3.connect(":memory:")) as made:
        for statement in statements:
            made.execute(statement)
        made.commit()
        return made.serialize()
