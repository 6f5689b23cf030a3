"""NumPy's arrays: one column each or a list a row, any byte order and layout; what is in no column type, or not whole, is refused."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mldata.errors import DataError
from tests.formats.reading import fragments, read, read_all


def npy(array: Any, **how: Any) -> bytes:
    sink = io.BytesIO()
    np.save(sink, array, **how)
    return sink.getvalue()


def npz(**arrays: Any) -> bytes:
    sink = io.BytesIO()
    np.savez(sink, **arrays)
    return sink.getvalue()


def test_one_axis_is_a_column(tmp_path: Path) -> None:
    """An array of one axis is the column ``value``, in its own type."""
    for kind in ("bool", "int8", "uint16", "int64", "uint64", "float16", "float32", "float64"):
        array = np.array([0, 1, 100]).astype(kind)
        table = read(tmp_path, npy(array), "npy")
        assert table.column_names == ["value"] and table["value"].to_pylist() == array.tolist()
        assert table.schema.field(0).type == pa.from_numpy_dtype(array.dtype)
    assert read(tmp_path, npy(np.array(["é", "", "xyz"])), "npy")["value"].to_pylist() == ["é", "", "xyz"]
    assert read(tmp_path, npy(np.array([b"\xff", b""])), "npy")["value"].to_pylist() == [b"\xff", b""]
    assert read(tmp_path, npy(np.array([np.nan, -0.0])), "npy")["value"].null_count == 0


def test_more_axes_are_lists_of_fixed_size(tmp_path: Path) -> None:
    """The first axis is the rows; each further one is a list, however the array lies in memory and in the file."""
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    expected = pa.list_(pa.list_(pa.float32(), 4), 3)
    for made in (
        array,
        np.asfortranarray(array),
        array.astype(">f4"),
        np.asfortranarray(array.astype(">f4")),
    ):
        for data in (npy(made), npz(value=made)):
            table = read(tmp_path, data, "npy")
            assert table.schema.field("value").type == expected
            assert table["value"].to_pylist() == array.tolist()


def test_times(tmp_path: Path) -> None:
    """Days, times and durations have their units, or the next one that a column can have; NaT is null."""
    day = read(tmp_path, npy(np.array(["2020-02-29", "NaT"], "M8[D]")), "npy")["value"]
    assert (day.type, day.to_pylist()) == (pa.date32(), [dt.date(2020, 2, 29), None])
    for unit, kind in {"m": "s", "s": "s", "ms": "ms", "us": "us", "ns": "ns"}.items():
        found = read(
            tmp_path,
            npz(t=np.array([120, "NaT"], f">M8[{unit}]"), d=np.array([120, "NaT"], f"m8[{unit}]")),
            "npy",
        )
        kept = "ms" if kind == "s" else kind
        assert found["t"].type == pa.timestamp(kept) and found["t"].null_count == 1
        assert found["d"].type == pa.duration(kind) and found["d"].null_count == 1
        expected = np.timedelta64(120, unit) / np.timedelta64(1, kind)
        assert found["d"].cast(pa.int64())[0].as_py() == expected
    for array in (
        np.array([1], "M8[M]"),
        np.array([1], "m8[Y]"),
        np.array([2**62], "M8[W]"),
        np.array([2**40], "M8[D]"),
        np.array([1], "M8[ps]"),
    ):
        with pytest.raises(DataError, match=r"data\.npy: .*'value' times that no column holds"):
            read(tmp_path, npy(array), "npy")


def test_structured_arrays_are_columns(tmp_path: Path) -> None:
    """A field is a column, a field of fields a struct, a field with a shape a list."""
    kind = np.dtype([("a", ">i4"), ("b", [("x", "f8"), ("y", "U3")]), ("c", "u1", (2,))], align=True)
    array = np.array([(1, (0.5, "é"), (1, 2)), (2, (1.5, "xyz"), (3, 4))], kind)
    table = read(tmp_path, npy(array), "npy")
    assert table.to_pylist() == [
        {"a": 1, "b": {"x": 0.5, "y": "é"}, "c": [1, 2]},
        {"a": 2, "b": {"x": 1.5, "y": "xyz"}, "c": [3, 4]},
    ]


def test_several_arrays_are_columns(tmp_path: Path) -> None:
    """Arrays of one length are the columns of a table, in their order; of different lengths they are told."""
    table = read(tmp_path, npz(y=np.array([1, 0]), x=np.zeros((2, 3))), "npy")
    assert table.column_names == ["y", "x"] and table.num_rows == 2
    with pytest.raises(
        DataError, match=r"data\.npy: expected arrays of one length, found train with 60, test with 10"
    ):
        read(tmp_path, npz(train=np.zeros(60), test=np.zeros(10)), "npy")


def test_no_rows(tmp_path: Path) -> None:
    """Arrays without rows have columns."""
    table = read(tmp_path, npz(a=np.zeros(0, "i2"), b=np.zeros((0, 3)), s=np.zeros(0, "U1")), "npy")
    assert table.num_rows == 0
    assert table.schema.types == [pa.int16(), pa.list_(pa.float64(), 3), pa.string()]


def test_large_arrays_are_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows keep their order over pieces; a value that does not fit a type of the spec is told by its row."""
    monkeypatch.setattr("mldata.formats.npy.BATCH_BYTES", 1000)
    monkeypatch.setattr("mldata.formats.typed.ROW_GROUP_BYTES", 5000)
    array = np.arange(4000).reshape(2000, 2)
    table = read(tmp_path, npy(np.asfortranarray(array)), "npy")
    assert table["value"].to_pylist() == array.tolist()
    [made] = fragments(tmp_path, {"a": npy(array)}, "npy")
    assert pq.ParquetFile(pa.BufferReader(made)).num_row_groups > 2
    with pytest.raises(DataError, match="column 'value', row 1,001: expected int8, found 1000"):
        read(tmp_path, npy(np.where(np.arange(2000) == 1000, 1000, 1)), "npy", types={"value": "int8"})


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.array([{}, None], object), "Python objects"),
        (np.array([(1, None)], [("a", int), ("b", object)]), "Python objects"),
        (np.array([1j]), "complex128"),
        (np.array([1], np.longdouble), np.dtype(np.longdouble).name),
        (np.array([b"ab"], "V2"), r"\|V2"),
        (np.array(5), "a single value"),
        (np.array([0xD800], "<u4").view("<U1"), "characters that Unicode does not have"),
        (np.array([0xFFFFFFFF], "<u4").view("<U1"), "characters that Unicode does not have"),
        (np.zeros((2, 0)), "rows without values"),
        (np.zeros((2, 2), [("a", int)]), "structured values on 2 axes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_in_no_column_type(array: Any, found: str, tmp_path: Path) -> None:
    """Objects (which would have to be unpickled), complex numbers and the like are refused by name, in an .npz as well."""
    for data in (npy(array), npz(value=array)):
        with pytest.raises(DataError, match=rf"data\.npy: expected numbers.*{found}"):
            read(tmp_path, data, "npy")


def test_what_is_not_one_whole_file(tmp_path: Path) -> None:
    """Truncated arrays, several arrays saved one behind the other, and headers that lie are errors."""
    data = npy(np.arange(100))
    with pytest.raises(DataError, match="is it truncated"):
        read(tmp_path, data[:-1], "npy")
    with pytest.raises(DataError, match="several arrays"):
        read(tmp_path, data + data, "npy")
    huge, negative = data.replace(b"(100,)", b"(10**9"), data.replace(b"(100,), ", b"(-10,), ")
    long = data.replace(b"'shape': (100,), }   ", b"'shape': (99999,), } ")
    for bad in (
        data[:7],
        data[:40],
        huge,
        negative,
        long,
        b"\x93NUMPY\x09\x00" + data[8:],
        b"\x93NUMPY" + bytes(200),
    ):
        with pytest.raises(DataError, match=r"data\.npy: expected a sound NumPy file"):
            read(tmp_path, bad, "npy")
    packed = npz(a=np.arange(100))
    for bad in (packed[:-30], packed[:300] + b"\1\2\3\4" + packed[304:]):
        with pytest.raises(DataError, match=r"data\.npy: expected a sound NumPy file"):
            read(tmp_path, bad, "npy")


def test_other_zip_files(tmp_path: Path) -> None:
    """A zip file with something else in it, or with nothing, is refused by its member; so is one that unpacks to far too much."""
    for parts, found in (
        ({"a.csv": b"a\n1\n"}, "'a.csv' is no array"),
        ({}, "no arrays"),
        ({"a.npy": b"x"}, "'a.npy'|magic"),
    ):
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, data)
        with pytest.raises(DataError, match=rf"data\.npy: expected a sound NumPy file.*({found})"):
            read(tmp_path, sink.getvalue(), "npy")
    sink = io.BytesIO()
    np.savez_compressed(sink, a=np.zeros(14 << 20))
    with pytest.raises(DataError, match=r"data\.npy: expected at most 200 bytes out of each byte"):
        read(tmp_path, sink.getvalue(), "npy")
    with pytest.raises(DataError, match="found something else"):
        read(tmp_path, b"1,2\n", "npy")


def test_files_join(tmp_path: Path) -> None:
    """Arrays of several files are one table; rows of different lengths have no type together, which names both files."""
    files = {"1": npy(np.array([1], "i2")), "2": npy(np.array([0.5]))}
    assert read_all(tmp_path, files, "npy")["value"].to_pylist() == [1.0, 0.5]
    with pytest.raises(DataError, match=r"'value'.* in 1 and .* in 2"):
        read_all(tmp_path, {"1": npy(np.zeros((1, 2))), "2": npy(np.zeros((1, 3)))}, "npy")


KINDS = st.one_of(
    hnp.boolean_dtypes(), hnp.integer_dtypes(endianness="?"), hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    hnp.unicode_string_dtypes(endianness="?", max_len=4), hnp.byte_string_dtypes(endianness="?", max_len=4),
)  # fmt: skip


def in_unicode(array: Any) -> bool:
    """Whether texts have characters only: NumPy takes halves of surrogates too."""
    return array.dtype.kind != "U" or not any("\ud800" <= c <= "\udfff" for text in array.flat for c in text)


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(KINDS, hnp.array_shapes(max_dims=3, max_side=4)).filter(in_unicode), st.booleans())
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, array: Any, turned: bool) -> None:
    """Any array of numbers or texts comes back value by value, in either byte order and layout."""
    data = npy(np.asfortranarray(array) if turned else array)
    found = read(tmp_path_factory.mktemp("n"), data, "npy")["value"].to_pylist()
    assert repr(found) == repr(array.tolist())
