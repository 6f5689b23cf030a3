"""What a user's function may give back: a ``pyarrow.Table``, or an iterator of batches (or tables), which are taken one by one.

Invariant: batches that come out of :func:`result` have one schema, without metadata, with at least one column and each name once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from mldata.errors import BuildError
from mldata.formats.typed import bare
from mldata.rowsteps import Batches

__all__ = ["UserError", "WrongResult", "result"]


class WrongResult(BuildError):
    """A function gave something that is no table."""


class UserError(Exception):
    """The user's code raised what is the cause of this."""


def result(found: Any, name: str) -> tuple[pa.Schema, Batches]:
    """What a function gave, as batches under one schema. Raises :class:`WrongResult`."""
    if isinstance(found, pa.Table):
        schema, batches = _schema(found.schema, name), iter(found.to_batches())
    elif isinstance(found, pa.RecordBatchReader | Iterator):
        items = _items(iter(found), name)
        first = next(items, None)
        if first is None:
            hint = "yield an empty batch with the right columns where there are no rows"
            raise WrongResult(f"expected batches of {name}, found none", hint=hint)
        schema = _schema(first.schema, name)
        batches = _alike(first, items, schema, name)
    else:
        kind = type(found)
        shown = "None" if found is None else f"a {kind.__module__.partition('.')[0]}.{kind.__qualname__}"
        hints = {
            "None": "the function has no 'return', or not on every way through it",
            "a pandas.DataFrame": "return pyarrow.Table.from_pandas(frame, preserve_index=False)",
            "a polars.DataFrame": "return frame.to_arrow()",
        }
        raise WrongResult(
            f"expected {name} to return a pyarrow.Table or an iterator of pyarrow.RecordBatch, found {shown}",
            hint=hints.get(shown),
        )
    return schema, (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in batches)


def _items(found: Iterator[Any], name: str) -> Batches:
    number = 0
    while True:
        try:
            item = next(found)
        except StopIteration:
            return
        except BaseException as error:
            raise UserError from error
        number += 1
        if isinstance(item, pa.Table):
            yield from item.to_batches() or [pa.RecordBatch.from_pylist([], schema=item.schema)]
        elif isinstance(item, pa.RecordBatch):
            yield item
        else:
            kind = type(item)
            raise WrongResult(
                f"expected {name} to yield pyarrow.RecordBatch, found {kind.__module__}.{kind.__qualname__} as item {number}"
            )


def _alike(first: pa.RecordBatch, items: Batches, schema: pa.Schema, name: str) -> Batches:
    yield first
    for item in items:
        if not bare(item.schema).equals(schema):
            raise WrongResult(
                f"expected batches of one schema from {name}, found first\n{_columns(schema)}\nand then\n{_columns(item.schema)}"
            )
        yield item


def _columns(schema: pa.Schema) -> str:
    return "    " + ", ".join(f"{field.name}: {field.type}" for field in schema)


def _schema(schema: pa.Schema, name: str) -> pa.Schema:
    if not len(schema):
        raise WrongResult(f"expected {name} to return at least one column, found none")
    for column in schema.names:
        if schema.names.count(column) > 1:
            raise WrongResult(f"expected {name} to return each column once, found {column!r} more than once")
    return bare(schema)
