"""Leaf sketches put together to the summary of a table, or of a part of one.

Everything in a leaf is a sum, a maximum, a set or a multiset, and these are put together as such; what depends on an order (moments, points, rows of the sample)
is computed once, at the end, in an order of its own. Invariant: the summary's bytes are equal for any order of the leaves, and for any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from mldata.profile import summary as forms
from mldata.profile.columns import form_of
from mldata.profile.distinct import DistinctSketch, fold_distinct
from mldata.profile.draw import drawn_together
from mldata.profile.kinds import kind_of
from mldata.profile.leaf import sampled_columns
from mldata.profile.limits import limits_of
from mldata.profile.missing import fold_missing, told_missing
from mldata.profile.record import ColumnRecord
from mldata.profile.sections import Leaf, Sections
from mldata.profile.summary import ColumnSummary, Distinct, RowSample, TableSummary
from mldata.rowhash import hash_column
from mldata.splitmix import GAMMA, mix64, mix64_int

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

__all__ = ["Leaf", "merge"]


def merge(leaves: Sequence[Leaf], *, threads: int = 1) -> TableSummary:
    """The summary of all rows that the leaves were made of.

    Args:
        leaves: at least one (of a table without fragments: a leaf without rows), all of one schema and mode. They are looked at column by column, so a
            sequence of mapped files takes little memory however many there are.
        threads: columns are worked on in so many.

    Raises:
        ValueError: a leaf is none of this version, or not of the same schema as the others.
    """
    return _Merge(leaves).told(threads)


class _Merge:
    def __init__(self, leaves: Sequence[Leaf]) -> None:
        if not leaves:
            raise ValueError("expected at least one leaf sketch, found none")
        self._leaves = [Sections(leaf) for leaf in leaves]
        first, *others = (leaf.head for leaf in self._leaves)
        for other in others:
            if (other["schema"], other["exact"]) != (first["schema"], first["exact"]):
                raise ValueError("expected leaf sketches of one table, found some of another schema or mode")
        self._exact = first["exact"]
        self._schema = pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(first["schema"])))
        self._rows = sum(leaf.head["rows"] for leaf in self._leaves)
        self._sampled = set(sampled_columns(self._schema))
        self._limits = limits_of(len(self._schema))

    def told(self, threads: int) -> TableSummary:
        tables = [leaf[len(self._schema)] for leaf in self._leaves]
        draws = [(table["priorities"], table["edge"]) for table in tables]
        drawn = drawn_together(draws, self._limits.rows)
        found = list(self._each(lambda number: self._column(number, drawn), threads))
        patterns = fold_missing(
            {bytes.fromhex(bits): count for bits, count in table["missing"].items()} for table in tables
        )
        missing, rest = told_missing(patterns, self._schema.names)
        sample = self._sample(
            {n: things for n, (_, things) in enumerate(found) if n in self._sampled}, sum(drawn)
        )
        columns = tuple(column for column, _ in found)
        return TableSummary(self._rows, columns, self._distinct(tables), missing, rest, sample)

    def _each(
        self, work: Callable[[int], tuple[ColumnSummary, Hashes]], threads: int
    ) -> Iterator[tuple[ColumnSummary, Hashes]]:
        numbers = range(len(self._schema))
        if threads == 1:
            yield from map(work, numbers)
            return
        with ThreadPoolExecutor(threads) as pool:
            yield from pool.map(work, numbers)

    def _column(self, number: int, drawn: Sequence[int]) -> tuple[ColumnSummary, Hashes]:
        """A column, and what the sample has of it."""
        field = self._schema.field(number)
        form: type[ColumnRecord] = form_of(field.type)
        records, things = [], [np.empty(0, np.uint64)]
        for leaf, count in zip(self._leaves, drawn, strict=True):
            section = leaf[number]
            if number in self._sampled and count:
                things.append(section["sample"][:count])
            records.append(form.from_plain(section))
        told = form.fold(records, exact=self._exact).told(field, self._limits)
        return told, np.concatenate(things)

    def _distinct(self, tables: Sequence[dict[str, Any]]) -> Distinct | None:
        plain = [table["distinct"] for table in tables if table["distinct"] is not None]
        if not plain:
            return None
        return fold_distinct([DistinctSketch.from_plain(it) for it in plain], exact=self._exact).told()

    def _sample(self, columns: dict[int, Hashes], rows: int) -> RowSample:
        """Rows in the order of their hashes, which says nothing of where they were."""
        sums = np.zeros(rows, np.uint64)
        for number, things in columns.items():
            sums += mix64(things + np.uint64(GAMMA)) * np.uint64(mix64_int((number + 1) * GAMMA) | 1)
        order = np.argsort(sums, kind="stable")
        numbers: dict[str, NDArray[np.float64]] = {}
        codes: dict[str, Hashes] = {}
        for number, things in columns.items():
            field = self._schema.field(number)
            kind, ordered = kind_of(field.type), things[order]
            if kind == forms.TEXT:
                codes.setdefault(field.name, ordered)
                continue
            values = ordered.view(np.float64)
            numbers.setdefault(field.name, values)
            if kind == forms.BOOLEAN:
                codes.setdefault(field.name, _boolean_codes(values))
        return RowSample(rows, self._rows, numbers, codes)


def _boolean_codes(values: NDArray[np.float64]) -> Hashes:
    # False and True. (``pa.array`` would look for pandas.)
    both = pa.BooleanArray.from_buffers(pa.bool_(), 2, [None, pa.py_buffer(b"\x02")])
    false, true = hash_column(both).tolist()
    codes = np.where(values == 1, np.uint64(true), np.uint64(false))
    codes[np.isnan(values)] = 0
    return codes
