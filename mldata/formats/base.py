"""What a format is: a way to read one kind of source file into fragments of a table.

A *tabular* format reads a file piece by piece; each piece becomes one fragment under the narrowest types its own values
allow (:class:`Piece` tells which), so what is made of a piece depends on that piece and the options alone, never on its
neighbours or on threads. ``mldata.stages.normalize`` joins the types of all pieces of all files and asks for the pieces
that differ once more, this time under the table's schema. A *media* format reads the header of one file into one row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

T = TypeVar("T")
R = TypeVar("R")

PIECE_BYTES = 16 << 20
"""Bytes of a source file that become one fragment. Enters the action key (:attr:`Options.piece`); tests shrink it."""


REJECTS = 2
"""Raised when other rows would be put aside, or other things kept of them; only reads that put aside have it in their key."""


@dataclass(frozen=True)
class SourceFile:
    """One file of a source, as an object of the store."""

    name: str
    """Path inside the source: for messages (and, of media, for the row), never for deciding what a table holds."""
    path: Path
    """The verified object."""
    digest: str
    size: int


@dataclass(frozen=True)
class Options:
    """The parameters of a tabular read; everything here is in the action key."""

    columns: str = "keep"
    """``keep`` or ``snake_case``."""
    types: Mapping[str, str] = field(default_factory=dict)
    nulls: Sequence[str] = ("", "NA")
    drop: Sequence[str] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    """Of text files, as Python calls it; None: found out. So are the others of a CSV file's dialect that are None."""
    delimiter: str | None = None
    quote: str | None = None
    """Empty: quotes have no meaning."""
    header: bool | None = None
    comment: str | None = None
    """Empty: no line is a comment."""
    decimal: str | None = None
    thousands: str | None = None
    on_bad_row: str = "error"
    """``error``, or ``reject``: rows that cannot be read are put aside (:class:`Reject`)."""
    records: str = "auto"
    """Of JSON: where the records are (:mod:`mldata.formats.jsonshape`)."""
    sheet: str | None = None
    """Of a workbook: the sheet to read; None: the first."""
    table: str | None = None
    """Of a database: the table or view to read; None: the only table."""
    piece: int = PIECE_BYTES

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Options:
        """The options inside the stage's parameters (or an action's)."""
        return cls(**{name: params[name] for name in (*_ALWAYS, *_SAID) if name in params})

    def to_params(self) -> dict[str, Any]:
        """Plain JSON, for an action key. What only some formats have a use for is left out if nothing says so."""
        said = {name: getattr(self, name) for name in _SAID}
        return {
            "columns": self.columns,
            "types": dict(self.types),
            "nulls": list(self.nulls),
            "drop": list(self.drop),
            "rename": dict(self.rename),
            "piece": self.piece,
            **({"records": self.records} if self.records != "auto" else {}),
            **{name: value for name, value in said.items() if value is not None},
            **({"on_bad_row": self.on_bad_row, "rejects": REJECTS} if self.on_bad_row != "error" else {}),
        }


_ALWAYS = ("columns", "types", "nulls", "drop", "rename", "records", "on_bad_row", "piece")
_SAID = ("encoding", "delimiter", "quote", "header", "comment", "decimal", "thousands", "sheet", "table")


class Recode(Exception):
    """Raised by a format's ``read``: the file holds what is to be read in another form, and must be decoded first."""

    def __init__(self, how: str, *, skip: int = 0, sure: bool = True) -> None:
        super().__init__(how)
        self.how = how
        """A compression of :mod:`mldata.formats.recode`, or an encoding of text as Python calls it."""
        self.skip = skip
        """Bytes at the beginning that do not belong to it."""
        self.sure = sure
        """Not merely likely."""


@dataclass(frozen=True)
class Piece:
    """What was learned of one piece of a file."""

    rows: int
    span: tuple[int, int]
    """Where it lies in the file, in the unit of the format (bytes, row groups, batches)."""
    schema: pa.Schema
    """The narrowest types that hold its values without loss; forced types as forced."""
    names: tuple[str, ...]
    """The file's own column names, before ``columns``, ``rename`` and ``drop``."""
    wide: frozenset[str] = frozenset()
    """Integer columns with values beyond ±2**53, which a float64 cannot hold."""
    spelling: Mapping[str, str] = field(default_factory=dict)
    """How booleans of a text file are written, by column (``true``, ``True`` or ``TRUE``)."""
    own: bool = False
    """The source file is the fragment as it stands; no other was written."""


class Reject(NamedTuple):
    """A row that was put aside."""

    line: int
    column: int
    """Where in the file it is wrong (in bytes): in CSV where its record begins, in JSON at the very character. From 1."""
    reason: str
    record: bytes
    """As it stands in the file (decoded to UTF-8, if it was in another encoding), without the line end; the beginning of a long one."""


@dataclass(frozen=True)
class Span:
    """A piece to read again: its number in the file and where it lies."""

    index: int
    start: int
    stop: int


class Sink(Protocol):
    """Takes the fragments that a format makes. May be called from several threads."""

    def __call__(self, index: int, table: pa.Table) -> None:
        """Write ``table`` as fragment ``index`` of the file."""
        ...

    def stream(self, index: int, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
        """Write ``tables`` as fragment ``index``, holding one at a time."""
        ...

    def reject(self, rows: Sequence[Reject]) -> None:
        """Put rows of the file aside, in file order. At most once a file, by ``read`` only."""
        ...

    def note(self, facts: Mapping[str, Any]) -> None:
        """Say how the file is written (plain JSON), for whoever asks how it was read."""
        ...

    def checkpoint(self) -> None:
        """Raise if the build is being stopped; for a format that may wait long for a row. Handing rows on does it by itself."""
        ...


class TabularFormat(Protocol):
    """Reads one kind of file as a table; it may be :class:`~mldata.formats.heads.Headed` too. Both methods raise ``DataError`` with file, line and
    column; ``read`` may raise :class:`Recode`, and is then called again with the decoded file."""

    text: bool
    """Values are text: a column whose types do not unify falls back to strings, exactly as written."""

    def read(self, file: SourceFile, options: Options, sink: Sink, threads: int) -> list[Piece]:
        """Read every piece under its own types, in file order."""
        ...

    def reread(
        self,
        file: SourceFile,
        options: Options,
        schema: pa.Schema,
        spans: Sequence[Span],
        sink: Sink,
        threads: int,
    ) -> list[int]:
        """Read ``spans`` again as exactly ``schema`` (columns the file lacks are null); rows of each."""
        ...


class MediaFormat(Protocol):
    """Reads the header of a media file."""

    library: str
    """The distribution that decodes: its version is in the action key."""
    fields: tuple[tuple[str, str], ...]
    """Name and Arrow type of the columns after path, label, digest and size."""

    def read(self, file: SourceFile) -> tuple[int | float | str | None, ...]:
        """The values of :attr:`fields`; None for what the file does not say. Raises ``DataError`` if the file cannot be decoded."""
        ...


@dataclass(frozen=True)
class FormatInfo:
    """What choosing a format needs to know without importing it."""

    name: str
    kind: str
    """``tabular``, ``images`` or ``audio``."""
    suffixes: tuple[str, ...]
    module: str
    factory: str
    magic: tuple[bytes, ...] = ()
    """First bytes by which a file without a suffix is known."""
    libraries: tuple[str, ...] = ("pyarrow",)
    """Of a tabular format: distributions whose versions can change what is read (a plug-in's own too)."""
    rejects: bool = False
    """It knows ``on_bad_row: reject``: rows that cannot be read are put aside, and the others kept."""
    shy: bool = False
    """Beside files of other formats its files are taken for notes about these, and skipped, unless the spec names the format."""
    options: tuple[str, ...] = ()
    """Keys of ``normalize`` that no other format has a use for."""
    companions: tuple[str, ...] = ()
    """Ends of files that hold rows of the file before them: ``a.db-wal`` beside ``a.db``. No single file is the table then."""
    refused: tuple[str, ...] = ()
    """Suffixes of files that are taken for this format so that it can say what to do with them: it reads none of these."""


def ordered(items: Iterable[T], run: Callable[[T], R], threads: int) -> Iterator[R]:
    """``map`` on at most ``threads`` threads, results in order, at most ``threads`` items drawn ahead.

    The first error (by order of items) is raised, after running ones have ended; also where drawing a later item fails.
    """
    if threads <= 1:
        yield from map(run, items)
        return
    done: list[Future[R]] = []
    held: Exception | None = None
    with ThreadPoolExecutor(threads, thread_name_prefix="piece") as pool:
        running: set[Future[R]] = set()
        try:
            for item in items:
                future = pool.submit(run, item)
                running.add(future)
                done.append(future)
                if len(running) > threads:
                    running = wait(running, return_when=FIRST_COMPLETED).not_done
                if any(f.done() and f.exception() for f in done[-threads - 2 :]):
                    break
        except Exception as error:  # of the items themselves: those before it may have failed too
            held = error
        for future in done:
            yield future.result()
    if held is not None:
        raise held
