"""A transform in a real project: what runs again, what is told, and what it makes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import Project, environment

FILES = 2
SPEC = """\
version: 1
datasets:
  d:
    source: data/*.csv
    transform:
      - {filter: "value >= 0"}
      - {function: steps/clean.py:clean, params: {times: 2}, timeout: 1m}
    split: {train: 0.5, test: 0.5}
    export: {formats: [csv]}
"""
CODE = """\
from helpers import multiplied


def clean(table, *, times):
    print("rows:", table.num_rows)
    return table.set_column(1, "value", multiplied(table["value"], times))
"""
HELPERS = """\
import pyarrow.compute as pc


def multiplied(column, times):
    return pc.multiply(column, times)
"""


def data(number: int, factor: int = 1) -> str:
    return "id,value\n" + "".join(f"{number}{row},{(row - 1) * factor}\n" for row in range(4))


@pytest.fixture(scope="session")
def built_cleaned(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three files and a function, built once."""
    project = Project(tmp_path_factory.mktemp("cleaned") / "project")
    for number in range(FILES):
        project.write(f"data/{number}.csv", data(number))
    project.write("steps/clean.py", CODE)
    project.write("helpers.py", HELPERS)
    project.write("unrelated.py", "")
    project.write("mldata.yaml", SPEC)
    told = project.build()["d"]["stages"]
    assert list(told) == ["fetch", "normalize", "transform", "split", "export"]
    assert told["transform"]["actions"] == {"hit": 0, "run": FILES}
    assert told["transform"]["rows"] == told["export"]["rows"] == 3 * FILES
    return project


@pytest.fixture
def cleaned(built_cleaned: Project, tmp_path: Path) -> Project:
    """A built copy."""
    return built_cleaned.copy(tmp_path / "cleaned")


def reasons(project: Project, stage: str) -> list[str]:
    told = project.json("explain", "d")["result"]["datasets"]["d"]["stages"][stage]
    return [reason["text"] for reason in told["reasons"]]


def runs(told: dict[str, Any]) -> dict[str, int]:
    return {stage: report["actions"]["run"] for stage, report in told["d"]["stages"].items()}


def test_what_it_makes(built_cleaned: Project) -> None:
    """The exports hold the transformed rows; the build, the manifest and Python tell of steps, code and rows."""
    import mldata

    exported = sorted(
        line for text in built_cleaned.files("artifacts/d").values() for line in text.decode().splitlines()
    )
    assert [line for line in exported if line[:1].isdigit()] == [
        f"{n}{row},{(row - 1) * 2}" for n in range(FILES) for row in (1, 2, 3)
    ]
    shown = built_cleaned.run("show", "d").out
    assert "step 1  filter value >= 0  8 -> 6 rows" in shown
    assert "step 2  steps/clean.py:clean  6 -> 6 rows" in shown
    manifest = (built_cleaned / "artifacts/d/manifest.yaml").read_text()
    assert '"function": "steps/clean.py:clean"' in manifest
    assert '"helpers.py": "' in manifest
    assert "unrelated" not in manifest
    with mldata.open("d", project=built_cleaned.root) as dataset:
        assert dataset.rows == 6
        assert max(dataset.table()["value"].to_pylist()) == 4


def test_nothing_to_do(cleaned: Project) -> None:
    """The second build and the status after it run nothing, load no library that reads data, and see no edit of other code."""
    cleaned.write("unrelated.py", "x = 1")
    assert set(cleaned.stages("d").values()) == {"up-to-date"}
    program = "import sys\nfrom mldata.cli import main\nmain(['build'])\nprint(*{'pyarrow', 'numpy'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=cleaned.root,
        env=environment(measured=False),
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == ["d  up to date  build 1", ""], done.stderr


def test_one_edited_file_runs_one_action(cleaned: Project) -> None:
    """One source file among several is one normalize action and one transform action."""
    cleaned.write("data/1.csv", data(1, factor=10))
    told = cleaned.build()
    assert told["d"]["stages"]["transform"]["actions"] == {"hit": FILES - 1, "run": 1}
    assert b",40\n" in b"".join(cleaned.files("artifacts/d").values())


@pytest.mark.no_cover
def test_code_is_content(cleaned: Project) -> None:
    """Touched code runs nothing; an edit of a file or of what it imports runs the transform, is named, and ends there when rows are equal."""
    for name in ("helpers.py", "steps/clean.py"):
        os.utime(cleaned / name)
    assert set(cleaned.stages("d").values()) == {"up-to-date"}
    cleaned.write("helpers.py", HELPERS + "# a comment\n")
    assert reasons(cleaned, "transform") == ["helpers.py was changed"]
    assert reasons(cleaned, "split") == ["transform will run first"]
    told = cleaned.build()
    assert runs(told) == {"fetch": 0, "normalize": 0, "transform": FILES, "split": 0, "export": 1}
    assert told["d"]["stages"]["split"]["status"] == "up-to-date"
    cleaned.write("helpers.py", HELPERS)
    assert runs(cleaned.build())["transform"] == 0
    cleaned.replace("mldata.yaml", "timeout: 1m", "timeout: 2m, memory: 4GB")
    assert set(cleaned.stages("d").values()) == {"up-to-date"}


def test_without_the_transform_again(cleaned: Project) -> None:
    """A dataset that loses its transform is what it was without one."""
    cleaned.write(
        "mldata.yaml", SPEC.replace(SPEC[SPEC.index("    transform") : SPEC.index("    split")], "")
    )
    told = cleaned.build()["d"]["stages"]
    assert "transform" not in told
    assert told["export"]["rows"] == 4 * FILES


def test_code_that_fails(cleaned: Project) -> None:
    """The user's traceback and output, exit code 1, nothing of mldata; the old export stands, and the fixed code goes on."""
    before = cleaned.files("artifacts/d")
    cleaned.replace(
        "steps/clean.py",
        "    return",
        "    if table['id'][0].as_py() == '11':\n        raise ValueError('bad id')\n    return",
    )
    done = cleaned.run("build", "-j1", expect=1)
    for part in ("steps/clean.py:7: ValueError: bad id", "1.csv", "line 7, in clean", "rows: 3"):
        assert part in done.err, done.err
    assert "mldata/" not in done.err
    assert cleaned.files("artifacts/d") == before
    [error] = cleaned.json("build", expect=1)["errors"]
    assert error["code"] == "user-code"
    assert error["where"] == "steps/clean.py:7"
    cleaned.write("steps/clean.py", CODE)
    assert runs(cleaned.build())["transform"] == 0


def test_code_that_is_not_there(cleaned: Project) -> None:
    """Status, explain and build say so, each in its way."""
    (cleaned / "steps/clean.py").unlink()
    assert "expected a file with the function 'clean'" in reasons(cleaned, "transform")[0]
    assert reasons(cleaned, "split") == ["transform will run first"]
    place = "mldata.yaml:7:20: expected a file with the function 'clean', found no steps/clean.py"
    assert place in cleaned.run("build", expect=1).err
    cleaned.run("status")


@pytest.mark.no_cover
def test_same_digests_however_many_workers(built_cleaned: Project, tmp_path: Path) -> None:
    """The outputs are those of the first build, whatever -j is, with every kind of step."""
    spec = SPEC.replace(
        "    split",
        "      - {sample: {share: 0.9}}\n      - {dedupe: [value, id]}\n      - {sort: [-value, id]}\n    split",
    )
    outputs = []
    for jobs in ("1", "3"):
        project = built_cleaned.copy(tmp_path / jobs)
        project.write("mldata.yaml", spec)
        told = project.build("--force", "-j", jobs)["d"]["stages"]
        outputs.append({stage: report["output"] for stage, report in told.items()})
    assert outputs[0] == outputs[1]


def test_verbose_shows_what_code_prints(cleaned: Project) -> None:
    """With -v the output of code is shown, otherwise not."""
    cleaned.write("data/0.csv", data(0, factor=3))
    assert "0.csv: rows: 3" in cleaned.run("-v", "build").err
    cleaned.write("data/0.csv", data(0, factor=4))
    assert "rows: 3" not in cleaned.run("build").err


def test_ctrl_c_ends_the_code(cleaned: Project, tmp_path: Path) -> None:
    """An interrupt ends a function that hangs at once; what was there stands."""
    mark = tmp_path / "mark"
    cleaned.write(
        "steps/clean.py",
        f"import time\ndef clean(table, times):\n    open({str(mark)!r}, 'w')\n    time.sleep(600)\n",
    )
    done = subprocess.Popen(
        [sys.executable, "-m", "mldata", "build"],
        cwd=cleaned.root,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        deadline = time.monotonic() + 600
        while not mark.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        done.send_signal(signal.SIGINT)
        _, err = done.communicate(timeout=600)
    finally:
        done.kill()
    assert done.returncode == 130, err
    assert "interrupted" in err
    cleaned.write("steps/clean.py", CODE)
    assert set(cleaned.stages("d").values()) == {"up-to-date"}


def test_a_function_that_is_none_is_told_of(project: Project) -> None:
    """What gives other rows when it is run again is warned of; the first result stays, for this build and later ones."""
    project.write("data/a.csv", "x\n1\n2\n")
    project.write(
        "t.py",
        "import os, pyarrow as pa\n\ndef f(table):\n"
        "    return table.append_column('r', pa.array([os.urandom(8).hex()] * table.num_rows))\n",
    )
    project.write(
        "mldata.yaml",
        "version: 1\ndatasets:\n  d: {source: data, transform: [{function: t.py:f}], export: {formats: [csv]}}\n",
    )
    project.build()
    before = project.files()
    told = project.json("build", "--force")
    [warning] = told["warnings"]
    assert "a.csv: it made something else than it did before" in warning and "salt" in warning
    assert project.files() == before
    assert project.json("build")["warnings"] == []
