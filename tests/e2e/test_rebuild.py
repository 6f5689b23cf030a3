"""``mldata rebuild --verify``: a build is made again from what the store keeps of it, and any difference is explained."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mldata.errors import UsageError
from store import ActionResult, Store, atomic
from tests.e2e.project import Project, environment
from tests.e2e.small import small_project

CODE = {
    "random": "import random, pyarrow as pa\nVALUE = random.random()\n",
    "a clock": "import time\nVALUE = time.time_ns()\n",
    "the hash seed": "import subprocess, sys\nVALUE = hash(str(subprocess.Popen))\n",
}
FUNCTION = """
import pyarrow as pa

def add(table):
    return table.append_column("z", pa.array([str(VALUE)] * table.num_rows))
"""


@pytest.fixture
def small(project: Project) -> Project:
    """A built dataset of three files, split and exported as Parquet and CSV."""
    made = small_project(project.root)
    made.build()
    return made


def transformed(project: Project, code: str) -> Project:
    """The same with a function of the user's."""
    made = small_project(project.root, files=1)
    made.write("code.py", code + FUNCTION)
    made.replace("mldata.yaml", "    split:", "    transform: [{filter: x > 3}, code.py:add]\n    split:")
    made.build()
    return made


def left(project: Project) -> list[str]:
    """What a rebuild has left behind."""
    return os.listdir(project / ".mldata/store/tmp")


def different(project: Project, name: str = "d") -> dict[str, Any]:
    """The result of a rebuild that does not verify."""
    told = project.json("rebuild", name, "--verify", expect=1)
    assert told["result"]["verified"] is False
    assert left(project) == []
    result: dict[str, Any] = told["result"]
    return result


@pytest.mark.no_cover
def test_the_examples_verify(examples: Project) -> None:
    """Tables, images and recordings are made again to the byte, with no action from the cache."""
    shutil.rmtree(examples / "artifacts")  # nothing but the store is needed
    for path in examples.root.glob("*/data"):
        shutil.rmtree(path)
    for name in ("penguins", "fashion", "spoken-digits"):
        told = examples.json("rebuild", name, "--verify", "-j", "2")["result"]
        outputs = examples.json("show", name)["result"]["outputs"]
        assert told["verified"] is True
        assert told["stages"] == {stage: {"expected": it, "got": it} for stage, it in outputs.items()}
        assert (told["causes"], told["difference"]) == ([], None)
    assert left(examples) == []


@pytest.mark.no_cover
def test_a_line_a_stage(small: Project) -> None:
    """Each stage is told on standard output, the progress on standard error."""
    done = small.run("rebuild", "d@1", "--verify")
    assert [line.split()[:2] for line in done.out.splitlines()] == [
        ["fetch", "same"], ["normalize", "same"], ["split", "same"], ["export", "same"], ["d@1", "verified:"],
    ]  # fmt: skip
    assert "fetch:d  3 files read from the store" in done.err
    assert "normalize:d  3 run, 30 rows" in done.err


@pytest.mark.no_cover
def test_old_builds_are_made_as_they_were(project: Project) -> None:
    """Whatever spec, data and code are by now: parameters, sources and code of a build are those of then."""
    made = transformed(project, "VALUE = 1\n")
    made.write("code.py", "VALUE = 2\n" + FUNCTION)
    made.write("data/0.csv", "x,y\n7,a\n8,b\n9,a\n10,b\n")
    made.replace("mldata.yaml", "train: 0.6, test: 0.4", "train: 0.5, test: 0.5")
    made.build()
    (made / "code.py").unlink()
    made.write("mldata.yaml", "version: 1\ndatasets: {}\n")
    made.run("gc")
    for build in ("d@1", "d@2", "d@latest"):
        assert made.json("rebuild", build, "--verify")["result"]["verified"] is True
    assert made.json("show", "d@1")["result"]["stages"]["transform"]["rows"] == 6


@pytest.mark.parametrize("why", CODE)
def test_code_that_is_no_function_of_its_input(why: str, project: Project) -> None:
    """The stage, the fragment, the column and both values are told, and that another run gives something else once more."""
    made = transformed(project, CODE[why])
    if why == "the hash seed":  # it is always 0, so that this one is not different
        assert made.json("rebuild", "d", "--verify")["result"]["verified"] is True
        return
    told = different(made)
    assert told["first"] == "transform"
    difference = told["difference"]
    assert (difference["source"], difference["row"], difference["column"]) == ("0.csv", 0, "z")
    assert difference["expected"] != difference["got"]
    assert told["deterministic"] is False
    assert told["causes"] == []
    if why != "random":
        return
    text = made.run("rebuild", "d", "--verify", expect=1).out
    assert "transform is the first stage that differs" in text
    assert "column 'z': expected '" in text
    assert "does not depend on its input and parameters alone" in text


def test_code_that_reads_what_is_no_input(project: Project) -> None:
    """What gives the same now as a moment ago, but not as then, is told apart from what is never the same."""
    made = transformed(
        project, f"from pathlib import Path\nVALUE = Path({str(project / 'aside')!r}).exists()\n"
    )
    made.write("aside", "")
    told = different(made)
    assert (told["difference"]["expected"], told["difference"]["got"]) == ("'False'", "'True'")
    assert told["deterministic"] is True


def test_an_altered_result_in_the_store(small: Project) -> None:
    """A build that was made from a false action result is found out: what it should be, by row and column."""
    small.write("data/0.csv", "x,y\n1,a\n2,b\n")
    small.write("data/1.csv", "x,y\n1,a\n9,b\n")
    small.build()
    with Store.open(small / ".mldata/store") as store:  # the result of 0.csv becomes what 1.csv gives
        made = small.json("show", "d")["result"]["outputs"]["normalize"]
        fragments = store.tree(made).get("fragments")
        assert fragments is not None
        mine, others = (entry.digest for entry in list(store.tree(fragments.digest))[:2])
        results = {key: store.actions.load(key) for key in list(store.actions.keys())}
        by_output = {it.digest: key for key, result in results.items() for it in result.outputs.values()}
        key, other = by_output[mine], results[by_output[others]]
        store.actions.delete(key)
        store.actions.put(key, ActionResult(other.outputs, results[key].facts))
    shutil.rmtree(small / ".mldata/receipts")
    small.build()
    told = different(small)
    assert told["first"] == "normalize"
    assert told["difference"] | {"text": ""} == {
        "text": "", "fragment": 0, "source": "0.csv", "row": 1, "column": "x", "expected": "9", "got": "2",
    }  # fmt: skip
    assert "salt" in small.run("rebuild", "d", "--verify", expect=1).out


CHANGED = """
import sys
from mldata import context, keptbuild, rebuild, stages
from mldata.cli import main
{change}
sys.exit(main(["rebuild", "d", "--verify", "--json"]))
"""
CHANGES = {
    "stage-version": "stages.STAGES['normalize'] = stages.STAGES['normalize']._replace(version=99)",
    "library": "context.library_version = keptbuild.library_version = rebuild.library_version = lambda name: 'none of these'",
    "mldata": "context.__version__ = rebuild.__version__ = '9.9'",
}


@pytest.mark.no_cover
@pytest.mark.parametrize("code", CHANGES)
def test_another_version_is_told_first(code: str, small: Project) -> None:
    """Of the stage, a library or mldata: the usual cause. Where only the manifest tells it, that is what differs."""
    done = subprocess.run(
        [sys.executable, "-c", CHANGED.format(change=CHANGES[code])],
        cwd=small.root,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)["result"]
    assert told["first"] == "export"
    assert [told["causes"][0]["code"], told["difference"]["path"]] == [code, "manifest.yaml"]
    assert told["difference"]["files"] == 1
    if code == "stage-version":
        assert (told["causes"][0]["stage"], told["causes"][0]["new"]) == ("normalize", 99)


def test_another_version_that_makes_other_rows(small: Project) -> None:
    """The version is told first, then the first row that is another one."""
    change = "from mldata.stages import split\nstages.STAGES['split'] = stages.STAGES['split']._replace(version=99)\n"
    change += "split.METHODS['stratify'] = split.METHODS['random']"
    done = subprocess.run(
        [sys.executable, "-c", CHANGED.format(change=change).replace(', "--json"', "")],
        cwd=small.root,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert lines[4] == "d@1 not verified: split is the first stage that differs"
    assert lines[5] == "another version: the version of the split stage was 2, is 99 now"
    assert lines[6].startswith("first difference: row ") and "expected part t" in lines[6]


def test_a_full_disk(small: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room that runs out is an error of its own, and no difference; what was there is removed."""

    def full(step: str) -> None:
        if step == "temp.write:after":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic, "on_checkpoint", full)
    assert "no space left" in small.run("rebuild", "d", "--verify", expect=1).err
    assert left(small) == []


def test_a_read_only_store(small: Project, tmp_path: Path) -> None:
    """A build is made again from a store that may not be written to, in a place of one's own."""
    from mldata.executor import ThreadExecutor
    from mldata.keptbuild import open_build
    from mldata.rebuild import rebuild, scratch_store
    from mldata.reporter import QuietReporter

    with Store.open(small / ".mldata/store", read_only=True) as store, open_build(store, "d") as kept:
        with pytest.raises(UsageError, match="read-only"), scratch_store(store, None):
            pass
        with scratch_store(store, tmp_path / "scratch") as scratch:
            more = {"executor": ThreadExecutor(1), "reporter": QuietReporter()}
            told = rebuild(kept, scratch, project=small.root, **more)  # type: ignore[arg-type]
            assert told.verified
    assert os.listdir(tmp_path / "scratch") == []


def test_a_stage_that_cannot_be_made_any_more(project: Project) -> None:
    """The error of the stage is told, and those after it are not tried."""
    aside = project / "aside"
    aside.write_text("")
    made = transformed(project, f"VALUE = open({str(aside)!r}).read()\n")
    aside.unlink()
    told = made.json("rebuild", "d", "--verify", expect=1)
    stages = told["result"]["stages"]
    assert list(stages) == ["fetch", "normalize", "transform", "split", "export"]
    assert [stage for stage, it in stages.items() if it["got"] is None] == ["transform", "split", "export"]
    assert told["result"]["first"] == "transform"
    assert "aside" in told["errors"][0]["message"]


def test_an_output_that_is_lost_is_told(project: Project) -> None:
    """Where the build's own output is not there any more, that is told in place of the difference."""
    made = transformed(project, CODE["a clock"])
    output = made.json("show", "d")["result"]["outputs"]["transform"]
    (made / ".mldata/store/objects" / output[:2] / output).unlink()
    told = different(made)
    assert told["first"] == "transform"
    assert f"cannot be compared: expected object {output}" in told["difference"]["text"]


def test_a_format_that_is_gone(small: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build by a plug-in that is not installed any more cannot be made again, and the name that is missing is told."""
    from mldata import exports

    others = {name: info for name, info in exports.EXPORTS.items() if name != "csv"}
    monkeypatch.setattr(exports, "EXPORTS", others)  # delitem would put it back in another place
    told = small.json("rebuild", "d", "--verify", expect=1)
    assert told["result"]["first"] == "export"
    assert "it does not know 'csv'" in told["errors"][0]["message"]


def test_lost_sources_are_told(small: Project) -> None:
    """Sources are hashed whatever their seals say; one that is lost or altered is named, with what brings it back."""
    with Store.open(small / ".mldata/store") as store:
        tree = small.json("show", "d")["result"]["outputs"]["fetch"]
        entry = store.tree(tree).get("1.csv")
        assert entry is not None
        path = store.path(entry.digest)
        path.unlink()
    told = small.json("rebuild", "d", "--verify", expect=1)["errors"][0]
    assert "expected the source file 1.csv of this build in the store, found it lost" in told["message"]
    assert "mldata build" in told["hint"]
    assert left(small) == []
    small.build("--force")
    assert small.json("rebuild", "d", "--verify")["result"]["verified"] is True


@pytest.mark.parametrize("where", ["project", "gone"])
def test_lost_code_is_taken_from_the_project(where: str, project: Project) -> None:
    """If it is still what it was; else the file and its digest are named."""
    made = transformed(project, "VALUE = 1\n")
    digest = made.json("show", "d")["result"]["stages"]["transform"]["params"]["code"]["code.py"]
    (made / ".mldata/store/objects" / digest[:2] / digest).unlink()
    if where == "project":
        assert made.json("rebuild", "d", "--verify")["result"]["verified"] is True
        return
    made.write("code.py", "VALUE = 3\n" + FUNCTION)
    told = made.json("rebuild", "d", "--verify", expect=1)["errors"][0]
    assert told["where"] == "d@1: code.py"
    assert digest[:12] in told["message"]


def test_scratch(small: Project, tmp_path: Path) -> None:
    """What is made again lies in a folder of one's choice, and is gone afterwards; other files there stay."""
    (tmp_path / "s").mkdir()
    (tmp_path / "s/mine").write_text("x")
    small.run("rebuild", "d", "--verify", "--scratch", str(tmp_path / "s"))
    assert os.listdir(tmp_path / "s") == ["mine"]
    told = small.run("rebuild", "d", "--verify", "--scratch", str(tmp_path / "s/mine"), expect=3)
    assert "expected a folder to write to" in told.err


@pytest.mark.no_cover
def test_nothing_in_the_store_changes(small: Project) -> None:
    """Objects, results and references are what they were: a rebuild only reads."""

    def listing() -> list[Path]:
        folders = [small / ".mldata/store" / name for name in ("objects", "actions", "refs", "leases")]
        return sorted(path for folder in folders for path in folder.rglob("*") if "lease" not in path.name)

    before = listing()
    small.run("rebuild", "d", "--verify")
    assert listing() == before
    assert small.json("check", "--read-data")["result"]["ok"]


def test_an_interrupt_leaves_nothing(project: Project) -> None:
    """Ctrl-C ends it, with the exit code of an interrupt, and the scratch store is removed."""
    made = transformed(
        project, f"import os, time\nif os.path.exists({str(project / 'slow')!r}): time.sleep(60)\nVALUE = 1\n"
    )
    made.write("slow", "")
    child = subprocess.Popen(
        [sys.executable, "-m", "mldata", "rebuild", "d", "--verify"],
        cwd=made.root,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell starts what it puts in the background with SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    end = time.monotonic() + 60
    while not list((made / ".mldata/store/tmp").glob("rebuild-*/transform-*/transform/*/request")):
        assert time.monotonic() < end and child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    assert child.wait(60) == 130
    assert left(made) == []


def test_without_verify(small: Project) -> None:
    """A rebuild says what it needs, and what runs every action again for the project."""
    told = small.run("rebuild", "d", expect=3)
    assert "mldata rebuild d --verify" in told.err
    assert "mldata build --force" in told.err


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("e",), "not a dataset"),
        (("d@7",), "has no build 7"),
        (("d@x",), "expected NAME or NAME@BUILD"),
        (("d", "-j", "0"), "expected -j of at least 1"),
    ],
)
def test_bad_arguments(args: tuple[str, ...], says: str, small: Project) -> None:
    """Each is told, with exit code 3."""
    assert says in small.run("rebuild", *args, "--verify", expect=3).err


STACKED = """\
version: 1
datasets:
  base:
    source: data
    transform: [{function: code.py:double}]
    split: {train: 0.8, test: 0.2, seed: 3}
    validate: {checks: [schema, missing, duplicates]}
    export: {to: out/base, formats: [parquet, csv]}
  top:
    source: ["dataset://base#train", data/0.csv]
    validate: {checks: [missing], fail_on: never}
    export: {to: out/top, formats: [jsonl]}
"""


@pytest.mark.no_cover
def test_every_stage_and_a_dataset_below(project: Project) -> None:
    """A build with every stage verifies, and so does one that stands on another dataset; either is exported again."""
    for number in range(2):
        rows = "".join(f"f{number}-{row},{row / 7:.3f}\n" for row in range(20))
        project.write(f"data/{number}.csv", "name,size\n" + rows)
    project.write(
        "code.py",
        "import pyarrow.compute as pc\n\ndef double(table):\n"
        "    return table.set_column(1, 'size', pc.multiply(table['size'], 2))\n",
    )
    project.write("mldata.yaml", STACKED)
    project.build()
    for name, stages in (("base", 6), ("top", 4)):
        told = project.json("rebuild", name, "--verify")["result"]
        assert told["verified"] and len(told["stages"]) == stages
    project.run("export", "top@1", "-o", str(project / "again"), "--formats", "csv")
    assert (project / "again/data.csv").read_text().count("\n") == 32 + 20 + 1
