"""The commands, as a person or a program uses them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mldata.cli.base import COMMANDS
from tests.e2e.project import EXAMPLES, ROOT, Project, environment

ENVELOPE = {"success", "command", "version", "timestamp", "duration_seconds", "result", "warnings", "errors"}


@pytest.fixture
def small(project: Project) -> Project:
    """A built project with one small dataset."""
    project.write("data/a.csv", "x,y\n1,a\n2,b\n3,a\n4,b\n")
    project.write("data/b.csv", "x,y\n5,a\n6,b\n7,a\n8,b\n")
    project.write(
        "mldata.yaml",
        "version: 1\ndatasets:\n  d:\n    source: data/*.csv\n"
        "    split: {train: 0.5, test: 0.5, seed: 1}\n    export: {to: out/d, formats: [csv]}\n",
    )
    project.build()
    return project


def test_from_nothing_to_files(project: Project) -> None:
    """init, add, build: three commands in an empty folder, and the files are there."""
    shutil.copytree(EXAMPLES / "penguins/data", project / "data")
    project.run("init")
    project.run("add", "penguins", "data/*.csv")
    project.run("build")
    assert list((project / "artifacts/penguins").glob("*.parquet"))
    assert (project / "artifacts/penguins/manifest.yaml").exists()


def test_init_with_the_examples(project: Project, built_examples: Project) -> None:
    """`mldata init --examples` and `mldata build` make the example datasets in a folder of one's own."""
    project.run("init", "--examples")
    project.run("build", "fashion")
    assert project.files("artifacts/fashion") == built_examples.files("artifacts/fashion")
    project.run("init", "--examples", expect=3)


def test_init_keeps_the_state_out_of_git(project: Project) -> None:
    """After init, git does not see .mldata, and an existing .gitignore keeps its lines."""
    project.write(".gitignore", "*.tmp\n")
    subprocess.run(["git", "init", "-q"], cwd=project.root, check=True)
    project.run("init")
    project.write(".mldata/x", "x")
    project.write("a.tmp", "x")
    seen = subprocess.run(
        ["git", "status", "--porcelain", "-uall"],
        cwd=project.root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert ".mldata/" not in seen
    assert "a.tmp" not in seen
    assert "mldata.yaml" in seen


def test_init_overwrites_nothing(project: Project) -> None:
    """A spec that is there stays as it is."""
    path = project.write("mldata.yaml", "version: 1\n# mine\ndatasets: {}\n")
    before = path.read_bytes()
    project.run("init", expect=None)
    assert path.read_bytes() == before


def test_add_keeps_comments_and_order(project: Project) -> None:
    """A machine edit leaves what the user wrote as it is."""
    project.write("data/a.csv", "x\n1\n2\n")
    text = "# mine\ndatasets:\n  old:   # spaced\n    source: data/a.csv\n\nversion: 1  # last\n"
    project.write("mldata.yaml", text)
    project.run("add", "new", "data/*.csv")
    now = (project / "mldata.yaml").read_text()
    assert [line for line in text.splitlines() if line not in now.splitlines()] == []
    assert "new:" in now
    project.run("build")


def test_add_refuses_a_name_that_is_taken(small: Project) -> None:
    """An existing dataset is not overwritten."""
    before = (small / "mldata.yaml").read_bytes()
    done = small.run("add", "d", "data/a.csv", expect=3)
    assert "d" in done.err
    assert (small / "mldata.yaml").read_bytes() == before


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "args",
    [
        ("build",),
        ("build", "--dry-run"),
        ("status",),
        ("explain", "d"),
        ("log", "d"),
        ("show", "d"),
        ("show", "d@1"),
        ("gc", "--dry-run"),
        ("check",),
    ],
)
def test_json_envelope(args: tuple[str, ...], small: Project) -> None:
    """--json prints one object with the promised keys, before or after the command."""
    for words in ((*args, "--json"), ("--json", *args)):
        envelope = json.loads(small.run(*words).out)
        assert set(envelope) >= ENVELOPE
        assert envelope["success"] is True
        assert envelope["command"] == args[0]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", envelope["timestamp"])


@pytest.mark.no_cover
def test_status_and_explain_name_the_cause(small: Project) -> None:
    """status says what is stale; explain names the file, or the parameter with its old and new value."""
    assert "up to date" in small.run("status").out
    small.write("data/b.csv", "x,y\n9,z\n")
    told = small.json("explain", "d")["result"]["datasets"]["d"]["stages"]
    assert told["fetch"]["stale"] is True
    assert "data/b.csv" in small.run("explain", "d").out or "b.csv" in small.run("explain", "d").out
    assert small.json("status")["result"]["datasets"]["d"]["stages"]["fetch"]["stale"] is True
    small.build()
    small.replace("mldata.yaml", "train: 0.5, test: 0.5", "train: 0.75, test: 0.25")
    told = small.json("explain", "d")["result"]["datasets"]["d"]["stages"]
    assert [stage for stage, state in told.items() if state["stale"]] == ["split", "export"]
    out = small.run("explain", "d", "split").out
    assert "0.5" in out
    assert "0.75" in out
    assert "fetch" not in small.run("explain", "d", "split").out.splitlines()[0]


@pytest.mark.no_cover
def test_log_and_show(small: Project) -> None:
    """Each build has a number; an older one can be looked at."""
    small.write("data/b.csv", "x,y\n9,z\n")
    small.build()
    log = small.run("log", "d").out
    assert "d@1" in log
    assert "d@2" in log
    first = small.json("show", "d@1")["result"]
    second = small.json("show", "d")["result"]
    assert (first["build"], second["build"]) == (1, 2)
    assert first["outputs"]["export"] != second["outputs"]["export"]
    assert small.run("show", "d@7", expect=3).err


def test_a_build_that_changes_nothing_is_no_new_build(small: Project) -> None:
    """The number stays when there was nothing to do."""
    assert small.build()["d"]["build"] == 1
    assert len(small.json("log", "d")["result"]["builds"]) == 1


@pytest.mark.no_cover
def test_gc_keeps_every_build_and_drops_the_rest(small: Project) -> None:
    """Without options only what nothing reaches goes; --keep-last forgets older builds; a build afterwards works."""
    small.write("data/b.csv", "x,y\n9,z\n")
    small.build()
    files = small.files("out")
    planned = small.json("gc", "--dry-run")["result"]
    assert planned["dry_run"] is True
    small.run("gc")
    assert small.json("show", "d@1")["success"]
    assert small.json("check", "--read-data")["result"]["ok"]
    dropped = small.json("gc", "--keep-last", "1")["result"]
    assert dropped["delete"]["refs"] == 1
    assert dropped["delete"]["objects"] > 0
    small.run("show", "d@1", expect=3)
    assert small.json("check", "--read-data")["result"]["ok"]
    assert {report["status"] for report in small.build()["d"]["stages"].values()} == {"up-to-date"}
    assert small.files("out") == files


def test_gc_shows_roots(small: Project) -> None:
    """--print-roots names the builds that keep things alive."""
    assert "datasets/d/1" in small.run("gc", "--print-roots").out


def test_check_finds_repairs_and_the_build_heals(small: Project) -> None:
    """A damaged object is found and named, moved aside on --repair, and made again by the next build."""
    files = small.files("out")
    objects = sorted(p for p in (small / ".mldata/store/objects").rglob("*") if p.is_file())
    for victim in objects:
        victim.chmod(0o644)
        data = victim.read_bytes()
        victim.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    done = small.json("check", "--read-data", expect=None)
    assert done["result"]["ok"] is False
    assert {finding["digest"] for finding in done["result"]["findings"]} >= {objects[0].name}
    small.run("check", "--read-data", "--repair", expect=None)
    small.run("build")
    assert small.files("out") == files
    assert small.json("check", "--read-data")["result"]["ok"]


@pytest.mark.parametrize("kind", ["bash", "zsh", "tcsh"])
def test_completion(kind: str, project: Project) -> None:
    """The script for each shell names the commands; bash accepts it as it is."""
    script = project.run("completion", kind).out
    assert "explain" in script
    if kind == "bash" and shutil.which("bash"):
        done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str, project: Project) -> None:
    """Each command's help shows how it is called, with an example."""
    out = project.run(command, "--help").out
    assert f"mldata {command}" in out
    assert "example" in out.lower()


def test_update_pins_what_is_there(small: Project) -> None:
    """The lock says what the sources are now, files that changed are named, and nothing but fetch runs."""
    (small / "mldata.lock").unlink()
    first = small.json("update")["result"]["datasets"]["d"]
    assert (first["updated"], first["old"], first["files"]) == (True, None, 2)
    assert "nothing new" in small.run("update", "d").out
    exported = small.files("out")
    small.write("data/b.csv", "x,y\n5,a\n6,b\n7,a\n9,b\n")
    small.write("data/c.csv", "x,y\n1,a\n")
    (small / "data/a.csv").unlink()
    told = small.json("update")["result"]["datasets"]["d"]
    assert (told["modified"], told["added"], told["removed"]) == (["b.csv"], ["c.csv"], ["a.csv"])
    assert told["new"] in (small / "mldata.lock").read_text()
    assert small.files("out") == exported
    assert small.build("--locked")["d"]["build"] == 2


def test_update_of_lost_sources_leaves_the_lock(small: Project) -> None:
    """Sources that are gone are an error, and what was pinned stays pinned."""
    (small / "data/a.csv").unlink()
    (small / "data/b.csv").unlink()
    lock = (small / "mldata.lock").read_bytes()
    done = small.run("update", expect=1)
    assert "failed" in done.out and "data/*.csv" in done.err
    assert (small / "mldata.lock").read_bytes() == lock


def test_info_says_what_files_are(small: Project) -> None:
    """A file, a folder or a dataset: how they are written, the columns, the rows; nothing is built."""
    small.write("new/a.csv", "x;y\n1,5;a\n")
    small.write("new/notes.txt", "no table")
    told = small.json("info", "new")["result"]["sources"][0]
    assert (told["rows"], told["columns"]) == (
        1,
        [{"name": "x", "type": "double"}, {"name": "y", "type": "string"}],
    )
    assert (told["read"][0]["delimiter"], told["read"][0]["decimal"], told["skipped"]) == (
        ";",
        ",",
        ["notes.txt"],
    )
    out = small.run("info", "new/a.csv").out
    assert "csv, utf-8, delimiter ';', header, decimal ','" in out and "rows     1" in out
    assert "delimiter ','" in small.run("info", "d").out
    small.write("bad.csv", "a,b\n1\n")
    assert "bad.csv:2:1: expected 2 fields" in small.run("info", "bad.csv", expect=1).err


def test_info_of_what_is_not_there(small: Project, tmp_path: Path) -> None:
    """It is neither a file nor a dataset; the nearest names of both are told."""
    small.write("d.csv", "x\n1\n")
    err = small.run("info", "nothing", expect=3).err
    assert "expected a file, a folder or a dataset, found none called 'nothing'; mldata.yaml has: d" in err
    near = small.run("info", "d.cs", expect=3).err
    assert "Did you mean the path d.csv" in near
    small.write("mldata.yaml", "version: 1\ndatasets:\n  digits: {source: data}\n")
    assert "Did you mean the dataset digits?" in small.run("info", "digts", expect=3).err
    outside = Project(tmp_path / "elsewhere")
    outside.root.mkdir()
    assert "no mldata.yaml in" in outside.run("info", "nothing", expect=3).err


def test_explain_says_how_files_were_read(small: Project) -> None:
    """Also when nothing has to be built."""
    small.run("build")
    assert "  - read as csv, utf-8, delimiter ',', header: a.csv and 1 more" in small.run("explain", "d").out


def test_rejects_are_listed(small: Project) -> None:
    """`show --rejects` has every row that was put aside; the receipt and `show` count them."""
    small.replace(
        "mldata.yaml", "source: data", "normalize: {on_bad_row: reject, max_rejects: 5}\n    source: data"
    )
    small.write("data/b.csv", "x,y\n9,z\nbad\n")
    assert "put aside: 1 of" in small.run("build").err
    assert "rejects 1" in small.run("show", "d").out
    assert small.json("show", "d", "--rejects")["result"]["rejects"] == [
        {"file": "b.csv", "line": 3, "column": 1, "reason": "expected 2 fields, found 1", "record": "bad"}
    ]
    assert "b.csv:3:1: expected 2 fields, found 1: 'bad'" in small.run("show", "d", "--rejects").out


def test_quiet_prints_no_progress(small: Project) -> None:
    """-q leaves standard error empty."""
    small.write("data/b.csv", "x,y\n9,z\n")
    assert small.run("-q", "build").err == ""


def test_progress_goes_to_stderr(small: Project) -> None:
    """Without -q the stages are told on standard error; standard output holds the result only."""
    small.write("data/b.csv", "x,y\n9,z\n")
    done = small.run("build")
    assert "normalize" in done.err
    assert "normalize" not in done.out


def test_progress_on_a_terminal(small: Project) -> None:
    """On a terminal the progress is drawn there, and ends with a line for each stage."""
    import pty

    small.write("data/b.csv", "x,y\n9,z\n")
    terminal, stderr = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "mldata", "build"],
        cwd=small.root,
        env=environment({"TERM": "xterm", "COLUMNS": "100"}, measured=True),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
    os.close(stderr)
    shown = b""
    with contextlib.suppress(OSError):  # EIO: the other side is closed
        while data := os.read(terminal, 4096):
            shown += data
    os.close(terminal)
    out, _ = child.communicate(timeout=600)
    assert child.returncode == 0
    assert "build 2" in out
    for stage in ("fetch", "normalize", "split", "export"):
        assert f"{stage}:d".encode() in shown


def test_a_project_is_found_from_below(small: Project) -> None:
    """Like git, mldata looks upwards for the project."""
    inner = Project(small / "data")
    assert "up to date" in inner.run("status").out


def test_two_projects_share_a_store(small: Project, tmp_path: Path) -> None:
    """With MLDATA_STORE set, the second project finds every action done."""
    store = {"MLDATA_STORE": str(tmp_path / "shared")}
    other = Project(tmp_path / "other")
    shutil.copytree(small / "data", other / "data")
    shutil.copy(small / "mldata.yaml", other / "mldata.yaml")
    small.spawn("build", env=store)
    told = json.loads(other.spawn("build", "--json", env=store).out)["result"]["datasets"]["d"]["stages"]
    assert {report["actions"]["run"] for stage, report in told.items() if stage != "fetch"} == {0}
    assert other.files("out") == small.files("out")


def test_doit_runs_the_same_tasks(small: Project) -> None:
    """A dodo.py of two lines: doit builds, lists, and finds nothing left to do."""
    shutil.rmtree(small / "out")
    small.write("dodo.py", "from mldata.tasks import load\nglobals().update(load('mldata.yaml'))\n")

    def doit(*args: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "doit", *args],
            cwd=small.root,
            env=environment(measured=True),
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    listed = doit("list", "--all")
    for task in ("build:d", "fetch:d", "normalize:d", "split:d", "export:d"):
        assert task in listed
    doit("build")
    assert (small / "out/d/train.csv").exists()
    again = doit("build:d")
    assert not re.search(r"^\. +(fetch|normalize|split|export):", again, re.MULTILINE), again


def test_the_repository_builds_with_doit(tmp_path: Path) -> None:
    """The repository's own dodo.py, on a copy of the examples: `doit build` makes the exports."""
    shutil.copy(ROOT / "dodo.py", tmp_path / "dodo.py")
    from tests.e2e.project import copy_examples

    copy_examples(tmp_path / "mldata/examples")
    done = subprocess.run(
        [sys.executable, "-m", "doit", "build"],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("penguins", "fashion", "spoken-digits"):
        assert (tmp_path / f"mldata/examples/artifacts/{name}/train.parquet").exists()
