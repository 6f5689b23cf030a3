"""How the schema of a dataset moved over the builds that the store keeps.

Rows are looked at only where columns went and others came from one build to the next, which may be those (see :mod:`mldata.evolution.renames`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mldata.evolution.schemas import compare_and_guess
from mldata.stages import table_of
from mldata.table import Table

if TYPE_CHECKING:
    from mldata.evolution.schemadiff import SchemaDiff
    from mldata.profile.summary import TableSummary
    from mldata.records import BuildRecord
    from store import Store

__all__ = ["SchemaMove", "schema_moves"]


@dataclass(frozen=True)
class SchemaMove:
    """A build that has another schema than the one before it, or the first of those that are kept."""

    record: BuildRecord
    columns: int
    since: int | None = None
    """The build before it that is kept; None: there is none."""
    diff: SchemaDiff | None = None
    """From that one to this."""

    def to_json(self) -> dict[str, Any]:
        """As ``mldata log --schema --json`` has it."""
        return {
            "build": self.record.number,
            "started": self.record.started,
            "columns": self.columns,
            "since": self.since,
            "schema": self.diff.to_json() if self.diff is not None else None,
        }


def schema_moves(
    store: Store, builds: Sequence[BuildRecord], summary: Callable[[BuildRecord], TableSummary]
) -> list[SchemaMove]:
    """The builds that changed the schema, and the first.

    Args:
        builds: oldest first.
        summary: what is known of the rows of a build.

    Raises:
        MldataError, store.StoreError: a table cannot be read.
    """
    schemas = [Table.open(store, table_of(record.outputs)).schema for record in builds]
    moves = [SchemaMove(record, len(schema)) for record, schema in zip(builds[:1], schemas[:1], strict=True)]
    for (was, before), (now, after) in pairwise(zip(builds, schemas, strict=True)):
        diff = compare_and_guess(before, after, partial(summary, was), partial(summary, now))
        if not diff.same:
            moves.append(SchemaMove(now, len(after), was.number, diff))
    return moves
