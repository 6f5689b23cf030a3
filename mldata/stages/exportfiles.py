"""The files of rows: one action a format writes those of all parts, so the table is read once a format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from mldata.exports import find_export, load_export
from mldata.exports.base import Rewriter, Writing
from mldata.stages import table_of
from mldata.stages.base import Work
from mldata.stages.exportbeside import StoredMedia
from mldata.stages.exportlinks import LINKED, whole_fragment
from mldata.stages.exportplan import ROW_INDEX, OutputFile

if TYPE_CHECKING:
    from mldata.exports.base import ExportFile
    from mldata.stages.base import Outputs
    from mldata.stages.exportplan import ExportPlan
    from store import Digest

__all__ = ["write_files"]

MOST_REWRITES = 2
"""Parts written beside their last files at a time. Each holds a row group as it was, as it will be and encoded, so they bound memory."""


def write_files(plan: ExportPlan) -> Iterator[OutputFile]:
    """The files of all formats: fragments where a part is one already, the others made by one action a format."""
    linked = {
        part: (fragment.digest, fragment.size)
        for part in (plan.parts if LINKED in plan.formats else ())
        if (fragment := whole_fragment(plan, part)) is not None
    }
    todo = {
        name: [part for part in plan.parts if name != LINKED or part not in linked] for name in plan.formats
    }
    works = {name: _work(plan, name, parts) for name, parts in todo.items() if parts}
    results = dict(zip(works, plan.job.run(list(works.values())), strict=True))
    for name in plan.formats:
        result = results.get(name)
        if result is not None and result.facts.get("nonfinite"):
            plan.job.warn(
                f"{name}: {result.facts['nonfinite']:,} NaN or infinite values were written as null, which is all "
                f"that {name} has for them"
            )
        for part, rows in plan.parts.items():
            output = result.outputs.get(part) if result is not None else None
            digest, size = (output.digest, output.size) if output is not None else linked[part]
            yield OutputFile(find_export(name).file_path(part), name, part, rows, digest, size)


def _work(plan: ExportPlan, name: str, parts: Sequence[str]) -> Work:
    job, info = plan.job, find_export(name)
    fragments = job.store.tree(table_of(job.inputs)).get("fragments")
    assert fragments is not None
    # The fragments, not the table: a source file that is only renamed gives the same export.
    inputs: list[tuple[str, Digest]] = [("fragments", fragments.digest)]
    if plan.assignment is not None:
        inputs.append(("assignment", job.inputs["split"]))
    if info.embeds and plan.table.media is not None:
        inputs.append(("media", plan.table.media))
    params = {
        "format": name,
        "compression": str(plan.compressions[name]),
        "parts": list(parts),
        "row_index": job.params[ROW_INDEX],
        "schema": plan.schema.serialize().to_pybytes().hex(),
        **plan.told(name),
    }
    action = job.action(params, inputs, libraries=info.libraries)
    size = sum(fragment.size for fragment in plan.table.fragments)

    def run(out: Outputs) -> Mapping[str, Any]:
        from mldata.partrows import rows_by_part

        sinks = {part: out.writer(part, hashes=plan.hashes) for part in parts}
        rewritten = _rewrite(plan, name, sinks)
        files = {part: _open(plan, name, part, sinks[part]) for part in parts if part not in rewritten}
        names = list(plan.parts)
        only = names.index(next(iter(files))) if len(files) == 1 else None
        if files:
            for number, batch in rows_by_part(
                plan.table, plan.assignment, only=only, row_index=plan.row_index
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

    return Work(action, run, f"{job.dataset}: {name}", size)


def _open(plan: ExportPlan, name: str, part: str, sink: BinaryIO) -> ExportFile:
    info, codec = find_export(name), plan.compressions[name]
    if not info.told:
        return load_export(name).open(sink, plan.schema, codec, plan.job.jobs)
    export: Any = load_export(name)  # a Told, which is an ExportFormat but for ``writing``
    media = StoredMedia(plan.job.store, plan.table.media) if plan.table.media is not None else None
    writing = Writing(
        part,
        plan.table.kind,
        media if info.embeds else None,
        plan.told(name).get("options", {}),
        plan.classes if info.wants_classes else {},
    )
    file: ExportFile = export.open(sink, plan.schema, codec, plan.job.jobs, writing=writing)
    return file


def _rewrite(plan: ExportPlan, name: str, sinks: Mapping[str, BinaryIO]) -> set[str]:
    """Write the parts that can take over most of their rows from the last export; which ones they were."""
    from concurrent.futures import ThreadPoolExecutor

    from mldata.stages.kept import earlier_files, intact

    export, names = load_export(name), list(plan.parts)
    if plan.job.previous is None or not isinstance(export, Rewriter):
        return set()
    files = {names.index(part): find_export(name).file_path(part) for part in sinks}
    earlier = earlier_files(plan.job, plan.table, plan.assignment, files, plan.row_index)

    def write(number: int) -> bool:
        file = earlier[number]
        codec = plan.compressions[name]
        return intact(file) and export.rewrite(sinks[names[number]], plan.schema, codec, file.earlier)

    threads = min(plan.job.jobs, len(files), MOST_REWRITES)
    with ThreadPoolExecutor(threads, thread_name_prefix="parts") as pool:
        return {names[number] for number, done in zip(earlier, pool.map(write, earlier), strict=True) if done}
