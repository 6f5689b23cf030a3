"""What differs first in two outputs of a stage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldata.outputdiff import Difference, Stored, output_difference
from mldata.stages.export import Export
from mldata.stages.split import Split
from store import KIND_FILE, Digest, ObjectId, Store, TreeEntry
from tests.stages.jobs import PlainJob, export_params, put_table, split_params


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """Two stores."""
    with Store.open(tmp_path / "one") as one, Store.open(tmp_path / "two") as two:
        yield one, two


Stores = tuple[Store, Store]


def people(**columns: Any) -> pa.Table:
    return pa.table({"id": list(range(6)), "text": list("abcdef"), **columns})


def changed(row: int, text: str) -> pa.Table:
    texts = list("abcdef")
    texts[row] = text
    return people(text=texts)


def told(stores: Stores, old: Digest, new: Digest) -> Difference:
    found = output_difference(Stored(stores[0], old), Stored(stores[1], new))
    assert found is not None
    return found


def tables(stores: Stores, old: list[pa.Table], new: list[pa.Table], **more: Any) -> Difference:
    return told(stores, put_table(stores[0], old), put_table(stores[1], new, **more))


def test_equal_outputs(stores: Stores) -> None:
    """There is nothing to tell."""
    one, two = (Stored(store, put_table(store, [people()])) for store in stores)
    assert output_difference(one, two) is None


def test_a_value_of_a_table(stores: Stores) -> None:
    """Fragment, row in it, column, and both values."""
    rest = people().slice(0, 2)
    found = tables(stores, [rest, people()], [rest, changed(4, "x")])
    assert found.text == "fragment 1 (1.csv), row 4 (counted from 0), column 'text': expected 'e', got 'x'"
    assert found.details == {
        "fragment": 1, "source": "1.csv", "row": 4, "column": "text", "expected": "'e'", "got": "'x'",
    }  # fmt: skip


def test_schemas_and_fragments(stores: Stores) -> None:
    """Another type comes before values, a lost fragment after them."""
    cast = people().set_column(0, "id", pa.array(range(6), pa.int8()))
    assert tables(stores, [people()], [cast]).details == {
        "column": "id", "expected": "id: int64", "got": "id: int8",
    }  # fmt: skip
    found = tables(stores, [people(), people()], [people()])
    assert found.text == "the table: expected 2 fragments, got 1 fragments"


def test_equal_rows_in_other_bytes(stores: Stores) -> None:
    """A fragment that is only written in another way is told as that."""
    found = tables(stores, [people()], [people()], compression="gzip")
    assert found.text.startswith("fragment 0 (0.csv), whose rows are equal, byte ")


def test_metadata_of_a_table(stores: Stores) -> None:
    """Where nothing else differs, the file of the output that does is named."""
    plain = put_table(stores[0], [people()])
    assert put_table(stores[1], [people()]) == plain
    more = TreeEntry("rejects", KIND_FILE, *stores[1].put(b"more"))
    new = stores[1].put_tree([*stores[1].tree(plain), more])
    assert told(stores, plain, new.digest).text == "rejects: expected no such file, got the file"


def test_a_row_of_a_split(stores: Stores) -> None:
    """The first row that is in another part; or shares that are others."""
    made = []
    for store, seed in zip(stores, (1, 2), strict=True):
        job = PlainJob(store, "split", split_params({"train": 0.5, "test": 0.5}, seed=seed),
                       {"normalize": put_table(store, [people()])})  # fmt: skip
        made.append(Split().build(job).output.digest)
    found = told(stores, made[0], made[1])
    assert {found.details["expected"], found.details["got"]} == {"part train", "part test"}
    assert 0 <= found.details["row"] < 6
    params = split_params({"train": 0.75, "test": 0.25})
    job = PlainJob(stores[1], "split", params, {"normalize": put_table(stores[1], [people()])})
    found = told(stores, made[0], Split().build(job).output.digest)
    assert found.text == "the split's ratios: expected [0.5, 0.5], got [0.75, 0.25]"


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("parquet", "data.parquet (and 1 more files), row 4 (counted from 0), column 'text': expected 'e', got 'x'"),
        ("arrow", "data.arrow (and 1 more files), row 4 (counted from 0), column 'text': expected 'e', got 'x'"),
        ("csv", "data.csv (and 1 more files), line 6, column 3: expected 4,e, got 4,x"),
        ("jsonl", 'data.jsonl (and 1 more files), line 5, column 17: expected {"id":4,"text":"e"}, got {"id":4,"text":"x"}'),
    ],
)  # fmt: skip
def test_a_file_of_an_export(stores: Stores, name: str, where: str) -> None:
    """Rows and columns where the format has them, else lines; the manifest, which tells of the others, comes last."""
    made = []
    for store, data in zip(stores, (people(), changed(4, "x")), strict=True):
        job = PlainJob(store, "export", export_params(name), {"normalize": put_table(store, [data])})
        made.append(Export().build(job).output.digest)
    found = told(stores, made[0], made[1])
    assert found.text == where
    assert found.details["files"] == 2


def test_files_come_and_go(stores: Stores) -> None:
    """A file that only one has, and one that became a program."""

    def tree(store: Store, *files: tuple[str, bytes, bool]) -> Digest:
        return store.put_paths((path, store.put(data), run) for path, data, run in files).digest

    old = tree(stores[0], ("a/b", b"1", False), ("c", b"2", False))
    new = tree(stores[1], ("c", b"2", False))
    assert told(stores, old, new).text == "a/b: expected the file, got no such file"
    new = tree(stores[1], ("a/b", b"1", False), ("c", b"2", True))
    assert told(stores, old, new).text == "c: expected executable: False, got executable: True"


def test_a_parquet_file_that_is_none(stores: Stores) -> None:
    """A file is looked at by its name only if it is what the name says."""
    good = pa.BufferOutputStream()
    pq.write_table(people(), good)
    files: list[ObjectId] = [stores[0].put(good.getvalue().to_pybytes()), stores[1].put(b"no parquet")]
    trees = [
        store.put_paths([("x.parquet", file, False)]).digest
        for store, file in zip(stores, files, strict=True)
    ]
    assert "x.parquet, byte" in told(stores, trees[0], trees[1]).text
