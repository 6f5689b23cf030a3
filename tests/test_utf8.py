"""Text that is no UTF-8, as a Parquet file may have it."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.errors import DataError
from mldata.utf8 import check_utf8, text_columns

BAD = b"\xff\xfe\xe9"


def texts(values: list[bytes | None]) -> pa.Array:
    """Bytes as a column of text, sound or not."""
    return pa.array(values, pa.binary()).view(pa.string())


@given(st.lists(st.sampled_from([b"", b"a", "é".encode(), BAD, None]), min_size=1, max_size=20))
def test_the_first_bad_row_is_named(values: list[bytes | None]) -> None:
    """Whatever is around it; sound text passes."""
    batch = pa.record_batch({"n": pa.nulls(len(values)), "a text": texts(values)})
    if BAD not in values:
        check_utf8(batch, text_columns(batch.schema), "a.parquet", 7)
        return
    with pytest.raises(
        DataError, match=f"column 'a text', found other bytes in row {7 + values.index(BAD)} of"
    ):
        check_utf8(batch, text_columns(batch.schema), "a.parquet", 7)


@pytest.mark.parametrize(
    "column",
    [
        texts([b"a", BAD]).cast(pa.large_string(), safe=False),
        pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), texts([b"a", BAD])),
        pa.StructArray.from_arrays([texts([b"a", BAD])], ["x"]),
        pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), texts([b"a", BAD])),
    ],
    ids=lambda column: str(column.type),
)
def test_text_inside_is_looked_at(column: pa.Array) -> None:
    """In lists, structs and dictionaries."""
    batch = pa.record_batch({"t": column})
    with pytest.raises(DataError, match="UTF-8"):
        check_utf8(batch, text_columns(batch.schema), "a.parquet", 0)
