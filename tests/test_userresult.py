"""A function gives a table or an iterator of batches; anything else is named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from mldata.userresult import UserError, WrongResult, result

BATCH = pa.record_batch({"a": [1, 2]})
TABLE = pa.table({"a": [1, 2]})


def taken(found: Any) -> pa.Table:
    schema, batches = result(found, "f")
    return pa.Table.from_batches(batches, schema)


@pytest.mark.parametrize(
    "found",
    [
        TABLE,
        TABLE.replace_schema_metadata({"pandas": "{}"}),
        iter([BATCH]),
        iter([TABLE]),
        (batch for batch in [BATCH.slice(0, 1), BATCH.slice(1), BATCH.slice(2)]),
        iter([TABLE.slice(0, 0), TABLE]),
        TABLE.to_reader(),
    ],
)
def test_what_a_function_may_give(found: Any) -> None:
    """A table, a reader, or an iterator of batches or tables: all the same, without metadata."""
    made = taken(found)
    assert made.equals(TABLE)
    assert made.schema.metadata is None


class DataFrame:
    """Stands for that of pandas."""


DataFrame.__module__ = "pandas.core.frame"


@pytest.mark.parametrize(
    ("found", "message", "hint"),
    [
        (None, "found None", "no 'return'"),
        (DataFrame(), "found a pandas.DataFrame", "Table.from_pandas"),
        ([BATCH], "found a builtins.list", None),
        (BATCH, "found a pyarrow.RecordBatch", None),
        (iter([BATCH, 3]), "to yield pyarrow.RecordBatch, found builtins.int as item 2", None),
        (iter([]), "expected batches of f, found none", "yield an empty batch"),
        (
            iter([BATCH, pa.record_batch({"b": [1]})]),
            "found first\n    a: int64\nand then\n    b: int64",
            None,
        ),
        (pa.table({}), "at least one column", None),
        (TABLE.append_column("a", TABLE["a"]), "each column once, found 'a'", None),
    ],
)
def test_what_it_may_not(found: Any, message: str, hint: str | None) -> None:
    """The message says what was expected and found, and for common mistakes what to do."""
    with pytest.raises(WrongResult) as caught:
        taken(found)
    assert message in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


def test_an_exception_in_an_iterator_is_the_users() -> None:
    """What a generator raises is told as if the function had raised it."""

    def broken() -> Iterator[pa.RecordBatch]:
        yield BATCH
        raise KeyError("x")

    with pytest.raises(UserError) as caught:
        taken(broken())
    assert isinstance(caught.value.__cause__, KeyError)
