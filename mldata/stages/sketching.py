"""Leaf sketches of the fragments of a table: one action a fragment for all its rows, and one for its rows by part.

A leaf is known by what it is made of: the fragment, the parts of its rows (the slice of the assignment), the schema, whether it is exact, and the share of
rows that is drawn. A fragment all of whose rows are in one part has one and the same leaf for this part and for the whole table.

Rows are drawn (``--sample``) by :func:`mldata.splitmix.row_keys` of the fragment's digest and their number in it: each with the same chance, whatever is in
them, and the same ones each time. All rows are read, only the drawn ones are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mldata.partition import NO_PART
from mldata.partrows import by_part
from mldata.profile.leaf import LeafSketcher, is_exact
from mldata.profile.merging import merge
from mldata.splitmix import row_keys
from mldata.stages.base import Work

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.assignment import Assignment
    from mldata.stages.base import Job, Outputs
    from mldata.table import Fragment, Table
    from store import Action, ActionResult, Digest, ObjectId, Store

__all__ = ["Leaf", "Sketching", "empty_leaf", "mapped", "object_of"]

KEYS = 1 << 64


class Leaf(NamedTuple):
    """A leaf sketch that is wanted."""

    fragment: int
    part: int | None
    """None: of all rows of the fragment."""
    exact: bool


@dataclass(frozen=True)
class Sketching:
    """What is sketched of a table."""

    job: Job
    table: Table
    assignment: Assignment | None
    """Where parts are sketched, too."""
    share: Fraction
    """Of the rows, to be looked at."""

    @property
    def alone(self) -> bool:
        """Whether there is one fragment, so that sketches are made to summaries at once."""
        return len(self.table.fragments) == 1

    def rows(self, part: int | None) -> int:
        """About how many rows of a part, or of the table, are looked at."""
        rows = self.table.rows if part is None or self.assignment is None else self.assignment.counts[part]
        return math.ceil(rows * self.share)

    def exact(self, part: int | None) -> bool:
        """Whether what is told of a part, or of the table, is exact."""
        return is_exact(self.rows(part), len(self.table.schema))

    def leaves(self, part: int | None) -> list[Leaf]:
        """The leaves that a part, or the table, is put together from: none for fragments without such rows."""
        exact, found = self.exact(part), []
        for number, fragment in enumerate(self.table.fragments):
            if part is None:
                found.append(Leaf(number, None, exact))
            elif count := int(self._counts[number][part]):
                found.append(Leaf(number, None if count == fragment.rows else part, exact))
        return found

    def sketch(self, wanted: Collection[Leaf]) -> dict[Leaf, ObjectId]:
        """Make the leaves, or where there is one fragment the summaries of them. Raises as :meth:`mldata.stages.base.Job.run`."""
        divided: dict[int, list[Leaf]] = {}
        works: dict[tuple[Leaf, ...], Work] = {}
        threads = max(1, self.job.jobs // max(1, len({leaf.fragment for leaf in wanted})))
        for leaf in sorted(
            wanted, key=lambda it: (it.fragment, -1 if it.part is None else it.part, it.exact)
        ):
            if leaf.part is None:
                works[leaf,] = self._whole(leaf, threads)
            else:
                divided.setdefault(leaf.fragment, []).append(leaf)
        for leaves in divided.values():
            works[tuple(leaves)] = self._parts(leaves, threads)
        works = dict(sorted(works.items(), key=lambda it: it[0][0].fragment))
        results = self.job.run(list(works.values()))
        return {
            leaf: object_of(result, _name(leaf))
            for leaves, result in zip(works, results, strict=True)
            for leaf in leaves
        }

    @cached_property
    def _counts(self) -> list[NDArray[np.int64]]:
        """Rows by part of each fragment."""
        assert self.assignment is not None
        many = len(self.assignment.parts)
        return [
            np.bincount(self.assignment.part_of(start, stop), minlength=many)
            for start, stop in pairwise(self._starts)
        ]

    @cached_property
    def _starts(self) -> list[int]:
        return self.table.starts

    @cached_property
    def _params(self) -> dict[str, Any]:
        """What all leaves have in common, beside the code."""
        from store import digest_bytes, encode

        fields = [[field.name, str(field.type), field.nullable] for field in self.table.schema]
        return {
            "schema": digest_bytes(encode(fields)),
            "sample": str(self.share),
            "merged": self.alone,
        }

    @cached_property
    def _exact_params(self) -> dict[bool, dict[str, Any]]:
        """Of leaves of all rows: the very same for all of them, which is encoded once for thousands of actions."""
        return {exact: {**self._params, "exact": exact} for exact in (False, True)}

    def _whole(self, leaf: Leaf, threads: int) -> Work:
        """The action in which all rows of a fragment are looked at."""
        fragment = self.table.fragments[leaf.fragment]
        action = self.job.action(self._exact_params[leaf.exact], [("fragment", fragment.digest)])
        return self._work(action, fragment, {0: leaf}, None, threads)

    def _parts(self, leaves: Sequence[Leaf], threads: int) -> Work:
        """The action in which the rows of a fragment are looked at by part."""
        from store import digest_bytes

        assert self.assignment is not None
        at = leaves[0].fragment
        fragment, numbers = self.table.fragments[at], self.assignment.part_of(*self._starts[at : at + 2])
        by_number = {leaf.part: leaf for leaf in leaves if leaf.part is not None}
        params = {**self._params, "exact": [[number, leaf.exact] for number, leaf in by_number.items()]}
        inputs = [("fragment", fragment.digest), ("parts", digest_bytes(numbers.tobytes()))]
        return self._work(self.job.action(params, inputs), fragment, by_number, numbers, threads)

    def _work(
        self,
        action: Action,
        fragment: Fragment,
        leaves: Mapping[int, Leaf],
        numbers: NDArray[np.uint8] | None,
        threads: int,
    ) -> Work:
        table, share, alone = self.table, self.share, self.alone

        def run(out: Outputs) -> Mapping[str, Any]:
            seed = bytes.fromhex(fragment.digest)
            sketchers = {
                number: LeafSketcher(table.schema, seed=seed, exact=leaf.exact, threads=threads)
                for number, leaf in leaves.items()
            }
            drawn = _drawn(fragment, numbers, share)
            for number, batch in _rows(table, fragment, drawn, sketchers, use_threads=threads > 1):
                out.checkpoint()
                sketchers[number].add(batch)
            for number, leaf in leaves.items():
                made = sketchers.pop(number).close()
                out.checkpoint()
                summary = merge([made], threads=threads) if alone else None
                out.put(_name(leaf), (made if summary is None else summary).to_bytes())
            return {}

        return Work(action, run, fragment.source, fragment.size)


def empty_leaf(schema: pa.Schema, *, exact: bool) -> bytes:
    """The leaf of no rows."""
    return LeafSketcher(schema, seed=b"", exact=exact).finish()


def mapped(store: Store, digest: Digest) -> memoryview:
    """A leaf sketch in the store, in place. No file stays open, as one would of :class:`mmap.mmap`: there may be more leaves than files a process may open."""
    import pyarrow as pa

    with pa.memory_map(str(store.path(digest))) as file:
        return memoryview(file.read_buffer())


def object_of(result: ActionResult, name: str) -> ObjectId:
    """An output of an action."""
    from store import ObjectId

    output = result.outputs[name]
    return ObjectId(output.digest, output.size)


def _name(leaf: Leaf) -> str:
    """What it is called among the outputs of its action."""
    return "all" if leaf.part is None else f"{leaf.part:08d}"


def _drawn(
    fragment: Fragment, numbers: NDArray[np.uint8] | None, share: Fraction
) -> NDArray[np.uint8] | None:
    """The part of each row of a fragment, :data:`NO_PART` for those that are not drawn; None: all are in part 0."""
    if share == 1:
        return numbers
    keys = row_keys(int(fragment.digest[:16], 16), 0, fragment.rows)
    found = np.zeros(fragment.rows, np.uint8) if numbers is None else numbers.copy()
    found[keys >= np.uint64(int(share * KEYS))] = NO_PART
    return found


def _rows(
    table: Table,
    fragment: Fragment,
    numbers: NDArray[np.uint8] | None,
    wanted: Collection[int],
    *,
    use_threads: bool,
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The rows of the ``wanted`` parts of a fragment, in order; None: all are in part 0."""
    start = 0
    for batch in table.encoded_batches(fragment, table.schema.names, use_threads=use_threads):
        if numbers is None:
            yield 0, batch
        else:
            for number in wanted:
                yield from by_part(batch, numbers[start : start + batch.num_rows], only=number)
        start += batch.num_rows
