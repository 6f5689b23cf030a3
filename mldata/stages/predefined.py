"""Split by a column that says the part of each row, as data hubs have it.

Each value is the name of a part, or is given one by ``values``; several may be given the same. Parts stand in the usual
order (:func:`mldata.partnames.part_order`). A row's part depends on its own value and on which parts there are: each
fragment is an action that lists its values, and one that writes them down as numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.errors import BuildError
from mldata.partnames import MAX_PARTS, case_clashes, part_name_fault, part_order
from mldata.stages.base import Work
from mldata.stages.parting import SEGMENT, Parting, check_column, no_nulls, segments, write
from mldata.yamlkey import types_setting

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.stages.base import Job, Outputs
    from mldata.table import Fragment, Table

__all__ = ["by_column", "part_names"]


def by_column(job: Job, table: Table, column: str | None = None) -> Parting:
    """A part for each value of a column, that of the parameters unless one is given.

    Raises ``BuildError`` for an unfit column, a null, or a value that cannot name a part.
    """
    name = str(job.params["column"]) if column is None else column
    check_column(job, table.schema, name, "column")
    _check_type(job, name, table.schema.field(name).type)
    rows = _value_rows(job, table, name)
    if not rows:
        raise BuildError(
            f"split: the table has no rows, so that '{name}' names no part",
            where=job.dataset,
            hint="Add rows, or split by shares.",
        )
    part_of = part_names(job, f"the values of '{name}'", rows, f"column: {name}")
    parts = sorted(set(part_of.values()), key=part_order)
    numbers = {value: parts.index(part) for value, part in part_of.items()}
    counts = [0] * len(parts)
    for value, count in rows.items():
        counts[numbers[value]] += count
    return Parting(parts, [None] * len(parts), counts, _written(job, table, name, numbers))


def _value_rows(job: Job, table: Table, name: str) -> dict[str, int]:
    """Rows of each value, over all fragments."""

    def work(fragment: Fragment) -> Work:
        def run(out: Outputs) -> Mapping[str, Any]:
            found: dict[str, int] = {}
            nulls = 0
            for codes, values in _coded(table, fragment, name):
                counts = np.bincount(codes, minlength=len(values) + 1).tolist()
                nulls += counts.pop()
                for value, count in zip(values, counts, strict=True):
                    if count:
                        found[value] = found.get(value, 0) + count
                _check_number(job, name, found)
            no_nulls(job, name, "column", nulls, fragment.rows, fragment.source)
            return {"rows": dict(sorted(found.items()))}

        params = {"method": "column", "column": name}
        return Work(job.action(params, [("fragment", fragment.digest)]), run, fragment.source, fragment.size)

    rows: dict[str, int] = {}
    for result in job.run([work(fragment) for fragment in table.fragments]):
        for value, count in result.facts["rows"].items():
            rows[value] = rows.get(value, 0) + count
        _check_number(job, name, rows)
    return rows


def _written(job: Job, table: Table, name: str, numbers: Mapping[str, int]) -> Any:
    def work(fragment: Fragment) -> Work:
        def pieces() -> Iterator[NDArray[np.uint8]]:
            for codes, values in _coded(table, fragment, name):
                # A dictionary may hold values that no row has.
                yield np.array([*(numbers.get(value, 0) for value in values), 0], np.uint8)[codes]

        def run(out: Outputs) -> Mapping[str, Any]:
            write(out.writer(SEGMENT), pieces())
            return {}

        params = {"method": "column", "column": name, "numbers": dict(sorted(numbers.items()))}
        return Work(job.action(params, [("fragment", fragment.digest)]), run, fragment.source, fragment.size)

    results = job.run([work(fragment) for fragment in table.fragments])
    return segments(results, [fragment.rows for fragment in table.fragments])


def _coded(table: Table, fragment: Fragment, name: str) -> Iterator[tuple[NDArray[np.int64], list[str]]]:
    """A column in pieces: the number of each row's value, and the values as text; a null has the number after the last."""
    import pyarrow as pa
    import pyarrow.types as pt

    from mldata.arrays import filled

    for batch in table.encoded_batches(fragment, [name]):
        values: Any = batch.column(0)
        if not pt.is_dictionary(values.type):
            values = values.dictionary_encode()
        texts = values.dictionary.cast(pa.string()).to_pylist()
        codes = filled(values.indices, len(texts))
        yield codes, texts


def _check_number(job: Job, name: str, rows: Mapping[str, int]) -> None:
    if len(rows) <= MAX_PARTS:
        return
    examples = ", ".join(repr(value) for value in list(rows)[:3])
    raise BuildError(
        f"split: 'column' needs a column of at most {MAX_PARTS} different values, the parts; "
        f"'{name}' has more: {examples}, ...",
        where=job.dataset,
        hint=f"To keep rows with equal values in one part, use `group: {name}` and shares.",
    )


def part_names(job: Job, what: str, rows: Mapping[str, int], said: str) -> dict[str, str]:
    """The part of each value.

    Args:
        what: they are values of.
        rows: of each.
        said: in the spec, so that it is so.

    Raises:
        BuildError: one cannot name a part.
    """
    renamed: Mapping[str, str] = job.params["values"]
    found = {value: renamed.get(value, value) for value in sorted(rows)}
    faults = [
        f"{value!r} ({rows[value]:,} row{'s'[: rows[value] != 1]}): {fault}"
        for value, part in found.items()
        if (fault := part_name_fault(part))
    ]
    faults += [
        f"{first!r} and {second!r} differ by case only"
        for first, second in case_clashes(sorted(set(found.values())))
    ]
    if faults:
        more = f"; and {len(faults) - 3:,} more" if len(faults) > 3 else ""
        raise BuildError(
            f"split: {what} cannot all name parts: {'; '.join(faults[:3])}{more}",
            where=job.dataset,
            hint=f'Give them names: split: {{{said}, values: {{"VALUE": PART}}}}.',
        )
    unused = [value for value in renamed if value not in rows]
    if unused:
        job.warn(
            f"no row has {', '.join(map(repr, unused))} in {what.removeprefix('the values of ')}, which `values` gives a part; "
            f"it has {', '.join(map(repr, list(found)[:5]))}{', ...' if len(found) > 5 else ''}"
        )
    return found


def _check_type(job: Job, name: str, kind: pa.DataType) -> None:
    import pyarrow.types as pt

    if pt.is_dictionary(kind):
        kind = kind.value_type
    if pt.is_string(kind) or pt.is_large_string(kind) or pt.is_integer(kind) or pt.is_boolean(kind):
        return
    raise BuildError(
        f"split: 'column' needs a column of text, whole numbers or true and false, found '{name}' of type {kind}",
        where=job.dataset,
        hint=f"Name another column, or make it text ({types_setting(name, 'string')}).",
    )
