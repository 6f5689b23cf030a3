"""The first rows of a source elsewhere as files of their own: ``mldata pull SOURCE --max-samples N``.

Of tables the first N rows become Parquet, one file for each file that they are in, called like it (``data/train-0.csv.gz`` gives
``data/train-0.parquet``): what names say of splits stays. Of images and audio the first N files are to be downloaded as they are; of the tables
that describe them the rows about these files are kept.

Invariant: the same state of a source gives the same names and bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.beginning import begin, fetch_whole
from mldata.firstrows import chosen_files, read_rows, remote_files
from mldata.formats import COMPRESSED
from mldata.formats.base import Options
from mldata.formats.encode import encode_stream
from mldata.formats.unify import unify
from mldata.stages.folders import PARTS, unpacked
from mldata.stages.metadata import FILE_NAME, FORCED, NotThere, Scope

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.firstrows import Chosen, FirstRows
    from mldata.sources.base import RemoteFile, RemoteSource, Resolved

__all__ = ["Sample", "sample_files"]

EVERY_ROW = 1 << 62
SUFFIX = ".parquet"


@dataclass(frozen=True)
class Sample:
    """What there is of a source when only its first rows are wanted."""

    rows: int
    """How many, at most as many as were asked for."""
    files: Sequence[RemoteFile] = ()
    """Files of the source that are to be downloaded as they are."""
    made: Mapping[str, Path] = field(default_factory=dict)
    """Files that were written here, by the name that they have in the source's tree."""
    received: int = 0
    """Bytes that came over the network for these."""
    warnings: Sequence[str] = ()


def sample_files(
    source: RemoteSource,
    resolved: Resolved,
    rows: int,
    folder: Path,
    options: Options | None = None,
    format: str = "auto",
) -> Sample:
    """Take the first ``rows`` rows of a source, reading no more than that takes.

    Args:
        resolved: what ``source.resolve()`` found.
        folder: an empty one; has the files of :attr:`Sample.made` afterwards.
        options: how normalize reads the files, as far as it is said: the delimiter, the encoding and the like.
        format: a format's name, or ``auto``.

    Raises:
        SourceError, DataError: as a build does. NetworkError, AuthError: a file cannot be had.
    """
    files, received = remote_files(source, resolved.files)
    with chosen_files(files, format, source.text) as chosen:
        if chosen.choice.kind == "tabular":
            first = read_rows(chosen, rows, _as_they_are(options or Options()))
            made = _tables(first, _names(first.read, chosen.archives, SUFFIX), folder)
            return Sample(first.rows, (), made, received.bytes, first.warnings)
        taken = [chosen.files[i] for i, _ in chosen.choice.files[:rows]]
        listed = {file.name: file for file in resolved.files}
        made = dict(_descriptions(chosen, frozenset(file.name for file in taken), folder))
        packed = [file for file in taken if file.name not in listed]
        called = _names([file.name for file in packed], chosen.archives)
        for number, file in enumerate(packed):
            made[called[file.name]] = fetch_whole(file, folder / f"media-{number}").path
        kept = [listed[file.name] for file in taken if file.name in listed]
        return Sample(len(taken), kept, made, received.bytes, chosen.warnings)


def _tables(first: FirstRows, called: Mapping[str, str], folder: Path) -> dict[str, Path]:
    """Write the rows of each file."""
    made: dict[str, Path] = {}
    for name, tables in groupby(first.tables(), key=lambda each: each[0]):
        path = made[called[name]] = folder / str(len(made))
        with open(path, "wb") as out:
            encode_stream(out, first.schema, (table for _, table in tables))
    return made


def _as_they_are(options: Options) -> Options:
    """How the files are written, without what normalize makes of their columns: that is still to come."""
    return replace(options, columns="keep", types={}, drop=(), rename={})


def _names(names: Sequence[str], archives: Collection[str], suffix: str = "") -> dict[str, str]:
    """What the files are called that are made of these: without the archives that they stand in, and with ``suffix`` for their own."""
    called = {
        name: _stem(_outside(name, archives)) + suffix if suffix else _outside(name, archives)
        for name in names
    }
    return called if len(set(called.values())) == len(called) else {name: name + suffix for name in names}


def _outside(name: str, archives: Collection[str]) -> str:
    """``name`` without the archives in it, as labels and parts are told by it (:mod:`mldata.stages.folders`)."""
    *folders, base = name.split("/")
    kept = unpacked(folders, archives)
    if folders and folders[0] in archives and (part := folders[0].partition(".")[0]).lower() in PARTS:
        kept = kept if kept[:1] == [part] else [part, *kept]
    return "/".join([*kept, base])


def _stem(name: str) -> str:
    folder, slash, base = name.rpartition("/")
    base = base.removesuffix(next((end for end in COMPRESSED if base.lower().endswith(end)), ""))
    stem, dot, _ = base.rpartition(".")
    return folder + slash + (stem if dot and stem else base)


def _descriptions(chosen: Chosen, taken: frozenset[str], folder: Path) -> Iterator[tuple[str, Path]]:
    """The rows about the media files ``taken`` of the tables that describe such files."""
    import pyarrow as pa

    names = sorted(chosen.files[i].name for i, _ in chosen.choice.files)
    for number, (i, info) in enumerate(chosen.choice.metadata):
        file = chosen.files[i]
        scope = Scope(names, [0], file.name, chosen.archives)
        part = begin(file, info, Options(types=FORCED), EVERY_ROW, folder / f"metadata-{number}")
        part.read(1)
        schema = unify((part.name, part.text, piece) for piece in part.pieces)

        def about(table: pa.Table, scope: Scope = scope) -> pa.Table:
            texts = table.column(FILE_NAME).to_pylist() if FILE_NAME in table.schema.names else []
            return table.filter(pa.array([_named(scope, text) in taken for text in texts], pa.bool_()))

        path = folder / str(number)
        with open(path, "wb") as out:
            encode_stream(out, schema, map(about, part.tables(schema)))
        yield _names([file.name], chosen.archives, SUFFIX)[file.name], path


def _named(scope: Scope, text: str | None) -> str | None:
    try:
        return scope.names[scope.find(text)]
    except NotThere:
        return None
