"""What the columns of an export hold, for code that reads it: roles, classes, counts by part, missing values.

One pass over the rows, as an action of its own that is keyed by the rows and the split, so that another format or framework reads nothing again.
Its output is the canonical encoding of ``{"bytes": n, "columns": [{"nulls": n, "classes": [...] or None, "counts": {PART: [...]}, "span": [least,
greatest] or None}, ...]}``, in the order of the columns.

Invariant: what is found depends on rows, schema and split alone, not on how rows are cut into batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.frameworks.base import Column, DataFile, Described
from mldata.partrows import rows_by_part
from mldata.stages import table_of
from mldata.stages.base import Work
from store import decode, encode

if TYPE_CHECKING:
    from mldata.stages.base import Outputs
    from mldata.stages.exportplan import ExportPlan, OutputFile

__all__ = ["MOST_CLASSES", "described"]

MOST_CLASSES = 500
"""A column with more distinct values is no category."""
LONGEST = 200
"""Characters of a class; what is longer is a text."""
LABELS = ("label", "labels", "target", "targets", "class", "y", "category")
"""Names that say by themselves that a column is to be learnt, in any case of letters, in the order in which they are looked for."""
PATH = "path"
"""The column of media files' paths."""
FACTS = ("label", "mode", "split")
"""Columns that mldata itself makes for media, of which each value is a class however few rows there are."""


def described(plan: ExportPlan, files: Sequence[OutputFile]) -> Described:
    """What the ``files`` of an export hold."""
    label = _label(plan)
    found = _found(plan, label)
    columns = [
        _column(plan, field, seen, label) for field, seen in zip(plan.schema, found["columns"], strict=True)
    ]
    listed = [
        DataFile(it.path, it.format, it.part, it.rows, it.size)
        for it in files
        if it.part is not None and it.rows is not None
    ]
    learnt = next((it.name for it in columns if it.name == label and it.role == "category"), None)
    job = plan.job
    return Described(
        job.dataset,
        plan.table.kind,
        columns,
        dict(plan.parts),
        _in_order(plan, listed),
        learnt,
        found["bytes"],
    )


def _in_order(plan: ExportPlan, files: Sequence[DataFile]) -> list[DataFile]:
    """By format, part and shard; numbers of shards have one width, so that paths are in their order."""
    formats, parts = plan.formats, list(plan.parts)
    return sorted(files, key=lambda it: (formats.index(it.format), parts.index(it.part), it.path))


def _label(plan: ExportPlan) -> str | None:
    """The column to be learnt if it is a category: that of media, the one that the split keeps the shares of, or one of :data:`LABELS`."""
    names = plan.schema.names
    if plan.table.kind != "tabular":
        return "label" if "label" in names else None
    kept = plan.job.context.get("params", {}).get("split", {}).get("stratify")
    if isinstance(kept, str) and kept in names:
        return kept
    folded = {name.casefold(): name for name in reversed(names)}
    return next((folded[name] for name in LABELS if name in folded), None)


def _found(plan: ExportPlan, label: str | None) -> Any:
    job = plan.job
    fragments = job.store.tree(table_of(job.inputs)).get("fragments")
    assert fragments is not None
    inputs = [("fragments", fragments.digest)]
    if plan.assignment is not None:
        inputs.append(("assignment", job.inputs["split"]))
    params = {
        "describe": 1,
        "label": label,
        "kind": plan.table.kind,
        "row_index": plan.row_index,
        "parts": list(plan.parts),
        "schema": plan.schema.serialize().to_pybytes().hex(),
    }

    def run(out: Outputs) -> Mapping[str, Any]:
        media = plan.table.kind != "tabular"
        seen = [
            _Seen(
                field.type,
                len(plan.parts),
                may=_may_be_category(field, label, media),
                sure=_sure(field, label, media),
            )
            for field in plan.schema
        ]
        size = 0
        for part, batch in rows_by_part(plan.table, plan.assignment, row_index=plan.row_index):
            for column, values in zip(seen, batch.columns, strict=True):
                column.add(part, values)
                size += _size(values)
            out.checkpoint()
        told = [column.told(list(plan.parts)) for column in seen]
        out.put("described", encode({"bytes": size, "columns": told}))
        return {}

    size = sum(fragment.size for fragment in plan.table.fragments)
    action = job.action(params, inputs, libraries=("pyarrow",))
    [result] = job.run([Work(action, run, f"{job.dataset}: columns", size)])
    return decode(job.store.read(result.outputs["described"].digest))


def _size(values: pa.Array) -> int:
    """Bytes of the values, however they are cut: without bitmaps, whose last byte is shared."""
    kind = values.type
    if pt.is_primitive(kind):
        return int(len(values) * max(kind.bit_width // 8, 1))
    if pt.is_string(kind) or pt.is_binary(kind):
        return int(pc.sum(pc.binary_length(values)).as_py() or 0) + 4 * len(values)
    return int(values.nbytes)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pt.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def _may_be_category(field: pa.Field, label: str | None, media: bool) -> bool:
    """Whether a column is a category if it has few enough values. Whole numbers are numbers, but for a label."""
    kind = _plain(field.type)
    if media and field.name == PATH:
        return False
    if pt.is_dictionary(field.type) or field.name == label:
        return _is_text(kind) or bool(pt.is_integer(kind) or pt.is_boolean(kind))
    return _is_text(kind)


def _sure(field: pa.Field, label: str | None, media: bool) -> bool:
    """Whether it is one however few rows each value has."""
    return field.name == label or pt.is_dictionary(field.type) or (media and field.name in FACTS)


class _Seen:
    """What is known of a column so far."""

    def __init__(self, kind: pa.DataType, parts: int, *, may: bool, sure: bool) -> None:
        self._whole = pt.is_integer(kind)
        self._parts, self._sure = parts, sure
        self._nulls = self._rows = 0
        self._counts: dict[Any, list[int]] | None = {} if may else None
        self._span: tuple[int, int] | None = None

    def add(self, part: int, values: pa.Array) -> None:
        """Look at the next rows, all of one part."""
        if pt.is_dictionary(values.type):
            values = values.dictionary_decode()
        self._rows += len(values)
        self._nulls += values.null_count if not pt.is_null(values.type) else len(values)
        if self._whole:
            found = pc.min_max(values).as_py()
            if found["min"] is not None:
                least, most = self._span or (found["min"], found["max"])
                self._span = min(least, found["min"]), max(most, found["max"])
        if self._counts is not None:
            self._count(part, values, self._counts)

    def _count(self, part: int, values: pa.Array, counts: dict[Any, list[int]]) -> None:
        found = pc.value_counts(values)
        if len(found) > MOST_CLASSES + 1:
            self._counts = None
            return
        pairs = zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True)
        for value, rows in pairs:
            if value is not None:
                counts.setdefault(value, [0] * self._parts)[part] += rows
                if isinstance(value, str) and len(value) > LONGEST:
                    self._counts = None
                    return
        if len(counts) > MOST_CLASSES:
            self._counts = None

    def told(self, parts: Sequence[str]) -> dict[str, Any]:
        """As plain data."""
        counts = self._counts
        enough = counts and (self._sure or 2 * len(counts) <= self._rows - self._nulls)
        classes = sorted(counts) if counts and enough else None
        return {
            "nulls": self._nulls,
            "classes": classes,
            "counts": {
                part: [counts[value][number] for value in classes] for number, part in enumerate(parts)
            }
            if counts and classes
            else {},
            "span": list(self._span) if self._span else None,
        }


def _column(plan: ExportPlan, field: pa.Field, seen: Mapping[str, Any], label: str | None) -> Column:
    media = plan.table.kind != "tabular"
    role = "category" if seen["classes"] else _role(_plain(field.type))
    if media and field.name == PATH:
        role = "media"
    return Column(
        field.name,
        field.type,
        role,
        seen["nulls"],
        tuple(seen["classes"] or ()),
        {part: tuple(seen["counts"][part]) for part in plan.parts if part in seen["counts"]},
        tuple(seen["span"]) if seen["span"] else None,
    )


def _role(kind: pa.DataType) -> str:
    return next((role for role, is_it in _roles() if is_it(kind)), "nested")


def _roles() -> Iterator[tuple[str, Any]]:
    yield "boolean", pt.is_boolean
    yield "number", lambda it: pt.is_integer(it) or pt.is_floating(it) or pt.is_decimal(it) or pt.is_null(it)
    yield "text", _is_text
    yield "time", lambda it: pt.is_temporal(it) and not pt.is_interval(it)
    yield (
        "binary",
        lambda it: (
            pt.is_binary(it) or pt.is_large_binary(it) or pt.is_fixed_size_binary(it) or pt.is_binary_view(it)
        ),
    )
