"""Builds straight into a folder, without a spec."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mldata
from mldata.exports import EXPORTS
from tests.e2e.plain import FLAGS, SPEC, into, refused, runs
from tests.e2e.project import Project, environment


def test_the_same_bytes_as_a_spec_gives(plain: Project) -> None:
    """The folder is, byte for byte, what a spec with these settings exports, manifest included; nothing else is left behind."""
    told = into(plain, *FLAGS)["result"]["datasets"]["clean"]
    assert told["build"] is None and list(told["stages"]) == ["fetch", "normalize", "split", "export"]
    assert sorted(os.listdir(plain.root)) == ["clean", "data"]
    plain.write("mldata.yaml", SPEC)
    plain.build("clean")
    assert plain.files("clean") == plain.files("out/clean")


def test_a_second_build_is_all_hits(plain: Project) -> None:
    """The same into the same folder has nothing to do; into another one it runs no action again."""
    into(plain, *FLAGS)
    again = into(plain, *FLAGS)["result"]["datasets"]["clean"]["stages"]
    assert {report["status"] for report in again.values()} == {"up-to-date"}
    told = plain.json("build", "data/*.csv", "-o", "clean2/clean", *FLAGS)
    assert runs(told)[1:] == [0, 0, 0]
    assert plain.files("clean2/clean") == plain.files("clean")


def test_the_store_of_a_project_is_used(plain: Project) -> None:
    """In a project its store is; its receipts, its lock and its builds stay as they are, and gc keeps what the folder stands on."""
    plain.write("mldata.yaml", SPEC)
    plain.build("clean")
    lock, log = (plain / "mldata.lock").read_bytes(), plain.run("log", "clean").out
    assert runs(into(plain, *FLAGS))[1:] == [0, 0, 0]
    assert not (plain.root.parent / "cache").exists()
    assert (plain / "mldata.lock").read_bytes() == lock and plain.run("log", "clean").out == log
    plain.run("gc")
    assert {it["status"] for it in into(plain, *FLAGS)["result"]["datasets"]["clean"]["stages"].values()} == {
        "up-to-date"
    }
    shutil.rmtree(plain / "clean")
    assert '"folder ' not in plain.run("gc", "--print-roots", "--json").out


def test_mldata_store_is_used(plain: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a project MLDATA_STORE says where results are kept."""
    monkeypatch.setenv("MLDATA_STORE", str(plain.root.parent / "shared"))
    into(plain)
    assert (plain.root.parent / "shared" / "format").exists()
    assert os.listdir(plain.root.parent / "cache" / "mldata") == ["folders"]


def test_from_a_folder_below(plain: Project) -> None:
    """Sources are typed as seen from the working folder."""
    plain.write("mldata.yaml", SPEC)
    from mldata.cli import main

    with contextlib.chdir(plain / "data"):
        assert main(["-q", "build", "0.csv", "../data/1.csv", "-o", "../new"]) == 0
    assert '{"source": ["data/0.csv", "data/1.csv"]' in (plain / "new/manifest.yaml").read_text()


def test_a_dataset_by_its_name(plain: Project) -> None:
    """A word that is a dataset of the spec is that one, exported elsewhere, in other formats if wanted."""
    plain.write("mldata.yaml", SPEC)
    plain.build()
    told = plain.json("build", "clean", "-o", "elsewhere")
    assert runs(told)[1:] == [0, 0, 0] and plain.files("elsewhere") == plain.files("out/clean")
    plain.run("build", "clean", "-o", "elsewhere", "--formats", "jsonl")
    assert sorted(plain.files("elsewhere")) == ["manifest.yaml", "test.jsonl", "train.jsonl"]
    assert "--split: the spec says how 'clean' is made" in refused(plain, "clean", "-o", "e2", "--seed", "1")
    assert "--split: the spec says how 'clean' is made" in refused(
        plain, "clean", "-o", "e2", "--split", "none"
    )
    assert "expected one dataset for" in refused(plain, "clean", "base", "-o", "e2")
    assert "is where the spec exports 'clean'" in refused(plain, "base", "-o", "out/clean")


def test_a_dataset_as_a_source(plain: Project) -> None:
    """A part of a dataset of the spec, with a file, into a folder: what it stands on is built first."""
    plain.write("mldata.yaml", SPEC)
    told = plain.build("dataset://base#train", "data/1.csv", "-o", "base", "--formats", "csv")
    assert list(told) == ["base", "base-2"], "the folder's name is taken by the dataset that is read"
    lines = (plain / "base/data.csv").read_text().splitlines()
    assert len(lines) == 1 + 5 + 10
    assert "SOURCE: 'e2' reads dataset://bas, and there is no dataset 'bas'" in refused(
        plain, "dataset://bas", "-o", "e2"
    )
    assert not (plain / "mldata.lock").exists()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--split", "0.8,0.1"], "--split: expected shares that sum to 1, found 0.8 + 0.1 = 0.9"),
        (["--split", "a,b"], "--split: expected shares such as 0.8,0.1,0.1"),
        (["--seed", "-1"], "--seed: expected a seed from 0 to"),
        (
            ["--method", "tme"],
            "--method: expected one of random, hash, stratify, group, predefined; found 'tme'",
        ),
        (["--method", "hash", "--stratify", "y"], "--method: 'stratify: y' contradicts 'method: hash'"),
        (["--stratify", "y", "--group", "x"], "--group: 'stratify' and 'group' exclude each other"),
        (["--split", "none", "--group", "x"], "--group needs a split, found --split none"),
        (
            ["--formats", "csv,parket"],
            f"--formats: expected one of {', '.join(EXPORTS)}; found 'parket'",
        ),
        (["--compression", "zip"], "--compression: expected none, zstd"),
        (["--locked"], "--locked: what is built into a folder is not in mldata.lock"),
    ],
)
def test_flags_are_judged_as_the_spec_is(plain: Project, args: list[str], says: str) -> None:
    """A wrong setting is an error that names its flag, and nothing is built."""
    assert says in refused(plain, "data", "-o", "clean", *args)


def test_words_and_folders_that_make_no_sense(plain: Project) -> None:
    """Nothing to build, a source that is not there, one that is not known, flags without a folder, a name that is none."""
    assert "-o: expected a folder, found ''" in refused(plain, "data", "-o", "")
    assert "-o: expected what to build into the folder, found nothing" in refused(plain, "-o", "clean")
    assert (
        "SOURCE: expected a file, a folder, a glob or dataset://NAME; found the unknown scheme ftpx://"
        in refused(plain, "ftpx://a", "-o", "clean")
    )
    assert "SOURCE: expected dataset://a#b to be a dataset of mldata.yaml, found no such file" in refused(
        plain, "data", "dataset://a#b", "-o", "clean"
    )
    assert "nope: no such file or folder" in plain.run("build", "nope", "-o", "clean", expect=1).err
    assert "To build a source without a spec: mldata build 'data/*.csv' -o DIR" in refused(
        plain, "data/*.csv"
    )
    plain.write("mldata.yaml", SPEC)
    assert "To build a source without a spec: mldata build data -o DIR" in refused(plain, "data")
    assert "Did you mean: clean" in refused(plain, "claen")
    assert "--seed: it is for what is built into a folder" in refused(plain, "clean", "--seed", "1")


def test_two_at_once(plain: Project) -> None:
    """Builds into one folder take turns, and both end well; so do builds into two."""
    env = environment({"XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]})
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "mldata", "-q", "build", "data/*.csv", "-o", folder, *FLAGS],
            cwd=plain.root,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for folder in ("clean", "clean", "other/clean")
    ]
    for process in started:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0, out.decode()
    assert plain.files("clean") == plain.files("other/clean")


def test_from_python(plain: Project) -> None:
    """``mldata.build(source=..., to=...)`` takes the sections of a spec, and says by name what is wrong."""
    with contextlib.chdir(plain.root):
        told = mldata.build(source=["data/0.csv", "data/1.csv"], to="clean", normalize={"types": {"x": "float32"}},
                            split={"a": 0.5, "b": 0.5}, export={"formats": ["csv"]})  # fmt: skip
        assert told["clean"]["export"].rows == 20
        assert sorted(plain.files("clean")) == ["a.csv", "b.csv", "manifest.yaml"]
        with pytest.raises(mldata.MldataError, match="arguments: split: expected shares that sum to 1"):
            mldata.build(source="data", to="x", split={"a": 0.5})
        with pytest.raises(mldata.MldataError, match="expected a folder"):
            mldata.build(source="data")
        with pytest.raises(mldata.MldataError, match="nope: no such file"):
            mldata.build(source="nope", to="x")


def test_the_example_of_the_help_runs(plain: Project) -> None:
    """What ``mldata build --help`` shows at its end can be typed as it stands."""
    example = plain.run("build", "--help").out.splitlines()[-1].strip()
    program, *args = shlex.split(example)
    assert (program, args[0]) == ("mldata", "build")
    plain.run(*args)
    assert len(plain.files("clean")) == 7


@pytest.mark.parametrize(
    ("folder", "name"), [("My Data!", "my-data"), ("con", "dataset"), ("...", "dataset"), ("é", "dataset")]
)
def test_the_dataset_is_called_like_the_folder(plain: Project, folder: str, name: str) -> None:
    """As far as that is a name of a dataset."""
    assert list(plain.build("data/0.csv", "-o", folder)) == [name]


def test_a_cache_that_cannot_be_written(plain: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, and how to name another one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(plain / "data/0.csv"))
    said = refused(plain, "data", "-o", "clean")
    assert "cannot write" in said and "XDG_CACHE_HOME names another folder" in said


def test_a_dry_run_writes_nothing(plain: Project) -> None:
    """--dry-run says what would run, and makes no folder."""
    told = into(plain, "--dry-run")["result"]["datasets"]["clean"]["stages"]
    assert told["normalize"]["stale"] and not (plain / "clean").exists()


def test_media(plain: Project, examples: Project) -> None:
    """A folder of pictures is built with its files."""
    source = next(path for path in (examples / "fashion").rglob("*.png")).parent.parent
    plain.run("build", str(source), "-o", "pictures")
    assert (
        any(name.endswith(".png") for name in plain.files("pictures"))
        and (Path(plain / "pictures/data.parquet")).exists()
    )
