"""A summary knows its table: counts, spread, values and texts, of whatever types and however nasty the values."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldata.profile.summarize import summarize
from mldata.profile.summary import ColumnSummary, Distinct, Numbers, TableSummary


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    """Nothing that is summarized makes Python or NumPy warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def column(values: Any, kind: pa.DataType | None = None) -> ColumnSummary:
    """What is known of one column."""
    array = values if isinstance(values, pa.Array) else pa.array(values, kind)
    made = summarize(pa.table({"x": array}))
    again = TableSummary.from_bytes(made.to_bytes())
    assert again.to_bytes() == made.to_bytes()
    return again.columns[0]


def numbers(values: Any, kind: pa.DataType | None = None) -> Numbers:
    """How numbers are spread."""
    found = column(values, kind).numbers
    assert found is not None
    return found


def test_numbers() -> None:
    """Counts, extremes, moments, quantiles and values of a column of numbers are those of NumPy."""
    rng = np.random.default_rng(1)
    values = rng.normal(3, 2, 5000)
    found = numbers(values)
    far = values - values.mean()
    assert found.finite == 5000
    assert found.minimum == values.min()
    assert found.maximum == values.max()
    assert found.negatives == (values < 0).sum()
    assert found.mean == pytest.approx(values.mean(), rel=1e-14)
    assert found.central == pytest.approx([(far**2).sum(), (far**3).sum(), (far**4).sum()], rel=1e-11)
    assert found.rank_error == 0
    for share in (0, 0.01, 0.25, 0.3333, 0.5, 0.99, 1):
        assert found.quantile(share) == pytest.approx(np.quantile(values, share), rel=1e-12)


def test_what_is_no_finite_number() -> None:
    """NaN, infinities and nulls are counted, and part of nothing else."""
    found = column([1.0, math.nan, math.inf, -math.inf, None, -0.0, 0.0, math.nan])
    assert found.nulls == 1
    assert found.distinct == Distinct(5)
    assert found.numbers is not None
    mine = found.numbers
    assert (mine.finite, mine.nan, mine.positive_infinities, mine.negative_infinities) == (3, 2, 1, 1)
    assert (mine.zeros, mine.minimum, mine.maximum) == (2, 0.0, 1.0)
    assert math.copysign(1, mine.minimum or 0.0) == 1
    assert found.frequent is not None
    assert found.frequent.values == ((0.0, 2), (1.0, 1))
    assert (found.frequent.rest, found.frequent.complete) == (0, True)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([2**53, 2**53 + 1, -(2**63), 2**63 - 1], pa.int64()),
        ([2**64 - 1, 2**64 - 2, 0], pa.uint64()),
        ([-128, 127], pa.int8()),
    ],
    ids=str,
)
def test_large_integers(values: list[int], kind: pa.DataType) -> None:
    """Integers are exact to the last digit where doubles are not."""
    found = column(values, kind)
    assert found.numbers is not None
    assert (found.numbers.minimum, found.numbers.maximum) == (min(values), max(values))
    assert found.distinct == Distinct(len(values))
    assert found.frequent is not None
    assert {value for value, _ in found.frequent.values} == set(values)
    assert found.numbers.weights.sum() == len(values)
    assert (np.diff(found.numbers.points) > 0).all()


@pytest.mark.parametrize("scale", [1e308, 1e-308, 5e-324, 1.0])
def test_extreme_doubles(scale: float) -> None:
    """The mean of the largest and of the smallest doubles is finite, and so is their shape."""
    found = numbers(np.array([1, 1, 1, -1.0]) * scale)
    assert found.mean == scale / 2
    wide = numbers(np.array([1.0, 2, 3, 10]) * 1e-200)
    assert wide.central[0] == 0.0  # beyond what a double holds
    assert numbers(np.array([1.0, 2, 3, 10]) * 1e-20).central[2] > 0


def test_constant() -> None:
    """A constant has no variance at all, however its mean rounds."""
    found = numbers([0.1] * 1000)
    assert (found.mean, found.central) == (0.1, (0.0, 0.0, 0.0))


def test_decimals() -> None:
    """Decimals are told as they are written; as numbers they are doubles, but for ends that are whole."""
    found = column(
        [Decimal("1.10"), Decimal("12345678901234567890.00"), None, Decimal("1.10")], pa.decimal128(30, 2)
    )
    assert found.kind == "numeric"
    assert found.frequent is not None
    assert found.frequent.values == (("1.10", 2), ("12345678901234567890.00", 1))
    assert found.numbers is not None
    assert (found.numbers.minimum, found.numbers.maximum) == (1.1, 12345678901234567890)
    assert found.distinct == Distinct(2)
    sample = summarize(pa.table({"x": pa.array([Decimal("1.5"), None], pa.decimal128(5, 1))})).sample
    assert sample is not None
    assert sorted(np.nan_to_num(sample.numbers["x"], nan=-1).tolist()) == [-1, 1.5]


@pytest.mark.parametrize("kind", [pa.decimal32(5, 2), pa.decimal64(5, 2), pa.decimal256(5, 2)], ids=str)
def test_decimals_of_any_width(kind: pa.DataType) -> None:
    """How wide they are stored makes no difference, also in a dictionary."""
    values = [Decimal("1.10"), None, Decimal("-2.25"), Decimal("1.10")]
    told = column(values, pa.decimal128(5, 2))
    indices = pa.array([0, None, 1, 0], pa.int8())
    coded = pa.DictionaryArray.from_arrays(indices, pa.array([values[0], values[2]], kind))
    for array in (pa.array(values, kind), coded):
        found = column(array)
        assert (found.frequent, found.distinct, found.nulls) == (told.frequent, told.distinct, told.nulls)
        assert found.numbers is not None and told.numbers is not None
        assert found.numbers.to_plain() == told.numbers.to_plain()


@pytest.mark.parametrize(
    ("kind", "ticks", "told"),
    [
        (pa.date32(), [0, 19723], ["1970-01-01", "2024-01-01"]),
        (pa.date64(), [86_400_000], ["1970-01-02"]),
        (pa.timestamp("s"), [0], ["1970-01-01T00:00:00"]),
        (pa.timestamp("us", "Europe/Paris"), [1_500_000], ["1970-01-01T00:00:01.5Z"]),
        (pa.timestamp("ns"), [2**62 + 1], ["2116-02-20T23:53:38.427387905"]),
        (pa.time32("ms"), [3_723_004], ["01:02:03.004"]),
        (pa.time64("us"), [86_399_000_000], ["23:59:59"]),
        (pa.duration("ms"), [-1500, 3000], ["-1.5 s", "3 s"]),
        (pa.timestamp("s"), [-(2**63)], ["-9223372036854775808 s"]),
    ],
    ids=str,
)
def test_times(kind: pa.DataType, ticks: list[int], told: list[str]) -> None:
    """Times are counted by their ticks and told as ISO 8601."""
    whole = pa.int32() if kind.bit_width == 32 else pa.int64()
    found = column(pa.array(ticks, whole).view(kind))
    assert found.kind == "time"
    assert found.numbers is not None
    assert (found.numbers.minimum, found.numbers.maximum) == (min(ticks), max(ticks))
    assert found.frequent is not None
    assert [value for value, _ in found.frequent.values] == told


def test_booleans() -> None:
    """Booleans are told as such, and are 0 and 1 as numbers."""
    found = column([True, None, False, True])
    assert found.frequent is not None
    assert found.frequent.values == ((True, 2), (False, 1))
    assert found.numbers is not None
    assert found.numbers.mean == 2 / 3


def test_texts() -> None:
    """Texts are told by length, white space, classes of characters, looks and words."""
    found = column(["", "  ", " Ab1,", "Ab1,", "\u2003ü", None, "日本"]).texts
    assert found is not None
    assert (found.empty, found.blank, found.padded) == (1, 1, 2)
    assert found.lengths.points.tolist() == [0, 2, 4, 5]
    assert found.lengths.weights.tolist() == [1, 3, 1, 1]
    assert found.characters == {"digits": 2, "letters": 4, "other": 4, "punctuation": 2, "spaces": 3}
    assert found.looked == 6
    assert found.words.values[0] == ("ab1", 2)


def test_long_texts() -> None:
    """A long text is told by its beginning and length; two that begin alike stay two, and a cell may have megabytes."""
    found = column(["a" * 10_000_000, "a" * 9_999_999 + "b", "a" * 10_000_000])
    assert found.frequent is not None
    (first, twice), (second, once) = found.frequent.values
    assert (twice, once) == (2, 1)
    assert first != second
    assert str(first).startswith("a" * 120 + "... (10,000,000 characters, ")
    assert found.texts is not None
    assert found.texts.characters == {"letters": 30_000_000}


def test_bytes() -> None:
    """Bytes are told as hexadecimal digits, and by their sizes."""
    found = column([b"\x00\xff", b"\x00\xff", b"", b"x" * 100])
    assert found.frequent is not None
    assert found.frequent.values[0] == ("0x00ff", 2)
    assert found.numbers is not None
    assert found.numbers.points.tolist() == [0, 2, 100]
    assert column([b"abc"], pa.binary(3)).frequent == column([b"abc"]).frequent


def test_no_utf8() -> None:
    """Texts that are no UTF-8 are counted, and told with replacement characters."""
    broken = pa.array([b"ab\xff ", b"\xe2\x28", b"ok"], pa.binary()).view(pa.string())
    found = column(broken)
    assert found.frequent is not None
    assert sorted(str(value) for value, _ in found.frequent.values) == ["ab\ufffd ", "ok", "\ufffd("]
    assert column(pa.concat_arrays([broken] * 1000)).texts is not None


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)
def test_neighbours_do_not_matter(kind: pa.DataType) -> None:
    """What is known of texts is the same whether one that is no UTF-8 stands in the same batch or in another one."""
    sound = ["\u3000wide\u3000", "ü" * 300, "\u2003", "日本" * 200, " a "]
    plain = [*(text.encode() for text in sound), b"\xff " * 200, b"\xffshort \xff", b" \xff "]
    texts = pa.array(plain, pa.large_binary() if kind == pa.large_string() else pa.binary()).view(kind)
    table = pa.table({"x": texts})
    made = summarize(table)
    assert summarize(pa.Table.from_batches(table.to_batches(max_chunksize=1))).to_bytes() == made.to_bytes()
    found = made.columns[0].texts
    assert found is not None
    assert (found.blank, found.padded) == (1, 4)


def test_lists_and_structs() -> None:
    """Lists are told by their lengths, structs are told apart, unions are only counted."""
    lists = column([[1, 2], [], None, [1, 2]])
    assert lists.numbers is not None
    assert lists.numbers.points.tolist() == [0, 2]
    assert lists.distinct == Distinct(2)
    assert column([{"a": 1}, {"a": 1}, {"a": None}, None]).distinct == Distinct(2)
    union = pa.UnionArray.from_sparse(pa.array([0, 0], pa.int8()), [pa.array([1, 2])])
    for array in (union, pa.array(["x", None], pa.string_view())):
        found = column(array)
        assert (found.kind, found.distinct, found.rows) == ("other", None, 2)
    assert summarize(pa.table({"x": union, "y": [1, 2]})).distinct_rows is None


def test_dictionaries_are_what_they_stand_for() -> None:
    """A dictionary of texts or numbers tells what plain values tell; unused, repeated and null values of it do not count."""
    for plain in (pa.array(["a", "b", None, "a"]), pa.array([1.5, 2.5, None, 1.5])):
        first, second = column(plain), column(plain.dictionary_encode())
        assert (first.frequent, first.distinct, first.kind) == (second.frequent, second.distinct, second.kind)
    odd = pa.DictionaryArray.from_arrays(
        pa.array([0, 1, 2, None, 4], pa.int8()), pa.array(["a", "a", None, "unused", "b"])
    )
    found = column(odd)
    assert found.nulls == 2
    assert found.frequent is not None
    assert found.frequent.values == (("a", 2), ("b", 1))


@pytest.mark.parametrize(
    "table",
    [
        pa.table({}),
        pa.table({"x": pa.array([], pa.float64())}),
        pa.table({"x": pa.array([], pa.string()), "y": pa.array([], pa.list_(pa.int8()))}),
        pa.table({"x": pa.nulls(3), "y": pa.nulls(3, pa.float64()), "z": pa.nulls(3, pa.string())}),
        pa.table({"x": [1]}),
        pa.table({"größe": [1.5], "": ["x"]}),
        pa.table([pa.array([1, 2]), pa.array(["a", "b"])], names=["x", "x"]),
        pa.table({"x": pa.array([1.5, None], pa.float16()), "u": pa.array([b"0" * 16, None], pa.uuid())}),
        pa.table({"x": pa.array([math.nan, math.inf])}),
    ],
    ids=lambda table: str(table.schema).replace("\n", ", "),
)
def test_odd_tables(table: pa.Table) -> None:
    """Tables without rows or columns, of nulls alone, of one row, with odd or equal names are told."""
    made = summarize(table)
    assert made.rows == table.num_rows
    assert [it.name for it in made.columns] == table.column_names
    assert [it.nulls for it in made.columns] == [it.null_count for it in table.columns]
    assert TableSummary.from_bytes(made.to_bytes()).to_bytes() == made.to_bytes()
    if table.num_columns:
        distinct = len(
            {tuple(map(str, row)) for row in zip(*map(pa.ChunkedArray.to_pylist, table.columns), strict=True)}
        )
        assert made.distinct_rows == Distinct(distinct)


def test_rows_and_nulls() -> None:
    """Equal rows are one distinct row, nulls are told by the columns that have them together."""
    table = pa.table({"a": [1, 1, None, None, 2], "b": ["x", "x", None, "y", "x"], "c": [0, 0, 0, 0, 0]})
    made = summarize(table)
    assert made.distinct_rows == Distinct(4)
    assert made.missing == ((("a",), 1), (("a", "b"), 1))
    assert made.missing_rest == 0


def test_sample() -> None:
    """All rows of a small table are its sample, columns side by side."""
    table = pa.table({"n": [1, 2, None], "t": ["a", "b", "a"], "b": [True, None, False]})
    sample = summarize(table).sample
    assert sample is not None
    assert (sample.rows, sample.of) == (3, 3)
    assert len(set(sample.codes["t"].tolist())) == 2
    rows = list(
        zip(np.nan_to_num(sample.numbers["n"], nan=-1), sample.numbers["b"], sample.codes["b"], strict=True)
    )
    by_number = {number: (flag, code) for number, flag, code in rows}
    assert math.isnan(by_number[2][0])
    assert by_number[2][1] == 0
    assert by_number[1][0] == 1
    assert by_number[-1][0] == 0
