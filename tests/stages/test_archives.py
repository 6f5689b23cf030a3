"""Archives in the normalize stage: what runs again, where members stand, how media get their labels."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from mldata import archives, folder
from mldata.archives import Limits
from mldata.errors import DataError
from mldata.table import Table
from store import Store
from tests.archives.making import PACKERS, info, make_tar, make_zip
from tests.stages.conftest import Normalizer
from tests.stages.test_normalize import csv_files, png, rows


def test_members_take_the_place_of_the_archive(normalize: Normalizer, store: Store) -> None:
    """Each kind of archive is a folder of its members, beside files that are none; nested ones as well."""
    files = {
        f"{i}.{end}": pack(make_tar(("d/t.csv", b"a\n%d\n" % i)))
        for i, (end, pack) in enumerate(PACKERS.items())
    }
    inner = make_zip({"deep.csv": b"a\n7\n"})
    files |= {
        "8.zip": make_zip({"in.zip": inner, "t.csv": b"a\n8\n", "__MACOSX/._t.csv": b"?"}),
        "9.csv": b"a\n9\n",
    }
    job, made = normalize(files)
    table = Table.open(store, made.output.digest)
    found = [f.source for f in table.fragments]
    assert found == [
        *(f"{n}/d/t.csv" for n in sorted(files)[:5]),
        "8.zip/in.zip/deep.csv",
        "8.zip/t.csv",
        "9.csv",
    ]
    assert [row["a"] for row in rows(table)] == [0, 1, 2, 3, 4, 7, 8, 9]
    assert (made.facts["archives"], made.facts["files"]) == ({"count": 7, "members": 8}, 8)
    assert (made.facts["ignored"], job.notes) == ({"__MACOSX": 1}, ["left out of archives: __MACOSX 1"])
    assert job.warnings == [] and "archives" not in normalize(csv_files(1))[1].facts


def test_one_changed_archive_runs_itself_and_what_changed_in_it(normalize: Normalizer) -> None:
    """Of several archives only the changed one is opened again, and only its changed members are read again; a new name runs nothing."""
    packed = {f"{k}.zip": make_zip({f"{k}/{n}": d for n, d in csv_files(5).items()}) for k in ("x", "y", "z")}
    job, first = normalize(packed)
    assert len(job.runs) == 3 + 5  # equal members are read once
    assert normalize(packed)[0].runs == []
    changed = {"y/000.csv": b"a,b\n70,z\n"} | {f"y/{n}": d for n, d in list(csv_files(5).items())[1:]}
    job, _ = normalize(packed | {"y.zip": make_zip(changed)})
    assert job.runs == ["y.zip", "y.zip/y/000.csv"]
    job, _ = normalize(packed | {"y.zip": make_zip(changed, zipfile.ZIP_STORED)})
    assert job.runs == ["y.zip"]
    renamed = dict(packed)
    renamed["new.zip"] = renamed.pop("y.zip")
    assert normalize(renamed)[0].runs == []
    assert normalize(packed)[1] == first


def test_labels_are_folders_inside(normalize: Normalizer, store: Store) -> None:
    """The label of a picture is its folder as if the archive had been unpacked where it is; its path has the archive."""
    cats = make_tar(("cats/2.png", png(3, 2)))
    files = {"train/pets.zip": make_zip({"dogs/1.png": png(1, 1), "more.tar": cats, "0.png": png(2, 2)})}
    files |= {"plain.zip/4.png": png(4, 4), "top.zip": make_zip({"5.png": png(5, 5)})}
    _, made = normalize(files)
    table = Table.open(store, made.output.digest)
    assert {row["path"]: row["label"] for row in rows(table)} == {
        "plain.zip/4.png": "plain.zip",
        "top.zip/5.png": None,
        "train/pets.zip/0.png": "train",
        "train/pets.zip/dogs/1.png": "train/dogs",
        "train/pets.zip/more.tar/cats/2.png": "train/cats",
    }
    assert table.media is not None
    assert {name for name, _ in store.walk(table.media)} == {row["path"] for row in rows(table)}


def test_links_are_files(normalize: Normalizer, store: Store) -> None:
    """A link in a tar is a file with the content of what it leads to."""
    data = make_tar(info("link.csv", b"2", "a.csv"), ("a.csv", b"a\n1\n"))
    _, made = normalize({"x.tar": data})
    table = Table.open(store, made.output.digest)
    assert [(f.source, f.rows) for f in table.fragments] == [("x.tar/a.csv", 1), ("x.tar/link.csv", 1)]


def test_many_small_and_some_large_members(
    normalize: Normalizer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members come out whole and under their names, however they are grouped."""
    monkeypatch.setattr(folder, "HELD_FILES", 8)
    small = {f"{i % 7}/{i}.csv": b"a\n%d\n" % i for i in range(30)}
    large = {"z/large.csv": b"a\n" + b"%06d\n" % 7 * (folder.SMALL // 7 * 3)}
    _, made = normalize({"x.zip": make_zip(small | large)})
    table = Table.open(store, made.output.digest)
    found = {f.source: f.rows for f in table.fragments}
    assert found == {f"x.zip/{name}": data.count(b"\n") - 1 for name, data in (small | large).items()}


def test_too_deep(normalize: Normalizer) -> None:
    """An archive in an archive in an archive is refused by its path."""
    data = make_zip({"b.zip": make_zip({"c.zip": make_zip({"d.csv": b"a\n1\n"})})})
    with pytest.raises(DataError, match=r"a\.zip/b\.zip/c\.zip: expected at most one archive around"):
        normalize({"a.zip": data})


def test_a_bomb_in_a_bomb(normalize: Normalizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Archives in an archive that each keep to the ratio, and together do not, are refused."""
    zeros = bytes(100_000) + bytes(range(256)) * 2
    inner = {f"{i}.zip": make_zip({"zeros": zeros + bytes([i])}) for i in range(90)}
    data = make_zip(inner)
    monkeypatch.setattr(archives, "LIMITS", Limits(free=1_000_000, ratio=150))
    with pytest.raises(DataError, match=r"^d/x\.zip: expected at most 150 .*through the archives in it"):
        normalize({"d/x.zip": data})


def test_a_refused_archive_leaves_no_result(normalize: Normalizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that fails in the middle is opened again as a whole; the limits are in the key."""
    files = {"x.zip": make_zip({"a.csv": b"a\n1\n", "zeros": bytes(1 << 20)})}
    monkeypatch.setattr(archives, "LIMITS", Limits(free=1000))
    for _ in range(2):
        with pytest.raises(DataError, match=r"x\.zip: member 'zeros'"):
            normalize(files)
    monkeypatch.undo()
    assert normalize(files)[0].runs == ["x.zip", "x.zip/a.csv"]


def test_an_archive_without_files(normalize: Normalizer) -> None:
    """It is said, and the other files are read."""
    job, made = normalize({"x.zip": make_zip({"d/": b""}), "a.csv": b"a\n1\n"})
    assert job.warnings == ["x.zip: the archive has no files in it"]
    assert made.rows == 1
    with pytest.raises(DataError, match=r"x\.zip: expected files in the archive, found none"):
        normalize({"x.zip": make_zip({"d/": b""})})


def test_a_compressed_table_in_an_archive(normalize: Normalizer, tmp_path: Path) -> None:
    """Compressed files in an archive are read as anywhere."""
    assert normalize({"x.zip": make_zip({"a.csv.gz": PACKERS["tar.gz"](b"a\n1\n2\n")})})[1].rows == 2
