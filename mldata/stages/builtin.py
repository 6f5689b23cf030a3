"""The actions of a transform's built-in steps, which run in this process: over a fragment, or over the whole table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mldata.casting import cast
from mldata.errors import DataError, MldataError
from mldata.stages.base import Work
from mldata.stages.phases import Phase, Rows, cut_fragments, output_name, pack
from mldata.stepflow import bind_steps, located, read_fragment, write_cut, write_whole
from mldata.tablesteps import TableRows, check_table_step, kept_rows, sorted_rows

if TYPE_CHECKING:
    from mldata.rowsteps import Batches
    from mldata.stages.base import Job, Outputs
    from mldata.table import Fragment

__all__ = ["check_first", "conforming", "fragment_work", "run_whole"]

Step = Mapping[str, Any]


def check_first(phases: Sequence[Phase], schema: pa.Schema) -> None:
    """Raise for what can be known before anything runs: steps before the first function that do not fit."""
    for phase in phases:
        for number, step in enumerate(phase.steps, phase.first):
            if step["step"] == "function":
                return
            if phase.whole:
                check_whole(step, schema, number)
            else:
                schema = bind_steps([step], schema, number).schema


def check_whole(step: Step, schema: pa.Schema, number: int) -> None:
    """Raise ``SpecError`` when a built-in step over the whole table does not fit ``schema``."""
    try:
        check_table_step(step, schema)
    except MldataError as error:
        raise located(error, number, step) from None


def fragment_work(job: Job, phase: Phase, schema: pa.Schema, fragment: Fragment) -> Work:
    """The action of built-in steps over one fragment."""

    def run(out: Outputs) -> Mapping[str, Any]:
        flow = bind_steps(phase.steps, schema, phase.first)
        try:
            batches = read_fragment(str(job.store.path(fragment.digest)), schema)
            write_whole(out.writer(output_name(0)), flow.schema, flow.run(batches))
        except DataError as error:
            error.message += f" (in {fragment.source})"
            raise
        return {"rows": flow.rows}

    action = job.action({**phase.params, "schema": pack(schema)}, [("fragment", fragment.digest)])
    return Work(action, run, fragment.source, fragment.size)


def run_whole(job: Job, phase: Phase, rows: Rows) -> Rows:
    """A built-in step over the whole table."""
    [step] = phase.steps
    check_whole(step, rows.schema, phase.first)

    def run(out: Outputs) -> Mapping[str, Any]:
        paths = [str(job.store.path(fragment.digest)) for fragment in rows.fragments]
        table = TableRows(paths, [fragment.rows for fragment in rows.fragments], rows.schema)
        if step["step"] == "sort":
            made = write_cut(lambda n: out.writer(output_name(n)), rows.schema, sorted_rows(step, table))
            return {"rows": made}
        kept = []
        for number, mask in enumerate(kept_rows(step, table)):
            if mask is not None:
                batches = _filtered(table.fragment(number), mask)
                write_whole(out.writer(output_name(number)), rows.schema, batches)
            kept.append(rows.fragments[number].rows if mask is None else int(mask.sum()))
        return {"rows": kept}

    action = job.action({**phase.params, "schema": pack(rows.schema)}, rows.inputs)
    [result] = job.run([Work(action, run, f"{job.dataset}: {step['step']}", rows.size)])
    return Rows(rows.schema, cut_fragments(result, phase, rows if step["step"] != "sort" else None))


def _filtered(batches: Batches, mask: Any) -> Batches:
    start = 0
    for batch in batches:
        yield batch.filter(pa.array(mask[start : start + batch.num_rows]))
        start += batch.num_rows


def conforming(job: Job, fragment: Fragment, own: pa.Schema, schema: pa.Schema) -> Work:
    """The action that brings a fragment from its ``own`` schema to ``schema``, of which each column holds every value of its own."""

    def run(out: Outputs) -> Mapping[str, Any]:
        def under_schema() -> Batches:
            for batch in read_fragment(str(job.store.path(fragment.digest)), own):
                columns = [
                    cast(batch.column(each.name), each.type)
                    if each.name in own.names
                    else pa.nulls(batch.num_rows, each.type)
                    for each in schema
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

        write_whole(out.writer(output_name(0)), schema, under_schema())
        return {}

    action = job.action({"conform": pack(schema), "schema": pack(own)}, [("fragment", fragment.digest)])
    return Work(action, run, fragment.source, fragment.size)
