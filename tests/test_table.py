"""The table in the store: opened, read in batches, refused when it is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldata.errors import BuildError, DataError
from mldata.table import Fragment, Table, write_table
from store import KIND_FILE, Digest, Store, TreeEntry, encode

SCHEMA = pa.schema([("a", pa.int64()), ("b", pa.string())])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as store:
        yield store


def put(store: Store, tables: list[pa.Table], schema: pa.Schema = SCHEMA, row_group_size: int = 3) -> Digest:
    fragments = []
    for number, table in enumerate(tables):
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, row_group_size=row_group_size)
        made = store.put(sink.getvalue().to_pybytes())
        fragments.append(Fragment(made.digest, made.size, table.num_rows, f"{number}.csv"))
    made = write_table(
        kind="tabular", schema=schema, fragments=fragments, media=None, put=store.put, put_tree=store.put_tree
    )
    return made.digest


def part(start: int, stop: int) -> pa.Table:
    return pa.table({"a": list(range(start, stop)), "b": [str(i) for i in range(start, stop)]}, SCHEMA)


def test_round_trip(store: Store) -> None:
    """What is written is read back: schema, rows, order, fragments."""
    table = Table.open(store, put(store, [part(0, 5), part(5, 5), part(5, 12)]))
    assert (table.rows, table.schema, table.kind, table.media) == (12, SCHEMA, "tabular", None)
    assert [(f.rows, f.source) for f in table.fragments] == [(5, "0.csv"), (0, "1.csv"), (7, "2.csv")]
    assert table.starts == [0, 5, 5, 12]
    assert pa.Table.from_batches(table.batches(), SCHEMA) == part(0, 12)
    assert table.fragment(2) == part(5, 12)
    assert table.fragment(1) == part(0, 0)


def test_encoded_batches(store: Store) -> None:
    """Text with a small dictionary comes as dictionary arrays, text with a large one (or none) does not; the values are the same."""
    columns = {
        "few": [f"{row % 5}" for row in range(20_000)],
        "many": [f"{row:016x}{row * 7919 % 20_000:016x}" for row in range(20_000)],
        "number": [row % 5 for row in range(20_000)],
    }
    whole = pa.table(columns)
    made = Table.open(store, put(store, [whole.slice(0, 0), whole], whole.schema, row_group_size=15_000))
    names = ["number", "many", "few"]
    assert list(made.encoded_batches(made.fragments[0], names)) == []
    batches = list(made.encoded_batches(made.fragments[1], names))
    encoded = pa.dictionary(pa.int32(), pa.string())
    assert [field.type for field in batches[0].schema] == [pa.int64(), pa.string(), encoded]
    plain = [batch.set_column(2, "few", batch["few"].dictionary_decode()) for batch in batches]
    assert pa.Table.from_batches(plain) == whole.select(names)
    last = list(made.encoded_batches(made.fragments[1], ["number"], [1]))
    assert pa.Table.from_batches(last) == whole.select(["number"]).slice(15_000)


def test_encoded_batches_conform(store: Store) -> None:
    """A fragment of another type than the table's is refused there too."""
    odd = Table.open(store, put(store, [pa.table({"a": ["x"], "b": ["y"]})]))
    with pytest.raises(BuildError, match="does not have the table's schema"):
        list(odd.encoded_batches(odd.fragments[0], ["a"]))


def test_batches(store: Store) -> None:
    """Batches have at most the rows asked for, and the columns asked for in that order."""
    table = Table.open(store, put(store, [part(0, 10)]))
    batches = list(table.batches(columns=["b", "a"], batch_rows=4))
    assert [batch.num_rows for batch in batches] == [4, 4, 2]
    assert batches[0].schema.names == ["b", "a"]
    assert table.fragment(0, ["b"]).schema.names == ["b"]


def test_large_rows_make_small_batches(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rows are large a batch has fewer of them, so that memory stays bounded."""
    monkeypatch.setattr("mldata.table.BATCH_BYTES", 1 << 16)
    schema = pa.schema([("x", pa.binary())])
    big = pa.table({"x": [bytes([i]) * (1 << 14) for i in range(20)]}, schema)
    sizes = [batch.num_rows for batch in Table.open(store, put(store, [big], schema)).batches()]
    assert sum(sizes) == 20 and max(sizes) <= 4


def test_metadata_does_not_matter(store: Store) -> None:
    """A fragment with metadata of its own is read under the table's schema."""
    table = Table.open(store, put(store, [part(0, 3).replace_schema_metadata({"pandas": "{}"})]))
    assert next(table.batches()).schema.equals(SCHEMA, check_metadata=True)


def test_a_fragment_of_another_schema(store: Store) -> None:
    """A fragment that does not have the table's types is an error, not a conversion."""
    table = Table.open(store, put(store, [pa.table({"a": ["x"], "b": ["y"]})]))
    with pytest.raises(BuildError, match="schema"):
        list(table.batches())


def test_no_table(store: Store) -> None:
    """A tree that is no table, of another version or at odds with itself is refused."""
    empty = store.put_tree([])
    with pytest.raises(BuildError, match="expected a table"):
        Table.open(store, empty.digest)

    def tree(meta: dict[str, object]) -> Digest:
        entry = TreeEntry("table", KIND_FILE, *store.put(encode(meta)))
        return store.put_tree([entry, TreeEntry("fragments", "tree", *empty)]).digest

    with pytest.raises(BuildError, match="version 9"):
        Table.open(store, tree({"version": 9}))
    facts = {
        "version": 1,
        "kind": "tabular",
        "rows": 1,
        "schema": b"",
        "fragments": [{"rows": 1, "source": "x"}],
    }
    with pytest.raises(BuildError, match="fragments"):
        Table.open(store, tree(facts))


@pytest.mark.parametrize("read", ["batches", "encoded_batches"])
def test_damaged_data_names_its_source(read: str, store: Store) -> None:
    """Data that cannot be decoded, as in a damaged Parquet file that became a fragment as it stands, is told by the source file."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.table({"a": [str(i**5) for i in range(5000)]}), sink, compression="zstd", use_dictionary=False
    )
    data = bytearray(sink.getvalue().to_pybytes())
    data[5000:5100] = b"\xff" * 100
    made = store.put(bytes(data))
    schema = pa.schema([("a", pa.string())])
    fragments = [Fragment(made.digest, made.size, 5000, "bad.parquet")]
    tree = write_table(
        kind="tabular", schema=schema, fragments=fragments, media=None, put=store.put, put_tree=store.put_tree
    )
    table = Table.open(store, tree.digest)
    with pytest.raises(DataError, match=r"bad\.parquet: expected a sound Parquet file, found damaged data"):
        list(table.batches() if read == "batches" else table.encoded_batches(table.fragments[0], ["a"]))
