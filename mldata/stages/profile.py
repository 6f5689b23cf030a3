"""Profile: what is in a table, and in each of its parts, read once and kept as summaries.

Output: a tree of ``whole`` and, where they were asked for, ``parts`` with one file a part (``00000000``, ...): each the bytes of a
:class:`mldata.profile.summary.TableSummary`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from mldata.profile.summarize import summarize
from mldata.profile.summary import TableSummary
from mldata.stages import table_of
from mldata.stages.base import StageOutput
from mldata.table import Table

if TYPE_CHECKING:
    from mldata.stages.base import Job
    from store import Digest, Store

__all__ = ["Profile", "read_summaries"]

WHOLE, PARTS = "whole", "parts"


class Profile:
    """The profile stage. Parameters: ``parts``, whether each part is summarized, too."""

    def build(self, job: Job) -> StageOutput:
        """The summaries. Raises a ``store`` error."""
        from mldata.assignment import Assignment
        from mldata.partrows import rows_by_part
        from store import KIND_FILE, KIND_TREE, TreeEntry

        table = Table.open(job.store, table_of(job.inputs))
        whole = summarize(pa.Table.from_batches(table.batches(), table.schema))
        entries = [TreeEntry(WHOLE, KIND_FILE, *job.put(whole.to_bytes()))]
        if job.params.get("parts") and "split" in job.inputs:
            assignment = Assignment.open(job.store, job.inputs["split"])
            files = []
            for number in range(len(assignment.parts)):
                rows = [batch for _, batch in rows_by_part(table, assignment, only=number)]
                made = job.put(summarize(pa.Table.from_batches(rows, table.schema)).to_bytes())
                files.append(TreeEntry(f"{number:08d}", KIND_FILE, *made))
            entries.append(TreeEntry(PARTS, KIND_TREE, *job.put_tree(files)))
        return StageOutput(job.put_tree(entries), table.rows)


def read_summaries(store: Store, output: Digest) -> tuple[TableSummary, list[TableSummary]]:
    """The whole, and the parts in order (none if they were not asked for). Raises a ``store`` error."""
    tree = store.tree(output)
    whole, parts = tree.get(WHOLE), tree.get(PARTS)
    assert whole is not None
    listed = store.tree(parts.digest) if parts is not None else ()
    return (
        TableSummary.from_bytes(store.read(whole.digest)),
        [TableSummary.from_bytes(store.read(entry.digest)) for entry in listed],
    )
