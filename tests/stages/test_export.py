"""The export stage: the folder that a build gives."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.assignment import Assignment
from mldata.errors import BuildError, SpecError
from mldata.exports import EXPORTS
from mldata.manifest import read_manifest
from mldata.stages.base import StageOutput
from mldata.stages.export import Export
from mldata.stages.split import Split
from store import Digest, Store, digest_bytes
from tests.exports.tfrecords import record_values, records
from tests.exports.webdatasets import members
from tests.stages.jobs import PlainJob, export_params, put_table, split_params

PARTS = {"train": 0.6, "val": 0.3, "test": 0.1}
CONTEXT: dict[str, Any] = {
    "mldata": "0.1.0",
    "sources": [{"source": "data/*.csv", "tree": "0" * 64, "files": 2, "bytes": 10}],
    "params": {"split": {"parts": [["train", 0.6]], "seed": 1e-05}},
    "versions": {"export": {"version": 1, "libraries": {"pyarrow": "26.0"}}},
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store.open(tmp_path / "store")


def people(rows: int) -> pa.Table:
    """A table of a number, a text with nulls, and a moment."""
    return pa.table(
        {
            "id": pa.array(range(rows), pa.int64()),
            "text": pa.array([None if row % 5 == 0 else f"é, {row}" for row in range(rows)], pa.string()),
            "at": pa.array(range(rows), pa.timestamp("us")),
        }
    )


def splits(store: Store, table: Digest, parts: Mapping[str, float] = PARTS, **params: Any) -> Digest:
    """An assignment of the table's rows."""
    job = PlainJob(store, "split", split_params(parts, **params), {"normalize": table})
    return Split().build(job).output.digest


def export(
    store: Store, table: Digest, *formats: str, split: Digest | None = None, **params: Any
) -> tuple[StageOutput, PlainJob, dict[str, bytes]]:
    """Run the stage: what it returns, the job, and the folder's files."""
    inputs = {"normalize": table} | ({"split": split} if split else {})
    job = PlainJob(store, "export", export_params(*formats, **params), inputs, CONTEXT)
    made = Export().build(job)
    return made, job, {path: store.read(entry.digest) for path, entry in store.walk(made.output.digest)}


def read_any(name: str, data: bytes) -> list[dict[str, Any]]:
    """Rows of an exported file."""
    inner, _, packed = name.partition(".")
    if packed:
        codec = {"gz": "gzip", "zst": "zstd"}[packed]
        data = pa.CompressedInputStream(pa.BufferReader(data), codec).read()
    if inner == "parquet":
        return pq.read_table(io.BytesIO(data)).to_pylist()
    if inner in ("arrow", "feather"):
        return pa.ipc.open_file(data).read_all().to_pylist()
    if inner == "orc":
        return orc.ORCFile(pa.BufferReader(data)).read().to_pylist()
    if inner in ("jsonl", "json"):
        return [json.loads(line) for line in data.splitlines()] if inner == "jsonl" else json.loads(data)
    if inner == "huggingface":
        return pa.ipc.open_stream(data).read_all().to_pylist()
    if inner == "webdataset":
        return [json.loads(text) for name, text in members(data) if name.endswith(".json")]
    if inner == "tfrecord":
        return [record_values(record) for record in records(data)]
    delimiter = {"csv": ",", "tsv": "\t"}[inner]
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))


@pytest.mark.parametrize("name", EXPORTS)
def test_each_part_is_a_file_of_its_rows(store: Store, name: str) -> None:
    """Files hold the rows of their parts in source order, from all fragments."""
    pieces = [people(100).slice(0, 33), people(100).slice(33, 0), people(100).slice(33)]
    table = put_table(store, pieces)
    split = splits(store, table)
    made, _, files = export(store, table, name, split=split)
    assignment = Assignment.open(store, split)
    listed = {it["path"] for it in made.facts["files"] if it["split"] is not None}
    assert listed == {EXPORTS[name].file_path(part) for part in PARTS}
    assert set(files) == {"manifest.yaml", *(it["path"] for it in made.facts["files"])}
    for part in PARTS:
        found = [int(row["id"]) for row in read_any(name, files[EXPORTS[name].file_path(part)])]
        assert found == assignment.indices(part).tolist()
    assert made.rows == 100
    assert made.facts["parts"] == {"train": 60, "val": 30, "test": 10}


def test_without_a_split_there_is_one_file_a_format(store: Store) -> None:
    """It is called data."""
    table = put_table(store, [people(5), people(5)])
    formats = ("parquet", "csv", "jsonl", "arrow")
    made, job, files = export(store, table, *formats)
    assert set(files) == {"data.parquet", "data.csv", "data.jsonl", "data.arrow", "manifest.yaml"}
    assert all(len(read_any(name, files[f"data.{name}"])) == 10 for name in formats)
    assert job.runs == ["demo: parquet", "demo: csv", "demo: jsonl", "demo: arrow", "demo: manifest.yaml"]
    assert [(it["path"], it["format"], it["split"], it["rows"]) for it in made.facts["files"]] == [
        (f"data.{name}", name, "data", 10) for name in sorted(formats)
    ]


def test_one_more_format_writes_that_alone(store: Store) -> None:
    """Formats are actions of their own: what was written is taken from the cache. So is all of a second build."""
    table = put_table(store, [people(5), people(5)])
    export(store, table, "csv")
    _, job, _ = export(store, table, "csv", "jsonl")
    assert (job.hits, job.runs) == (["demo: csv"], ["demo: jsonl", "demo: manifest.yaml"])
    _, job, _ = export(store, table, "csv", "jsonl")
    assert job.runs == []


def test_compression_is_of_the_formats_that_have_it(store: Store) -> None:
    """Another compression does not write plain files again."""
    table = put_table(store, [people(500), people(5)])
    export(store, table, "csv", "parquet")
    _, job, files = export(store, table, "csv", "parquet", compression="gzip:9")
    assert job.runs == ["demo: parquet", "demo: manifest.yaml"]
    assert pq.read_metadata(io.BytesIO(files["data.parquet"])).row_group(0).column(0).compression == "GZIP"


def test_levels_and_escapes_reach_the_files(store: Store) -> None:
    """A level by format, and formulas that are escaped, write the formats that they are for anew, and those alone."""
    table = put_table(store, [pa.table({"t": [f"={number}" for number in range(5000)]})])
    names = ("parquet", "csv.gz", "jsonl.gz")
    before = export(store, table, *names)[2]
    codecs = {"csv.gz": "gzip:1", "parquet": "zstd:19"}
    _, job, after = export(store, table, *names, compression=codecs)
    assert sorted(job.runs) == ["demo: csv.gz", "demo: manifest.yaml", "demo: parquet"]
    assert len(after["data.csv.gz"]) > len(before["data.csv.gz"])
    assert gzip.decompress(after["data.csv.gz"]) == gzip.decompress(before["data.csv.gz"])
    _, job, escaped = export(store, table, *names, compression=codecs, escape_formulas=True)
    assert sorted(job.runs) == ["demo: csv.gz", "demo: manifest.yaml"]
    assert gzip.decompress(escaped["data.csv.gz"]).startswith(b"t\n'=0\n'=1\n")
    assert escaped["data.jsonl.gz"] == before["data.jsonl.gz"]


def test_a_whole_fragment_is_linked(store: Store) -> None:
    """A Parquet file that is the table already is exported by its digest; with another format beside it too."""
    table = put_table(store, [people(50)])
    fragment = next(iter(store.tree(store.tree(table).get("fragments").digest))).digest
    made, job, _ = export(store, table, "parquet", "csv")
    assert store.tree(made.output.digest).get("data.parquet").digest == fragment
    assert job.runs == ["demo: csv", "demo: manifest.yaml"]


def test_a_part_that_is_a_fragment_is_linked(store: Store) -> None:
    """Also where a split happens to follow the files; the other parts are written."""
    table = put_table(store, [people(30), people(10), people(30)])
    split = _assignment(store, [0] * 30 + [1] * 10 + [2] * 15 + [0] * 15)
    made, job, files = export(store, table, "parquet", split=split)
    tree = store.tree(made.output.digest)
    fragments = [entry.digest for entry in store.tree(store.tree(table).get("fragments").digest)]
    assert tree.get("val.parquet").digest == fragments[1]
    assert job.runs == ["demo: parquet", "demo: manifest.yaml"]
    assert [len(read_any("parquet", files[f"{part}.parquet"])) for part in PARTS] == [45, 10, 15]


def _assignment(store: Store, parts: list[int]) -> Digest:
    from mldata.assignment import Segment, write_assignment

    segment = Segment(store.put(bytes(parts)).digest, len(parts))
    return write_assignment(
        parts=list(PARTS),
        ratios=list(PARTS.values()),
        counts=[parts.count(number) for number in range(3)],
        segments=[segment],
        put=store.put,
        put_tree=store.put_tree,
    ).digest


@pytest.mark.parametrize(
    "params",
    [{"row_index": True}, {"compression": "snappy"}, {"compression": "zstd:3"}, {"compression": "none"}],
)
def test_a_fragment_that_is_not_what_was_asked_is_rewritten(store: Store, params: dict[str, Any]) -> None:
    """A column more, another codec, or a level, which a file does not tell."""
    table = put_table(store, [people(50)])
    fragment = next(iter(store.tree(store.tree(table).get("fragments").digest))).digest
    made, _, files = export(store, table, "parquet", **params)
    assert store.tree(made.output.digest).get("data.parquet").digest != fragment
    assert len(read_any("parquet", files["data.parquet"])) == 50


def test_row_index_is_the_row_in_the_source(store: Store) -> None:
    """The column is the last one, in every format."""
    table = put_table(store, [people(40), people(60)])
    split = splits(store, table)
    _, _, files = export(store, table, *EXPORTS, split=split, row_index=True)
    expected = Assignment.open(store, split).indices("val").tolist()
    for name in EXPORTS:
        rows = read_any(name, files[EXPORTS[name].file_path("val")])
        assert [int(row["row_index"]) for row in rows] == expected
        if not name.startswith("tfrecord"):  # whose features are in the order of their names
            assert list(rows[0]) == ["id", "text", "at", "row_index"]


def test_empty_parts_and_tables_are_files(store: Store) -> None:
    """They have the schema and no rows."""
    table = put_table(store, [people(0)])
    _, _, files = export(store, table, *EXPORTS, split=splits(store, table))
    for part in PARTS:
        assert pq.read_schema(io.BytesIO(files[f"{part}.parquet"])).names == ["id", "text", "at"]
        assert files[f"{part}.csv"] == b"id,text,at\n"
        assert files[f"{part}.jsonl"] == b""


def test_the_same_data_cut_otherwise_is_the_same_export(store: Store) -> None:
    """Fragments leave no trace in the files that are written, where these have groups of rows and where not."""
    grouped = ("parquet", "csv", "jsonl", "arrow", "orc")
    for rows, formats in ((70_000, grouped), (700, [name for name in EXPORTS if name not in grouped])):
        whole, most = people(rows), rows * 6 // 7 + 1
        first = put_table(store, [whole.slice(0, 1), whole.slice(1)])
        second = put_table(store, [whole.slice(0, most), whole.slice(most)])
        split = splits(store, first)
        made = export(store, first, *formats, split=split)[2]
        assert made == export(store, second, *formats, split=split)[2]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 2), max_size=40), st.integers(0, 40))
def test_every_row_is_exported_once(
    tmp_path_factory: pytest.TempPathFactory, parts: list[int], place: int
) -> None:
    """Whatever the assignment and the fragments."""
    data = people(len(parts))
    with Store.open(tmp_path_factory.mktemp("s") / "store") as store:
        table = put_table(store, [data.slice(0, place), data.slice(place)])
        _, _, files = export(store, table, "jsonl", split=_assignment(store, parts))
        found = [row["id"] for part in PARTS for row in read_any("jsonl", files[f"{part}.jsonl"])]
    assert sorted(found) == list(range(len(parts)))


MEDIA = {"cat/1.png": b"cat", "dog/2.png": b"dog", "top.png": b"top"}


def images() -> pa.Table:
    """Rows for MEDIA."""
    return pa.table(
        {
            "path": list(MEDIA),
            "label": ["cat", "dog", ""],
            "digest": [digest_bytes(data) for data in MEDIA.values()],
        }
    )


def test_media_lie_beside_the_files(store: Store) -> None:
    """Under the paths that the rows name, as the objects that the table has."""
    table = put_table(store, [images()], kind="images", media=MEDIA)
    made, _, files = export(store, table, "csv", split=splits(store, table))
    assert {path: data for path, data in files.items() if path.endswith(".png")} == MEDIA
    media = store.tree(store.tree(table).get("media").digest)
    assert store.tree(made.output.digest).get("cat") == media.get("cat")


@pytest.mark.parametrize("name", ["data.csv", "DATA.csv", "manifest.yaml"])
def test_media_that_would_be_overwritten_are_an_error(store: Store, name: str) -> None:
    """The message names the media file and the file of the export."""
    table = put_table(store, [images()], kind="images", media={name: b""})
    with pytest.raises(BuildError, match=f"the media file '{name}' and '{name.lower()}'"):
        export(store, table, "csv")


def test_columns_a_format_lacks_are_an_error(store: Store) -> None:
    """The message names them, and the formats that can hold them; nothing is written before."""
    table = put_table(store, [pa.table({"a": [1], "tags": [["x"]], **{f"b{n}": [b""] for n in range(6)}})])
    with pytest.raises(
        BuildError,
        match=r"csv format cannot hold columns 'tags' \(list.*and 2 more(?s:.*)parquet, jsonl, jsonl.gz, jsonl.zst, json, json.gz, json.zst, arrow, feather, orc",
    ):
        export(store, table, "parquet", "csv")


def test_wrong_settings_are_errors(store: Store) -> None:
    """A codec that a format lacks; a row index that exists already; a split of other rows."""
    table = put_table(store, [pa.table({"row_index": [1, 2]})])
    with pytest.raises(SpecError, match="the arrow format cannot be compressed with 'snappy'"):
        export(store, table, "parquet", "arrow", compression="snappy")
    with pytest.raises(SpecError, match="column 'row_index', which the table already has"):
        export(store, table, "parquet", row_index=True)
    with pytest.raises(BuildError, match="the split is of 3 rows, the table has 2"):
        export(store, table, "parquet", split=_assignment(store, [0, 1, 2]))


def test_what_json_cannot_say_is_warned_about(store: Store) -> None:
    """Also when the file comes from the cache."""
    table = put_table(store, [pa.table({"x": [float("nan"), 1.0]})] * 2)
    warning = "jsonl: 2 NaN or infinite values were written as null, which is all that jsonl has for them"
    assert export(store, table, "jsonl")[1].warnings == [warning]
    assert export(store, table, "jsonl", "parquet")[1].warnings == [warning]


def test_the_manifest_tells_what_was_exported(store: Store) -> None:
    """Digests, sizes, rows and parts of every file; schema, sources, parameters and versions as they were given."""
    table = put_table(store, [images()], kind="images", media=MEDIA)
    _, _, files = export(store, table, "csv", "parquet", split=splits(store, table), row_index=True)
    (path := Path(str(store.root)) / "m.yaml").write_bytes(files["manifest.yaml"])
    manifest = read_manifest(path)
    assert {file.path for file in manifest.files} == files.keys() - {"manifest.yaml"}
    for file in manifest.files:
        data = files[file.path]
        assert (file.size, file.blake3) == (len(data), digest_bytes(data))
        assert file.sha256 == hashlib.sha256(data).hexdigest()
    assert [(part.name, part.rows, part.ratio) for part in manifest.parts] == [
        ("train", 2, 0.6),
        ("val", 1, 0.3),
        ("test", 0, 0.1),
    ]
    assert [(field.name, field.type, field.nullable) for field in manifest.schema] == [
        ("path", "string", True),
        ("label", "string", True),
        ("digest", "string", True),
        ("row_index", "int64", False),
    ]
    assert (manifest.dataset, manifest.kind, manifest.rows) == ("demo", "images", 3)
    plain = yaml.safe_load(files["manifest.yaml"])
    for key in ("sources", "params", "versions", "mldata"):
        assert plain[key] == CONTEXT[key]


def test_a_renamed_source_writes_the_manifest_only(store: Store) -> None:
    """What the manifest tells is in its key; what files hold is in theirs."""
    table = put_table(store, [people(5), people(6)])
    export(store, table, "csv")
    inputs = {"normalize": table}
    context = CONTEXT | {"sources": [CONTEXT["sources"][0] | {"source": "other/*.csv"}]}
    job = PlainJob(store, "export", export_params("csv"), inputs, context)
    Export().build(job)
    assert (job.hits, job.runs) == (["demo: csv"], ["demo: manifest.yaml"])
