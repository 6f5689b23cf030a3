"""Hashes of rows."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from mldata.rowhash import CHUNK, hash_column, hash_rows
from mldata.splitmix import GAMMA, mix64_int

NULL = mix64_int(1)

COLUMNS = {
    "int8": pa.array([1, -1, None, 127, 1], pa.int8()),
    "uint64": pa.array([1, 2**64 - 1, None, 0, 1], pa.uint64()),
    "half": pa.array(np.array([1, 2, 0, 4, 1], np.float16), mask=np.array([0, 0, 1, 0, 0], bool)),
    "double": pa.array([1.5, -2.5, None, float("inf"), 1.5]),
    "string": pa.array(["a", "", None, "longer than eight bytes", "a"]),
    "large_string": pa.array(["a", "", None, "x" * 300, "a"], pa.large_string()),
    "binary": pa.array([b"a", b"", None, b"\x00", b"a"]),
    "fixed": pa.array([b"abc", b"abd", None, b"\x00\x00\x00", b"abc"], pa.binary(3)),
    "decimal": pa.array(
        [decimal.Decimal("1.20"), decimal.Decimal(-1), None, decimal.Decimal(0), decimal.Decimal("1.2")]
    ),
    "date": pa.array(
        [
            datetime.date(2024, 1, 2),
            datetime.date(1969, 1, 1),
            None,
            datetime.date(1, 1, 1),
            datetime.date(2024, 1, 2),
        ]
    ),
    "time": pa.array([1, 2, None, 3, 1], pa.time32("s")),
    "timestamp": pa.array([1, 2, None, 3, 1], pa.timestamp("us", "UTC")),
    "duration": pa.array([1, 2, None, 3, 1], pa.duration("ms")),
    "dictionary": pa.array(["a", "", None, "c", "a"]).dictionary_encode(),
    "list": pa.array([[1, 2], [2, 1], None, [], [1, 2]]),
    "large_list": pa.array([[1, 2], [2, 1], None, [], [1, 2]], pa.large_list(pa.int64())),
    "fixed_list": pa.array([[1, 2], [2, 1], None, [0, None], [1, 2]], pa.list_(pa.int8(), 2)),
    "nested": pa.array([[["a"], []], [[], ["a"]], None, [[]], [["a"], []]]),
    "struct": pa.array(
        [{"a": 1, "b": "x"}, {"a": None, "b": "x"}, None, {"a": 1, "b": "y"}, {"a": 1, "b": "x"}]
    ),
    "map": pa.array([[("a", 1)], [("a", None)], None, [], [("a", 1)]], pa.map_(pa.string(), pa.int64())),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_equal_values_hash_equally(name: str) -> None:
    """Of five values the last repeats the first; the others differ; null has one hash in every type."""
    hashes = hash_column(COLUMNS[name]).tolist()
    assert hashes[0] == hashes[4]
    assert len(set(hashes)) == 4
    assert hashes[2] == NULL


@pytest.mark.parametrize("name", COLUMNS)
def test_a_hash_does_not_depend_on_the_place(name: str) -> None:
    """A slice, and the same values elsewhere in memory, hash as the whole does."""
    column = COLUMNS[name]
    hashes = hash_column(column)
    for start in range(5):
        assert hash_column(column.slice(start, 3)).tolist() == hashes[start : start + 3].tolist()
    moved = pa.concat_arrays([column.slice(3), column])
    assert hash_column(moved)[2:].tolist() == hashes.tolist()
    assert len(hash_column(column.slice(5))) == 0


def test_the_definition() -> None:
    """Hashes are the ones that the module's docstring defines."""
    assert hash_column(pa.array([7], pa.int16()))[0] == mix64_int(2 * GAMMA + 7)
    assert hash_column(pa.array([-1], pa.int32()))[0] == mix64_int(2 * GAMMA - 1)
    assert hash_column(pa.array([1.0], pa.float32()))[0] == mix64_int(3 * GAMMA + 0x3FF0000000000000)
    word = int.from_bytes(b"abc", "little")
    assert hash_column(pa.array(["abc"]))[0] == mix64_int(mix64_int(4 * GAMMA + 3) ^ word)
    long = "ü" * 200
    start = int.from_bytes(blake3(long.encode()).digest()[:8], "little")
    assert hash_column(pa.array([long]))[0] == mix64_int(5 * GAMMA + start)
    seven, null = mix64_int(2 * GAMMA + 7), NULL
    factors = [mix64_int(GAMMA) | 1, mix64_int(2 * GAMMA) | 1]
    row = mix64_int(6 * GAMMA + 2 + seven * factors[0] + null * factors[1])
    assert hash_rows([pa.array([7]), pa.nulls(1)])[0] == row
    assert hash_column(pa.array([[7, None]]))[0] == row
    assert hash_column(pa.array([{"a": 7, "b": None}]))[0] == row


def defined(text: bytes) -> int:
    """The hash of at most 256 bytes, written as the definition reads."""
    hashed = mix64_int(4 * GAMMA + len(text))
    for start in range(0, len(text), 8):
        hashed = mix64_int(hashed ^ int.from_bytes(text[start : start + 8], "little"))
    return hashed


@given(st.lists(st.binary(max_size=40), max_size=40))
def test_the_definition_of_texts(values: list[bytes]) -> None:
    """Strings of any sizes, at any place in memory, hash as defined."""
    assert hash_column(pa.array(values, pa.binary())).tolist() == [defined(value) for value in values]


@pytest.mark.parametrize("size", [1, 7, 8, 9, 20, 255, 256])
def test_the_definition_of_texts_of_one_size(size: int) -> None:
    """So do strings of one size, also after others in memory."""
    values = [bytes((place * 31 + byte) % 256 for byte in range(size)) for place in range(9)]
    for column in (pa.array(values), pa.array(values, pa.binary(size)), pa.array([b"abc", *values])[1:]):
        assert hash_column(column).tolist() == [defined(value) for value in values]


def test_values_that_compare_equal_hash_equally() -> None:
    """Integers of any width agree, so do -0.0 and 0.0, all NaN, text of any offset width and its dictionary."""
    assert hash_column(pa.array([True]))[0] == hash_column(pa.array([1]))[0]
    for kind in (pa.int8(), pa.uint16(), pa.int32(), pa.uint64()):
        assert hash_column(pa.array([5], kind))[0] == hash_column(pa.array([5]))[0]
    odd = np.array([0x7FF8000000000000, 0x7FF8000000000001, 0xFFF0000000000001], np.uint64).view(np.float64)
    assert len(set(hash_column(pa.array(odd)).tolist())) == 1
    assert len(set(hash_column(pa.array([0.0, -0.0])).tolist())) == 1
    text = pa.array(["a", "bb", None])
    assert hash_column(text).tolist() == hash_column(text.cast(pa.large_string())).tolist()
    assert hash_column(text).tolist() == hash_column(text.dictionary_encode()).tolist()


def test_null_empty_and_zero_differ() -> None:
    """Null is neither the empty text nor zero, nor the text of eight zero bytes or one."""
    values = [
        *hash_column(pa.array([None, "", "\0", "\0" * 8])),
        *hash_column(pa.array([0])),
        *hash_column(pa.array([0.0])),
    ]
    assert len({int(value) for value in values}) == 6


def test_columns_do_not_run_together() -> None:
    """("ab", "c") is another row than ("a", "bc"), and (1, 2) than (2, 1)."""
    assert (
        hash_rows([pa.array(["ab"]), pa.array(["c"])])[0] != hash_rows([pa.array(["a"]), pa.array(["bc"])])[0]
    )
    assert hash_rows([pa.array([1]), pa.array([2])])[0] != hash_rows([pa.array([2]), pa.array([1])])[0]


@given(st.lists(st.one_of(st.none(), st.text(max_size=300)), max_size=30), st.randoms())
def test_texts_hash_one_by_one(values: list[str | None], random: Any) -> None:
    """A text's hash is the same alone and among others."""
    hashes = hash_column(pa.array(values, pa.string()))
    for place, value in enumerate(values):
        assert hash_column(pa.array([value], pa.string()))[0] == hashes[place]


def test_the_step_does_not_matter() -> None:
    """Rows on both sides of the step in which columns are worked hash as they do alone; so do their dictionaries."""
    rows = 2 * CHUNK + 3
    texts = pa.array([None if row % 7 == 0 else f"{row % 1000}" for row in range(rows)])
    columns = [pa.array(range(rows)), texts, pa.array([row % 3 == 0 for row in range(rows)])]
    hashes = hash_rows(columns)
    for start in (0, CHUNK - 1, CHUNK, 2 * CHUNK, rows - 2):
        assert (
            hash_rows([column.slice(start, 2) for column in columns]).tolist()
            == hashes[start : start + 2].tolist()
        )
    assert (hash_rows([columns[0], texts.dictionary_encode(), columns[2]]) == hashes).all()
    assert len(hash_rows([column[:0] for column in columns])) == 0


def test_what_stands_under_a_null_does_not_matter() -> None:
    """Neither a number, nor text, nor a dictionary's index out of its range."""
    mask = np.array([True, False])
    for values in (np.array([5, 1]), np.array([0.5, 1])):
        assert hash_column(pa.array(values, mask=mask))[0] == NULL
    text = pa.Array.from_buffers(pa.string(), 2, [pa.py_buffer(b"\2"), *pa.array(["abc", "d"]).buffers()[1:]])
    assert hash_column(text).tolist() == hash_column(pa.array([None, "d"])).tolist()
    indices = pa.Array.from_buffers(
        pa.int32(), 2, [pa.py_buffer(b"\2"), pa.py_buffer(np.array([-9, 0], np.int32))]
    )
    odd = pa.DictionaryArray.from_arrays(indices, pa.array(["d"]), safe=False)
    assert hash_column(odd).tolist() == hash_column(text).tolist()


def test_columns_of_nothing() -> None:
    """A column of type null, an all-null dictionary, an empty struct and an extension type have hashes too."""
    assert hash_column(pa.nulls(2)).tolist() == [NULL, NULL]
    empty = pa.DictionaryArray.from_arrays(pa.array([None, None], pa.int8()), pa.array([], pa.string()))
    assert hash_column(empty).tolist() == [NULL, NULL]
    assert len(set(hash_column(pa.array([{}, {}], pa.struct([]))).tolist())) == 1
    assert len(hash_column(pa.array([None, None], pa.string()))) == 2
    made = pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}"]))
    assert hash_column(made)[0] == hash_column(pa.array(["{}"]))[0]


def test_a_type_without_a_definition_is_refused() -> None:
    """A union has no hash rather than an arbitrary one."""
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
    with pytest.raises(TypeError, match="sparse_union"):
        hash_column(union)


ROWS = 200_000
NUMBERS = np.arange(ROWS)
SIMILAR: dict[str, Callable[[], list[pa.Array]]] = {
    "numbers": lambda: [pa.array(NUMBERS)],
    "texts": lambda: [pa.array([f"user-{n}" for n in range(ROWS)])],
    "codes": lambda: [pa.array([f"{n:020d}" for n in range(ROWS)])],
    "a grid": lambda: [pa.array(NUMBERS // 500), pa.array(NUMBERS % 500)],
    "halves": lambda: [pa.array(NUMBERS // 500 / 2), pa.array(NUMBERS % 500 / 2)],
    "a column twice": lambda: [pa.array(NUMBERS), pa.array(NUMBERS)],
    "a column eight times": lambda: [pa.array(NUMBERS)] * 8,
    "bits": lambda: [pa.array((NUMBERS >> bit & 1).astype(bool)) for bit in range(18)],
    "bits or null": lambda: [
        pa.array(np.ones(ROWS, bool), mask=NUMBERS >> bit & 1 == 1) for bit in range(18)
    ],
}


@pytest.mark.parametrize("name", SIMILAR)
def test_hashes_are_even(name: str) -> None:
    """Rows of similar values all differ, and their high, middle and low bits are spread: chi-square within five standard deviations."""
    columns = SIMILAR[name]()
    column, hashes = columns[0], hash_rows(columns)
    assert len(np.unique(hashes)) == ROWS
    for shift in (0, 28, 56):
        counts = np.bincount(((hashes >> np.uint64(shift)) & np.uint64(255)).astype(np.int64), minlength=256)
        mean = len(column) / 256
        assert abs(float(((counts - mean) ** 2 / mean).sum()) - 255) < 5 * np.sqrt(2 * 255)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_seed_gives_another_hash(name: str) -> None:
    """With a seed equal values still hash equally, null included, and every value hashes otherwise than without."""
    plain, seeded = hash_column(COLUMNS[name]).tolist(), hash_column(COLUMNS[name], seed=1).tolist()
    assert seeded[0] == seeded[4] and len({*seeded}) == 4
    assert not {*plain} & {*seeded}
    rows = [COLUMNS[name]]
    assert hash_rows(rows, seed=0).tolist() == hash_rows(rows).tolist()
    assert not {*hash_rows(rows).tolist()} & {*hash_rows(rows, seed=1).tolist()}


def test_a_seed_takes_other_bytes_of_long_values() -> None:
    """Long values whose digests begin alike would differ by the seeded hash: it goes by the second eight bytes."""
    text = "x" * 300
    word = int.from_bytes(blake3(text.encode()).digest()[8:16], "little")
    [found] = hash_column(pa.array([text]), seed=9).tolist()
    assert found == mix64_int(5 * GAMMA + word + mix64_int(9))
