"""All formats in one pass over the table: what is read, what fails, what stays, and how parts are cut into files."""

from __future__ import annotations

import datetime
import io
import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata import exports as registry
from mldata.dataset import Dataset
from mldata.errors import BuildError, DataError, SpecError, UsageError
from mldata.exports import EXPORTS, ExportInfo
from mldata.exports.base import Compression, Exported, Writing
from mldata.outputs import Cancelled, StagedOutputs
from mldata.stages import exportpass
from mldata.stages.base import StageOutput
from mldata.stages.export import Export
from mldata.stages.exportshards import PartFiles
from mldata.stages.split import Split
from mldata.table import Table
from mldata.testing.exports import Sink
from store import Digest, Store
from tests.stages.jobs import PlainJob, export_params, put_table, split_params

LATE = datetime.date(9999, 12, 31).toordinal() - datetime.date(1970, 1, 1).toordinal() + 1
MEDIA = {"cat/1.png": b"cat", "dog/2.png": b"dog", "top.png": b"top"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with Store.open(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch) -> ExportInfo:
    """A format that holds the media files, is told a setting, and has an index beside its files."""
    info = ExportInfo(
        "bundle",
        __name__,
        "Bundle",
        ".bundle",
        {},
        path="rows/{part}{suffix}",
        shard_path="rows/{part}-{number}-{count}{suffix}",
        embeds=True,
        options=("escape_formulas",),
        companions=True,
    )
    monkeypatch.setitem(registry.EXPORTS, "bundle", info)
    return info


class Bundle:
    """See :func:`bundle`: a line a row, with its file; it fails at a file without content."""

    def unfit(self, kind: pa.DataType) -> bool:
        return False

    def open(
        self,
        sink: BinaryIO,
        schema: pa.Schema,
        compression: Compression,
        threads: int = 1,
        *,
        writing: Writing,
    ) -> BundleFile:
        return BundleFile(sink, writing)

    def companions(self, exported: Exported) -> Mapping[str, bytes]:
        told = [[it.path, it.part, it.rows, it.size] for it in exported.files]
        return {"rows/index.json": json.dumps([exported.dataset, dict(exported.parts), told]).encode()}


class BundleFile:
    """A file of it, which cannot tell its size."""

    def __init__(self, sink: BinaryIO, writing: Writing) -> None:
        self._sink, self._writing = sink, writing
        sink.write(f"{writing.part} {writing.first} {dict(writing.options)}\n".encode())

    def write(self, batch: pa.RecordBatch) -> None:
        for path in batch.column("path").to_pylist():
            assert self._writing.media is not None
            self._sink.write(self._writing.media.read(path) + b"\n")

    def close(self) -> Mapping[str, Any]:
        return {}


def job_of(store: Store, table: Digest, *formats: str, split: bool = False, **params: Any) -> PlainJob:
    """A job of the export stage."""
    inputs = {"normalize": table}
    if split:
        given = split_params({"train": 0.7, "test": 0.3})
        inputs["split"] = Split().build(PlainJob(store, "split", given, inputs)).output.digest
    return PlainJob(store, "export", export_params(*formats, **params), inputs)


def files_of(store: Store, made: StageOutput) -> dict[str, bytes]:
    """The folder's files."""
    return {path: store.read(entry.digest) for path, entry in store.walk(made.output.digest)}


def numbers(rows: int, wide: int = 0) -> pa.Table:
    """A table of two columns, whose rows become ``wide`` bytes wider after the middle."""
    texts = [f"row {row}" + "x" * (wide if row > rows // 2 else 0) for row in range(rows)]
    return pa.table({"id": pa.array(range(rows), pa.int64()), "text": texts})


def images() -> pa.Table:
    """Rows for MEDIA."""
    return pa.table({"path": list(MEDIA)})


# -- one pass --------------------------------------------------------------------------------------------------------------


def test_the_table_is_read_once_for_all_formats(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever number of formats is written; one more later reads it once more, for itself."""
    read: list[int] = []
    ORIGINAL = Table.fragment_batches

    def counted(self: Table, *args: Any, **more: Any) -> Any:
        read.append(1)
        return ORIGINAL(self, *args, **more)

    monkeypatch.setattr(Table, "fragment_batches", counted)
    table = put_table(store, [numbers(50), numbers(60)])
    Export().build(job_of(store, table, "parquet", "csv", "jsonl", split=True))
    assert len(read) == 2
    job = job_of(store, table, "parquet", "csv", "jsonl", "arrow", split=True)
    Export().build(job)
    assert len(read) == 4
    assert job.runs == ["demo: arrow", "demo: manifest.yaml"]


def test_the_same_bytes_alone_and_together(store: Store, tmp_path: Path) -> None:
    """A file does not depend on what is written beside it."""
    data = [numbers(5000), numbers(3000)]
    made = Export().build(job_of(store, put_table(store, data), *EXPORTS, split=True))
    whole = files_of(store, made)
    with Store.open(tmp_path / "other") as other:
        table = put_table(other, data)
        for name in EXPORTS:
            alone = files_of(other, Export().build(job_of(other, table, name, split=True)))
            assert all(whole[path] == data for path, data in alone.items() if path != "manifest.yaml")


def test_a_slow_format_slows_the_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader waits for it: no more batches are held than there is room for."""
    from mldata.exports import csv

    room, most = 100_000, 0
    monkeypatch.setattr(exportpass, "AHEAD", room)
    monkeypatch.setattr(exportpass, "GATHERED", 0)
    PUT = exportpass.Room.put

    def put(self: exportpass.Room, part: str, batch: pa.RecordBatch) -> None:
        nonlocal most
        PUT(self, part, batch)
        most = max(most, self._size)

    monkeypatch.setattr(exportpass.Room, "put", put)
    gate = threading.Event()
    OPEN = csv.Csv.open

    class Slow:
        def __init__(self, file: Any) -> None:
            self.file = file

        def write(self, batch: pa.RecordBatch) -> None:
            gate.wait(0.02)
            self.file.write(batch)

        def close(self) -> Mapping[str, Any]:
            closed: Mapping[str, Any] = self.file.close()
            return closed

    monkeypatch.setattr(csv.Csv, "open", lambda *args, **more: Slow(OPEN(*args, **more)))
    table = put_table(store, [numbers(2000)] * 12)
    files = files_of(store, Export().build(job_of(store, table, "csv", "jsonl")))
    assert 0 < most <= room
    assert files["data.csv"].count(b"\n") == 24_001 and files["data.jsonl"].count(b"\n") == 24_000


# -- a format that fails ---------------------------------------------------------------------------------------------------


def late_dates() -> list[pa.Table]:
    """Tables of dates, the last of which is beyond the year 9999."""
    days = pa.array([0, LATE], pa.int32()).view(pa.date32())
    return [pa.table({"day": days.slice(0, 1)}), pa.table({"day": days})]


def test_a_format_that_fails_leaves_the_others_whole(store: Store) -> None:
    """In a partial job what could be written is, what could not is told; no thread goes on."""
    before = threading.active_count()
    job = job_of(store, put_table(store, late_dates()), "parquet", "csv", "arrow")
    job.partial = True
    made = Export().build(job)
    assert threading.active_count() == before
    [failed] = made.facts["failed"]
    assert failed["format"] == "csv" and "years 1 to 9999" in failed["error"]
    files = files_of(store, made)
    assert set(files) == {"data.parquet", "data.arrow", "manifest.yaml"}
    assert pq.read_metadata(io.BytesIO(files["data.parquet"])).num_rows == 3
    assert not [path for path in store.layout.tmp.rglob("*") if path.is_file()]


def test_a_build_fails_with_the_format(store: Store) -> None:
    """The error is the format's; what the others made stays in the cache, so that it is not made again."""
    table = put_table(store, late_dates())
    with pytest.raises(DataError, match="years 1 to 9999"):
        Export().build(job_of(store, table, "parquet", "csv", "jsonl", "arrow"))
    job = job_of(store, table, "parquet", "arrow")
    Export().build(job)
    assert job.hits == ["demo: parquet", "demo: arrow"]


def test_a_type_that_one_format_lacks_leaves_it_out(store: Store) -> None:
    """It is known before anything is written, and told as any other failure; when all fail, it is an error."""
    table = put_table(store, [pa.table({"tags": [["x"]]})])
    job = job_of(store, table, "csv", "jsonl")
    job.partial = True
    made = Export().build(job)
    assert [it["format"] for it in made.facts["failed"]] == ["csv"]
    assert files_of(store, made)["data.jsonl"] == b'{"tags":["x"]}\n'
    job = job_of(store, table, "csv")
    job.partial = True
    with pytest.raises(BuildError, match="cannot hold column 'tags'"):
        Export().build(job)


def test_a_damaged_fragment_fails_all(store: Store) -> None:
    """The error says what is wrong with the file, not that others stopped."""
    table = put_table(store, [numbers(3000)], write=_broken)
    with pytest.raises(DataError, match="expected a sound Parquet file"):
        Export().build(job_of(store, table, "csv", "jsonl"))


def _broken(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", use_dictionary=False)
    data = bytearray(sink.getvalue().to_pybytes())
    data[200:900] = bytes(700)
    return pa.py_buffer(bytes(data))


def test_a_pass_that_is_stopped_leaves_nothing(store: Store) -> None:
    """Its threads end, and what they have begun is dropped."""
    stop, before = threading.Event(), threading.active_count()
    table = put_table(store, [numbers(1000)] * 8)
    job = job_of(store, table, "csv", "jsonl")

    class Stopping(StagedOutputs):
        looked = 0

        def checkpoint(self) -> None:
            Stopping.looked += 1
            if Stopping.looked > 8:
                stop.set()
            super().checkpoint()

    def attempt(works: Any) -> Any:
        with store.batch() as batch:
            outputs = {work.member: Stopping(batch, stop) for work in works}
            try:
                works[0].together.run(outputs)
            finally:
                for out in outputs.values():
                    out.discard()

    job.attempt = attempt  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        Export().build(job)
    assert threading.active_count() == before
    assert not [path for path in store.layout.tmp.rglob("*") if path.is_file()]


# -- shards ----------------------------------------------------------------------------------------------------------------


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ["parquet", "csv", "jsonl", "arrow"])
def test_parts_are_cut_into_files_of_about_one_size(store: Store, name: str) -> None:
    """All rows are there, in order; each file but the last has the size asked for, even where rows become wider."""
    table = put_table(store, [numbers(30_000, wide=40)])
    size = 60_000
    made = Export().build(job_of(store, table, name, shard_size=size, compression="none"))
    listed = list(made.facts["files"])
    count = len(listed)
    assert count > 5 and [it["path"] for it in listed] == [
        f"data-{number:05d}-of-{count:05d}{EXPORTS[name].suffix}" for number in range(count)
    ]
    assert sum(it["rows"] for it in listed) == 30_000
    assert all(0.85 * size < it["size"] < 1.35 * size for it in listed[:-1])
    files = files_of(store, made)
    if name == "jsonl":
        text = b"".join(files[it["path"]] for it in listed)
        assert [json.loads(line)["id"] for line in text.splitlines()] == list(range(30_000))
    if name == "csv":
        assert all(files[it["path"]].startswith(b"id,text\n") for it in listed)


@pytest.mark.parametrize("name", ["parquet", "csv"])
def test_where_parts_are_cut_does_not_depend_on_batches_or_threads(
    store: Store, tmp_path: Path, name: str
) -> None:
    """Equal rows in other fragments, written beside other formats on more threads, are the same files."""
    whole = numbers(20_000, wide=9)
    job = job_of(store, put_table(store, [whole]), name, split=True, shard_size=30_000)
    first = files_of(store, Export().build(job))
    with Store.open(tmp_path / "other") as other:
        pieces = [whole.slice(0, 11), whole.slice(11, 7001), whole.slice(7012)]
        job = job_of(other, put_table(other, pieces), name, "jsonl", split=True, shard_size=30_000)
        job.jobs = 6
        second = files_of(other, Export().build(job))
    assert first.items() - {("manifest.yaml", first["manifest.yaml"])} <= second.items()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=300), st.integers(1, 4000), st.integers(1, 50))
def test_every_row_is_in_one_shard(widths: list[int], limit: int, cut: int) -> None:
    """Whatever rows, size and batches; a file that is not the last is full, and was not before its last rows."""
    table = pa.table({"text": pa.array(["x" * width for width in widths], pa.string())})
    sinks: list[Any] = []

    def sink(number: int) -> Any:
        sinks.append(Sink())
        return sinks[-1]

    from mldata.exports.jsonl import JsonLines

    made = PartFiles(sink, lambda s, _: JsonLines().open(s, table.schema, Compression("none")), limit)
    for batch in table.to_batches(max_chunksize=cut):
        made.write(batch)
    made.close()
    made.seal()
    texts = [bytes(it.data) for it in sinks]
    assert [json.loads(line)["text"] for line in b"".join(texts).splitlines()] == table["text"].to_pylist()
    assert [text.count(b"\n") for text in texts] == made.rows
    assert all(len(text) >= limit for text in texts[:-1])


def test_empty_parts_are_one_file(store: Store) -> None:
    """Number 0 of 1."""
    files = files_of(
        store, Export().build(job_of(store, put_table(store, [numbers(0)]), "csv", shard_size=1000))
    )
    assert files["data-00000-of-00001.csv"] == b"id,text\n"


def test_a_dataset_gives_all_files_of_a_part(store: Store, tmp_path: Path) -> None:
    """In order; who asks for the only one is told how to get all."""
    job = job_of(store, put_table(store, [numbers(3000)]), "csv", shard_size=20_000)
    job.context = {**job.context, "params": {"export": dict(job.params)}}
    made = Export().build(job)
    store.materialize(made.output.digest, tmp_path / "out", link="copy")
    dataset = Dataset.from_export(tmp_path / "out")
    paths = dataset.paths("data")
    assert [path.name for path in paths] == [it["path"] for it in made.facts["files"]] and len(paths) == 2
    with pytest.raises(UsageError, match=r"is \d files(?s:.*)dataset.paths\('data'\)"):
        dataset.path()


# -- what goes with the files ----------------------------------------------------------------------------------------------


def test_a_format_that_holds_media_needs_none_beside(store: Store, bundle: ExportInfo) -> None:
    """Alone it has all; with a format that does not, the media files are there too."""
    table = put_table(store, [images()], kind="images", media=MEDIA)
    alone = files_of(store, Export().build(job_of(store, table, "bundle")))
    assert alone["rows/data.bundle"] == b"data 0 {}\ncat\ndog\ntop\n"
    assert set(alone) == {"rows/data.bundle", "rows/index.json", "manifest.yaml"}
    both = files_of(store, Export().build(job_of(store, table, "bundle", "csv")))
    assert set(both) == {*alone, "data.csv", *MEDIA}


def test_settings_of_a_format_make_other_files_of_it(store: Store, bundle: ExportInfo) -> None:
    """And of no other."""
    table = put_table(store, [images()], kind="images", media=MEDIA)
    Export().build(job_of(store, table, "bundle", "csv"))
    job = job_of(store, table, "bundle", "jsonl", escape_formulas=True)
    files = files_of(store, Export().build(job))
    assert files["rows/data.bundle"].startswith(b"data 0 {'escape_formulas': True}")
    assert "demo: bundle" in job.runs


def test_small_files_beside_are_told_of_all(store: Store, bundle: ExportInfo) -> None:
    """Paths, parts, rows and sizes of the format's own files; they are in the manifest, and cached."""
    table = put_table(store, [images()], kind="images", media=MEDIA)
    made = Export().build(job_of(store, table, "bundle", shard_size=10))
    files = files_of(store, made)
    name, parts, told = json.loads(files["rows/index.json"])
    assert (name, parts) == ("demo", {"data": 3})
    assert told == [[path, "data", 1, len(files[path])] for path in sorted(files) if path.endswith(".bundle")]
    assert [files[path].split()[1] for path, *_ in told] == [b"0", b"1", b"2"]
    index = [it for it in made.facts["files"] if it["path"] == "rows/index.json"]
    assert [(it["format"], it["split"], it["rows"]) for it in index] == [("bundle", None, None)]
    job = job_of(store, table, "bundle", shard_size=10)
    Export().build(job)
    assert not job.runs


@pytest.mark.parametrize(
    ("media", "why"),
    [
        ("rows", "the media file 'rows' and 'rows'"),
        ("rows/DATA.bundle", "the media file 'rows/DATA.bundle' and 'rows/data.bundle'"),
        ("data.csv/x", "the media folder 'data.csv' and 'data.csv'"),
        ("rows/index.json", "the media file 'rows/index.json'"),
    ],
)
def test_no_two_files_have_one_place(store: Store, bundle: ExportInfo, media: str, why: str) -> None:
    """Nor a file and a folder."""
    rows = pa.table({"path": [media]})
    table = put_table(store, [rows], kind="images", media={media: b"m"})
    with pytest.raises(BuildError, match=why):
        Export().build(job_of(store, table, "bundle", "csv"))


def test_media_share_a_folder_with_files(store: Store, bundle: ExportInfo) -> None:
    """Where their names differ."""
    table = put_table(store, [pa.table({"path": ["rows/x"]})], kind="images", media={"rows/x": b"m"})
    files = files_of(store, Export().build(job_of(store, table, "bundle", "csv")))
    assert {"rows/x", "rows/data.bundle", "rows/index.json", "data.csv"} <= set(files)


# -- codecs by format ------------------------------------------------------------------------------------------------------


def test_codecs_by_format(store: Store) -> None:
    """Those that are not named have their default; one for all is for formats that compress inside."""
    table = put_table(store, [numbers(2000), numbers(2)])
    codecs = {"parquet": "gzip:9"}
    made = Export().build(job_of(store, table, "parquet", "csv", "arrow", compression=codecs))
    meta = pq.read_metadata(io.BytesIO(files_of(store, made)["data.parquet"]))
    assert meta.row_group(0).column(0).compression == "GZIP"
    levels = {"gzip": range(1, 10)}
    assert Compression.of("zstd:19", "csv.gz", levels, "gzip") == Compression("gzip")
    assert Compression.of({"csv.gz": "gzip:9"}, "csv.gz", levels, "gzip") == Compression("gzip", 9)
    assert Compression.of({"other": "snappy"}, "csv", {}) == Compression("none")


@pytest.mark.parametrize(
    ("asked", "name", "levels", "wrapped", "has"),
    [
        ({"csv": "gzip"}, "csv", {}, None, "no compression"),
        ({"csv.gz": "zstd"}, "csv.gz", {"gzip": range(1, 10)}, "gzip", r"gzip\[:1-9\]"),
        ({"csv.gz": "none"}, "csv.gz", {"gzip": range(1, 10)}, "gzip", r"gzip\[:1-9\]"),
        ({"csv.gz": "gzip:10"}, "csv.gz", {"gzip": range(1, 10)}, "gzip", r"gzip\[:1-9\]"),
        ({"arrow": "snappy"}, "arrow", {"lz4": None}, None, "lz4, none"),
    ],
)
def test_a_codec_that_a_format_lacks(
    asked: dict[str, str], name: str, levels: dict[str, Any], wrapped: str | None, has: str
) -> None:
    """The message lists what it has."""
    with pytest.raises(SpecError, match=f"{name} format cannot be compressed with .*it has {has}"):
        Compression.of(asked, name, levels, wrapped)
