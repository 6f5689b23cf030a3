"""Builds straight into a folder, without a spec."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mldata
from tests.e2e.project import Project, environment

FLAGS = ("--split", "train=0.5,test=0.5", "--seed", "3", "--stratify", "y", "--formats", "csv,parquet")
SPEC = """\
version: 1
datasets:
  clean:
    source: data/*.csv
    split: {train: 0.5, test: 0.5, seed: 3, stratify: y}
    export: {to: out/clean, formats: [csv, parquet]}
  base: {source: data/0.csv, split: {train: 0.5, test: 0.5}}
"""


@pytest.fixture
def plain(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A folder with data and without a spec; the user's cache is beside it."""
    for number in range(3):
        rows = "".join(f"{number * 10 + row},{'ab'[row % 2]}\n" for row in range(10))
        project.write(f"data/{number}.csv", "x,y\n" + rows)
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.root.parent / "cache"))
    return project


def into(project: Project, *args: str, expect: int = 0) -> dict[str, Any]:
    """Build all files into ``clean``; the result."""
    told: dict[str, Any] = project.json("build", "data/*.csv", "-o", "clean", *args, expect=expect)
    return told


def runs(told: dict[str, Any]) -> list[int]:
    return [
        report["actions"]["run"]
        for it in told["result"]["datasets"].values()
        for report in it["stages"].values()
    ]


def refused(project: Project, *args: str) -> str:
    """What is said of a build that is refused; nothing was touched."""
    before = {
        name: data for name, data in project.files(".").items() if not name.startswith(".mldata/cache/")
    }
    said = project.run("build", *args, expect=3).err
    after = project.files(".")
    assert {name: data for name, data in after.items() if not name.startswith(".mldata/cache/")} == before
    return said


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
        (["--method", "tme"], "--method: expected one of random, hash, stratify, group; found 'tme'"),
        (["--method", "hash", "--stratify", "y"], "--method: 'stratify: y' contradicts 'method: hash'"),
        (["--stratify", "y", "--group", "x"], "--group: 'stratify' and 'group' exclude each other"),
        (["--split", "none", "--group", "x"], "--group needs a split, found --split none"),
        (
            ["--formats", "csv,parket"],
            "--formats: expected one of parquet, csv, jsonl, arrow; found 'parket'",
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


def test_folders_that_are_in_the_way(plain: Project) -> None:
    """A folder that is a source, holds one, or holds the project or the store is refused."""
    assert "would be read as part of the source" in refused(plain, "data", "-o", "data/out")
    assert "would be read as part of the source" in refused(plain, "*/*.csv", "-o", "new", "--formats", "csv")
    assert "expected a folder, found a file" in refused(plain, "data/1.csv", "-o", "data/0.csv")
    assert "which was not made by an export" in refused(plain, "data/*.csv", "-o", ".")
    assert "expected a folder apart from" in refused(plain, "data", "-o", "../cache/mldata/store/x")
    plain.write("mldata.yaml", SPEC)
    assert "expected a folder that does not hold the project" in refused(plain, "data", "-o", ".")


def change(project: Project, how: str) -> Callable[[], bool]:
    """Put something of the user's into the folder; whether it is still there."""
    path = (
        project
        / "clean"
        / ("train.csv" if how == "edited" else "val.csv" if how == "in the way" else "notes.txt")
    )
    if how == "edited":
        path.unlink()
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    return lambda: path.read_text() == "mine"


def test_a_folder_with_files_of_others_is_refused(plain: Project) -> None:
    """What no export made is not touched, whatever it is."""
    still = change(plain, "alone")
    assert "clean/notes.txt, which was not made by an export" in refused(plain, "data", "-o", "clean")
    assert still()


@pytest.mark.parametrize("how", ["edited", "in the way"])
def test_a_file_of_the_user_is_never_replaced(plain: Project, how: str) -> None:
    """In an earlier export a file that was edited, or that stands where a new one would, stops the export."""
    into(plain, *FLAGS)
    still = change(plain, how)
    told = into(plain, "--split", "0.5,0.3,0.2", "--formats", "csv", expect=1)
    assert "clean/train.csv, which was changed" in told["errors"][0]["message"] if how == "edited" else True
    assert "found" in told["errors"][0]["message"] and still()


def test_a_file_beside_an_earlier_export_stays(plain: Project) -> None:
    """A new export replaces the files of the one before, and leaves what stands beside them."""
    into(plain, *FLAGS)
    still = change(plain, "beside")
    into(plain, "--formats", "csv")
    assert sorted(os.listdir(plain / "clean")) == ["data.csv", "manifest.yaml", "notes.txt"] and still()


def test_a_folder_that_was_emptied_and_filled(plain: Project) -> None:
    """Where nothing of an earlier export is left, files of others are refused as in any folder."""
    into(plain, *FLAGS)
    shutil.rmtree(plain / "clean")
    still = change(plain, "alone")
    told = into(plain, "--formats", "csv", expect=1)
    assert "clean/notes.txt, which was not made by an export" in told["errors"][0]["message"] and still()


def test_an_export_from_elsewhere_is_known_by_its_manifest(plain: Project) -> None:
    """Where nothing is remembered of a folder, its manifest tells: what it lists, and is as it says, gives way."""
    into(plain, *FLAGS)
    shutil.rmtree(plain.root.parent / "cache")
    into(plain, "--formats", "csv")
    assert sorted(os.listdir(plain / "clean")) == ["data.csv", "manifest.yaml"]
    shutil.rmtree(plain.root.parent / "cache")
    (plain / "clean/data.csv").unlink()
    plain.write("clean/data.csv", "mine")
    told = into(plain, "--formats", "jsonl", expect=1)
    assert "clean/data.csv, which was changed since it was exported" in told["errors"][0]["message"]
    assert (plain / "clean/data.csv").read_text() == "mine"


@pytest.mark.parametrize("finish", [True, False])
def test_a_killed_export_goes_on(plain: Project, finish: bool) -> None:
    """A folder that a killed build left half written is written to the end by the next, or anew."""
    code = (
        "import os, sys\nimport store.placing\n"
        "placed = store.placing.Placer.place\n"
        "def place(self, entry, *rest):\n"
        "    if entry.name == 'test.parquet':\n        self.flush()\n        os._exit(9)\n"
        "    return placed(self, entry, *rest)\n"
        "store.placing.Placer.place = place\n"
        "from mldata.cli import main\nmain(sys.argv[1:])\n"
    )
    args = ["build", "data/*.csv", "-o", "clean", *FLAGS]
    done = subprocess.run([sys.executable, "-c", code, *args], cwd=plain.root,
                          env=environment({"XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]}), timeout=60)  # fmt: skip
    assert done.returncode == 9 and "test.csv" in os.listdir(plain / "clean")
    assert "manifest.yaml" not in os.listdir(plain / "clean") or "train.parquet" not in os.listdir(
        plain / "clean"
    )
    if finish:
        into(plain, *FLAGS)
        assert len(plain.files("clean")) == 5
    else:  # another export takes away what the killed one has written
        into(plain, "--formats", "jsonl")
        assert sorted(plain.files("clean")) == ["data.jsonl", "manifest.yaml"]


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


def test_a_folder_that_is_gone_is_made_again(plain: Project) -> None:
    """Without running anything."""
    into(plain, *FLAGS)
    before = plain.files("clean")
    shutil.rmtree(plain / "clean")
    assert runs(into(plain, *FLAGS)) == [0, 0, 0, 0] and plain.files("clean") == before


def test_by_way_of_links(plain: Project) -> None:
    """A link to a folder is that folder: one that is a source is refused, and one that was exported to is known."""
    (plain / "link").symlink_to("data")
    assert "would be read as part of the source" in refused(plain, "data", "-o", "link/new")
    into(plain, *FLAGS)
    (plain / "latest").symlink_to("clean")
    told = plain.json("build", "data/*.csv", "-o", "latest", "--formats", "csv")["result"]["datasets"]
    assert list(told) == ["latest"] and sorted(os.listdir(plain / "clean")) == ["data.csv", "manifest.yaml"]


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
