"""SQLite databases: one table or view, row by row, in the order of its keys (of a view: in its own).

The file is believed as little as possible: it is opened read-only and immutable, nothing in it may attach, write or load anything, functions in its
schema are the harmless ones, its structure is checked before the first row. A column's type is that of its values (:mod:`mldata.formats.valued`), not
the declared one, which SQLite does not hold values to.

The header is that of https://www.sqlite.org/fileformat2.html, section 1.3.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from typing import Any
from urllib.parse import quote

from mldata.errors import DataError, Where
from mldata.formats.base import Options, SourceFile
from mldata.formats.choose import some
from mldata.formats.streamed import damaged
from mldata.formats.valued import Rows, Value, ValuedFormat
from mldata.nearest import nearest

MAGIC = b"SQLite format 3\0"
HEADER_BYTES = 100
WAL = 2
"""The read version of a database that is in WAL mode."""
KIND = "SQLite database"
TICK = 20_000
"""Instructions of SQLite's machine between two looks at whether the build is being stopped."""
ALLOWED = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
"""All that a statement may do that reads rows."""


class Sqlite(ValuedFormat):
    """The ``sqlite`` format."""

    def opened(
        self, file: SourceFile, options: Options, checkpoint: Callable[[], None], *, first: bool = False
    ) -> AbstractContextManager[_Table]:
        """See :class:`~mldata.formats.valued.ValuedFormat`."""
        return _open(file, options, checkpoint, check=first)

    def told(self, rows: Rows, options: Options) -> dict[str, Any]:
        """See :class:`~mldata.formats.valued.ValuedFormat`."""
        assert isinstance(rows, _Table)
        return {"table": rows.name, **({"wal": True} if rows.wal else {})}


class _Watch:
    """Stops SQLite while it works, and tells why it stopped."""

    def __init__(self, file: SourceFile, checkpoint: Callable[[], None]) -> None:
        self.file, self.checkpoint = file, checkpoint
        self.reason: BaseException | None = None

    def __call__(self) -> bool:
        try:
            self.checkpoint()
        except BaseException as stop:
            self.reason = stop
        return self.reason is not None

    @contextmanager
    def explained(self) -> Iterator[None]:
        """What goes wrong with the database is a ``DataError``, or what the checkpoint raised."""
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:
            if self.reason is not None:
                raise self.reason from None
            raise damaged(self.file, KIND, error) from error


class _Table:
    """The rows of one table or view (:class:`~mldata.formats.valued.Rows`)."""

    def __init__(self, database: sqlite3.Connection, watch: _Watch, name: str, order: str, wal: bool) -> None:
        self.database, self.watch, self.name, self.wal = database, watch, name, wal
        self._query = f"SELECT * FROM {_quoted(name)}{order}"
        with closing(self.database.execute(self._query)) as cursor:
            self.names = tuple(column[0] for column in cursor.description)

    def __iter__(self) -> Iterator[tuple[Value, ...]]:
        row = 0
        with self.watch.explained():
            try:
                for values in self.database.execute(self._query):
                    yield values
                    row += 1
            except sqlite3.OperationalError as error:
                if "decode" not in str(error):
                    raise
                raise DataError(
                    f"expected text in UTF-8, found other bytes ({error})",
                    where=self.where(row),
                    hint="correct the row, or store the bytes as a BLOB",
                ) from None

    def where(self, row: int) -> Where:
        return Where(self.watch.file.name, row + 1)


@contextmanager
def _open(
    file: SourceFile, options: Options, checkpoint: Callable[[], None], *, check: bool = False
) -> Iterator[_Table]:
    """The table to read.

    Args:
        checkpoint: raises to stop; asked while SQLite works.
        check: look at the header and the whole structure first. Reading alone would pass over pages that nothing leads to.
    """
    wal = _check_header(file) if check else False
    watch = _Watch(file, checkpoint)
    with ExitStack() as stack:
        with watch.explained():
            address = f"file:{quote(str(file.path))}?mode=ro&immutable=1"
            database = stack.enter_context(closing(sqlite3.connect(address, uri=True, isolation_level=None)))
            for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON", "mmap_size=0"):
                database.execute(f"PRAGMA {pragma}")
            database.set_progress_handler(watch, TICK)
            if check and (found := database.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise damaged(file, KIND, found)
            kind, name = _find_table(database, file, options.table)
            order = _order(database, name) if kind == "table" else ""
            database.set_authorizer(
                lambda action, *_: sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY
            )
            table = _Table(database, watch, name, order, wal)
        yield table


def _check_header(file: SourceFile) -> bool:
    """Whether the database is in WAL mode. Raises ``DataError`` for what is no database, or only the beginning of one."""
    with open(file.path, "rb") as handle:
        head = handle.read(HEADER_BYTES)
    if not head.startswith(MAGIC):
        raise DataError(
            f"expected an {KIND}, found something else (it does not begin with 'SQLite format 3')",
            where=Where(file.name),
            hint="if it is encrypted, decrypt it first (SQLCipher: `sqlcipher_export`); if it is no database, leave it out of the source",
        )
    page = int.from_bytes(head[16:18], "big")
    page = 65536 if page == 1 else page
    pages = int.from_bytes(head[28:32], "big")
    valid = head[24:28] == head[92:96]  # else an old writer has not kept the number of pages
    if len(head) < HEADER_BYTES or (valid and page * pages > file.size) or (page and file.size % page):
        raise damaged(
            file, KIND, f"{pages:,} pages of {page:,} bytes do not fit into its {file.size:,} bytes"
        )
    return head[19] == WAL


def _find_table(database: sqlite3.Connection, file: SourceFile, wanted: str | None) -> tuple[str, str]:
    """``table`` or ``view``, and the name of the one to read."""
    query = "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    kinds = dict(database.execute(query))
    names = sorted(kinds)
    tables = [name for name in names if kinds[name] == "table"]
    if wanted is None and len(tables) == 1:
        return "table", tables[0]
    for name in sorted(names, key=lambda name: name != wanted):
        if wanted is not None and name.lower() == wanted.lower():
            return kinds[name], name
    found = some(tables) or "none"
    if len(names) > len(tables):
        found += f" (and the views {some([name for name in names if kinds[name] == 'view'])})"
    near = nearest(wanted or "", names, 0.5)
    raise DataError(
        f"expected {'one table' if wanted is None else f'a table or view {wanted!r}'}, found {found}",
        where=Where(file.name),
        hint=f"did you mean {near!r}?"
        if near
        else "name one to read: `normalize: {table: NAME}` in mldata.yaml",
    )


def _order(database: sqlite3.Connection, table: str) -> str:
    """What makes a query give rows in the order of the keys: an index that has all columns would be read in its own."""
    indexes = database.execute(
        "SELECT name FROM pragma_index_list(?) WHERE origin = 'pk'", [table]
    ).fetchall()
    listed = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    if all(name in listed for (name,) in indexes):
        return " NOT INDEXED"
    # WITHOUT ROWID: the index of its key, which is listed nowhere, is the table.
    keys = database.execute("SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", [table])
    return f" ORDER BY {', '.join(_quoted(name) for (name,) in keys)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
