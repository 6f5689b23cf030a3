"""Raw files that the spec excludes: what is left out, what is told, what runs again."""

from __future__ import annotations

from zlib import crc32

import pytest

from mldata.errors import DataError, SpecError
from mldata.stages import media
from mldata.table import Table
from store import Store, hash_bytes
from tests.archives.making import make_zip
from tests.stages.conftest import Normalizer
from tests.stages.test_normalize import csv_files, png, rows

PICTURES = {f"{kind}/{i}.png": png(1 + i, 2) for kind in ("cat", "dog") for i in range(3)}
DAMAGED = {"cat/9.png": b"\x89PNG\r\n\x1a\n and then nothing"}


def test_left_out_and_told(normalize: Normalizer, store: Store) -> None:
    """A damaged file that is excluded lets the others be built; facts say how many and which, and nothing else differs."""
    with pytest.raises(DataError):
        normalize(PICTURES | DAMAGED)
    job, made = normalize(PICTURES | DAMAGED, exclude={"cat/9.png": None})
    assert made.facts["excluded"] == {"count": 1, "names": ["cat/9.png"], "suffixes": {".png": 1}}
    clean = normalize(PICTURES)[1]
    assert made.output == clean.output and "excluded" not in clean.facts and job.warnings == []


def test_only_with_its_content(normalize: Normalizer) -> None:
    """With a digest, a file is left out only while it has that content; otherwise it is read, and that is said."""
    files = csv_files(3)
    digest = hash_bytes(files["001.csv"]).digest
    assert normalize(files, exclude={"001.csv": digest})[1].facts["files"] == 2
    job, made = normalize(files | {"001.csv": b"a,b\n5,z\n"}, exclude={"001.csv": digest})
    assert "excluded" not in made.facts and made.facts["files"] == 3
    assert len(job.warnings) == 1 and "another content" in job.warnings[0] and "001.csv" in job.warnings[0]


def test_not_there(normalize: Normalizer) -> None:
    """A path that is not there (any more) is a warning that names it."""
    job, made = normalize(csv_files(2), exclude={"gone.csv": None})
    assert made.facts["files"] == 2 and "gone.csv" in job.warnings[0] and "not there" in job.warnings[0]


def test_members_and_archives(normalize: Normalizer, store: Store) -> None:
    """Members of archives are excluded by their path; an archive that cannot be opened, by its own."""
    files = {"x.zip": make_zip({"a.csv": b"a\n1\n", "b.csv": b"a\nx,y\n"}), "y.zip": b"PK\x03\x04 damaged"}
    with pytest.raises(DataError):
        normalize(files, exclude={"y.zip": None})
    made = normalize(files, exclude={"y.zip": None, "x.zip/b.csv": None})[1]
    assert rows(Table.open(store, made.output.digest)) == [{"a": 1}]
    assert made.facts["excluded"]["names"] == ["x.zip/b.csv", "y.zip"]


def test_before_formats_are_chosen(normalize: Normalizer) -> None:
    """What is excluded decides nothing: one picture among tables that is left out leaves a table."""
    made = normalize(csv_files(2) | PICTURES, exclude=dict.fromkeys(PICTURES))[1]
    assert made.facts["kind"] == "tabular" and made.facts["skipped"]["count"] == 0


def test_everything(normalize: Normalizer) -> None:
    """Nothing left to read is an error that says so."""
    with pytest.raises(SpecError, match="not excluded") as caught:
        normalize(csv_files(5), exclude=dict.fromkeys(csv_files(5)))
    assert caught.value.where == "normalize.exclude" and "and 2 more" in caught.value.message


def test_one_group_runs_again(normalize: Normalizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Excluding one of many pictures runs one group again; excluding a table runs none."""
    monkeypatch.setattr(media, "GROUP_MEAN", 8)
    files = {f"cat/{number:03d}.png": png(1 + number, 1) for number in range(60)}
    assert len(normalize(files)[0].runs) > 4
    cuts = [name for name in files if crc32(name.encode()) % 8 == 0]
    name = next(name for name in files if name not in cuts)
    assert len(normalize(files, exclude={name: None})[0].runs) == 1
    assert normalize(files)[0].runs == []
    tables = csv_files(5)
    normalize(tables)
    assert normalize(tables, exclude={"002.csv": None})[0].runs == []


def test_metadata_of_excluded_files(normalize: Normalizer, store: Store) -> None:
    """Rows of metadata about an excluded file are left out with it; a row about no file at all is an error as ever."""
    metadata = b"file_name,stars\ncat/0.png,1\ncat/9.png,9\ndog/2.png,2\n"
    files = PICTURES | DAMAGED | {"metadata.csv": metadata}
    made = normalize(files, exclude={"cat/9.png": None})[1]
    stars = {row["path"]: row["stars"] for row in rows(Table.open(store, made.output.digest))}
    assert (stars["cat/0.png"], stars["dog/2.png"], stars["cat/1.png"]) == (1, 2, None) and len(stars) == 6
    alone = {"metadata.csv": b"file_name,stars\ncat/9.png,9\n"}
    assert normalize(files | alone, exclude={"cat/9.png": None})[1].facts["metadata"]["without"] == 6
    with pytest.raises(DataError, match=r"cat/9\.png"):
        normalize({name: data for name, data in files.items() if name != "cat/9.png"})
    with pytest.raises(DataError, match=r"cat/8\.png"):
        normalize(files | {"metadata.csv": metadata.replace(b"dog/2", b"cat/8")}, exclude={"cat/9.png": None})
