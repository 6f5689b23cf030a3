"""Split by group: rows with equal values in a column, or in each of several, are in one part.

A group is known by the hash of its values (:mod:`mldata.rowhash`): eight bytes a row, whatever the values are. Should two
groups ever share a hash (of ten million, with odds of 1 in 300,000), they are one group: what is promised still holds.

The split depends on which groups there are, their sizes and the seed; not on the order of rows or files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.errors import BuildError
from mldata.partition import CHUNK, apportion
from mldata.splitmix import mix64, mix64_int
from mldata.stages import table_of
from mldata.stages.base import Work
from mldata.stages.parting import (
    SEGMENT,
    Parting,
    check_column,
    no_nulls,
    segments,
    shares,
    uneven,
    write,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mldata.stages.base import Job, Outputs
    from mldata.table import Table

__all__ = ["by_group", "whole_groups"]


def by_group(job: Job, table: Table) -> Parting:
    """Parts near their shares. Raises ``BuildError`` for an unfit column, or groups too large for a part to be near its share."""
    parts, ratios = shares(job)
    made = whole_groups(job, table, parts, ratios)
    return Parting(parts, ratios, made.counts, made.segments, made.facts)


def whole_groups(
    job: Job, table: Table, parts: Sequence[str], ratios: Sequence[float], *, by_size: bool = False
) -> Parting:
    """The same for any shares; ``by_size`` as for :func:`mldata.grouping.place_groups`."""
    columns, seed = list(job.params["group"]), job.params["seed"]
    for column in columns:
        check_column(job, table.schema, column, "group")
    wanted = apportion(table.rows, ratios)

    def run(out: Outputs) -> Mapping[str, Any]:
        from mldata.grouping import place_groups

        hashes = _hashes(job, table, columns)
        keys, first, codes, sizes = np.unique(
            hashes, return_index=True, return_inverse=True, return_counts=True
        )
        keys = mix64(keys + np.uint64(mix64_int(seed)))
        places = place_groups(sizes, keys, wanted, by_size=by_size)
        write(out.writer(SEGMENT), (places[codes[at : at + CHUNK]] for at in range(0, len(codes), CHUNK)))
        most = np.lexsort((keys, -sizes))[:1].tolist()
        return {
            "counts": np.bincount(places, sizes, len(parts)).astype(np.int64).tolist(),
            "groups": len(sizes),
            "largest": [[_shown(table, columns, int(first[it])), int(sizes[it])] for it in most],
        }

    params = {
        "method": "group",
        "columns": columns,
        "seed": seed,
        "ratios": [float(ratio) for ratio in ratios],
        "by_size": by_size,
    }
    action = job.action(params, [("table", table_of(job.inputs))])
    [result] = job.run([Work(action, run, f"{job.dataset}: {', '.join(columns)}")])
    facts: Any = result.facts
    _judge(job, parts, wanted, columns, facts)
    return Parting(
        parts, ratios, facts["counts"], segments([result], [table.rows]), {"groups": facts["groups"]}
    )


def _judge(job: Job, parts: Sequence[str], wanted: Sequence[int], columns: Sequence[str], facts: Any) -> None:
    """Tell of groups that are too large, too few or no groups at all."""
    rows, groups = sum(facts["counts"]), facts["groups"]
    for value, size in facts["largest"]:
        names = f"'{', '.join(columns)}'"
        uneven(
            job,
            parts,
            wanted,
            facts["counts"],
            f"groups of {names} stay whole, of which there are {groups:,}, and the largest, {value}, has {size:,} rows",
            "Ask for fewer parts or other shares, group by a column with smaller groups, or leave the largest group out.",
        )
        if groups == rows > len(parts):
            job.warn(f"every row is a group of its own: no two have equal values in {names}")


def _hashes(job: Job, table: Table, columns: Sequence[str]) -> NDArray[np.uint64]:
    from mldata.rowhash import hash_rows

    hashes, nulls, done = np.empty(table.rows, np.uint64), dict.fromkeys(columns, 0), 0
    for fragment in table.fragments:
        for batch in table.encoded_batches(fragment, columns):
            for column, values in zip(columns, batch.columns, strict=True):
                nulls[column] += values.null_count
            try:
                hashes[done : done + batch.num_rows] = hash_rows(batch.columns)
            except TypeError as error:
                raise BuildError(
                    f"split: 'group' cannot use every column: {error}",
                    where=job.dataset,
                    hint="Group by a column of text, numbers or dates.",
                ) from error
            done += batch.num_rows
    for column, count in nulls.items():
        no_nulls(job, column, "group", count, table.rows)
    return hashes


def _shown(table: Table, columns: Sequence[str], row: int) -> str:
    """The values of a row's group, for a message."""
    for fragment in table.fragments:
        for batch in table.fragment_batches(fragment, columns):
            if row < batch.num_rows:
                texts = [repr(batch.column(name)[row].as_py()) for name in columns]
                text = ", ".join(texts)
                return text if len(text) <= 80 else f"{text[:76]}..."
            row -= batch.num_rows
    raise IndexError(row)
