"""The normalize stage: which actions run, what is skipped, what the table tree holds."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from PIL import Image

from mldata.errors import DataError, MldataError, SourceError, SpecError
from mldata.formats import base
from mldata.table import Table
from store import Store
from tests.archives.making import make_zip
from tests.stages.conftest import Normalizer


def csv_files(count: int) -> dict[str, bytes]:
    return {f"{i:03d}.csv": f"a,b\n{i},x{i}\n{i + 1},y\n".encode() for i in range(count)}


def png(width: int, height: int, mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, "png")
    return out.getvalue()


def jpeg(orientation: int) -> bytes:
    out, tags = io.BytesIO(), Image.Exif()
    tags[0x0112] = orientation
    Image.new("RGB", (6, 4)).save(out, "jpeg", exif=tags)
    return out.getvalue()


def wav(seconds: float, rate: int = 8000, channels: int = 1, format: str = "WAV") -> bytes:
    out = io.BytesIO()
    soundfile.write(out, [[0.0] * channels] * int(seconds * rate), rate, format=format)
    return out.getvalue()


def parquet(**columns: object) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue().to_pybytes())


def rows(table: Table) -> list[dict[str, object]]:
    return [row for batch in table.batches() for row in batch.to_pylist()]


def test_rows_in_the_order_of_sorted_names(normalize: Normalizer, store: Store) -> None:
    """A fragment a file, files in the order of their names' bytes, rows in file order."""
    files = {"b/a.csv": b"x\n3\n", "b.csv": b"x\n2\n", "é.csv": b"x\n4\n", "Z.csv": b"x\n1\n"}
    _, made = normalize(files)
    table = Table.open(store, made.output.digest)
    assert [f.source for f in table.fragments] == ["Z.csv", "b.csv", "b/a.csv", "é.csv"]
    assert [row["x"] for row in rows(table)] == [1, 2, 3, 4]
    assert (table.kind, table.rows, made.rows, table.media) == ("tabular", 4, 4, None)
    assert made.facts["files"] == 4 and made.facts["skipped"] == {"count": 0, "names": []}


def test_an_edited_file_is_one_action(normalize: Normalizer) -> None:
    """Of many files that agree, editing, adding or renaming one runs one action or none."""
    files = csv_files(30)
    job, first = normalize(files)
    assert len(job.runs) == 30
    job, again = normalize(files)
    assert (job.runs, again) == ([], first)
    job, _ = normalize(files | {"007.csv": b"a,b\n70,z\n"})
    assert job.runs == ["007.csv"]
    job, _ = normalize(files | {"new.csv": b"a,b\n70,zz\n"})
    assert job.runs == ["new.csv"]
    renamed = dict(files)
    renamed["zzz.csv"] = renamed.pop("007.csv")
    assert normalize(renamed)[0].runs == []


def test_only_files_that_differ_run_twice(normalize: Normalizer, store: Store) -> None:
    """When one file widens a column, those under the narrower type run once more, and only those."""
    files = csv_files(3) | {"wide.csv": b"a,b\n1.5,z\n", "wide2.csv": b"a,b\n2.5,z\n"}
    job, made = normalize(files)
    assert sorted(job.runs) == sorted([*files, "000.csv", "001.csv", "002.csv"])
    table = Table.open(store, made.output.digest)
    assert table.schema == pa.schema([("a", pa.float64()), ("b", pa.string())])
    for index in range(len(table.fragments)):
        assert table.fragment(index).schema == table.schema
    job, _ = normalize(files | {"wide.csv": b"a,b\n3.5,z\n"})
    assert job.runs == ["wide.csv"]


def test_pieces_that_differ_are_read_again(
    normalize: Normalizer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in many pieces gives the table of the whole file, and the threads do not show."""
    data = (
        b"a,b,c\n"
        + b"".join(b"%d,%s,\n" % (i, b"" if i < 50 else b"%d.5" % i) for i in range(100))
        + b"x,,true\n"
    )
    whole = rows(Table.open(store, normalize({"f.csv": data})[1].output.digest))
    monkeypatch.setattr(base, "PIECE_BYTES", 100)
    _, made = normalize({"f.csv": data})
    table = Table.open(store, made.output.digest)
    assert len(table.fragments) > 5
    assert rows(table) == whole
    assert [str(f.type) for f in table.schema] == ["string", "double", "bool"]
    assert rows(table)[7] == {"a": "7", "b": None, "c": None}
    with Store.open(store.root.parent / "other") as other:
        from mldata.stages.normalize import Normalize
        from tests.stages.conftest import fetched, normalize_params
        from tests.stages.jobs import PlainJob

        job = PlainJob(other, "normalize", normalize_params(), {"fetch": fetched(other, {"f.csv": data})})
        job.jobs = 3
        assert Normalize().build(job).output == made.output


def test_formats_mix_when_their_types_unify(normalize: Normalizer, store: Store) -> None:
    """CSV, JSON Lines and Parquet of one shape make one table; text falls back to strings where the others have them."""
    files = {
        "1.csv": b"n,s,d\n1,5,2020-01-01\n",
        "2.jsonl": b'{"n": 2, "s": "x"}\n',
        "3.parquet": parquet(n=pa.array([3], pa.int8()), s=["y"], d=pa.array([0], pa.date32())),
    }
    table = Table.open(store, normalize(files)[1].output.digest)
    assert [str(f.type) for f in table.schema] == ["int64", "string", "date32[day]"]
    assert [row["s"] for row in rows(table)] == ["5", "x", "y"]
    with pytest.raises(DataError, match=r"'n' is .* in 1\.csv and .* in 4\.parquet"):
        normalize(
            files
            | {"4.parquet": parquet(n=["q"], s=["y"])}
            | {"1.csv": b"n,s\n1,5\n"}
            | {"2.jsonl": b'{"n":1}\n'}
        )


def test_a_conforming_parquet_file_is_the_fragment(normalize: Normalizer, store: Store) -> None:
    """Parquet that has the table's schema already is taken by digest; the action makes nothing."""
    data = parquet(a=[1, 2])
    _, made = normalize({"x.parquet": data})
    [fragment] = Table.open(store, made.output.digest).fragments
    assert store.read(fragment.digest) == data
    assert (fragment.rows, fragment.size) == (2, len(data))


def test_what_is_skipped(normalize: Normalizer, store: Store) -> None:
    """Files of no known format are counted by suffix, and named once."""
    files = {"a.csv": b"a\n1\n", "README.md": b"# hi", "a.txt": b"x", "d/b.TXT": b"x"}
    job, made = normalize(files)
    assert made.rows == 1
    names, by = ["README.md", "a.txt", "d/b.TXT"], {".txt": 2, ".md": 1}
    assert made.facts["skipped"] == {"count": 3, "names": names, "suffixes": by}
    assert len(job.warnings) == 1
    assert "3 of 4 files" in job.warnings[0] and "2 .txt, 1 .md (README.md, a.txt," in job.warnings[0]


def test_files_without_suffix_are_known_by_their_bytes(normalize: Normalizer, store: Store) -> None:
    """Where a name says nothing, the first bytes do."""
    table = Table.open(store, normalize({"one": parquet(a=[1]), "two": b'{"a": 2}\n'})[1].output.digest)
    assert rows(table) == [{"a": 1}, {"a": 2}]
    assert Table.open(store, normalize({"p": png(2, 3)})[1].output.digest).kind == "images"
    assert Table.open(store, normalize({"w": wav(0.1)})[1].output.digest).kind == "audio"


def test_json_beside_other_data(normalize: Normalizer, store: Store) -> None:
    """A ``.json`` file is data where it is alone or asked for; beside other data it is skipped, with what to write if that is wrong."""
    files = {"a.csv": b"a\n1\n", "info.json": b'{"license": "CC0"}'}
    job, made = normalize(files)
    assert (made.rows, made.facts["skipped"]["names"]) == (1, ["info.json"])
    assert "`normalize: {format: json}`" in job.warnings[0]
    assert normalize(files, format="json")[1].rows == 1
    table = Table.open(store, normalize({"1.json": b'[{"a":1}]', "2": b'[{"a":2}]'})[1].output.digest)
    assert rows(table) == [{"a": 1}, {"a": 2}]


def test_where_the_records_are(normalize: Normalizer, store: Store) -> None:
    """``records:`` reaches the format."""
    data = {"a.json": b'{"v":1,"data":[{"a":1},{"a":2}]}'}
    assert normalize(data, records="data")[1].rows == 2
    assert normalize(data, records="row")[1].rows == 1
    with pytest.raises(DataError, match="records: data"):
        normalize(data)


@pytest.mark.parametrize(
    ("one", "two", "said", "where"),
    [
        (b'[{"a":null},\n {"a":1}]', b'{"b":1}\n{"a":"x"}\n', '1 at 1.json:2:7 and "x" at 2.json:2:6', "2.json:2:6"),
        (b'[{"a":1},\n {"a":9007199254740993}]', b'{"a":0.5}\n', "9007199254740993 at 1.json:2:7 and 0.5 at 2.json:1:6", ""),
        (b'{"p":{"a":[1]},"q":{"a":[]}}', b'{"a":[]}\n{"a":[true]}\n', "[1] at 1.json:1:11 and [true] at 2.json:2:6", ""),
    ],
)  # fmt: skip
def test_a_conflict_of_json_files_names_both_values(
    one: bytes, two: bytes, said: str, where: str, normalize: Normalizer
) -> None:
    """Columns of two files that no type joins: both places and values are told, and what to write; which then works."""
    files = {"1.json": one, "2.json": two}
    with pytest.raises(DataError, match="column 'a'") as caught:
        normalize(files)
    text = str(caught.value)
    assert said in text and "types: {a: string}" in text
    assert str(caught.value.where).startswith(where)
    assert normalize(files, types={"a": "string"})[1].rows == 2 + two.count(b"\n")


def test_a_fixed_format(normalize: Normalizer, store: Store) -> None:
    """``format:`` takes the files with its suffix, or all files when none has it."""
    files = {"a.txt": b"a\n1\n", "b.dat": b"a\n2\n"}
    assert normalize(files, format="csv")[1].rows == 2
    _, made = normalize({**files, "c.csv": b"a\n3\n"}, format="csv")
    assert (made.rows, made.facts["skipped"]["count"]) == (1, 2)


def test_nothing_to_read(normalize: Normalizer) -> None:
    """A source without any known file says what was found and what is known."""
    with pytest.raises(SourceError, match=r"found README\.md.*\n.*csv \(\.csv\)"):
        normalize({"README.md": b"x"})
    with pytest.raises((SourceError, DataError), match=r"no files|found none"):
        normalize({"a.zip": make_zip({".hidden": b"x"})})


@pytest.mark.parametrize(
    "name", ["a.csv", "a.tsv", "a.json", "a.jsonl", "a.parquet", "a.arrow", "a.png", "a.wav"]
)
def test_an_empty_file(name: str, normalize: Normalizer) -> None:
    """A file of no bytes is an error that names it, in every format."""
    with pytest.raises((SourceError, DataError), match=name):
        normalize({name: b""})


def test_only_a_header(normalize: Normalizer, store: Store) -> None:
    """A CSV file without rows is a table without rows; beside others it takes their types."""
    table = Table.open(store, normalize({"a.csv": b"x,y\n"})[1].output.digest)
    assert (table.rows, table.schema.names, rows(table)) == (0, ["x", "y"], [])
    table = Table.open(store, normalize({"a.csv": b"x,y\n", "b.csv": b"x,y\n1,2\n"})[1].output.digest)
    assert [str(f.type) for f in table.schema] == ["int64", "int64"]


@pytest.mark.parametrize(
    "option", [{"drop": ["spcies"]}, {"rename": {"spcies": "s"}}, {"types": {"spcies": "string"}}]
)
def test_an_unknown_column(option: dict[str, object], normalize: Normalizer) -> None:
    """A column that no file has is an error of the spec, with the nearest name; one that some file has is none."""
    files = {"a.csv": b"a\n1\n", "b.csv": b"species\nx\n"}
    with pytest.raises(SpecError, match=r"'spcies'.*\n.*'species'"):
        normalize(files, **option)
    assert normalize(files, drop=["species"])[1].rows == 2


def test_a_wrong_type_name(normalize: Normalizer) -> None:
    """A type that does not exist is an error of the spec, before anything is read."""
    with pytest.raises(SpecError, match="intt"):
        normalize({"a.csv": b"a\n1\n"}, types={"a": "intt"})


def test_no_columns(normalize: Normalizer) -> None:
    """A table needs a column."""
    with pytest.raises(DataError, match="at least one column"):
        normalize({"a.csv": b"a\n1\n"}, drop=["a"])
    with pytest.raises(DataError, match="at least one column"):
        normalize({"a.jsonl": b"{}\n{}\n"})


def test_objects_without_keys_are_rows(normalize: Normalizer, store: Store) -> None:
    """A file of empty objects beside others gives rows of nulls, none is lost."""
    table = Table.open(store, normalize({"a.jsonl": b"{}\n{}\n", "b.jsonl": b'{"a":1}\n'})[1].output.digest)
    assert rows(table) == [{"a": None}, {"a": None}, {"a": 1}]


def test_images(normalize: Normalizer, store: Store) -> None:
    """A row an image: path, label by folder, digest, size, width, height, mode, orientation; the files are beside the table."""
    files = {
        "cat/a.png": png(3, 2),
        "dog/big/b.png": png(4, 5, "L"),
        "top.PNG": png(1, 1, "RGBA"),
        "cat/note.txt": b"x",
    }
    job, made = normalize(files)
    table = Table.open(store, made.output.digest)
    assert table.kind == "images" and table.media is not None
    assert [tuple(row.values())[:2] + tuple(row.values())[3:] for row in rows(table)] == [
        ("cat/a.png", "cat", len(files["cat/a.png"]), 3, 2, "RGB", None),
        ("dog/big/b.png", "dog/big", len(files["dog/big/b.png"]), 4, 5, "L", None),
        ("top.PNG", None, len(files["top.PNG"]), 1, 1, "RGBA", None),
    ]
    media = dict(store.walk(table.media))
    assert list(media) == ["cat/a.png", "dog/big/b.png", "top.PNG"]
    assert [row["digest"] for row in rows(table)] == [entry.digest for entry in media.values()]
    assert "note.txt" in job.warnings[0]


def test_files_without_a_label(normalize: Normalizer, store: Store) -> None:
    """Beside files in folders, those in none have a null label, which is counted and said once; labels are told in order."""
    job, made = normalize(
        {"dog/1.png": png(1, 1), "cat/b/2.png": png(2, 2), "0.png": png(3, 3), "a.png": png(4, 4)}
    )
    assert made.facts["labels"] == {"count": 2, "names": ["cat/b", "dog"], "without": 2}
    assert len(job.warnings) == 1 and "2 of 4 files have no label" in job.warnings[0]
    assert job.warnings[0].endswith("0.png, a.png")
    job, made = normalize({"0.png": png(3, 3), "a.png": png(4, 4)})
    assert job.warnings == [] and "labels" not in made.facts


def test_folders_named_as_parts(normalize: Normalizer, store: Store) -> None:
    """In the layout of hubs the folder at the top is the column ``split``, and what is below it the label."""
    files = {"train/cat/1.png": png(1, 1), "train/dog/1.png": png(2, 2), "test/cat/1.png": png(3, 3)}
    table = Table.open(store, normalize(files)[1].output.digest)
    assert table.schema.names[:4] == ["path", "label", "split", "digest"]
    found = [(row["path"], row["label"], row["split"]) for row in rows(table)]
    assert found == [(name, name.split("/")[1], name.split("/")[0]) for name in sorted(files)]


def test_turned_pictures_are_counted(normalize: Normalizer, store: Store) -> None:
    """How many pictures have an orientation other than upright is told; their files and sizes stay as they are."""
    files = {f"{value}.jpg": jpeg(value) for value in (1, 3, 8)} | {"plain.png": png(6, 4)}
    _, made = normalize(files)
    table = Table.open(store, made.output.digest)
    found = [(row["orientation"], row["width"], row["height"]) for row in rows(table)]
    assert found == [(1, 6, 4), (3, 6, 4), (8, 6, 4), (None, 6, 4)]
    assert made.facts["turned"] == 2 and "turned" not in normalize({"a.png": png(1, 1)})[1].facts


def test_audio(normalize: Normalizer, store: Store) -> None:
    """A row a recording: duration in seconds, sample rate, channels."""
    files = {"x/a.wav": wav(0.5), "y/b.flac": wav(0.25, 16000, 2, "FLAC"), "y/c.ogg": wav(1, 8000, 1, "OGG")}
    table = Table.open(store, normalize(files)[1].output.digest)
    found = [(r["label"], r["duration"], r["sample_rate"], r["channels"]) for r in rows(table)]
    assert found == [("x", 0.5, 8000, 1), ("y", 0.25, 16000, 2), ("y", 1.0, 8000, 1)]


def test_an_added_image_runs_one_group(normalize: Normalizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Media files are read in groups that depend on their own names, so one more file is one action."""
    monkeypatch.setattr("mldata.stages.media.GROUP_MEAN", 4)
    files = {f"{i % 3}/{i:03d}.png": png(1 + i % 5, 1) for i in range(60)}
    job, _ = normalize(files)
    assert 5 < len(job.runs) < 40
    for name in ("0/0005.png", "1/999.png"):
        job, _ = normalize(files | {name: png(9, 9)})
        assert 1 <= len(job.runs) <= 2


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.wav", "a.mp3"])
def test_media_that_cannot_be_decoded(name: str, normalize: Normalizer) -> None:
    """A damaged media file is named with its digest."""
    with pytest.raises(DataError, match=rf"x/{name}: expected .* digest is [0-9a-f]{{64}}"):
        normalize({f"x/{name}": b"not media at all" * 10})


def test_a_picture_of_very_many_pixels(
    normalize: Normalizer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the header is read, so Pillow's limit on pixels neither warns nor refuses."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    table = Table.open(store, normalize({"a.png": png(100, 100), "b.png": png(4, 4)})[1].output.digest)
    assert [row["width"] for row in rows(table)] == [100, 4]
    assert Image.MAX_IMAGE_PIXELS == 10


def test_kinds_do_not_mix(normalize: Normalizer) -> None:
    """Images beside audio or tables need ``format:`` to say which is meant."""
    files = {"a.png": png(1, 1), "b.wav": wav(0.1)}
    with pytest.raises(SourceError, match=r"images \(a\.png\), audio \(b\.wav\)\n.*audio or images"):
        normalize(files)
    assert normalize(files, format="audio")[1].facts["kind"] == "audio"
    with pytest.raises(SourceError, match="tables"):
        normalize({"a.png": png(1, 1), "b.csv": b"a\n1\n"})


def test_errors_name_the_file(normalize: Normalizer) -> None:
    """An error inside a file comes with the name that the user knows, not the object's."""
    with pytest.raises(DataError) as caught:
        normalize({"ok.csv": b"a,b\n1,2\n", "sub/bad.csv": b"a,b\n1\n"})
    assert str(caught.value.where) == "sub/bad.csv:2:1"


def test_a_plug_in_format(normalize: Normalizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A format from an entry point is found by its suffix; a built-in name cannot be taken."""
    from importlib.metadata import EntryPoint, EntryPoints

    from mldata import formats
    from mldata.plugins import plugins

    points = EntryPoints(
        [EntryPoint(name, "tests.stages.test_normalize:PSV", "mldata.formats") for name in ("psv", "csv")]
    )
    plugins.cache_clear()
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)
    try:
        assert normalize({"a.psv": b"a\n1\n", "b.csv": b"a\n2\n"})[1].rows == 2
        assert formats.formats()["csv"].module == "mldata.formats.csv"
    finally:
        plugins.cache_clear()


PSV = base.FormatInfo("psv", "tabular", (".psv",), "mldata.formats.csv", "Csv")


def test_golden_bytes(normalize: Normalizer, store: Store, tmp_path: Path) -> None:
    """The same file gives the same fragment whatever is beside it."""
    one = Table.open(store, normalize({"a.csv": b"a,b\n1,x\n"})[1].output.digest)
    two = Table.open(store, normalize({"0.csv": b"a,b\n5,y\n", "q.csv": b"a,b\n1,x\n"})[1].output.digest)
    assert one.fragments[0].digest == two.fragments[1].digest


def test_what_files_hold_is_cut_in_messages(normalize: Normalizer) -> None:
    """Long names and values of a file do not drown what is said of them."""
    long = "x" * 5000
    faulty = {
        "a.csv": (f"{long},{long}\n1,2\n", {}),
        "b.csv": (f"a\n{long}\n", {"types": {"a": "int8"}}),
        "c.csv": (f"{long}\n1\n", {"drop": ["a"]}),
        "d.jsonl": (f'{{"a":"{long}"}}\n', {"types": {"a": "int8"}}),
    }
    for name, (data, params) in faulty.items():
        with pytest.raises(MldataError) as caught:
            normalize({name: data.encode()}, **params)
        assert "xxx" in str(caught.value) and len(str(caught.value)) < 600
