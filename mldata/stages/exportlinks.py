"""Parts that are a Parquet object already: a fragment with exactly their rows is exported by its digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mldata.stages.exportplan import ROW_INDEX

if TYPE_CHECKING:
    from mldata.stages.exportplan import ExportPlan
    from mldata.table import Fragment

__all__ = ["LINKED", "whole_fragment"]

LINKED = "parquet"
"""The format of fragments."""


def whole_fragment(plan: ExportPlan, part: str) -> Fragment | None:
    """The fragment that holds exactly the rows of ``part`` and is what a rewrite would be, if there is one."""
    if plan.job.params[ROW_INDEX]:
        return None
    for fragment, start in zip(plan.table.fragments, plan.table.starts, strict=False):
        if fragment.rows and fragment.rows == plan.parts[part]:
            if plan.assignment is not None:
                numbers = plan.assignment.part_of(start, start + fragment.rows)
                if not (numbers == plan.assignment.number(part)).all():
                    continue
            if _conforms(plan, fragment):
                return fragment
    return None


def _conforms(plan: ExportPlan, fragment: Fragment) -> bool:
    """Whether a fragment has the columns in order and the codec asked for; a level cannot be seen, so none may be."""
    wanted = plan.compressions[LINKED]
    if wanted.level is not None:
        return False
    codec = {"none": "UNCOMPRESSED"}.get(wanted.codec, wanted.codec.upper())
    with plan.table.open_fragment(fragment) as file:
        meta = file.metadata
        codecs = {
            meta.row_group(group).column(column).compression
            for group in range(meta.num_row_groups)
            for column in range(meta.num_columns)
        }
        return codecs <= {codec} and file.schema_arrow.equals(plan.schema, check_metadata=False)
