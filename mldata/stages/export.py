"""Export: a table and its assignment as files for others, in one tree that is the export folder.

One action a format writes the files of all parts, so the table is read once a format. A Parquet part that is one whole
fragment already is that fragment, by its digest; media files are the objects that the table names. ``manifest.yaml``
says what everything is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from mldata.errors import BuildError, SpecError
from mldata.exports import exports, find_export, load_export
from mldata.exports.base import Compression
from mldata.stages import table_of
from mldata.stages.base import StageOutput, Work

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.assignment import Assignment
    from mldata.stages.base import Job, Outputs
    from mldata.table import Fragment, Table
    from store import Digest, TreeEntry

__all__ = ["MANIFEST", "WHOLE", "Export"]

WHOLE = "data"
"""Name of the only part of a table that is not split."""
ROW_INDEX = "row_index"
MANIFEST = "manifest.yaml"
MOST_REWRITES = 2
"""Parts written beside their last files at a time. Each holds a row group as it was, as it will be and encoded, so they bound memory."""


@dataclass(frozen=True)
class OutputFile:
    """A file of the export made from rows."""

    path: str
    format: str
    part: str
    rows: int
    digest: Digest
    size: int


class Export:
    """The export stage. Parameters: see ``Export.to_plain`` of :mod:`mldata.spec`."""

    def build(self, job: Job) -> StageOutput:
        """The export folder as a tree.

        Raises ``SpecError`` for a compression that a format lacks, ``BuildError`` for a column that a format cannot
        hold and for names that collide, or a ``store`` error.
        """
        plan = ExportPlan.of(job)
        return plan.publish(sorted(plan.files(), key=lambda file: file.path.encode()))


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

    @classmethod
    def of(cls, job: Job) -> ExportPlan:
        """Check everything that can be checked before a byte is written."""
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
        compressions = {
            name: Compression.parse(job.params["compression"], find_export(name).codecs, name)
            for name in job.params["formats"]
        }
        plan = cls(job, table, assignment, parts, _file_schema(job, table.schema), compressions)
        plan._check_columns()
        plan._check_names()
        return plan

    @property
    def row_index(self) -> str | None:
        """Name of the column of row numbers, if there is to be one."""
        return ROW_INDEX if self.job.params[ROW_INDEX] else None

    def _check_columns(self) -> None:
        for name in self.job.params["formats"]:
            unfit = load_export(name).unfit
            bad = [field for field in self.schema if unfit(field.type)]
            if bad:
                able = [other for other in exports() if self._fits(other)]
                shown = ", ".join(f"'{field.name}' ({field.type})" for field in bad[:5])
                raise BuildError(
                    f"the {name} format cannot hold column{'s'[: len(bad) > 1]} {shown}"
                    + (f" and {len(bad) - 5} more" if len(bad) > 5 else ""),
                    where=self.job.dataset,
                    hint=f"Formats that can: {', '.join(able)}. Or leave the column out (normalize: {{drop: [...]}}).",
                )

    def _fits(self, name: str) -> bool:
        unfit = load_export(name).unfit
        return not any(unfit(field.type) for field in self.schema)

    def _check_names(self) -> None:
        """No media file may have the name of a file that is written."""
        if self.table.media is None:
            return
        written = {MANIFEST: "the manifest"}
        for name in self.job.params["formats"]:
            for part in self.parts:
                written[part + find_export(name).suffix] = f"part '{part}' as {name}"
        taken = {path.casefold(): (path, what) for path, what in written.items()}
        for entry in self.job.store.tree(self.table.media):
            if entry.name.casefold() in taken:
                path, what = taken[entry.name.casefold()]
                raise BuildError(
                    f"the media file '{entry.name}' and '{path}' ({what}) would be one file in the export folder",
                    where=self.job.dataset,
                    hint="Rename the part, or the file in the source.",
                )

    def files(self) -> Iterator[OutputFile]:
        """The files of all formats: fragments where a part is one already, the others made by one action a format."""
        formats = list(self.job.params["formats"])
        linked = {
            part: (fragment.digest, fragment.size)
            for part in (self.parts if "parquet" in formats else ())
            if (fragment := self._whole_fragment(part)) is not None
        }
        todo = {
            name: [part for part in self.parts if name != "parquet" or part not in linked] for name in formats
        }
        works = {name: self._work(name, parts) for name, parts in todo.items() if parts}
        results = dict(zip(works, self.job.run(list(works.values())), strict=True))
        for name in formats:
            result = results.get(name)
            if result is not None and result.facts.get("nonfinite"):
                self.job.warn(
                    f"{name}: {result.facts['nonfinite']:,} NaN or infinite values were written as null, which is all "
                    f"that {name} has for them"
                )
            for part, rows in self.parts.items():
                output = result.outputs.get(part) if result is not None else None
                digest, size = (output.digest, output.size) if output is not None else linked[part]
                yield OutputFile(part + find_export(name).suffix, name, part, rows, digest, size)

    def _work(self, name: str, parts: Sequence[str]) -> Work:
        info, compression = find_export(name), self.compressions[name]
        fragments = self.job.store.tree(table_of(self.job.inputs)).get("fragments")
        assert fragments is not None
        # The fragments, not the table: a source file that is only renamed gives the same export.
        inputs = [("fragments", fragments.digest)]
        if self.assignment is not None:
            inputs.append(("assignment", self.job.inputs["split"]))
        params = {
            "format": name,
            "compression": str(compression),
            "parts": list(parts),
            "row_index": self.job.params[ROW_INDEX],
            "schema": self.schema.serialize().to_pybytes().hex(),
        }
        action = self.job.action(params, inputs, libraries=info.libraries)
        size = sum(fragment.size for fragment in self.table.fragments)

        def run(out: Outputs) -> Mapping[str, Any]:
            from mldata.partrows import rows_by_part

            export = load_export(name)
            sinks = {part: out.writer(part, hashes=("sha256",)) for part in parts}
            rewritten = self._rewrite(name, sinks)
            files = {
                part: export.open(sinks[part], self.schema, compression, self.job.jobs)
                for part in parts
                if part not in rewritten
            }
            names = list(self.parts)
            only = names.index(next(iter(files))) if len(files) == 1 else None
            if files:
                for number, batch in rows_by_part(
                    self.table, self.assignment, only=only, row_index=self.row_index
                ):
                    if names[number] in files:
                        files[names[number]].write(batch)
            facts: dict[str, int] = {}
            for file in files.values():
                for fact, value in file.close().items():
                    facts[fact] = facts.get(fact, 0) + value
            for sink in sinks.values():
                sink.close()
            return facts

        return Work(action, run, f"{self.job.dataset}: {name}", size)

    def _rewrite(self, name: str, sinks: Mapping[str, BinaryIO]) -> set[str]:
        """Write the parts that can take over most of their rows from the last export; which ones they were."""
        from concurrent.futures import ThreadPoolExecutor

        from mldata.exports.base import Rewriter
        from mldata.stages.kept import earlier_files, intact

        export, names = load_export(name), list(self.parts)
        if self.job.previous is None or not isinstance(export, Rewriter):
            return set()
        files = {names.index(part): part + find_export(name).suffix for part in sinks}
        earlier = earlier_files(self.job, self.table, self.assignment, files, self.row_index)

        def write(number: int) -> bool:
            file = earlier[number]
            codec = self.compressions[name]
            return intact(file) and export.rewrite(sinks[names[number]], self.schema, codec, file.earlier)

        threads = min(self.job.jobs, len(files), MOST_REWRITES)
        with ThreadPoolExecutor(threads, thread_name_prefix="parts") as pool:
            return {
                names[number] for number, done in zip(earlier, pool.map(write, earlier), strict=True) if done
            }

    def _whole_fragment(self, part: str) -> Fragment | None:
        """The fragment that holds exactly the rows of ``part`` and is what a rewrite would be, if there is one."""
        if self.job.params[ROW_INDEX]:
            return None
        for fragment, start in zip(self.table.fragments, self.table.starts, strict=False):
            if fragment.rows and fragment.rows == self.parts[part]:
                if self.assignment is not None:
                    numbers = self.assignment.part_of(start, start + fragment.rows)
                    if not (numbers == self.assignment.number(part)).all():
                        continue
                if self._conforms(fragment):
                    return fragment
        return None

    def _conforms(self, fragment: Fragment) -> bool:
        """Whether a fragment has the columns in order and the codec asked for; a level cannot be seen, so none may be."""
        wanted = self.compressions["parquet"]
        if wanted.level is not None:
            return False
        codec = {"none": "UNCOMPRESSED"}.get(wanted.codec, wanted.codec.upper())
        with self.table.open_fragment(fragment) as file:
            meta = file.metadata
            codecs = {
                meta.row_group(group).column(column).compression
                for group in range(meta.num_row_groups)
                for column in range(meta.num_columns)
            }
            return codecs <= {codec} and file.schema_arrow.equals(self.schema, check_metadata=False)

    def publish(self, files: Sequence[OutputFile]) -> StageOutput:
        """The export tree: files, media and the manifest."""
        from store import KIND_FILE, TreeEntry

        entries: list[TreeEntry] = [TreeEntry(file.path, KIND_FILE, file.digest, file.size) for file in files]
        if self.table.media is not None:
            entries += self.job.store.tree(self.table.media)
        manifest = self._manifest(files)
        entries.append(TreeEntry(MANIFEST, KIND_FILE, manifest.digest, manifest.size))
        facts = {
            "files": [
                {"path": it.path, "format": it.format, "split": it.part, "rows": it.rows, "size": it.size}
                | {"digest": it.digest}
                for it in files
            ],
            "parts": dict(self.parts),
        }
        return StageOutput(self.job.put_tree(entries), self.table.rows, facts)

    def _manifest(self, files: Sequence[OutputFile]) -> Any:
        from mldata.manifest import Manifest, ManifestField, ManifestFile, ManifestPart, manifest_text

        job, table = self.job, self.table
        ratios: Sequence[float | None] = self.assignment.ratios if self.assignment else [None]
        said = {
            "dataset": job.dataset,
            "context": job.context,
            "kind": table.kind,
            "files": [[file.path, file.format, file.part, file.rows] for file in files],
            "ratios": list(ratios),
            "schema": self.schema.serialize().to_pybytes().hex(),
        }
        inputs = [("file", file.digest) for file in files]
        if table.media is not None:
            inputs.append(("media", table.media))

        def run(out: Outputs) -> Mapping[str, Any]:
            media = list(job.store.walk(table.media)) if table.media is not None else []
            digests = [file.digest for file in files] + [entry.digest for _, entry in media]
            hashes = job.store.hashes(digests, ("sha256",))

            def sha256(digest: Digest) -> str:
                known = hashes[digest].sha256
                assert known is not None
                return known

            listed = [
                ManifestFile(it.path, it.digest, sha256(it.digest), it.size, it.format, it.part, it.rows)
                for it in files
            ]
            listed += [
                ManifestFile(path, entry.digest, sha256(entry.digest), entry.size, "media")
                for path, entry in media
            ]
            manifest = Manifest(
                mldata=job.context["mldata"],
                dataset=job.dataset,
                kind=table.kind,
                sources=tuple(job.context["sources"]),
                rows=table.rows,
                schema=tuple(ManifestField(it.name, str(it.type), it.nullable) for it in self.schema),
                parts=tuple(
                    ManifestPart(name, rows, ratio)
                    for (name, rows), ratio in zip(self.parts.items(), ratios, strict=True)
                ),
                params=job.context["params"],
                versions=job.context["versions"],
                files=tuple(listed),
            )
            out.put(MANIFEST, manifest_text(manifest).encode())
            return {}

        [result] = job.run([Work(job.action(said, inputs, libraries=()), run, f"{job.dataset}: {MANIFEST}")])
        return result.outputs[MANIFEST]


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
