"""Transform: a table in, another out, by built-in steps and by the user's functions.

Steps run in order. Neighbours that look at one fragment at a time are one action a fragment; a step that needs the whole table is one action
over all of them. Actions with a function run in a process of their own (:mod:`mldata.userprocess`) and are keyed by the digests of the
code that the function may run (:mod:`mldata.usercode`); built-in steps run here.

Every fragment gives one fragment, in order, also an empty one. Dedupe and sample keep the fragments' borders; sort, and functions over the
whole table, cut it anew by rows and bytes. Fragments that a function gives other types are brought to one schema by the rules of
normalize, without loss, or that is an error which names both. A table of media keeps the files that its rows still name.

Facts: rows into and out of every step, so that no row is lost unsaid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.errors import BuildError, DataError
from mldata.formats.base import Piece
from mldata.formats.typed import bare
from mldata.formats.unify import same, unify
from mldata.stages.base import StageOutput
from mldata.stages.builtin import check_first, conforming, fragment_work, run_whole
from mldata.stages.functions import Functions
from mldata.stages.mediafiles import kept
from mldata.stages.phases import Phase, Rows, fragment_of, phases, unpack
from mldata.stepflow import bind_steps
from mldata.table import Fragment, Table, write_table

if TYPE_CHECKING:
    from mldata.stages.base import Job
    from mldata.usercode import Code
    from mldata.userrequest import Limits
    from store import ActionResult, ObjectId

__all__ = ["Transform"]

Step = Mapping[str, Any]


class Transform:
    """The transform stage. Parameters: ``steps`` as :mod:`mldata.specsteps` gives them.

    Args:
        code: what the functions of the steps may run.
        limits: of each step.
        scratch: a folder of which nothing else is kept; processes get folders in it.
        root: the project's folder, from which nothing is read.
    """

    def __init__(self, code: Code, limits: Sequence[Limits], scratch: Path, root: Path) -> None:
        self._limits = limits
        self._functions = Functions(code, scratch, root)

    def build(self, job: Job) -> StageOutput:
        """Raises ``SpecError`` (a step does not fit the table), ``DataError`` (a value does not), ``UserCodeError``."""
        table = Table.open(job.store, job.inputs["normalize"])
        rows = Rows(bare(table.schema), list(table.fragments))
        parts = list(phases(job.params["steps"], self._limits))
        check_first(parts, rows.schema)
        counts = [table.rows]
        with self._functions:
            for phase in parts:
                rows = self._run(job, phase, rows, counts)
        media = _media(job, table, rows)
        output = write_table(
            kind=table.kind,
            schema=rows.schema,
            fragments=rows.fragments,
            media=media,
            put=job.put,
            put_tree=job.put_tree,
        )
        steps = [
            {"step": _title(step), "rows_in": counts[n], "rows_out": counts[n + 1]}
            for n, step in enumerate(job.params["steps"])
        ]
        facts = {
            "fragments": len(rows.fragments),
            "columns": len(rows.schema),
            "rows_in": counts[0],
            "rows_out": counts[-1],
            "steps": steps,
        }
        return StageOutput(output, counts[-1], facts)

    def _run(self, job: Job, phase: Phase, rows: Rows, counts: list[int]) -> Rows:
        if phase.whole:
            made = self._functions.whole(job, phase, rows) if phase.functions else run_whole(job, phase, rows)
            counts.append(made.total)
            return made
        works = [
            self._functions.work(job, phase, rows.schema, fragment)
            if phase.functions
            else fragment_work(job, phase, rows.schema, fragment)
            for fragment in rows.fragments
        ]
        results = job.run(works)
        told = [result.facts["rows"] for result in results]
        counts += [sum(column) for column in zip(*told, strict=True)][1:] if told else [0] * len(phase.steps)
        fragments = [
            fragment_of(result, 0, fact[-1], fragment.source)
            for result, fact, fragment in zip(results, told, rows.fragments, strict=True)
        ]
        if not phase.functions or not results:
            return Rows(bind_steps(phase.steps, rows.schema, phase.first).schema, fragments)
        return _unified(job, phase, results, fragments)


def _title(step: Step) -> str:
    if step["step"] == "function":
        return str(step["function"])
    return f"filter {step['expression']}" if step["step"] == "filter" else str(step["step"])


def _unified(job: Job, phase: Phase, results: Sequence[ActionResult], fragments: list[Fragment]) -> Rows:
    """Fragments that functions made, under one schema; those that have another are written again."""
    schemas = []
    for result in results:
        facts: Any = result.facts
        schemas.append((unpack(facts["schema"]), facts["wide"]))
    pieces = [
        (fragment.source, False, Piece(fragment.rows, (0, 0), schema, tuple(schema.names), frozenset(wide)))
        for fragment, (schema, wide) in zip(fragments, schemas, strict=True)
    ]
    try:
        schema = unify(pieces)
    except DataError as error:
        raise BuildError(
            error.message,
            where=f"transform, {phase.functions[-1]}",
            hint="have the function give the column one type, whatever the fragment holds: cast it",
        ) from None
    again = [n for n, (own, _) in enumerate(schemas) if not same(own, schema)]
    works = [conforming(job, fragments[n], schemas[n][0], schema) for n in again]
    for number, result in zip(again, job.run(works) if works else [], strict=True):
        fragments[number] = fragment_of(result, 0, fragments[number].rows, fragments[number].source)
    return Rows(schema, fragments)


def _media(job: Job, table: Table, rows: Rows) -> ObjectId | None:
    """The media files that rows still name, as a tree. Raises ``BuildError`` for a row that names none."""
    if table.media is None:
        return None
    files = dict(job.store.walk(table.media))
    return kept(job, files, rows.schema, rows.fragments, "transform")
