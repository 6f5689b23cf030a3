"""Tables of other datasets among the sources: their fragments, as files of Parquet that normalize reads beside the others.

Of a whole table each fragment is taken as it stands. Of a part, so is a fragment that has no row of another part, one without a row
of it is left out, and every other one is filtered by an action of its own, keyed by its content and by which of its rows are meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mldata.assignment import Assignment
from mldata.errors import SourceError
from mldata.formats import formats
from mldata.formats.encode import encode_stream
from mldata.formats.typed import bare, gathered
from mldata.partrows import fragment_rows
from mldata.reference import Reference, is_reference, parse_reference
from mldata.sources.base import folder_of
from mldata.stages.base import Work
from mldata.stages.phases import fragment_of, output_name, pack
from mldata.table import Fragment, Table

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.formats import FormatInfo
    from mldata.stages.base import Job, Outputs
    from store import TreeEntry

__all__ = ["Given", "folders", "given_tables", "the_kind", "with_tables"]

BLOCK_ROWS = 1 << 22
"""Rows whose parts are looked at in one step."""

Entry = tuple[str, "TreeEntry"]


@dataclass(frozen=True)
class Given:
    """A source that is a table, or a part of one."""

    folder: str
    """Where it stands in the output of fetch."""
    reference: Reference
    table: Table
    assignment: Assignment | None
    """None: all rows are meant."""

    def fragments(self, job: Job) -> list[Fragment]:
        """Fragments with the rows that are meant, at least one; their sources name dataset and file."""
        chosen: list[Fragment | Work] = list(self.table.fragments)
        if self.assignment is not None:
            chosen = list(self._chosen(job))
        if not chosen:
            chosen.append(self._nothing(job))
        works = [(number, it) for number, it in enumerate(chosen) if isinstance(it, Work)]
        results = job.run([work for _, work in works]) if works else []
        for (number, work), result in zip(works, results, strict=True):
            facts: Any = result.facts
            chosen[number] = fragment_of(result, 0, facts["rows"], work.label)
        made = [it for it in chosen if isinstance(it, Fragment)]
        return [replace(it, source=f"{self.reference}/{_inner(it.source)}") for it in made]

    def _chosen(self, job: Job) -> Iterator[Fragment | Work]:
        """The fragments that have rows of the part, or the actions that make them."""
        import numpy as np
        from blake3 import blake3

        assert self.assignment is not None
        part = self.assignment.number(str(self.reference.part))
        for fragment, (start, stop) in zip(self.table.fragments, pairwise(self.table.starts), strict=True):
            meant, count = blake3(), 0
            for first in range(start, stop, BLOCK_ROWS):
                rows = self.assignment.part_of(first, min(first + BLOCK_ROWS, stop)) == part
                count += int(np.count_nonzero(rows))
                meant.update(np.packbits(rows).data)
            if count == fragment.rows and count:
                yield fragment
            elif count:
                yield self._select(job, fragment, start, part, meant.hexdigest())

    def _select(self, job: Job, fragment: Fragment, start: int, part: int, meant: str) -> Work:
        schema = bare(self.table.schema)

        def run(out: Outputs) -> Mapping[str, Any]:
            count = 0

            def tables() -> Iterator[pa.Table]:
                nonlocal count
                found = fragment_rows(self.table, fragment, start, self.assignment, only=part)
                for table in gathered(batch for _, batch in found):
                    count += table.num_rows
                    yield table.replace_schema_metadata(None)

            with out.writer(output_name(0)) as file:
                encode_stream(file, schema, tables())
            return {"rows": count}

        action = job.action(
            {"rows": meant, "schema": pack(schema)}, [("fragment", fragment.digest)], libraries=["pyarrow"]
        )
        return Work(action, run, fragment.source, fragment.size)

    def _nothing(self, job: Job) -> Work:
        """A fragment without rows, so that the columns are there."""
        schema = bare(self.table.schema)

        def run(out: Outputs) -> Mapping[str, Any]:
            with out.writer(output_name(0)) as file:
                encode_stream(file, schema, ())
            return {"rows": 0}

        return Work(job.action({"schema": pack(schema)}, [], libraries=["pyarrow"]), run, "no rows")


def _inner(source: str) -> str:
    """A fragment's source without the dataset that it came from itself: of a tower of datasets the uppermost one and the file are named."""
    return source.partition("//")[2].partition("/")[2] if is_reference(source) else source


def given_tables(job: Job) -> list[Given]:
    """The tables among what was fetched, in the order of the sources."""
    found = []
    for folder, text in job.params.get("datasets", {}).items():
        reference, entry = parse_reference(text), job.store.tree(job.inputs["fetch"]).get(folder)
        assert reference is not None and entry is not None
        tree = job.store.tree(entry.digest)
        table, split = tree.get("table"), tree.get("split")
        assert table is not None
        assignment = Assignment.open(job.store, split.digest) if split is not None else None
        found.append(Given(folder, reference, Table.open(job.store, table.digest), assignment))
    for it in found:
        others = [str(other.reference) for other in found if other is not it]
        twice = [text for text in others if text.startswith(f"{it.reference}#")]
        if twice:
            job.warn(f"{it.reference} has the rows of {', '.join(twice)} too, which are read twice")
    return found


def folders(job: Job) -> list[str]:
    """The folders that stand for sources; none where there is one source of files."""
    count = job.params.get("sources", 1)
    found = [folder_of(number, count) for number in range(count)] if count > 1 else []
    return found or list(job.params.get("datasets", ()))


def with_tables(
    job: Job, files: Sequence[tuple[Entry, FormatInfo]], given: Sequence[Given]
) -> list[tuple[Entry, FormatInfo]]:
    """The raw files and the fragments of tables, in the order of the sources."""
    if not given:
        return list(files)
    by_folder: dict[str, list[tuple[Entry, FormatInfo]]] = {}
    for entry, info in files:
        by_folder.setdefault(entry[0].partition("/")[0], []).append((entry, info))
    for it in given:
        by_folder[it.folder] = as_files(it.fragments(job))
    return [file for folder in folders(job) for file in by_folder.get(folder, ())]


def as_files(fragments: Sequence[Fragment]) -> list[tuple[Entry, FormatInfo]]:
    """Fragments as files of the format that they have."""
    from store import KIND_FILE, TreeEntry

    info = formats()["parquet"]
    return [((it.source, TreeEntry(it.source, KIND_FILE, it.digest, it.size)), info) for it in fragments]


def the_kind(dataset: str, files: str | None, given: Sequence[Given]) -> str:
    """``tabular``, ``images`` or ``audio``: what all sources are. ``files``: what the raw files are.

    Raises:
        SourceError: there are several kinds.
    """
    kinds = {} if files is None else {files: "the files"}
    for it in given:
        kinds.setdefault(it.table.kind, str(it.reference))
    if len(kinds) > 1:
        found = ", ".join(
            f"{'tables' if kind == 'tabular' else kind} ({where})" for kind, where in kinds.items()
        )
        raise SourceError(
            f"expected sources of one kind, found {found}", where=dataset, hint="make a dataset of each"
        )
    return next(iter(kinds))
