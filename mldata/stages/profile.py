"""Profile: what is in a table, and in each of its parts, read once and kept as summaries.

Each fragment is sketched in an action of its own (:mod:`mldata.stages.sketching`), and what is known of all rows, or of a part, is merged of these leaf
sketches in another one. So after an edit of one fragment that one alone is read, and a split that is added sketches only the fragments that it divides.
A table of a single fragment has no leaf sketches: its rows become summaries at once, and next to nothing is written.

Output: see :mod:`mldata.profile.output`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mldata.profile.merging import merge
from mldata.profile.output import PARTS, WHOLE, part_name, read_parts, read_whole
from mldata.stages import table_of
from mldata.stages.base import StageOutput, Work
from mldata.stages.sketching import Leaf, Sketching, empty_leaf, mapped, object_of
from mldata.table import Table

if TYPE_CHECKING:
    from mldata.stages.base import Job, Outputs
    from store import Digest, ObjectId

__all__ = ["Profile", "read_parts", "read_whole"]

SUMMARY = "summary"


class Profile:
    """The profile stage. Parameters, of which the spec has the first only:

    - ``parts``: whether each part is summarized, too
    - ``only``: numbers of parts that are summarized, and nothing else
    - ``sample``: the share of the rows that is looked at, as a fraction such as ``1/10``
    """

    def build(self, job: Job) -> StageOutput:
        """The summaries. Raises a ``store`` error, or ``DataError`` for a damaged Parquet file of the source."""
        from mldata.assignment import Assignment
        from store import KIND_FILE, KIND_TREE, TreeEntry

        table = Table.open(job.store, table_of(job.inputs))
        assignment = None
        parts: Sequence[int] = ()
        if (job.params.get("parts") or job.params.get("only")) and "split" in job.inputs:
            assignment = Assignment.open(job.store, job.inputs["split"])
            parts = job.params.get("only") or range(len(assignment.parts))
        sketching = Sketching(job, table, assignment, Fraction(job.params.get("sample", 1)))
        wanted = [*parts] if job.params.get("only") else [None, *parts]
        made = _summaries(job, sketching, {part: sketching.leaves(part) for part in wanted})
        entries = [TreeEntry(WHOLE, KIND_FILE, *made[None])] if None in made else []
        if assignment is not None:
            files = [TreeEntry(part_name(number), KIND_FILE, *made[number]) for number in parts]
            entries.append(TreeEntry(PARTS, KIND_TREE, *job.put_tree(files)))
        facts = {"columns": len(table.schema), "exact": sketching.exact(None), "summaries": len(made)}
        return StageOutput(job.put_tree(entries), table.rows, facts)


def _summaries(
    job: Job, sketching: Sketching, wanted: Mapping[int | None, Sequence[Leaf]]
) -> dict[int | None, ObjectId]:
    """A summary of the leaves of all rows (None) and of each part."""
    made = sketching.sketch({leaf for leaves in wanted.values() for leaf in leaves})
    found: dict[int | None, ObjectId] = {}
    merges: dict[int | None, Work] = {}
    many = sum(bool(leaves) for leaves in wanted.values())
    for part, leaves in wanted.items():
        if not leaves:  # no rows are soon summarized
            empty = empty_leaf(sketching.table.schema, exact=sketching.exact(part))
            found[part] = job.put(merge([empty]).to_bytes())
        elif sketching.alone:
            found[part] = made[leaves[0]]
        else:
            # In an order that neither names of files nor their places change.
            digests = sorted(made[leaf].digest for leaf in leaves)
            merges[part] = _merge(job, digests, sketching.rows(part), max(1, job.jobs // many))
    for part, result in zip(merges, job.run(list(merges.values())), strict=True):
        found[part] = object_of(result, SUMMARY)
    return found


def _merge(job: Job, leaves: Sequence[Digest], rows: int, threads: int) -> Work:
    """The action in which leaf sketches become a summary."""

    store = job.store

    def run(out: Outputs) -> Mapping[str, Any]:
        out.put(SUMMARY, merge([mapped(store, leaf) for leaf in leaves], threads=threads).to_bytes())
        return {}

    action = job.action({"merge": SUMMARY}, [("leaf", digest) for digest in leaves])
    return Work(action, run, f"{rows:,} rows")
