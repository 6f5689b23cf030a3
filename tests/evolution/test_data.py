"""Comparing the rows of two tables: what went, what came, what changed."""

from __future__ import annotations

import datetime
import decimal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldata.errors import DataError, UsageError
from mldata.evolution import data
from mldata.evolution.data import compare_data
from mldata.evolution.datadiff import DataDiff
from mldata.evolution.diff import DiffReport
from store import Store
from tests.subjects import stored

PEOPLE = pa.table({"id": [1, 2, 3, 4], "name": ["Ann", "Bob", "Cid", None], "age": [30.0, 41.0, 5.0, 7.0]})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s") as opened:
        yield opened


def edited(table: pa.Table, row: int, column: str, value: Any) -> pa.Table:
    """A copy of a table with another value in one place."""
    rows = table.to_pylist()
    rows[row][column] = value
    return pa.Table.from_pylist(rows, schema=table.schema)


def test_changes_by_key(store: Store) -> None:
    """By a key each row is one that went, came, changed (with old and new values) or stayed."""
    new = pa.concat_tables([edited(PEOPLE, 1, "age", 42.0).slice(0, 3), PEOPLE.slice(0, 1)])
    new = edited(new, 3, "id", 9)
    found = compare_data(stored(store, [PEOPLE]), stored(store, [new]), ["id"])
    assert (found.added, found.removed, found.changed, found.unchanged) == (1, 1, 1, 2)
    assert found.columns == {"age": 1}
    [changed] = found.changed_rows
    assert (changed.key, changed.changes) == ({"id": "2"}, {"age": ("41.0", "42.0")})
    assert [row.values["id"] for row in found.removed_rows] == ["4"]
    assert [(row.row, row.values["id"]) for row in found.added_rows] == [(3, "9")]
    assert found.differs


def test_without_a_key(store: Store) -> None:
    """Without a key a changed row is one that went and one that came."""
    found = compare_data(stored(store, [PEOPLE]), stored(store, [edited(PEOPLE, 0, "name", "Eve")]))
    assert (found.added, found.removed, found.changed, found.unchanged) == (1, 1, None, 3)
    assert found.added_rows[0].values["name"] == "'Eve'"


def test_equal_fragments_are_not_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred fragments of which one differs, one on each side is read."""
    parts = [PEOPLE.slice(0, 2).set_column(0, "id", pa.array([2 * n, 2 * n + 1])) for n in range(100)]
    old = stored(store, parts)
    new = stored(store, [*parts[:50], edited(parts[50], 0, "age", 1.5), *parts[51:]])
    read = []
    for side in (old, new):
        plain = side.table.encoded_batches
        object.__setattr__(
            side.table, "encoded_batches", lambda it, *args, plain=plain: read.append(it) or plain(it, *args)
        )
    found = compare_data(old, new, ["id"])
    assert found.changed == 1
    assert found.unchanged == 199
    assert {it.source for it in read} == {"50.parquet"}
    assert (found.equal_fragments, found.read_fragments) == (99, (1, 1))
    told = "read: 1 of 100 fragments before, 1 of 100 now; the other 99 are the same in both"
    assert found.to_text()[-1] == f"  {told}"
    assert compare_data(old, old).to_text() == [
        "rows: all 200 rows are equal",
        "  not read: 100 fragments, which are the same in both",
    ]


def test_passes_are_for_what_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of fragments that both have take no passes over the others."""
    monkeypatch.setattr(data, "PASS_ROWS", 4)
    old, new = (stored(store, [PEOPLE, PEOPLE, edited(PEOPLE, 0, "age", age)]) for age in (1.0, 2.0))
    read = []
    plain = old.table.encoded_batches
    object.__setattr__(old.table, "encoded_batches", lambda it, *args: read.append(it) or plain(it, *args))
    assert compare_data(old, new).removed == 1
    assert len(read) == 1


def test_order_is_no_difference(store: Store) -> None:
    """The same rows in another order, or cut into other fragments, are no difference; another order is told."""
    old = stored(store, [PEOPLE])
    turned = compare_data(old, stored(store, [PEOPLE.take([3, 2, 1, 0])]))
    assert not turned.differs
    assert turned.reordered is True
    cut = compare_data(old, stored(store, [PEOPLE.slice(0, 1), PEOPLE.slice(1)]))
    assert (cut.differs, cut.reordered) == (False, False)
    swapped = compare_data(
        stored(store, [PEOPLE.slice(0, 1), PEOPLE.slice(1)]),
        stored(store, [PEOPLE.slice(1), PEOPLE.slice(0, 1)]),
    )
    assert (swapped.differs, swapped.reordered, swapped.read_fragments) == (False, True, (0, 0))


def test_repeated_keys(store: Store) -> None:
    """A key that two rows have is refused, with both rows and their values."""
    twice = pa.concat_tables([PEOPLE, PEOPLE.slice(1, 1)])
    with pytest.raises(DataError, match=r"found id=2 in the rows 1 and 4"):
        compare_data(stored(store, [PEOPLE]), stored(store, [twice]), ["id"])
    paths = stored(store, [pa.table({"path": ["a", "a"]})], kind="images")
    with pytest.raises(DataError) as caught:
        compare_data(paths, stored(store, [pa.table({"path": ["b"]})], kind="images"))
    assert caught.value.hint == "name more columns with --key"


def test_unknown_key(store: Store) -> None:
    """A key that one side lacks is refused, with the columns that both have."""
    with pytest.raises(UsageError) as caught:
        compare_data(stored(store, [PEOPLE]), stored(store, [PEOPLE.drop_columns(["age"])], "new"), ["age"])
    assert "new has no such column" in caught.value.message
    assert caught.value.hint == "columns of both are id, name"
    with pytest.raises(UsageError, match="neither has such a column"):
        compare_data(stored(store, [PEOPLE]), stored(store, [PEOPLE]), ["size"])


def test_other_types(store: Store) -> None:
    """A widened column is compared by its values; one whose values are others is left out, and that is told."""
    wide = PEOPLE.cast(pa.schema([("id", pa.int16()), ("name", pa.large_string()), ("age", pa.int32())]))
    same = compare_data(stored(store, [PEOPLE]), stored(store, [wide]), ["id"])
    assert not same.differs
    assert not same.left_out
    text = PEOPLE.set_column(2, "age", pa.array(["30", "41", "5", "8"]))
    found = compare_data(stored(store, [PEOPLE]), stored(store, [text]), ["id"])
    assert not found.differs
    assert "double and string" in found.left_out["age"]
    assert found.to_text() == [
        "rows: all 4 rows are equal in the columns that were compared",
        "  age was not compared: values of double and string cannot be compared",
    ]


def column(values: list[Any], kind: pa.DataType) -> pa.Table:
    """A table of numbered values."""
    return pa.table({"id": range(len(values)), "v": pa.array(values, kind)})


DAY, NIGHT = datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29)
COMPARED = [
    (
        pa.int64(),
        [2**53 + 1, 2**53, None, 2**63 - 1],
        pa.float64(),
        [2.0**53, 2.0**53, None, 2.0**63],
        [0, 3],
    ),
    (pa.float32(), [0.5, 16777216.0], pa.int64(), [0, 16777216], [0]),
    (pa.uint64(), [2**64 - 1, 3], pa.float64(), [2.0**64, 3.0], [0]),
    (pa.int64(), [-1, 5, 2**62], pa.uint64(), [2**64 - 1, 5, 2**62], [0]),
    (pa.int8(), [-1, 5], pa.uint64(), [2**64 - 1, 5], [0]),
    (pa.uint8(), [255, 5], pa.uint64(), [255, 6], [1]),
    (pa.date32(), [DAY, DAY], pa.timestamp("us"), [NIGHT, NIGHT.replace(hour=1)], [1]),
    (pa.date64(), [DAY, None], pa.date32(), [DAY, DAY], [1]),
    (pa.timestamp("ms"), [NIGHT, 2**61], pa.timestamp("ns"), [NIGHT, 0], [1]),
    (pa.timestamp("ms", "UTC"), [0, 1], pa.timestamp("us", "Europe/Paris"), [0, 1], [1]),
    (pa.time32("s"), [1, 2], pa.time64("ns"), [10**9, 2], [1]),
    (pa.duration("ms"), [1, 2], pa.duration("us"), [1000, 2], [1]),
    (pa.decimal128(3, 2), ["1.50", "2.00"], pa.decimal256(60, 4), ["1.5000", "2.0001"], [1]),
    (pa.int64(), [2**63 - 1, 7], pa.decimal128(21, 2), [str(2**63 - 1), "7.01"], [1]),
    (pa.list_(pa.int64()), [[1], [2, None]], pa.large_list(pa.int8()), [[1], [2]], [1]),
    (
        pa.struct({"a": pa.int8()}),
        [{"a": 1}, {"a": 2}],
        pa.struct({"a": pa.int64()}),
        [{"a": 1}, {"a": 3}],
        [1],
    ),
    (
        pa.list_(pa.struct({"a": pa.int8(), "b": pa.string()})),
        [[{"a": 1, "b": "x"}, None], [{"a": 2, "b": "y"}], None],
        pa.large_list(pa.struct({"b": pa.string(), "a": pa.int8()})),
        [[{"a": 1, "b": "x"}, None], [{"a": 2, "b": "z"}], None],
        [1],
    ),
    (pa.binary(2), [b"ab", b"cd"], pa.binary(), [b"ab", b"cde"], [1]),
    (pa.null(), [None, None], pa.string(), [None, ""], [1]),
]


@pytest.mark.parametrize(
    ("was", "before", "now", "after", "changed"), COMPARED, ids=[f"{it[0]}-{it[2]}" for it in COMPARED]
)
def test_values_of_two_types(
    store: Store, was: pa.DataType, before: list[Any], now: pa.DataType, after: list[Any], changed: list[int]
) -> None:
    """Values of two types are equal exactly if they are the same number, moment, text or list, whichever is the old one."""
    tables = [
        column(
            [
                decimal.Decimal(it) if isinstance(it, str) and pa.types.is_decimal(kind) else it
                for it in values
            ],
            kind,
        )
        for values, kind in ((before, was), (after, now))
    ]
    for one, two in (tables, tables[::-1]):
        found = compare_data(stored(store, [one]), stored(store, [two]), ["id"])
        assert not found.left_out
        assert [it.old_row for it in found.changed_rows] == changed


def test_rows_that_changed_in_many_columns(store: Store) -> None:
    """Of a row the first few columns that changed are told, and how many more there are."""
    old, new = (pa.table({"id": [1], **{f"c{n}": [value] for n in range(15)}}) for value in (0, 1))
    found = compare_data(stored(store, [old]), stored(store, [new]), ["id"])
    assert found.to_text()[-1].endswith("c11: 0 -> 1, and 3 more columns")
    assert found.to_json()["samples"]["changed"][0]["more"] == 3


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("a" * 500, "a" * 499 + "b" * 99, ("...'aaaaaaaaaaa'", f"...'{'a' * 10}{'b' * 30}'...")),
        ("a" * 500, "a" * 400, ("...'aaaaaaaaaa" + "a" * 30 + "'...", "...'aaaaaaaaaa'")),
        (b"\0" * 300, b"\0" * 299, ("...b'" + "\\x00" * 11 + "'", "...b'" + "\\x00" * 10 + "'")),
        (
            [1] * 99,
            [1] * 98,
            (f"[{', '.join('1' * 20)}]", f"[{', '.join('1' * 20)}] with another value further on"),
        ),
    ],
)
def test_long_values_that_begin_alike(store: Store, old: Any, new: Any, said: tuple[str, str]) -> None:
    """Of long values that begin alike the place is told where they differ."""
    one, two = (stored(store, [pa.table({"id": [1], "v": [value]})]) for value in (old, new))
    [changed] = compare_data(one, two, ["id"]).changed_rows
    assert changed.changes == {"v": said}


def test_texts_that_are_no_utf8(store: Store) -> None:
    """Texts that differ in bytes which are no UTF-8, as Parquet files of other programs may have them, are told apart by their bytes."""

    def table(value: bytes) -> pa.Table:
        found = pa.array([value, b"b"], pa.binary())
        return pa.table({"id": [1, 2], "v": pa.Array.from_buffers(pa.string(), 2, found.buffers())})

    [changed] = compare_data(
        stored(store, [table(b"a\xff")]), stored(store, [table(b"a\xfe")]), ["id"]
    ).changed_rows
    assert changed.changes == {"v": ("b'a\\xff'", "b'a\\xfe'")}


def test_samples_say_of_how_many(store: Store) -> None:
    """Markdown says how many rows there are where it shows the first few only."""
    empty = PEOPLE.slice(0, 0)
    few = compare_data(stored(store, [empty]), stored(store, [PEOPLE])).to_markdown()
    assert few.startswith(
        "## Data\n\nRows: 4 added, 0 removed, 0 unchanged (by content); 0 rows before, 4 now.\n"
    )
    assert "\nAdded:\n" in few
    many = compare_data(stored(store, [PEOPLE, PEOPLE]), stored(store, [empty])).to_markdown()
    assert "\nRemoved, the first 5 of 8:\n" in many


def test_few_columns_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What changed in each column is the same when memory is for a column at a time, and rows come in another order and in many row groups."""
    rows = pa.table({"id": range(40), "a": range(40), "b": [f"b{n % 3}" for n in range(40)], "c": [0.5] * 40})
    new = edited(edited(edited(rows, 3, "a", -1), 3, "c", 1.0), 35, "b", "x").take([*range(39, -1, -1)])

    def compared() -> DataDiff:
        return compare_data(stored(store, [rows], row_group=4), stored(store, [new], row_group=3), ["id"])

    found = compared()
    assert found.columns == {"a": 1, "b": 1, "c": 1}
    assert [(it.old_row, it.new_row, it.changes) for it in found.changed_rows] == [
        (3, 36, {"a": ("3", "-1"), "c": ("0.5", "1.0")}),
        (35, 4, {"b": ("'b2'", "'x'")}),
    ]
    monkeypatch.setattr(data, "HELD_HASHES", 1)
    assert compared() == found


def test_columns_of_one_side(store: Store) -> None:
    """Rows are compared in the columns that both have, and the others are told; where there are none, no row is equal to another."""
    found = compare_data(stored(store, [PEOPLE]), stored(store, [PEOPLE.drop_columns(["age"])]))
    assert not found.differs
    assert found.left_out == {"age": "no such column in the new data"}
    assert not DiffReport("old", "new", data=found).same
    wide = pa.table({"id": [1], **{f"c{number}": [1] for number in range(20)}})
    lines = compare_data(stored(store, [wide]), stored(store, [wide.select(["id", "c0"])])).to_text()
    assert lines[0] == "rows: the only row is equal in the columns that were compared"
    assert lines[1].endswith(", c12 and 7 more were not compared: no such column in the new data")
    none = compare_data(stored(store, [PEOPLE.select(["id"])]), stored(store, [PEOPLE.select(["age"])]))
    assert (none.added, none.removed, none.unchanged) == (4, 4, 0)


def test_parts(store: Store) -> None:
    """Of a part only its rows are compared, and an equal fragment whose rows are in other parts is read."""
    old = stored(store, [PEOPLE], parts={"train": [0, 1, 2], "test": [3]}, part="train")
    new = stored(store, [PEOPLE], parts={"train": [0, 1], "test": [2, 3]}, part="train")
    found = compare_data(old, new)
    assert (found.old_rows, found.new_rows, found.removed, found.added, found.unchanged) == (3, 2, 1, 0, 2)
    assert found.removed_rows[0].values["name"] == "'Cid'"


def test_media(store: Store) -> None:
    """Rows of media go together by their path, and files are compared by digest: added, removed, changed, moved."""

    def side(files: dict[str, bytes]) -> Any:
        made = {path: store.put(content) for path, content in files.items()}
        tree = store.put_paths((path, it, False) for path, it in made.items())
        table = pa.table({"path": list(files), "digest": [str(it.digest) for it in made.values()]})
        return stored(store, [table], kind="images", media=tree)

    old = side({"a/1.png": b"1", "a/2.png": b"2", "b/3.png": b"3", "b/4.png": b"4", "c/5.png": b"5"})
    new = side({"a/1.png": b"1", "a/2.png": b"22", "c/3.png": b"3", "c/5.png": b"5", "c/6.png": b"6"})
    found = compare_data(old, new)
    assert found.key == ("path",)
    assert found.changed == 1
    files = found.files
    assert files is not None
    assert [it.path for it in files.added] == ["c/6.png"]
    assert [it.path for it in files.removed] == ["b/4.png"]
    assert [it.path for it in files.changed] == ["a/2.png"]
    assert [(it.before, it.path) for it in files.moved] == [("b/3.png", "c/3.png")]
    assert files.unchanged == 2
    assert "  ! b/3.png -> c/3.png" in found.to_text()


def test_nothing_to_compare(store: Store) -> None:
    """Empty tables are equal, and all rows of the other side came or went."""
    empty = PEOPLE.slice(0, 0)
    none = compare_data(stored(store, [empty]), stored(store, [empty]))
    assert not none.differs
    assert none.to_text()[0] == "rows: none on either side"
    assert compare_data(stored(store, [empty]), stored(store, [PEOPLE]), ["id"]).added == 4
    assert compare_data(stored(store, [PEOPLE]), stored(store, [empty])).removed == 4


def test_hostile_names(store: Store) -> None:
    """Names and values of the data stay on their line, in a terminal and in Markdown."""
    old = pa.table({"a\n| b": [1], "v": ["<script>\x1b[31m"]})
    found = compare_data(stored(store, [old]), stored(store, [old.slice(0, 0)]))
    assert not any("\n" in line or "\x1b" in line for line in found.to_text())
    [line] = [line for line in found.to_markdown().splitlines() if "row 0" in line]
    assert "\\|" in line
    assert "<script>" not in line.replace("\\<", "")


rows = st.lists(
    st.fixed_dictionaries(
        {
            "k": st.integers(0, 6),
            "v": st.sampled_from([None, 0.0, -0.0, 1.5, float("nan")]),
            "t": st.sampled_from(["", "a"]),
        }
    ),
    max_size=12,
)
SCHEMA = pa.schema([("k", pa.int64()), ("v", pa.float64()), ("t", pa.string())])


@pytest.mark.no_cover
@given(old=rows, new=rows, cuts=st.lists(st.integers(1, 4), max_size=3), passes=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_as_bags(
    old: list[Any],
    new: list[Any],
    cuts: list[int],
    passes: bool,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a key the counts are those of the difference of two bags, however rows are cut and in however many passes they are read."""
    monkeypatch.setattr(data, "PASS_ROWS", 3 if passes else 100)

    def fragments(rows: list[Any]) -> list[pa.Table]:
        table, found, start = pa.Table.from_pylist(rows, schema=SCHEMA), [], 0
        for cut in cuts:
            found.append(table.slice(start, cut))
            start += cut
        return [*found, table.slice(start)]

    def bag(rows: list[Any]) -> Counter[Any]:
        # 0.0 is -0.0, and NaN is NaN
        return Counter((it["k"], "nan" if it["v"] != it["v"] else it["v"], it["t"]) for it in rows)

    found = compare_data(stored(store, fragments(old)), stored(store, fragments(new)))
    gone, come = bag(old) - bag(new), bag(new) - bag(old)
    assert (found.removed, found.added) == (gone.total(), come.total())
    assert found.unchanged == len(old) - gone.total()
    assert all(int(row.values["k"]) == old[row.row]["k"] for row in found.removed_rows)
    assert len(found.added_rows) == min(5, come.total())


@given(
    old=st.dictionaries(st.integers(0, 9), st.integers(0, 2)),
    new=st.dictionaries(st.integers(0, 9), st.integers(0, 2)),
    passes=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_by_key(
    old: dict[int, int], new: dict[int, int], passes: bool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a key the counts are those of two mappings, in however many passes rows are read; each row is named by its place."""
    monkeypatch.setattr(data, "PASS_ROWS", 3 if passes else 100)

    def side(rows: dict[int, int]) -> Any:
        table = pa.table(
            {"k": pa.array(list(rows), pa.int64()), "v": pa.array(list(rows.values()), pa.int64())}
        )
        return stored(store, [table])

    found = compare_data(side(old), side(new), ["k"])
    assert found.removed == len(old.keys() - new.keys())
    assert found.added == len(new.keys() - old.keys())
    assert found.changed == sum(old[key] != new[key] for key in old.keys() & new.keys())
    assert found.columns == ({"v": found.changed} if found.changed else {})
    keys = list(old), list(new)
    for it in found.changed_rows:
        assert keys[0][it.old_row] == keys[1][it.new_row] == int(it.key["k"])
    if not found.differs:
        assert found.reordered is (keys[0] != keys[1]) or (passes and found.reordered is None)
