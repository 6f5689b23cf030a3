"""Datasets that stand on datasets: what is built, in which order, and what runs again."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import Project, environment
from tests.e2e.small import assert_sound

SPEC = """\
version: 1
datasets:
  top:
    source: [more/1.csv, "dataset://base#train", more/2.csv]
    export: {to: out/top, formats: [csv], row_index: true}
  base:
    source: data/*.csv
    normalize: {drop: [junk]}
    transform: [{filter: "x >= 0"}]
    split: {train: 0.5, test: 0.5, by: [x]}
  other: {source: more/1.csv, export: {to: out/other}}
"""
FILES = 3


def data(number: int) -> str:
    return "x,y,junk\n" + "".join(f"{number * 100 + row},{'ab'[row % 2]},-\n" for row in range(-1, 20))


@pytest.fixture
def stacked(project: Project) -> Project:
    """A dataset on another one and two files, not built."""
    for number in range(FILES):
        project.write(f"data/{number}.csv", data(number))
    project.write("more/1.csv", "y,x\nfirst,1000\n")
    project.write("more/2.csv", "x,z\n2000,last\n")
    project.write("mldata.yaml", SPEC)
    return project


def rows(project: Project, name: str = "out/top/data.csv") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((project / name).read_text())))


def runs(told: dict[str, Any], name: str = "top") -> dict[str, int]:
    return {stage: report["actions"]["run"] for stage, report in told[name]["stages"].items()}


def states(told: dict[str, Any], name: str = "top") -> set[str]:
    return {report["status"] for report in told[name]["stages"].values()}


def test_what_it_stands_on_is_built_first(stacked: Project) -> None:
    """Building a dataset builds of another what it reads, and no more; rows come in the order of the list, with one schema."""
    told = stacked.build("top")
    assert list(told) == ["base", "top"]
    assert list(told["base"]["stages"]) == ["fetch", "normalize", "transform", "split"]
    assert told["base"]["build"] is None and told["top"]["build"] == 1
    found = rows(stacked)
    assert [row["row_index"] for row in found] == [str(number) for number in range(len(found))]
    assert (found[0]["y"], found[-1]["z"]) == ("first", "last")
    assert list(found[0]) == [
        "y",
        "x",
        "z",
        "row_index",
    ]  # the first file's order; what is dropped below stays dropped
    inner = [int(row["x"]) for row in found[1:-1]]
    assert inner == sorted(inner) and min(inner) >= 0 and 20 < len(inner) < 40
    assert told["base"]["stages"]["split"]["rows"] == 3 * 20 + 2  # -1 of the first file alone is below zero
    assert stacked.build("top")["top"]["build"] == 1
    assert_sound(stacked)


def test_a_part_is_the_rows_of_the_part(stacked: Project) -> None:
    """The rows are those that the other dataset has in that part, in its order."""
    stacked.build()
    import mldata

    with mldata.open("base", project=stacked.root) as base, mldata.open("top", project=stacked.root) as top:
        expected = base.table("train").select(["x", "y"]).to_pylist()
        found = top.table().select(["x", "y"]).to_pylist()
    assert found[1:-1] == expected


def test_an_edit_below_runs_what_hangs_on_it(stacked: Project) -> None:
    """One changed file below is read, filtered and looked at again, and no other."""
    stacked.build("top")
    stacked.write("data/1.csv", data(1).replace("105,b", "105,c"))
    told = stacked.build("top")
    assert runs(told, "base") == {"fetch": 1, "normalize": 1, "transform": 1, "split": 1}
    assert runs(told)["normalize"] == 3, (
        "a fragment is filtered, looked at, and given the columns of the others"
    )


def test_equal_bytes_below_stop_the_build(stacked: Project) -> None:
    """A change below that gives the same table and split ends there."""
    stacked.build()
    stacked.write("data/1.csv", data(1).replace("-\n", "+\n"))  # in the column that is left out
    told = stacked.build()
    assert told["base"]["stages"]["normalize"]["status"] == "ran"
    assert states(told) == {"up-to-date"}


def test_whole_fragments_are_taken_as_they_are(stacked: Project) -> None:
    """A whole table is there once: its fragments have the digests that they have in the other dataset."""
    from mldata.table import Table
    from store import Store

    stacked.write(
        "mldata.yaml", SPEC.replace('[more/1.csv, "dataset://base#train", more/2.csv]', "dataset://base")
    )
    told = stacked.build("top")
    with Store.open(stacked / ".mldata/store") as store:
        above, below = (
            Table.open(store, told[name]["stages"][stage]["output"])
            for name, stage in (("top", "normalize"), ("base", "transform"))
        )
        assert [it.digest for it in above.fragments] == [it.digest for it in below.fragments]
    assert [it.source for it in above.fragments] == [f"dataset://base/{it.source}" for it in below.fragments]


def test_own_settings_apply_on_top(stacked: Project) -> None:
    """Names, types and columns left out are of this dataset, over files and datasets alike; an unknown one is an error."""
    stacked.replace(
        "mldata.yaml",
        "    export: {to: out/top",
        "    normalize: {rename: {y: label}, types: {x: float32}, drop: [z]}\n    export: {to: out/top",
    )
    stacked.build("top")
    found = rows(stacked)
    assert list(found[0]) == ["label", "x", "row_index"] and found[0]["x"] == "1000.0"
    stacked.replace("mldata.yaml", "drop: [z]", "drop: [zz]")
    assert "expected a column of the source, found 'zz'" in stacked.run("build", "top", expect=1).err


def test_a_conflict_names_both_places(stacked: Project) -> None:
    """Types that nothing joins are an error with the file of the one and the dataset and file of the other."""
    stacked.replace("mldata.yaml", "more/2.csv]", "more/3.parquet]")
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"x": [True]}), stacked / "more/3.parquet")
    said = stacked.run("build", "top", expect=1).err
    assert "column 'x' is int64 in 0/1.csv and bool in 2/3.parquet" in said, said
    assert "here 0/ is more/1.csv, 2/ is more/3.parquet\n" in said
    stacked.replace("mldata.yaml", "[more/1.csv, ", "[")
    said = stacked.run("build", "top", expect=1).err
    assert "column 'x' is int64 in dataset://base#train/0.csv and bool in 1/3.parquet" in said, said


def test_status_and_explain_see_below(stacked: Project) -> None:
    """What is stale below is said above, before anything runs and after."""
    stacked.build()
    assert stacked.run("status", "top").out == "top  up to date\n"
    stacked.write("data/0.csv", data(0) + "55,z,-\n")
    said = stacked.run("explain", "top", "fetch").out
    assert "- transform:base will run first\n" in said and "- split:base will run first\n" in said
    assert list(stacked.json("status", "top")["result"]["datasets"]) == ["top"]
    assert list(stacked.json("build", "top", "--dry-run")["result"]["datasets"]) == ["base", "top"]
    stacked.build("base")
    assert "the output of transform:base changed from" in stacked.run("explain", "top", "fetch").out


def test_a_failure_below_is_said(stacked: Project) -> None:
    """What stands on a dataset that fails is not built and says so; --keep-going builds the others."""
    stacked.write("data/1.csv", "x,y,junk\n1\n")
    done = stacked.run("build", "--keep-going", expect=1)
    assert "'top' was not built: it stands on 'base', whose normalize failed" in done.err
    assert "data/1.csv" in done.err or "1.csv:2" in done.err
    assert "other  built" in done.out and not (stacked / "out/top").exists()
    stacked.write("data/1.csv", data(1))
    assert stacked.build("top")["top"]["build"] == 1


def test_the_lock_pins_raw_files(stacked: Project) -> None:
    """The lock has of each dataset its own files; one that only stands on others is pinned by theirs."""
    stacked.replace("mldata.yaml", "source: more/1.csv", "source: dataset://base")
    stacked.build()
    from mldata.lockfile import read_lock

    locked = read_lock(stacked / "mldata.lock")
    assert {name: it.files for name, it in locked.items()} == {"base": FILES, "top": 2}
    assert {report["status"] for report in stacked.build("--locked")["other"]["stages"].values()} == {
        "up-to-date"
    }
    stacked.write("data/0.csv", data(0) + "55,z,-\n")
    assert "base" in stacked.run("build", "top", "--locked", expect=1).err
    (stacked / "mldata.lock").unlink()
    assert "found no entry" in stacked.run("build", "other", "--locked", expect=1).err


def test_a_dataset_that_is_read_cannot_go(stacked: Project) -> None:
    """Without the other dataset the spec is an error that names who reads it, and where."""
    stacked.replace("mldata.yaml", "  base:", "  bases:")
    said = stacked.run("build", expect=3).err
    assert "mldata.yaml:4:26: 'top' reads dataset://base#train, and there is no dataset 'base'" in said
    assert "did you mean 'bases'?" in said


def test_a_part_that_only_the_table_tells(stacked: Project) -> None:
    """A part that no row is in is an error at its place once the split is there."""
    stacked.replace("mldata.yaml", "split: {train: 0.5, test: 0.5, by: [x]}", "split: {column: y}")
    said = stacked.run("build", "top", expect=1).err
    assert "mldata.yaml:4:26: 'top' reads dataset://base#train, and 'base' has no part 'train'" in said
    assert "its parts are a, b" in said
    stacked.replace("mldata.yaml", "#train", "#a")
    stacked.build("top")
    assert {row["y"] for row in rows(stacked)[1:-1]} == {"a"}


def test_add(stacked: Project) -> None:
    """``mldata add`` takes datasets as sources, and builds them."""
    said = stacked.run("add", "more", "dataset://base#test", "--split", "none").out
    assert "added more (dataset://base#test) to mldata.yaml" in said
    assert stacked.build("more")["more"]["build"] == 1
    said = stacked.run("add", "bad", "dataset://basis", expect=3).err
    assert "there is no dataset 'basis'" in said and "did you mean 'base'?" in said


def test_show_and_info(stacked: Project) -> None:
    """What a dataset stands on is shown; what a part looks like too, once it is built."""
    assert (
        "transform of 'base' has not been built" in stacked.run("info", "dataset://base#test", expect=1).err
    )
    told = stacked.build()
    shown = stacked.run("show", "top").out
    assert "source   more/1.csv, dataset://base#train, more/2.csv  2 files" in shown
    assert f"  below   split {told['base']['stages']['split']['output']}\n" in shown
    assert f"  below   table {told['base']['stages']['transform']['output']}\n" in shown
    info = stacked.json("info", "top")["result"]["sources"]
    assert [it["source"] for it in info] == ["more/1.csv", "dataset://base#train", "more/2.csv"]
    assert info[1]["rows"] == len(rows(stacked)) - 2 and [it["name"] for it in info[1]["columns"]] == [
        "x",
        "y",
    ]
    for text, says in (("base#x", "has no part 'x'\n  its parts are train, test"), ("other#x", "no split"),
                       ("bas", "Did you mean: base"), ("", "expected dataset://NAME")):  # fmt: skip
        assert says in stacked.run("info", f"dataset://{text}", expect=3).err


@pytest.mark.no_cover
def test_gc_keeps_what_is_below(stacked: Project) -> None:
    """After garbage is collected a build of what stands on others has nothing to do."""
    stacked.build("top")
    stacked.run("gc")
    assert states(stacked.build("top")) == {"up-to-date"}
    assert_sound(stacked)


def test_what_is_lost_below_is_made_again(stacked: Project) -> None:
    """A fragment of another dataset that is damaged in the store is made again on the way."""
    stacked.replace("mldata.yaml", "base#train", "base")
    told = stacked.build("top")
    before = stacked.files("out/top")
    from mldata.table import Table
    from store import Store

    with Store.open(stacked / ".mldata/store") as store:
        table = Table.open(store, told["base"]["stages"]["transform"]["output"])
        path = store.path(table.fragments[0].digest)
    path.chmod(0o644)
    path.write_bytes(b"rubbish")
    stacked.replace("mldata.yaml", "formats: [csv]", "formats: [csv, jsonl]")
    stacked.build("top")
    after = stacked.files("out/top")
    assert after["data.csv"] == before["data.csv"] and "data.jsonl" in after
    assert_sound(stacked)


def test_doit_follows_the_graph(stacked: Project) -> None:
    """``doit build:top`` builds what it stands on first."""
    stacked.write("dodo.py", 'from mldata.tasks import load\n\nglobals().update(load("mldata.yaml"))\n')
    done = subprocess.run(
        [sys.executable, "-m", "doit", "build:top"], cwd=stacked.root, env=environment(),
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows(stacked)[0]["y"] == "first"
    assert states(stacked.build("top")) == {"up-to-date"}


def test_a_part_without_rows(stacked: Project) -> None:
    """Nothing is a table too: the columns are there, and no row."""
    stacked.write("data/0.csv", "x,y,junk\n1,a,-\n")
    stacked.write(
        "mldata.yaml",
        """\
version: 1
datasets:
  base: {source: data/0.csv, split: {train: 0.9, test: 0.1}}
  top: {source: "dataset://base#test", split: {a: 0.5, b: 0.5}, export: {to: out/top, formats: [csv, parquet]}}
""",
    )
    stacked.build("top")
    assert (stacked / "out/top/a.csv").read_text() == "x,y,junk\n"


def test_equal_names_and_the_same_file_twice(project: Project) -> None:
    """Files of equal names in two folders are two; one that two sources name is read twice, which is said."""
    for folder in ("a", "b"):
        project.write(f"{folder}/1.csv", f"x\n{folder}\n")
    project.write(
        "mldata.yaml",
        "version: 1\ndatasets:\n  d: {source: [b, a, b/1.csv], export: {to: out, formats: [csv]}}\n",
    )
    told = project.json("build")
    assert [row["x"] for row in rows(project, "out/data.csv")] == ["b", "a", "b"]
    assert told["warnings"] == [
        "d: two sources name the same file, and its rows are read twice: 0/1.csv, 2/1.csv"
    ]


def test_a_build_with_nothing_to_do_loads_no_table_library(stacked: Project) -> None:
    """Looking at datasets below loads neither pyarrow nor numpy."""
    stacked.build()
    code = (
        "import sys\nfrom mldata.cli import main\nassert main(['build']) == 0\n"
        "print('loaded:', *sorted({'pyarrow', 'numpy', 'PIL', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=stacked.root,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == "loaded:", done.stdout + done.stderr


@pytest.mark.no_cover
def test_media_come_along(examples: Project, tmp_path: Path) -> None:
    """Of a part of a dataset of pictures the files of its rows are exported, by the paths that they had."""
    spec = (examples / "mldata.yaml").read_text()
    examples.write(
        "mldata.yaml",
        spec
        + """
  dressed:
    source: ["dataset://fashion#test", "dataset://fashion#train"]
    normalize: {rename: {label: kind}}
    export: {to: artifacts/dressed, formats: [csv]}
""",
    )
    told = examples.build("dressed")
    import mldata

    with mldata.open("fashion", project=examples.root) as data:
        expected = [data.table(part).column("path").to_pylist() for part in ("test", "train")]
    found = rows(examples, "artifacts/dressed/data.csv")
    assert [row["path"] for row in found] == [*expected[0], *expected[1]] and "kind" in found[0]
    files = examples.files("artifacts/dressed")
    assert set(files) == {"data.csv", "manifest.yaml", *expected[0], *expected[1]}
    assert told["dressed"]["stages"]["normalize"]["rows"] == len(found)
    examples.replace("mldata.yaml", "{label: kind}", "{path: file}")
    assert "expected the column 'path'" in examples.run("build", "dressed", expect=1).err


def test_data_that_did_not_pass_is_not_handed_on(project: Project) -> None:
    """A dataset waits for the validation of the one that it stands on, and for nothing of what that says."""
    project.write("a.csv", "x\n1\n\n2\n".replace("\n\n", "\n1\n"))
    project.write(
        "mldata.yaml",
        "version: 1\ndatasets:\n"
        "  base:\n    source: a.csv\n    validate: {checks: [duplicates], fail_on: warning}\n"
        "  top: {source: 'dataset://base', export: {to: out/top}}\n",
    )
    done = project.run("build", "top", expect=2)
    assert "did not pass" in done.text
    assert "'top' was not built: it stands on 'base', whose validate failed" in done.err
    assert not (project / "out/top").exists()
    project.replace("mldata.yaml", "fail_on: warning", "fail_on: never")
    told = project.build("top")
    assert told["top"]["stages"]["export"]["status"] == "ran"
    assert set(project.stages("top").values()) == {"up-to-date"}
