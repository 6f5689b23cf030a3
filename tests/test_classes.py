"""Classes of a column."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.classes import TooManyClasses, class_codes, encoded_column

PIECES = st.lists(st.lists(st.sampled_from(["a", "b", "", None, "é"]), max_size=20), max_size=5)


@given(PIECES, st.booleans())
def test_codes_name_the_values(pieces: list[list[str | None]], encode: bool) -> None:
    """Looking a code up gives the value back, whatever the pieces and their encoding."""
    arrays = [pa.array(piece, pa.string()) for piece in pieces]
    codes, names = class_codes([array.dictionary_encode() if encode else array for array in arrays], 10)
    assert [names[code] for code in codes] == [value for piece in pieces for value in piece]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "values",
    [
        [True, False, None, True],
        [1, 2, None, 1],
        [datetime.date(2024, 1, 1), None, datetime.date(2024, 1, 2)],
        [decimal.Decimal("1.5"), None, decimal.Decimal("1.50")],
        [b"a", b"b", None],
        [None, None],
    ],
)
def test_any_flat_type_has_classes(values: list[Any]) -> None:
    """Numbers, dates, bytes and nulls have classes as text has."""
    codes, names = class_codes([pa.array(values), pa.array(values)], 10)
    assert [names[code] for code in codes] == values * 2


def test_too_many_classes_are_noticed_early() -> None:
    """Reading stops with the piece that goes over the limit."""
    read = []

    def pieces() -> Any:
        for number in range(10):
            read.append(number)
            yield pa.array([f"{number}-{value}" for value in range(10)])

    with pytest.raises(TooManyClasses):
        class_codes(pieces(), 25)
    assert read == [0, 1, 2]


def test_values_no_row_has_are_no_classes(tmp_path: Path) -> None:
    """A categorical file may list categories that are not used; text comes dictionary-encoded as it is stored."""
    unused = pa.DictionaryArray.from_arrays(pa.array([2, 2, None], pa.int8()), pa.array(["x", "y", "z"]))
    assert class_codes([unused], 10)[1] == [None, "z"]
    pq.write_table(pa.table({"label": ["u", "v", "u"], "other": [1, 2, 3]}), tmp_path / "f.parquet")
    [column] = encoded_column([tmp_path / "f.parquet"], "label")
    assert pa.types.is_dictionary(column.type)
    assert column.to_pylist() == ["u", "v", "u"]
