"""What an export reads and writes. All that can be wrong with it and needs no row to be read is found here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mldata.errors import BuildError, SpecError
from mldata.exports import exports, find_export, load_export
from mldata.exports.base import Compression
from mldata.frameworks import formats_for
from mldata.stages import table_of
from mldata.stages.base import Work

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.assignment import Assignment
    from mldata.exports.base import Classes
    from mldata.stages.base import Job, Outputs
    from mldata.table import Table
    from store import Digest

__all__ = ["MANIFEST", "ROW_INDEX", "WHOLE", "ExportPlan", "OutputFile", "fragments_of"]

WHOLE = "data"
"""Name of the only part of a table that is not split."""
ROW_INDEX = "row_index"
MANIFEST = "manifest.yaml"


@dataclass(frozen=True)
class OutputFile:
    """A file of the export that is not media."""

    path: str
    format: str
    part: str | None
    """None: the file is of all parts, as an index of them is."""
    rows: int | None
    """None: it has none."""
    digest: Digest
    size: int


@dataclass(frozen=True)
class ExportPlan:
    """What an export reads and writes."""

    job: Job
    table: Table
    assignment: Assignment | None
    parts: Mapping[str, int]
    """Rows by part."""
    schema: pa.Schema
    """Of the files: the table's, and the row index where it is asked for."""
    compressions: Mapping[str, Compression]
    """By format, in the order of the formats."""
    classes: Classes = field(default_factory=dict)
    """Of labels, if there is a format that writes them as numbers."""

    @classmethod
    def of(cls, job: Job) -> ExportPlan:
        """Read what there is to know of the table.

        Raises ``SpecError`` for a compression that a format lacks, ``BuildError`` for a split of other rows, or a ``store`` error.
        """
        from mldata.assignment import Assignment
        from mldata.table import Table

        table = Table.open(job.store, table_of(job.inputs))
        assignment = Assignment.open(job.store, job.inputs["split"]) if "split" in job.inputs else None
        if assignment is not None and assignment.rows != table.rows:
            raise BuildError(
                f"the split is of {assignment.rows:,} rows, the table has {table.rows:,}",
                where=job.dataset,
                hint="Run `mldata build --force` to make the split again.",
            )
        parts = (
            dict(zip(assignment.parts, assignment.counts, strict=True)) if assignment else {WHOLE: table.rows}
        )
        asked = job.params["compression"]
        infos = {
            name: find_export(name)
            for name in formats_for(job.params.get("framework", ()), job.params["formats"])
        }
        compressions = {
            name: Compression.of(asked, name, info.codecs, info.wrapped) for name, info in infos.items()
        }
        classes = _classes(job, table) if any(info.wants_classes for info in infos.values()) else {}
        return cls(job, table, assignment, parts, _file_schema(job, table.schema), compressions, classes)

    @property
    def formats(self) -> list[str]:
        """Names of the formats to be written."""
        return list(self.compressions)

    @property
    def row_index(self) -> str | None:
        """Name of the column of row numbers, if there is to be one."""
        return ROW_INDEX if self.job.params[ROW_INDEX] else None

    @property
    def hashes(self) -> tuple[str, ...]:
        """What the manifest tells of each file beside its digest: asked for while it is written, so that it need not be read for it."""
        return ("md5", "sha256") if self.job.params.get("md5") else ("sha256",)

    def media(self, formats: Iterable[str]) -> Digest | None:
        """The tree of the media files that are to be beside the files of some formats: none if all of these hold them themselves."""
        return None if all(find_export(name).embeds for name in formats) else self.table.media

    def unfit(self, name: str) -> BuildError | None:
        """Why a format cannot hold the columns; None if it can."""
        bad = [field for field in self.schema if load_export(name).unfit(field.type)]
        if not bad:
            return None
        able = [other for other in exports() if self._fits(other)]
        shown = ", ".join(f"'{field.name}' ({field.type})" for field in bad[:5])
        return BuildError(
            f"the {name} format cannot hold column{'s'[: len(bad) > 1]} {shown}"
            + (f" and {len(bad) - 5} more" if len(bad) > 5 else ""),
            where=self.job.dataset,
            hint=f"Formats that can: {', '.join(able)}. Or leave the column out (normalize: {{drop: [...]}}).",
        )

    def _fits(self, name: str) -> bool:
        unfit = load_export(name).unfit
        return not any(unfit(field.type) for field in self.schema)

    @property
    def shard_size(self) -> int | None:
        """Bytes that a file has, about, if parts are cut into several."""
        size: int | None = self.job.params.get("shard_size")
        return size

    def options(self, name: str) -> dict[str, Any]:
        """Those settings of a format that were set."""
        return {key: self.job.params[key] for key in find_export(name).options if key in self.job.params}

    def told(self, name: str) -> dict[str, Any]:
        """What a format's files depend on beside rows, schema and codec, as parameters of its actions: nothing for most formats."""
        info = find_export(name)
        options = self.options(name)
        return {
            **({"kind": self.table.kind} if info.embeds or info.wants_classes else {}),
            **({"options": options} if options else {}),
            **(
                {"classes": [[column, *them] for column, them in self.classes.items()]}
                if info.wants_classes
                else {}
            ),
            **({"shard_size": self.shard_size} if self.shard_size is not None else {}),
        }


def fragments_of(job: Job) -> Digest:
    """The tree of the table's fragments. (The table names source files, too: one that is only renamed gives the same export.)"""
    fragments = job.store.tree(table_of(job.inputs)).get("fragments")
    assert fragments is not None
    return fragments.digest


def _classes(job: Job, table: Table) -> Classes:
    """See :func:`mldata.labelclasses.find_classes`: an action, since columns are read for it."""
    from mldata.labelclasses import class_columns, find_classes

    def run(out: Outputs) -> Mapping[str, Any]:
        return {"classes": [[column, *them] for column, them in find_classes(table).items()]}

    action = job.action(
        {"classes": class_columns(table.schema)}, [("fragments", fragments_of(job))], libraries=()
    )
    [result] = job.run([Work(action, run, f"{job.dataset}: classes")])
    return {column: tuple(them) for column, *them in result.facts["classes"]}


def _file_schema(job: Job, schema: pa.Schema) -> pa.Schema:
    import pyarrow as pa

    if not job.params[ROW_INDEX]:
        return schema
    if ROW_INDEX in schema.names:
        raise SpecError(
            f"`row_index: true` adds a column '{ROW_INDEX}', which the table already has",
            where=job.dataset,
            hint=f"Rename it (normalize: {{rename: {{{ROW_INDEX}: other_name}}}}) or drop `row_index`.",
        )
    return schema.append(pa.field(ROW_INDEX, pa.int64(), nullable=False))
