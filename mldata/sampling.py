"""The first rows of a source elsewhere as files of their own: ``mldata pull SOURCE --max-samples N``.

Of tables the first N rows become Parquet, one file for each file that they are in, called like it (``data/train-0.csv.gz`` gives
``data/train-0.parquet``): what names say of splits stays. Of images and audio the first N files are to be downloaded as they are; of the tables
that describe them the rows about these files are kept.

Invariant: the same state of a source gives the same names and bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.beginning import begin
from mldata.firstrows import choose_files, first_rows, remote_files
from mldata.formats import COMPRESSED
from mldata.formats.base import Options
from mldata.formats.encode import encode_stream
from mldata.formats.unify import unify
from mldata.stages.metadata import FILE_NAME, FORCED, NotThere, Scope

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.beginning import Openable
    from mldata.formats.base import FormatInfo
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
    choice, found = choose_files(files, format, source.text)
    listed = {file.name: file for file in resolved.files}
    if choice.kind != "tabular":
        taken = [found[i].name for i, _ in choice.files[:rows]]
        names = [found[i].name for i, _ in choice.files]
        described = [(found[i], info) for i, info in choice.metadata]
        made = dict(_descriptions(described, names, frozenset(taken), folder))
        return Sample(len(taken), [listed[name] for name in taken], made, received.bytes)
    plain = _as_they_are(options or Options())
    with first_rows(files, rows, plain, format, source.text, choice=choice) as first:
        called, made = _names(first.read), {}
        for name, tables in groupby(first.tables(), key=lambda each: each[0]):
            made[called[name]] = folder / str(len(made))
            with open(made[called[name]], "wb") as out:
                encode_stream(out, first.schema, (table for _, table in tables))
        return Sample(first.rows, (), made, received.bytes, first.warnings)


def _as_they_are(options: Options) -> Options:
    """How the files are written, without what normalize makes of their columns: that is still to come."""
    from dataclasses import replace

    return replace(options, columns="keep", types={}, drop=(), rename={})


def _names(names: Sequence[str]) -> dict[str, str]:
    """What the files are called that are made of these."""
    stems = {name: _stem(name) for name in names}
    if len(set(stems.values())) < len(stems):
        stems = {name: name for name in names}
    return {name: stem + SUFFIX for name, stem in stems.items()}


def _stem(name: str) -> str:
    folder, slash, base = name.rpartition("/")
    base = base.removesuffix(next((end for end in COMPRESSED if base.lower().endswith(end)), ""))
    stem, dot, _ = base.rpartition(".")
    return folder + slash + (stem if dot and stem else base)


def _descriptions(
    tables: Sequence[tuple[Openable, FormatInfo]], names: Sequence[str], taken: frozenset[str], folder: Path
) -> Iterator[tuple[str, Path]]:
    """The rows about ``taken`` of tables that describe the media files ``names``."""
    import pyarrow as pa

    for number, (file, info) in enumerate(tables):
        scope = Scope(sorted(names), [0], file.name)
        part = begin(file, info, Options(types=FORCED), EVERY_ROW, folder / f"metadata-{number}")
        part.read(1)
        schema = unify((part.name, part.text, piece) for piece in part.pieces)

        def about(table: pa.Table, scope: Scope = scope) -> pa.Table:
            texts = table.column(FILE_NAME).to_pylist() if FILE_NAME in table.schema.names else []
            return table.filter(pa.array([_named(scope, text) in taken for text in texts], pa.bool_()))

        path = folder / str(number)
        with open(path, "wb") as out:
            encode_stream(out, schema, map(about, part.tables(schema)))
        yield _stem(file.name) + SUFFIX, path


def _named(scope: Scope, text: str | None) -> str | None:
    try:
        return scope.names[scope.find(text)]
    except NotThere:
        return None
