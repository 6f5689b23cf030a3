"""Preview: what files look like to a build (format, dialect, columns, rows) without building anything.

Everything is read, as a build would, and nothing is kept: a type that only the last row rules out is not shown.
"""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mldata.archives import MOST_NESTED, archive_kind, may_be_archive, members, too_deep
from mldata.formats import HEAD_BYTES, load_format
from mldata.formats.base import Options, SourceFile
from mldata.formats.choose import Choice, choose
from mldata.formats.unify import unify
from mldata.plainfile import PlainFile
from mldata.stages.dialects import doubts, settle, summary
from mldata.stages.folders import Folders
from mldata.stages.media import media_schema
from mldata.stages.metadata import FORCED, check_columns, described_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.sources.base import Source

__all__ = ["Preview", "preview"]


@dataclass
class Preview:
    """What a source is made of."""

    kind: str
    """``tabular``, ``images`` or ``audio``."""
    files: int
    bytes: int
    skipped: list[str]
    rows: int
    rejects: int = 0
    """Rows that would be put aside, of those that are not in ``rows``."""
    columns: list[tuple[str, str]] = field(default_factory=list)
    """Name and Arrow type."""
    read: list[dict[str, Any]] = field(default_factory=list)
    """Each way in which files are written."""
    warnings: list[str] = field(default_factory=list)
    metadata: list[str] = field(default_factory=list)
    """Tables that describe media files."""
    ignored: Counter[str] = field(default_factory=Counter)
    """What was left out, by kind (see ``mldata.litter``)."""
    excluded: list[str] = field(default_factory=list)
    """Files that the spec leaves out."""


def preview(
    source: Source,
    options: Options,
    format: str = "auto",
    threads: int = 1,
    exclude: Mapping[str, str | None] = MappingProxyType({}),
) -> Preview:
    """Read a source and say what it is.

    Args:
        exclude: files to leave out, by path below the source, with the digest that they have to have for that (None: any).

    Raises:
        SourceError: there is nothing to read. DataError: what is there cannot be read.
    """
    listing = source.listing()
    found = [
        SourceFile(name, Path(path), "", size)
        for name, path, size in zip(listing.names, listing.paths, listing.numbers[0::4], strict=True)
    ]
    with tempfile.TemporaryDirectory(prefix="mldata-") as scratch:
        archives, ignored = set[str](), Counter(listing.ignored)
        excluded: list[str] = []
        found = list(_without(found, exclude, excluded))
        found = sorted(_opened(found, Path(scratch), archives, ignored), key=lambda file: file.name.encode())
        found = list(_without(found, exclude, excluded))
        choice = choose([file.name for file in found], format, lambda i: _head(found[i]), source.text)
        skipped = [found[i].name for i in choice.skipped]
        made = Preview(
            choice.kind, len(choice.files), listing.size, skipped, 0, ignored=ignored, excluded=excluded
        )
        if choice.kind == "tabular":
            _read_tables(made, [PlainFile(found[i], info, options) for i, info in choice.files], threads)
        else:
            schema = _read_media(made, choice, found, archives)
            forced = replace(options, types={**options.types, **FORCED})
            if files := [PlainFile(found[i], info, forced) for i, info in choice.metadata]:
                schema = _read_metadata(made, schema, files, threads)
            made.columns = _columns(schema)
    return made


def _without(
    files: Sequence[SourceFile], exclude: Mapping[str, str | None], excluded: list[str]
) -> Iterator[SourceFile]:
    """The files that stay; ``excluded`` is given the names of the others."""
    from store import hash_file

    for file in files:
        wanted = exclude.get(file.name)
        if file.name in exclude and (wanted is None or hash_file(file.path).digest == wanted):
            excluded.append(file.name)
        else:
            yield file


def _opened(
    files: Sequence[SourceFile], scratch: Path, archives: set[str], ignored: Counter[str]
) -> Iterator[SourceFile]:
    """The files, and those in archives in the place of these; as :func:`mldata.stages.archives.open_archives`.

    Args:
        archives: is given the archives.
        ignored: is given what was left out of them.
    """
    depth, number = 0, itertools.count()
    while files:
        inside: list[SourceFile] = []
        for file in files:
            kind = archive_kind(file) if may_be_archive(file.name, partial(_head, file)) else None
            if kind is None:
                yield file
                continue
            if depth > MOST_NESTED:
                raise too_deep(file.name)
            archives.add(file.name)
            made: dict[str, SourceFile] = {}
            for member in members(file, kind, ignored=ignored):
                name, path = f"{file.name}/{member.path}", scratch / f"member-{next(number)}"
                if member.target is not None:
                    made[member.path] = replace(made[member.target], name=name)
                    continue
                with open(path, "wb") as out:
                    out.writelines(member.data)
                made[member.path] = SourceFile(name, path, "", path.stat().st_size)
            inside += made.values()
        files, depth = inside, depth + 1


def _head(file: SourceFile) -> bytes:
    with open(file.path, "rb") as handle:
        return handle.read(HEAD_BYTES)


def _read_tables(made: Preview, files: Sequence[PlainFile], threads: int) -> None:
    made.columns = _columns(_unified(made, files, threads))
    made.rows = sum(piece.rows for file in files for piece in file.pieces)


def _unified(made: Preview, files: Sequence[PlainFile], threads: int) -> pa.Schema:
    """Read tables; the schema of all of them."""
    for file in files:
        file.read(threads)
    for file in settle(files):
        file.read(threads)
    made.rejects = sum(file.rejects for file in files)
    made.read, made.warnings = summary(files), list(doubts(files))
    return unify((file.name, file.text, piece) for file in files for piece in file.pieces)


def _read_media(
    made: Preview, choice: Choice, found: Sequence[SourceFile], archives: Collection[str]
) -> pa.Schema:
    reader = load_format(choice.files[0][1].name)
    for i, _ in choice.files:
        reader.read(found[i])
    made.rows = len(choice.files)
    return media_schema(reader, split=Folders((found[i].name for i, _ in choice.files), archives).split)


def _read_metadata(made: Preview, media: pa.Schema, files: Sequence[PlainFile], threads: int) -> pa.Schema:
    """The columns of media files with those of the metadata files."""
    made.metadata = [file.name for file in files]
    unified = _unified(made, files, threads)
    check_columns(files)
    return described_schema(media, unified, files)[0]


def _columns(schema: pa.Schema) -> list[tuple[str, str]]:
    return [(field.name, str(field.type)) for field in schema]
