"""The files of rows: an action a format, and one pass over the table for all that have to be written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mldata.exports import find_export
from mldata.stages.base import Work
from mldata.stages.exportlane import shard_output
from mldata.stages.exportlinks import LINKED, whole_fragment
from mldata.stages.exportpass import OnePass
from mldata.stages.exportplan import ROW_INDEX, OutputFile, fragments_of
from mldata.stages.exportroom import check_room

if TYPE_CHECKING:
    from mldata.stages.base import Outputs
    from mldata.stages.exportplan import ExportPlan
    from mldata.table import Fragment
    from store import ActionResult, Digest

__all__ = ["write_files"]


def write_files(plan: ExportPlan, formats: Sequence[str]) -> tuple[list[OutputFile], dict[str, Exception]]:
    """The files of some formats: fragments where a part is one already, the others written; and why formats failed."""
    linked = {part: it for part in plan.parts if (it := _linked(plan, part))} if LINKED in formats else {}
    todo = {name: [part for part in plan.parts if name != LINKED or part not in linked] for name in formats}
    every = OnePass(plan, {name: parts for name, parts in todo.items() if parts})
    works = {name: _work(every, name) for name in every.parts}
    known = plan.job.store.actions.get_many([work.action.key for work in works.values()])
    check_room(plan, (name for name, work in works.items() if work.action.key not in known))
    results = dict(zip(works, plan.job.attempt(list(works.values())), strict=True)) if works else {}
    files: list[OutputFile] = []
    for name in formats:
        result = results.get(name)
        if not isinstance(result, Exception):
            files += _files(plan, name, result, linked)
    return files, {name: it for name, it in results.items() if isinstance(it, Exception)}


def _linked(plan: ExportPlan, part: str) -> Fragment | None:
    fragment = whole_fragment(plan, part)
    if fragment is not None and plan.shard_size is not None and fragment.size > plan.shard_size:
        return None
    return fragment


@dataclass(frozen=True)
class _Alone:
    """The function of an action that is performed by itself."""

    every: OnePass
    name: str

    def __call__(self, out: Outputs) -> Mapping[str, Any]:
        made = self.every.run({self.name: out})[self.name]
        if isinstance(made, Exception):
            raise made
        return made


def _work(every: OnePass, name: str) -> Work:
    plan, info = every.plan, find_export(name)
    job = plan.job
    inputs: list[tuple[str, Digest]] = [("fragments", fragments_of(job))]
    if plan.assignment is not None:
        inputs.append(("assignment", job.inputs["split"]))
    if info.embeds and plan.table.media is not None:
        inputs.append(("media", plan.table.media))
    params = {
        "format": name,
        "compression": str(plan.compressions[name]),
        "parts": every.parts[name],
        "row_index": job.params[ROW_INDEX],
        "schema": plan.schema.serialize().to_pybytes().hex(),
        **plan.told(name),
    }
    action = job.action(params, inputs, libraries=info.libraries)
    size = sum(fragment.size for fragment in plan.table.fragments)
    return Work(action, _Alone(every, name), f"{job.dataset}: {name}", size, together=every, member=name)


def _files(
    plan: ExportPlan, name: str, result: ActionResult | None, linked: Mapping[str, Fragment]
) -> Iterator[OutputFile]:
    """The files of one format; ``result`` None: all are linked."""
    info, cut = find_export(name), plan.shard_size is not None
    if result is not None and result.facts.get("nonfinite"):
        plan.job.warn(
            f"{name}: {result.facts['nonfinite']:,} NaN or infinite values were written as null, which is all "
            f"that {name} has for them"
        )
    if result is not None and result.facts.get("overflows"):
        plan.job.warn(
            f"{name}: {result.facts['overflows']:,} numbers are too large for float32 and were written as infinite; "
            f"`exact_floats: true` below `export:` keeps them, as bytes"
        )
    for part, total in plan.parts.items():
        if name == LINKED and part in linked:
            path = info.file_path(part, 0, 1 if cut else None)
            yield OutputFile(path, name, part, total, linked[part].digest, linked[part].size)
            continue
        assert result is not None
        shards = result.facts["shards"][part] if cut else [total]
        for number, rows in enumerate(shards):
            made = result.outputs[shard_output(part, number) if cut else part]
            path = info.file_path(part, number, len(shards) if cut else None)
            yield OutputFile(path, name, part, rows, made.digest, made.size)
