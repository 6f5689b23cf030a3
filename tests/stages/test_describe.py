"""Metadata files beside media: which row is about which file, what is refused and where, what an edit runs again."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from mldata.errors import DataError, SourceError, SpecError
from mldata.table import Table
from store import Store
from tests.archives.making import make_zip
from tests.stages.conftest import Normalizer
from tests.stages.test_normalize import parquet, png, rows, wav

PICTURES = {f"{kind}/{i}.png": png(1 + i, 2) for kind in ("cat", "dog") for i in range(3)}
CAPTIONS = b'file_name,caption,stars\ncat/0.png,a cat,5\ndog/2.png,"a dog, sad",\n'


def table_of(normalize: Normalizer, store: Store, files: dict[str, bytes], **params: object) -> Table:
    return Table.open(store, normalize(files, **params)[1].output.digest)


def columns(table: Table, *names: str) -> dict[str, tuple[object, ...]]:
    return {str(row["path"]): tuple(row[name] for name in names) for row in rows(table)}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("metadata.csv", CAPTIONS),
        (
            "metadata.jsonl",
            b'{"file_name":"cat/0.png","caption":"a cat","stars":5}\n'
            b'{"caption":"a dog, sad","file_name":"./dog\\\\2.png"}\n',
        ),
        (
            "metadata.parquet",
            parquet(
                stars=pa.array([None, 5], pa.int64()),
                file_name=["dog/2.png", "cat/0.png"],
                caption=["a dog, sad", "a cat"],
            ),
        ),
    ],
)
def test_columns_join_the_files(name: str, data: bytes, normalize: Normalizer, store: Store) -> None:
    """A row's values stand beside the file that it names; other files have nulls, which is said; file_name itself is no column."""
    job, made = normalize(PICTURES | {name: data})
    table = Table.open(store, made.output.digest)
    assert table.kind == "images" and table.rows == 6
    assert table.schema.names[:2] == ["path", "label"] and set(table.schema.names[8:]) == {"caption", "stars"}
    assert str(table.schema.field("stars").type) == "int64"
    assert columns(table, "label", "caption", "stars", "width") == {
        "cat/0.png": ("cat", "a cat", 5, 1),
        "cat/1.png": ("cat", None, None, 2),
        "cat/2.png": ("cat", None, None, 3),
        "dog/0.png": ("dog", None, None, 1),
        "dog/1.png": ("dog", None, None, 2),
        "dog/2.png": ("dog", "a dog, sad", None, 3),
    }
    assert table.media is not None
    assert {path for path, _ in store.walk(table.media)} == set(PICTURES)
    assert (
        "4 of 6 files have no row of metadata" in job.warnings[0]
        and "cat/1.png and 3 more" in job.warnings[0]
    )
    assert made.facts["metadata"] == {"files": 1, "columns": 2, "without": 4}
    assert made.facts["skipped"]["count"] == 0


def test_audio(normalize: Normalizer, store: Store) -> None:
    """Recordings have metadata in the same way."""
    files = {"a/1.wav": wav(0.1), "2.wav": wav(0.2)}
    table = table_of(normalize, store, files | {"metadata.csv": b"file_name,text\na/1.wav,hello\n2.wav,NA\n"})
    assert table.kind == "audio" and columns(table, "text") == {"2.wav": (None,), "a/1.wav": ("hello",)}


def test_several_metadata_files(normalize: Normalizer, store: Store) -> None:
    """Each names files from its own folder on; they may be of different kinds, and their columns are brought to one schema."""
    files = PICTURES | {
        "cat/metadata.csv": b"file_name,n,only\n0.png,1,x\n",
        "dog/metadata.jsonl": b'{"file_name":"0.png","n":0.5}\n',
        "metadata.parquet": parquet(file_name=["cat/1.png"], n=pa.array([7], pa.int8())),
    }
    _, made = normalize(files)
    table = Table.open(store, made.output.digest)
    assert str(table.schema.field("n").type) == "double"
    assert columns(table, "n", "only") == dict.fromkeys(PICTURES, (None, None)) | {
        "cat/0.png": (1.0, "x"),
        "cat/1.png": (7.0, None),
        "dog/0.png": (0.5, None),
    }
    assert made.facts["metadata"]["files"] == 3
    with pytest.raises(DataError, match=r"'n' is .* in dog/metadata\.jsonl and .* in metadata\.parquet"):
        normalize(files | {"metadata.parquet": parquet(file_name=["cat/1.png"], n=[True])})


def test_options_of_normalize_are_for_metadata(normalize: Normalizer, store: Store) -> None:
    """`rename`, `drop`, `types`, `columns` and the dialect reach metadata files; a name that no column has is an error."""
    files = PICTURES | {"metadata.csv": b"Image File;Caption;N\ncat/0.png;x;1,5\n"}
    options = {
        "columns": "snake_case",
        "rename": {"Image File": "file_name"},
        "drop": ["Caption"],
        "types": {"n": "float32"},
    }
    table = table_of(normalize, store, files, **options)
    assert table.schema.names[8:] == ["n"] and str(table.schema.field("n").type) == "float"
    assert columns(table, "n")["cat/0.png"] == (1.5,)
    with pytest.raises(SpecError, match=r"'Captoin'.*\n.*'Caption'"):
        normalize(files, drop=["Captoin"], rename={"Image File": "file_name"})
    with pytest.raises(SpecError, match=r"'width'.*\n.*metadata files; `transform`"):
        normalize(PICTURES, drop=["width"])


def test_a_label_of_its_own(normalize: Normalizer, store: Store) -> None:
    """A label in the metadata stands for that of the folders, also where it is null; in the place of the column and in its own type."""
    _, made = normalize(PICTURES | {"metadata.csv": b"file_name,label\ncat/0.png,3\ndog/0.png,\n"})
    table = Table.open(store, made.output.digest)
    assert table.schema.names[:3] == ["path", "label", "digest"]
    assert made.facts["metadata"]["instead"] == ["label"] and "labels" not in made.facts
    assert str(table.schema.field("label").type) == "int64"
    assert columns(table, "label") == dict.fromkeys(PICTURES, (None,)) | {"cat/0.png": (3,)}


def test_a_name_that_is_taken(normalize: Normalizer, store: Store) -> None:
    """A column that the table has of its own keeps its meaning; the metadata's gets another name, which is said, or the one of `rename`."""
    files = PICTURES | {"metadata.csv": b"file_name,width,path\ncat/0.png,900,/old\n"}
    job, made = normalize(files)
    table = Table.open(store, made.output.digest)
    assert columns(table, "width", "metadata_width", "metadata_path")["cat/0.png"] == (1, 900, "/old")
    assert "width is called metadata_width, path is called metadata_path" in job.warnings[0]
    table = table_of(normalize, store, files, rename={"width": "w"}, drop=["path"])
    assert table.schema.names[8:] == ["w"]
    taken = r"^metadata\.csv:1: expected another name for the metadata column 'width'.*\n.*rename: \{width"
    with pytest.raises(DataError, match=taken):
        normalize(PICTURES | {"metadata.csv": b"file_name,width,metadata_width\ncat/0.png,900,1\n"})


@pytest.mark.parametrize(
    ("name", "found", "hint"),
    [
        ("cat/9.png", "'cat/9.png', which is none of them", "did you mean 'cat/"),
        ("0.PNG", "'0.PNG', which is none of them", "did you mean 'cat/0.png'"),
        ("zebra.tif", "'zebra.tif', which is none of them", "take the row out"),
        ("", "none", "starts at the folder"),
        ("NA", "none", "starts at the folder"),
        ("/etc/passwd", "no path below its folder", "starts at the folder"),
        ("C:\\cat\\0.png", "no path below its folder", "starts at the folder"),
        ("file:///cat/0.png", "no path below its folder", "starts at the folder"),
        ("../sub/cat/0.png", "leads out of its folder", "starts at the folder"),
        ("cat/../cat/0.png", "leads out of its folder", "starts at the folder"),
        ("dog/sub/1", "'dog/sub/1', which is none of them", "did you mean 'cat/1.png'"),
        ("cat", "'cat', which is none of them", ""),
        ("cat/note.txt", "'cat/note.txt', which is none of them", ""),
    ],
)
def test_a_row_that_names_no_file(name: str, found: str, hint: str, normalize: Normalizer) -> None:
    """Every name that is no file below the metadata's folder is an error with the line, and says what to do."""
    files = {f"sub/{path}": data for path, data in PICTURES.items()} | {"sub/cat/note.txt": b"x"}
    lines = ["file_name,caption", 'cat/1.png,"two\nlines"', f"{name},x", "dog/0.png,y"]
    for metadata, data, where in (
        ("metadata.csv", "\n".join(lines).encode(), "sub/metadata.csv:4"),
        (
            "metadata.jsonl",
            b'{"file_name":"cat/1.png"}\n\n' + json.dumps({"file_name": name or None}).encode(),
            "sub/metadata.jsonl:3:1",
        ),
        ("metadata.parquet", parquet(file_name=["cat/1.png", name or None]), "sub/metadata.parquet"),
    ):
        if name == "NA" and metadata != "metadata.csv":
            continue
        with pytest.raises(DataError) as caught:
            normalize(files | {f"sub/{metadata}": data})
        text = str(caught.value)
        assert str(caught.value.where) == where and found in text and hint in text
        assert (" (row 2)" in text) == (metadata == "metadata.parquet")


@pytest.mark.parametrize("end", ["csv", "jsonl"])
def test_lines_of_later_pieces(end: str, normalize: Normalizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row far behind in a metadata file that is read in pieces is named by its line in the file."""
    monkeypatch.setattr("mldata.formats.base.PIECE_BYTES", 64)
    names = [f"{i}.png" for i in range(30)]
    files = dict.fromkeys(names, png(1, 1))
    listed = [*names[:25], "nope.png", *names[25:]]
    text = {
        "csv": "file_name,n\n" + "".join(f"{name},1\n" for name in listed),
        "jsonl": "\n" + "".join(json.dumps({"file_name": name}) + "\n" for name in listed),
    }[end]
    with pytest.raises(DataError, match=rf"^metadata\.{end}:27(:1)?: "):
        normalize(files | {f"metadata.{end}": text.encode()})


def test_many_rows_that_name_no_file(normalize: Normalizer) -> None:
    """The first is named, the others are counted, and a value of any length makes a short message."""
    lines = [
        "file_name,n",
        "cat/0.png,0",
        f"{'x' * 100_000},1",
        *(f"no/{i}.png,{i}" for i in range(1000)),
        "",
    ]
    with pytest.raises(DataError, match=r"^metadata\.csv:3: .*1,000 more rows likewise") as caught:
        normalize(PICTURES | {"metadata.csv": "\n".join(lines).encode()})
    assert len(str(caught.value)) < 500


def test_unicode_forms(normalize: Normalizer, store: Store) -> None:
    """A name is found in whichever form of Unicode the system that wrote the file or the metadata has."""
    composed, apart = "caf\u00e9/1.png", "cafe\u0301/1.png"
    for name, said in ((composed, apart), (apart, composed), (apart, apart)):
        data = f"file_name,n\n{said},1\n".encode()
        table = table_of(normalize, store, {name: png(1, 1), "metadata.csv": data})
        assert columns(table, "n") == {name: (1,)}


def test_a_file_that_two_rows_name(normalize: Normalizer) -> None:
    """It is an error with both places, in one metadata file or in two."""
    twice = b"file_name,n\ncat/0.png,1\ndog/0.png,2\n./cat/0.png,3\n"
    with pytest.raises(DataError, match=r"^metadata\.csv:4: .*'cat/0\.png' here and at metadata\.csv:2"):
        normalize(PICTURES | {"metadata.csv": twice})
    files = PICTURES | {"cat/metadata.csv": b"file_name,n\n0.png,1\n"}
    other = {"metadata.jsonl": b'{"file_name":"dog/0.png","n":1}\n{"file_name":"cat/0.png","n":1}\n'}
    with pytest.raises(DataError, match=r"^metadata\.jsonl:2:1: .* here and at cat/metadata\.csv:2"):
        normalize(files | other)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("filename,caption", "rename: {filename: file_name}"),
        ("Image,caption", "rename: {Image: file_name}"),
        ('" file_name ",caption', 'rename: {" file_name ": file_name}'),
        ("a,b", "leave it out of the source"),
        ("input_file_name,target_file_name", "a row is about one file"),
    ],
)
def test_no_column_of_file_names(header: str, expected: str, normalize: Normalizer) -> None:
    """A metadata file without file_name is an error that says how to give it one."""
    with pytest.raises(DataError, match=r"^d/metadata\.csv:1: expected a column 'file_name'") as caught:
        normalize(PICTURES | {"d/metadata.csv": f"{header}\nx,y\n".encode()})
    assert expected in str(caught.value)


def test_what_is_metadata(normalize: Normalizer, store: Store) -> None:
    """Only tables of those names beside media; alone they are tables, and other tables beside media are an error that tells the names."""
    assert table_of(normalize, store, {"metadata.csv": CAPTIONS}).kind == "tabular"
    assert table_of(normalize, store, PICTURES | {"metadata.csv": CAPTIONS}, format="csv").rows == 2
    assert table_of(normalize, store, PICTURES | {"metadata.csv": CAPTIONS}, format="images").rows == 6
    with pytest.raises(SourceError, match=r"tables \(captions\.csv\).*\n.*called metadata\.csv"):
        normalize(PICTURES | {"captions.csv": CAPTIONS})
    assert normalize(PICTURES | {"metadata.txt": CAPTIONS})[1].facts["skipped"]["count"] == 1


def test_only_names(normalize: Normalizer) -> None:
    """A metadata file without other columns adds none; files that it leaves out are told all the same."""
    job, made = normalize(PICTURES | {"metadata.csv": b"file_name\ncat/0.png\ncat/1.png\n"})
    assert made.facts["columns"] == 8
    assert job.warnings == ["4 of 6 files have no row of metadata: cat/2.png and 3 more"]


def test_bad_rows_are_put_aside(normalize: Normalizer, store: Store) -> None:
    """`on_bad_row: reject` is for rows of metadata too, and lines are still told right."""
    bad = b"file_name,n\ncat/0.png,1\na,b,c\ncat/1.png,2\n"
    params = {"on_bad_row": "reject", "max_rejects": 5}
    _, made = normalize(PICTURES | {"metadata.csv": bad}, **params)
    assert (made.facts["rejects"]["count"], made.rows) == (1, 6)
    with pytest.raises(DataError, match=r"^metadata\.csv:5: .*'nope'"):
        normalize(PICTURES | {"metadata.csv": bad + b"nope,3\n"}, **params)


@pytest.mark.parametrize("data", [b"file_name,n\n", b""])
def test_a_metadata_file_without_rows(data: bytes, normalize: Normalizer, store: Store) -> None:
    """Only a header gives columns without values; a file of no bytes is an error as anywhere."""
    if data:
        table = table_of(normalize, store, PICTURES | {"metadata.csv": data})
        assert columns(table, "n") == dict.fromkeys(PICTURES, (None,))
    else:
        with pytest.raises(SourceError, match=r"metadata\.csv: expected csv data, found an empty file"):
            normalize(PICTURES | {"metadata.csv": data})


def test_archives(normalize: Normalizer, store: Store) -> None:
    """Metadata in an archive is about the files in it; metadata beside archives names their files as if they were unpacked, or by the archive."""
    inside = make_zip({"cat/0.png": png(1, 1), "metadata.csv": b"file_name,n\ncat/0.png,1\n"})
    packed = make_zip({"cat/1.png": png(2, 1), "cat/2.png": png(3, 1)})
    files = {
        "a.zip": inside,
        "b.zip": packed,
        "metadata.csv": b"file_name,n\ncat/1.png,2\nb.zip/cat/2.png,3\n",
    }
    table = table_of(normalize, store, files)
    assert columns(table, "label", "n") == {
        "a.zip/cat/0.png": ("cat", 1),
        "b.zip/cat/1.png": ("cat", 2),
        "b.zip/cat/2.png": ("cat", 3),
    }
    with pytest.raises(DataError, match=r"in two archives \(b\.zip/cat/1\.png and c\.zip/cat/1\.png\)"):
        normalize(files | {"c.zip": packed})


def many() -> dict[str, bytes]:
    return {f"{i % 3}/{i:03d}.png": png(1 + i % 5, 1) for i in range(60)}


def captions(files: dict[str, bytes], **changed: str) -> bytes:
    lines = [f'{name},"{changed.get(name[2:5], "caption of " + name)}"' for name in sorted(files)]
    return "\n".join(["file_name,caption", *lines, ""]).encode()


def changed_runs(normalize: Normalizer, before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    """Labels of the actions that run after a change, which are what a build from nothing would give."""
    normalize(before)
    return normalize(after)[0].runs


def reorder(data: bytes) -> bytes:
    head, *lines = data.splitlines(keepends=True)
    return b"".join([head, *reversed(lines)])


@pytest.mark.no_cover
def test_what_an_edit_runs_again(
    normalize: Normalizer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edited line: its metadata file is read and cut, one group is put together, no picture is opened."""
    monkeypatch.setattr("mldata.stages.media.GROUP_MEAN", 4)
    files = many()
    before = files | {"metadata.csv": captions(files)}
    job, first = normalize(before)
    groups = first.facts["fragments"]
    assert len(job.runs) == 2 * groups + 2 and groups > 5
    read_again = ["metadata.csv", "metadata.csv"]

    edited = files | {"metadata.csv": captions(files, **{"031": "another"})}
    runs = changed_runs(normalize, before, edited)
    assert runs[:2] == read_again and len(runs) == 3
    table = Table.open(store, normalize(edited)[1].output.digest)
    assert columns(table, "caption")["1/031.png"] == ("another",)

    moved = files | {"metadata.csv": reorder(captions(files))}
    assert changed_runs(normalize, before, moved) == read_again
    assert normalize(moved)[1].output == first.output

    gone = files | {"metadata.csv": captions({n: d for n, d in files.items() if n != "1/031.png"})}
    assert len(changed_runs(normalize, before, gone)) == 3

    # Another picture: its group is read and put together, and the metadata cut for the new list of files.
    more = before | {"1/0315.png": png(9, 9)}
    assert len(changed_runs(normalize, before, more)) <= 5


def test_an_edit_in_one_folder(normalize: Normalizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a metadata file in each folder, only that of the edit is read, and a new file concerns its folder's alone."""
    monkeypatch.setattr("mldata.stages.media.GROUP_MEAN", 4)
    files = many()
    before = dict(files)
    for folder in "012":
        own = sorted(name[2:] for name in files if name[0] == folder)
        before[f"{folder}/metadata.csv"] = captions(dict.fromkeys(own, b""))
    edited = before | {"1/metadata.csv": before["1/metadata.csv"].replace(b"caption of 031", b"another")}
    assert changed_runs(normalize, before, edited)[:2] == ["1/metadata.csv"] * 2
    assert len(changed_runs(normalize, before, edited)) <= 3
    runs = changed_runs(normalize, before, before | {"2/0325.png": png(9, 9)})
    assert [run for run in runs if "metadata" in run] == ["2/metadata.csv"]


def test_an_edit_in_an_archive(normalize: Normalizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive whose metadata changed is opened, its metadata read and cut, and one group put together."""
    monkeypatch.setattr("mldata.stages.media.GROUP_MEAN", 4)
    files = many()
    before, after = (
        {"a.zip": make_zip(files | {"metadata.csv": captions(files, **changed)}), "b.zip": make_zip(files)}
        for changed in ({}, {"031": "another"})
    )
    runs = changed_runs(normalize, before, after)
    assert runs[:3] == ["a.zip", "a.zip/metadata.csv", "a.zip/metadata.csv"] and len(runs) == 4


def test_batches_do_not_matter(normalize: Normalizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few rows are looked at at a time, and in however many pieces they were read, the table is the same."""
    files = many()
    data = files | {"metadata.csv": reorder(captions(files))}
    whole = normalize(data)[1]
    monkeypatch.setattr("mldata.stages.describe.BATCH_ROWS", 7)
    job, made = normalize(data | {"metadata.csv": captions(files)})
    assert made.output == whole.output and len(job.runs) > 1
    monkeypatch.setattr("mldata.formats.base.PIECE_BYTES", 100)
    job, made = normalize(data)
    assert made.output == whole.output and len(job.runs) > 5


@pytest.mark.parametrize("mean", [1, 256])
def test_rich_types(mean: int, normalize: Normalizer, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nested, dictionary and binary columns, and nulls among them, come through a join of several metadata files, in one group or many."""
    monkeypatch.setattr("mldata.stages.media.GROUP_MEAN", mean)
    kinds = {
        "boxes": pa.array([[{"x": 1, "y": [2.5]}], None]),
        "kind": pa.array(["a", "b"]).dictionary_encode(),
        "raw": pa.array([b"\0", None]),
        "empty": pa.nulls(2),
    }
    files = PICTURES | {
        "cat/metadata.parquet": parquet(file_name=["0.png", "1.png"], **kinds),
        "dog/metadata.parquet": parquet(
            file_name=["2.png"],
            **kinds | {k: v[:1] for k, v in kinds.items()} | {"kind": pa.array(["z"]).dictionary_encode()},
        ),
    }
    table = table_of(normalize, store, files)
    found = columns(table, *kinds)
    assert found["cat/0.png"] == ([{"x": 1, "y": [2.5]}], "a", b"\0", None)
    assert found["cat/1.png"] == (None, "b", None, None)
    assert found["dog/2.png"] == ([{"x": 1, "y": [2.5]}], "z", b"\0", None)
    assert found["dog/0.png"] == (None, None, None, None)
