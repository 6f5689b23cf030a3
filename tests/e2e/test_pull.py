"""mldata pull: sources from elsewhere, here, whole, and there offline afterwards."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import mldata
from mldata.sources import SOURCES
from tests.e2e.project import Project, tree_bytes
from tests.far import INFO


@pytest.fixture
def far(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a folder that is elsewhere, and a dataset of it."""
    monkeypatch.setitem(SOURCES, "far", INFO)
    project.write("there/a.csv", "x\n1\n2\n")
    project.write("there/sub/b.csv", "x\n3\n")
    project.write("mldata.yaml", "version: 1\ndatasets:\n  d: {source: far://there}\n")
    return project


def asked(project: Project) -> list[str]:
    """Names of the files that were asked for since the last call."""
    log = project / "asked"
    names = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    return names


def test_a_source_is_pulled_into_a_folder(far: Project) -> None:
    """All its files stand in the folder, and the result names each with size and digest, the revision and what came."""
    told = far.json("pull", "far://there", "-o", "out")["result"]
    assert far.files("out") == far.files("there")
    assert [(file["path"], file["size"], file["resumed_from"]) for file in told["files"]] == [
        ("a.csv", 6, 0),
        ("sub/b.csv", 4, 0),
    ]
    assert told["bytes_downloaded"] == 10 and told["revision"] and asked(far) == ["a.csv", "sub/b.csv"]


def test_what_is_here_is_not_asked_for_again(far: Project) -> None:
    """A second pull looks at the source and takes only what is new there; the folder follows."""
    far.run("pull", "far://there", "-o", "out")
    asked(far)
    assert "nothing had to be downloaded" in far.run("pull", "far://there", "-o", "out").out
    assert asked(far) == []
    far.write("there/c.csv", "x\n4\n")
    (far / "there/a.csv").unlink()
    assert far.json("pull", "far://there", "-o", "out")["result"]["bytes_downloaded"] == 4
    assert asked(far) == ["c.csv"] and far.files("out") == far.files("there")


def test_it_is_there_offline(far: Project) -> None:
    """With the network down, --offline gives what was pulled last, also after gc; something else is an error that names it."""
    far.run("pull", "far://there")
    far.write("down", "")
    assert "cannot be reached" in far.run("pull", "far://there", expect=5).err
    far.run("gc")
    far.run("pull", "far://there", "-o", "out", "--offline")
    assert far.files("out") == far.files("there")
    assert "far://here" in far.run("pull", "far://here", "--offline", expect=1).err


def test_an_edited_folder_is_left_alone(far: Project) -> None:
    """What somebody wrote into the folder is neither replaced nor removed."""
    far.run("pull", "far://there", "-o", "out")
    (far / "out/a.csv").unlink()
    far.write("out/a.csv", "mine")
    assert "was changed since" in far.run("pull", "far://there", "-o", "out", expect=3).err
    assert (far / "out/a.csv").read_text() == "mine"


def test_a_dataset_is_pulled_as_it_is_pinned(far: Project) -> None:
    """NAME means its sources as mldata.lock pins them: news there have to wait for an update, and a build needs no network after it."""
    far.run("pull", "d")
    lock = (far / "mldata.lock").read_text()
    assert 'source: "far://there"' in lock and "license" in lock
    asked(far)
    far.write("there/a.csv", "x\n100\n")
    far.run("pull", "d", "-o", "out")
    assert asked(far) == [] and far.files("out")["a.csv"] == b"x\n1\n2\n"
    far.write("down", "")
    far.build()


def test_what_is_pinned_comes_again(far: Project) -> None:
    """Without a store, what the lock pins is fetched anew and compared; if it has changed there, that is an error and the lock stands."""
    far.build()
    lock = (far / "mldata.lock").read_bytes()
    shutil.rmtree(far / ".mldata")
    assert far.build()["d"]["stages"]["fetch"]["actions"] == {"hit": 0, "run": 2}
    assert (far / "mldata.lock").read_bytes() == lock
    shutil.rmtree(far / ".mldata")
    far.write("there/a.csv", "x\n100\n")
    err = far.run("build", expect=1).err
    assert "far://there" in err and "mldata update" in err and (far / "mldata.lock").read_bytes() == lock
    far.run("update")
    assert (far / "mldata.lock").read_bytes() != lock
    far.build()


def test_locked_pins_first(far: Project) -> None:
    """--locked asks for nothing that no pin describes."""
    assert "far://there" in far.run("build", "--locked", expect=1).err
    assert asked(far) == []
    far.build()
    far.build("--locked")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["pull"], "expected what to pull"),
        (["pull", "d", "-r", "1"], "the spec says"),
        (["pull", "there", "-r", "1"], "has no revision"),
        (["pull", "far://there", "--subset", "s"], "has no subset"),
        (["pull", "far://there?revision=2", "-r", "1"], "one revision"),
        (["pull", "dataset://d"], "which is a table"),
        (["pull", "nowhere://x"], "unknown scheme"),
        (["pull", "far://there", "--segments", "0"], "--segments"),
        (["pull", "far://there", "--max-samples", "0"], "--max-samples"),
        (["pull", "d", "--max-samples", "1"], "the spec says"),
        (["pull", "there", "--max-samples", "1"], "which is here already"),
        (["pull", "far://there", "--limit-rate", "fast"], "expected a size"),
    ],
)
def test_what_makes_no_sense_is_refused(far: Project, args: list[str], said: str) -> None:
    """Before anything is asked for, with exit code 3."""
    assert said in far.run(*args, expect=3).err
    assert asked(far) == []


def test_the_first_rows_alone(far: Project) -> None:
    """--max-samples takes as many rows as asked for, in the order of the files, as Parquet; offline they are there again."""
    told = far.json("pull", "far://there", "--max-samples", "3", "-o", "few")["result"]
    assert [file["path"] for file in told["files"]] == ["a.parquet", "sub/b.parquet"]
    rows = [
        row
        for path in ("a.parquet", "sub/b.parquet")
        for row in pq.read_table(far / "few" / path).to_pylist()
    ]
    assert rows == [{"x": 1}, {"x": 2}, {"x": 3}] and told["bytes_downloaded"] == 10
    far.write("down", "")
    again = far.json("pull", "far://there", "--max-samples", "3", "--offline", "-o", "again")["result"]
    assert again["files"] == told["files"] and far.files("again") == far.files("few")
    assert "far://there" in far.run("pull", "far://there", "--max-samples", "1", "--offline", expect=1).err


def test_old_pulls_are_collected(far: Project) -> None:
    """gc keeps what was pulled; with --max-age it lets go of what was pulled longer ago, and says which."""
    far.run("pull", "far://there")
    far.run("gc", "--max-age", "1d")
    far.run("pull", "far://there", "--offline")
    for state in (far / ".mldata/pulls").iterdir():
        os.utime(state, (0, 0))
    planned = far.json("gc", "--max-age", "1d", "--dry-run")["result"]
    assert [item["name"] for item in planned["items"] if item["kind"] == "pull"] == ["far://there"]
    assert planned["delete"]["objects"] >= 2
    far.run("pull", "far://there", "--offline")
    for state in (far / ".mldata/pulls").iterdir():
        os.utime(state, (0, 0))
    assert "far://there" in far.run("gc", "--max-age", "1d").out
    assert "far://there" in far.run("pull", "far://there", "--offline", expect=1).err


def test_without_a_project_the_users_cache_is_used(
    far: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of a project what was pulled is in the user's cache, and gc collects there."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    alone = Project(tmp_path / "alone")
    alone.write("there/a.csv", "x\n1\n")
    alone.run("pull", "far://there", "-o", "out")
    assert alone.files("out") == alone.files("there")
    assert sorted(path.name for path in alone.root.iterdir()) == ["asked", "out", "there"]
    assert "removed 0 B" in alone.run("gc").out and "ok: " in alone.run("check").out
    for state in (tmp_path / "cache/mldata/pulls").iterdir():
        os.utime(state, (0, 0))
    shutil.rmtree(alone / "out")
    assert alone.json("gc", "--max-age", "1d")["result"]["delete"]["objects"] == 2


def test_from_python(far: Project, tmp_path: Path) -> None:
    """mldata.pull does what the command does, and raises what it prints."""
    told = mldata.pull("far://there", to=tmp_path / "out", project=far.root)
    assert far.json("pull", "far://there", "-o", "again")["result"]["files"] == told["files"]
    assert tree_bytes(tmp_path / "out") == far.files("there") == far.files("again")
    far.write("down", "")
    assert mldata.pull("far://there", offline=True, project=far.root)["bytes_downloaded"] == 0
    with pytest.raises(mldata.MldataError, match="cannot be reached"):
        mldata.pull("far://there", project=far.root)
    with pytest.raises(mldata.MldataError, match="expected what to pull"):
        mldata.pull(project=far.root)


def test_a_source_is_looked_at_when_it_is_added(far: Project) -> None:
    """One that is not there is refused and the spec stays; parts of its own are kept unless others are asked for; --offline asks nobody."""
    before = (far / "mldata.yaml").read_text()
    assert "nowhere" in far.run("add", "e", "far://nowhere", expect=5).err
    assert (far / "mldata.yaml").read_text() == before
    far.run("add", "e", "far://nowhere", "--offline")
    assert "far://there: 2 files)" in far.run("add", "plain", "far://there").out
    far.write("parts/train/a.csv", "x\n1\n")
    far.write("parts/test/a.csv", "x\n2\n")
    assert "far://parts: 2 files, parts train, test)" in far.run("add", "own", "far://parts").out
    far.run("add", "other", "far://parts", "--split", "0.5,0.5")
    text = (far / "mldata.yaml").read_text()
    assert (
        text.count("method: predefined") == 1
        and text.count("train: 0.5") == 1
        and text.count("train: 0.8") == 2
    )
    assert "train 1, test 1" in far.run("build", "own").out
    far.write("down", "")
    assert "cannot be reached" in far.run("add", "f", "far://there", expect=5).err


def packed(files: dict[str, bytes]) -> bytes:
    """A zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.csv.gz", lambda: gzip.compress(b"x\n1\n" * 999)[:-9], "gzip"),
        ("a.csv.gz", lambda: b"x\n1\n", "something else"),
        ("a.zip", lambda: packed({"a.csv": b"x\n1\n" * 999})[:-30], "a.zip"),
        ("a.zip", lambda: packed({"../a.csv": b"x\n1\n"}), ".."),
        ("a.tar.gz", lambda: b"<html>log in</html>", "archive"),
        ("bomb.jsonl.gz", lambda: gzip.compress(bytes(120 << 20)), "bytes out of each byte"),
    ],
    ids=["cut", "not packed", "cut zip", "escaping", "page", "bomb"],
)
def test_what_cannot_be_unpacked_is_refused(
    far: Project, name: str, data: Callable[[], bytes], said: str
) -> None:
    """A file whose container is damaged, something else or not safe is an error of the source (5); what is beside it is not pulled either."""
    (far / "there" / name).write_bytes(data())
    err = far.run("pull", "far://there", "-o", "out", expect=5).err
    assert "far://there" in err and name in err and said in err
    assert not (far / "out").exists()
    assert "far://there" in far.run("pull", "far://there", "--offline", expect=1).err
    (far / "there" / name).unlink()
    far.run("pull", "far://there", "-o", "out")
