"""Joins metadata to a table of media files, so that an edited line costs as little as an edited file does.

Two kinds of actions. The first, one a fragment of metadata, finds the file that each row is about, and cuts the rows into one slice for each
group of media files that they are about. The second, one a group, puts the slices beside what the headers of the files said. It is keyed by
these contents alone: with one changed line, one metadata file is read and cut again, one group is put together again, and no picture is opened.

Memory: the names of all files, and of metadata a batch (:data:`BATCH_BYTES`) or what one group has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mldata.errors import DataError, Where
from mldata.formats.choose import some
from mldata.formats.encode import encode
from mldata.stages.base import Work
from mldata.stages.metadata import FILE_NAME, REPLACED, Metadata, NotThere, Scope, described_schema
from mldata.stages.phases import pack
from mldata.table import BATCH_BYTES, Fragment, bounded_rows, conform

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from mldata.stages.base import Job, Outputs
    from mldata.stages.reading import File
    from store import Digest

__all__ = ["Described", "describe"]

BATCH_ROWS = 1 << 20
"""More than a fragment made of text has, so that a batch hardly ever ends elsewhere because of a line before."""
FRAGMENT = "fragment"


@dataclass(frozen=True)
class Described:
    """A table of media with its metadata."""

    schema: pa.Schema
    fragments: list[Fragment]
    facts: dict[str, Any]


@dataclass(frozen=True)
class Slice:
    """Rows of metadata about the files of one group."""

    digest: Digest
    file: File
    scope: Scope


def describe(
    job: Job,
    metadata: Metadata,
    names: Sequence[str],
    fragments: Sequence[Fragment],
    media: pa.Schema,
    archives: Collection[str] = (),
    excluded: Sequence[str] = (),
) -> Described:
    """Join ``metadata`` to ``fragments``, each of which is a group of the media files ``names`` (sorted) under the schema ``media``.

    Args:
        excluded: files whose rows are left out as they are (sorted).

    Raises:
        DataError: a row names no file, or one that another row names; with file and line.
    """
    schema, places = described_schema(media, metadata.schema, metadata.files)
    if renamed := {name: new for name, new in places.items() if name != new}:
        job.warn(
            f"metadata columns whose names the table has of its own: {', '.join(f'{a} is called {b}' for a, b in renamed.items())}; "
            "`rename` or `drop` under normalize decide otherwise"
        )
    starts = [0, *accumulate(fragment.rows for fragment in fragments[:-1])]
    scopes = [(file, Scope(names, starts, file.name, archives, excluded=excluded)) for file in metadata.files]
    slices = _cut(job, metadata.schema, scopes, len(fragments))
    joins = [
        _join_work(job, fragment, [it.digest for it in own], metadata.schema, media, schema, places)
        for fragment, own in zip(fragments, slices, strict=True)
    ]
    results = job.run(joins)
    facts: list[Any] = [result.facts for result in results]
    for fact, own in zip(facts, slices, strict=True):
        if fact["twice"] is not None:
            raise _twice(job, fact["twice"], own, metadata.schema)
    made = [
        Fragment(result.outputs[FRAGMENT].digest, result.outputs[FRAGMENT].size, old.rows, old.source)
        for old, result in zip(fragments, results, strict=True)
    ]
    bare = sum(fact["bare"] for fact in facts)
    told: dict[str, Any] = {"files": len(metadata.files), "columns": len(places)}
    if given := [name for name in REPLACED if name in places]:
        told["instead"] = given
    if bare:
        told["without"] = bare
        first = next(name for fact in facts for name in fact["first"])
        null = f"; their metadata columns ({some(list(places.values()))}) are null" if places else ""
        more = f" and {bare - 1:,} more" if bare > 1 else ""
        job.warn(f"{bare:,} of {len(names):,} files have no row of metadata{null}: {first}{more}")
    return Described(schema, made, told)


# -- cutting ---------------------------------------------------------------------------------------------------------


def _cut(job: Job, schema: pa.Schema, scopes: Sequence[tuple[File, Scope]], groups: int) -> list[list[Slice]]:
    """The slices of each group, in the order of the metadata files."""
    places = [
        (file, scope, piece, fragment)
        for file, scope in scopes
        for piece, fragment in enumerate(file.fragments)
    ]
    works, packed = [], pack(schema)
    for file, scope, _, fragment in places:
        params = {
            "metadata": "cut",
            "folder": scope.prefix,
            "files": scope.digest,
            "schema": packed,
            **scope.params,
        }
        action = job.action(params, [(FRAGMENT, fragment.digest)], libraries=["pyarrow"])
        run = partial(_cut_one, job, schema, scope, fragment)
        works.append(Work(action, run, file.name, fragment.size))
    made: list[list[Slice]] = [[] for _ in range(groups)]
    for (file, scope, piece, _), result in zip(places, job.run(works), strict=True):
        facts: Any = result.facts
        if facts["bad"]:
            raise _not_there(file, piece, facts["bad"])
        for name, output in sorted(result.outputs.items()):
            group = scope.first_group + int(name.partition("-")[2])
            made[group].append(Slice(output.digest, file, scope))
    return made


def _cut_one(
    job: Job, schema: pa.Schema, scope: Scope, fragment: Fragment, out: Outputs
) -> Mapping[str, Any]:
    """Facts: rows that name no file, which are no error here since where they stand is not known here."""
    first, bad = 0, dict[str, Any]()
    for number, batch in enumerate(_batches(job, fragment.digest, schema)):
        found = []
        for row, text in enumerate(batch.column(FILE_NAME).to_pylist(), first):
            try:
                found.append(scope.look(text))
            except NotThere as why:
                bad = bad or {
                    "row": row,
                    "found": why.found,
                    "hint": why.hint or scope.hint(text),
                    "more": -1,
                }
                bad["more"] += 1
        first += batch.num_rows
        if not bad:
            batch = batch.filter(pa.array([at is not None for at in found], pa.bool_()))
            files = np.array([at for at in found if at is not None], np.int64)
            for group, rows in _by_group(batch, files, scope):
                out.put(f"{number:05d}-{group:06d}", encode(rows).to_pybytes())
    return {"rows": first, "bad": bad}


def _by_group(
    batch: pa.RecordBatch, found: NDArray[np.int64], scope: Scope
) -> Iterator[tuple[int, pa.Table]]:
    """The rows about the files of each group, with the whole path as their file_name. ``found``: the file of each row."""
    # In the order of the files: to move a line in a metadata file changes nothing.
    order = np.argsort(found, kind="stable")
    files = found[order]
    field = batch.schema.field(FILE_NAME)
    names = pa.array([scope.names[i] for i in files], field.type)
    rows = pa.Table.from_batches([batch.take(pa.array(order))])
    rows = rows.set_column(rows.schema.get_field_index(FILE_NAME), field, names)
    groups = np.searchsorted(np.array(scope.cuts, np.int64), files, "right")
    edges = [0, *(np.flatnonzero(np.diff(groups)) + 1).tolist(), len(groups)]
    for start, stop in pairwise(edges):
        if start < stop:
            yield int(groups[start]), rows.slice(start, stop - start)


def _batches(job: Job, digest: Digest, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(job.store.path(digest), pre_buffer=False, buffer_size=1 << 20) as file:
        rows = bounded_rows(file.metadata, BATCH_ROWS, BATCH_BYTES)
        for batch in file.iter_batches(rows, columns=schema.names, use_threads=False):
            yield conform(batch, schema)


def _not_there(file: File, piece: int, bad: Mapping[str, Any]) -> DataError:
    where, more = file.place(piece, bad["row"]), bad["more"]
    expected = "expected one of the files that are read here"
    others = f"; {more:,} more row{'s'[: more != 1]} likewise" if more else ""
    return DataError(
        f"{FILE_NAME}: {expected}, found {bad['found']}{_row(where, bad['row'])}{others}",
        where=where,
        hint=bad["hint"],
    )


def _row(where: Where, row: int) -> str:
    """The row for a message, if the place does not tell its line."""
    return f" (row {row + 1:,})" if where.line is None else ""


# -- joining ---------------------------------------------------------------------------------------------------------


def _join_work(
    job: Job,
    fragment: Fragment,
    slices: Sequence[Digest],
    metadata: pa.Schema,
    media: pa.Schema,
    schema: pa.Schema,
    places: Mapping[str, str],
) -> Work:
    def run(out: Outputs) -> Mapping[str, Any]:
        """Facts: files without a row, and one with two, which is no error here since where these stand is not known here."""
        files, rows = _whole(job, [fragment.digest], media), _whole(job, slices, metadata)
        row_of: dict[str, int] = {}
        for row, path in enumerate(rows.column(FILE_NAME).to_pylist()):
            if path in row_of:
                return {"twice": path}
            row_of[path] = row
        paths = files.column("path").to_pylist()
        taken = rows.take(pa.array([row_of.get(path) for path in paths], pa.int64()))
        columns = {name: files.column(name) for name in media.names}
        columns |= {new: taken.column(name) for name, new in places.items()}
        with out.writer(FRAGMENT) as sink:
            sink.write(encode(pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)))
        bare = [path for path in paths if path not in row_of]
        return {"twice": None, "bare": len(bare), "first": bare[:1]}

    inputs = [(FRAGMENT, fragment.digest)]
    inputs += [(f"rows-{number:05d}", digest) for number, digest in enumerate(slices)]
    params = {"metadata": "join", "schema": pack(metadata)}
    action = job.action(params, inputs, libraries=["pyarrow"])
    return Work(action, run, fragment.source, fragment.size)


def _whole(job: Job, digests: Sequence[Digest], schema: pa.Schema) -> pa.Table:
    """All rows of some Parquet objects, each column in one piece with one dictionary."""
    batches = [batch for digest in digests for batch in _batches(job, digest, schema)]
    return pa.Table.from_batches(batches, schema=schema).unify_dictionaries().combine_chunks()


def _twice(job: Job, path: str, slices: Sequence[Slice], schema: pa.Schema) -> DataError:
    """The error for a file that two rows name: where both are."""
    found = []
    for file, scope in {each.file.name: (each.file, each.scope) for each in slices}.values():
        only = pa.schema([schema.field(FILE_NAME)])
        for piece, fragment in enumerate(file.fragments):
            row = 0
            for batch in _batches(job, fragment.digest, only):
                for text in batch.column(0).to_pylist():
                    if (at := scope.look(text)) is not None and scope.names[at] == path:
                        found.append((file.place(piece, row), row))
                    row += 1
    first, second = found[:2]
    return DataError(
        f"{FILE_NAME}: expected each file once, found {path!r} here{_row(*second)} and at {first[0]}{_row(*first)}",
        where=second[0],
        hint="make one row of the two (JSON Lines can hold lists), or leave one of the metadata files out of the source",
    )
