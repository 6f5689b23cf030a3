"""One format in a pass over a table: its files, from the first batch to the facts of its action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from mldata.exports import find_export, load_export
from mldata.exports.base import Rewriter, Writing
from mldata.stages.exportbeside import StoredMedia
from mldata.stages.exportshards import PartFiles
from store import ObjectId

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.exports.base import ExportFile
    from mldata.stages.base import Outputs
    from mldata.stages.exportplan import ExportPlan
    from mldata.stages.kept import Stored

__all__ = ["Lane", "shard_output"]

MOST_REWRITES = 2
"""Parts written beside their last files at a time. Each holds a row group as it was, as it will be and encoded, so they bound memory."""


class Lane:
    """Writes the files of one format.

    Args:
        parts: those to be written.
        threads: that a file may use.
    """

    def __init__(self, plan: ExportPlan, name: str, parts: list[str], out: Outputs, threads: int) -> None:
        self.name = name
        self.facts: Mapping[str, Any] = {}
        self.error: Exception | None = None
        """Why it failed."""
        self._plan = plan
        self._parts = parts
        self._out = out
        self._threads = threads
        self._files: dict[str, PartFiles] = {}
        self._rows = 0
        self._earlier = self._find_earlier()

    def passing(self) -> list[str]:
        """The parts whose rows it wants from the pass; others are written beside their earlier files."""
        return [part for part in self._parts if part not in self._earlier]

    def run(self, rows: Iterable[tuple[str, pa.RecordBatch]]) -> None:
        """Write all files; sets :attr:`facts` or :attr:`error`. ``rows``: batches of the parts that it wants, with their parts."""
        view = self._plan.job.writing()
        view.begin(self.name)
        try:
            passing = self.passing()
            for part in passing:
                self._files[part] = self._part_files(part)
            for part, batch in rows if passing else ():
                self._files[part].write(batch)
                self._rows += batch.num_rows
                view.move(self.name, self._rows, self._size())
            for files in self._files.values():
                files.close()
            rewritten = self._rewrite()
            self.facts = self._told()
            for files in self._files.values():
                files.seal()
            for sink in rewritten:
                sink.close()
        except Exception as error:
            self.error = error
            for files in self._files.values():
                files.abandon()
        finally:
            view.move(self.name, self._rows, self._size())
            view.end(self.name, failed=self.error is not None)

    def _size(self) -> int:
        return sum(files.size for files in self._files.values())

    def _part_files(self, part: str) -> PartFiles:
        limit = self._plan.shard_size

        def sink(number: int) -> BinaryIO:
            name = part if limit is None else shard_output(part, number)
            return self._out.writer(name, hashes=self._plan.hashes)

        return PartFiles(sink, partial(self._open, part), limit)

    def _open(self, part: str, sink: BinaryIO, begin: int) -> ExportFile:
        return open_file(self._plan, self.name, part, sink, begin, self._threads)

    def _told(self) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        for files in self._files.values():
            for fact, value in files.facts.items():
                facts[fact] = facts.get(fact, 0) + value
        if self._plan.shard_size is not None:
            facts["shards"] = {part: files.rows for part, files in self._files.items()}
        return facts

    # -- beside earlier files ------------------------------------------------------------------------------------------

    def _find_earlier(self) -> dict[str, Stored]:
        """The parts that can take over most of their rows from the last export, with their files there."""
        from mldata.stages.kept import earlier_files

        plan, names = self._plan, list(self._plan.parts)
        if plan.job.previous is None or plan.shard_size is not None or not find_export(self.name).rewrites:
            return {}
        files = {names.index(part): find_export(self.name).file_path(part) for part in self._parts}
        found = earlier_files(plan.job, plan.table, plan.assignment, files, plan.row_index)
        return {names[number]: file for number, file in found.items()}

    def _rewrite(self) -> list[BinaryIO]:
        """Write the parts that have an earlier file. The sinks of those that took over from it are left open."""
        from concurrent.futures import ThreadPoolExecutor

        if not self._earlier:
            return []
        threads = min(self._plan.job.jobs, len(self._earlier), MOST_REWRITES)
        with ThreadPoolExecutor(threads, thread_name_prefix="parts") as pool:
            return [sink for sink in pool.map(self._rewrite_part, self._earlier) if sink is not None]

    def _rewrite_part(self, part: str) -> BinaryIO | None:
        """Write a part beside its earlier file, or if that is of no use, from its rows."""
        from mldata.partrows import rows_by_part
        from mldata.stages.kept import intact

        plan, file, export = self._plan, self._earlier[part], load_export(self.name)
        assert isinstance(export, Rewriter)
        codec = plan.compressions[self.name]
        whole = intact(plan.job.store, file)
        if whole and file.same and self._out.reuse(part, ObjectId(file.digest, file.size)):
            return None
        # What is copied is soon read; most of the time goes into its digests, and of two parts one ends long before the other.
        sink = self._out.writer(part, hashes=plan.hashes, threads=min(plan.job.jobs, 2))
        if whole and export.rewrite(sink, plan.schema, codec, file.earlier):
            return sink
        files = PartFiles(lambda _: sink, partial(self._open, part), None)
        number = list(plan.parts).index(part)
        for _, batch in rows_by_part(plan.table, plan.assignment, only=number, row_index=plan.row_index):
            self._out.checkpoint()
            files.write(batch)
        files.close()
        self._files[part] = files
        return None


def open_file(
    plan: ExportPlan, name: str, part: str, sink: BinaryIO, begin: int = 0, threads: int = 1
) -> ExportFile:
    """Start a file of a format; its first row is number ``begin`` of the part."""
    info, codec = find_export(name), plan.compressions[name]
    if not info.told:
        return load_export(name).open(sink, plan.schema, codec, threads)
    export: Any = load_export(name)  # a Told, which is an ExportFormat but for ``writing``
    media = StoredMedia(plan.job.store, plan.table.media) if plan.table.media is not None else None
    writing = Writing(
        part,
        plan.table.kind,
        media if info.embeds else None,
        plan.options(name),
        plan.classes if info.wants_classes else {},
        begin,
    )
    file: ExportFile = export.open(sink, plan.schema, codec, threads, writing=writing)
    return file


def shard_output(part: str, number: int) -> str:
    """The output of an action that is file ``number`` of a part."""
    return f"{part}/{number:05d}"
