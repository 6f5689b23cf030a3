"""Validation in a real project: what stops a build, what runs again, and what is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import ROOT, Project, environment
from tests.e2e.small import assert_sound

FILES = 3
SPEC = """\
version: 1
datasets:
  d:
    source: data/*.csv
    split: {train: 0.5, test: 0.5, by: id}
    validate: {checks: [schema, missing, duplicates], schema: {columns: {value: {min: 0}}}, missing: {max: 50%}, duplicates: {near: {text: false}}}
    export: {formats: [csv]}
"""
VALIDATE = "    validate: {checks: [schema, missing, duplicates], schema: {columns: {value: {min: 0}}}, missing: {max: 50%}, duplicates: {near: {text: false}}}\n"
STAGES = ["fetch", "normalize", "split", "validate", "export"]


def data(number: int, bad: str = "4") -> str:
    return "id,value\n" + "".join(f"{number}{row},{bad if row == 4 else row}\n" for row in range(8))


@pytest.fixture(scope="session")
def built_checked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three files and a validation that they pass, built once."""
    project = Project(tmp_path_factory.mktemp("checked") / "project")
    for number in range(FILES):
        project.write(f"data/{number}.csv", data(number))
    project.write("mldata.yaml", SPEC)
    told = project.build()["d"]["stages"]
    assert list(told) == STAGES
    assert told["validate"]["actions"] == {"hit": 0, "run": 3 * FILES + 3}
    assert told["validate"]["rows"] == 8 * FILES
    return project


@pytest.fixture
def checked(built_checked: Project, tmp_path: Path) -> Project:
    """A built copy."""
    return built_checked.copy(tmp_path / "checked")


def runs(told: dict[str, Any]) -> dict[str, int]:
    return {stage: report["actions"]["run"] for stage, report in told["d"]["stages"].items()}


def status(told: dict[str, Any]) -> dict[str, str]:
    return {stage: report["status"] for stage, report in told["d"]["stages"].items()}


def test_nothing_to_do(checked: Project) -> None:
    """The second build and the status after it run nothing and load no library that reads data."""
    assert set(checked.stages("d").values()) == {"up-to-date"}
    program = "import sys\nfrom mldata.cli import main\nmain(['build'])\nmain(['status'])\nprint(*{'pyarrow', 'numpy', 'pydantic'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=checked.root,
        env=environment(measured=False),
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == ["d  up to date  build 1", "d  up to date", ""], done.stderr


def test_one_edited_file(checked: Project) -> None:
    """One source file among several is looked at once by each check, whose findings are then put together."""
    checked.write("data/1.csv", data(1, bad="5"))
    told = checked.build()
    assert told["d"]["stages"]["validate"]["actions"] == {"hit": 3 * (FILES - 1), "run": 3 + 3}


def test_a_threshold_runs_the_validation_only(checked: Project) -> None:
    """It runs no action even there, and the export, which is the same, is left alone; a renamed file runs none either."""
    before = checked.files("artifacts")
    stamp = (checked / "artifacts/d/train.csv").stat().st_mtime_ns
    checked.replace("mldata.yaml", "max: 50%", "max: 10%")
    assert "missing.max changed" in checked.run("explain", "d", "validate").out
    assert "export is up to date" in checked.run("explain", "d").out
    told = checked.build()
    assert status(told) == {**dict.fromkeys(STAGES, "up-to-date"), "validate": "ran"}
    assert runs(told)["validate"] == 0
    assert checked.files("artifacts") == before
    assert (checked / "artifacts/d/train.csv").stat().st_mtime_ns == stamp
    assert "valid" not in (checked / "artifacts/d/manifest.yaml").read_text()


def test_an_export_is_the_same_without_validation(checked: Project) -> None:
    """Whether data was validated changes no byte of the export, nor runs the export again."""
    before = checked.files("artifacts")
    checked.replace("mldata.yaml", VALIDATE, "")
    told = checked.build()
    assert "validate" not in told["d"]["stages"]
    assert set(status(told).values()) == {"up-to-date"}
    assert checked.files("artifacts") == before


def test_data_that_does_not_pass(checked: Project) -> None:
    """Exit code 2, what is wrong and where the report is; the export stands. Later builds say so at once; corrected data goes on."""
    before = checked.files("artifacts")
    checked.write("data/1.csv", data(1, bad="-1"))
    done = checked.run("build", expect=2)
    assert done.out == "d  did not pass validation\n"
    assert done.err.split("error: ")[1] == (
        "d: the data did not pass validation: schema (1 error)\n"
        "    schema: 'value' is not at least 0 in 1 row\n"
        "  See the whole report: mldata validate d\n"
    )
    assert checked.files("artifacts") == before
    envelope = checked.json("build", expect=2)
    assert not envelope["success"]
    [error] = envelope["errors"]
    assert (error["code"], error["where"]) == ("validation", "d")
    told = envelope["result"]["datasets"]
    assert set(status(told).values()) == {"up-to-date"} and "export" not in told["d"]["stages"]
    assert told["d"]["build"] is None
    report = checked.run("validate", "d", expect=2).out
    assert ", 1.csv): `-1`" in report
    assert "validate   failed     the data did not pass: schema (1 error)" in checked.run("status").out
    assert (
        "validate stops the build:\n  - the data did not pass: schema (1 error)\n  - schema: 'value'"
        in checked.run("explain", "d").out
    )
    assert "validation-failed" in checked.run("status", "--json").out
    checked.write("data/1.csv", data(1))
    told = checked.build()
    assert runs(told)["validate"] == 0  # known from before
    assert checked.files("artifacts") == before
    assert checked.run("build").out == "d  up to date  build 1\n"


def test_fail_on(checked: Project) -> None:
    """``never`` builds what has errors and tells of them; ``warning`` does not build what is only odd."""
    checked.write("data/1.csv", data(1, bad="-1"))
    checked.run("build", expect=2)
    checked.replace("mldata.yaml", "validate: {", "validate: {fail_on: never, ")
    envelope = checked.json("build")
    assert status(envelope["result"]["datasets"])["export"] == "ran"
    assert envelope["warnings"] == ["d: schema: 'value' is not at least 0 in 1 row"]
    shown = checked.run("show", "d").out
    assert "  verdict passed" in shown and "  check   schema: failed: 1 error" in shown
    checked.write("data/1.csv", data(1) + "10,0\n")
    checked.replace("mldata.yaml", "fail_on: never", "fail_on: warning")
    assert "duplicates (1 warning)" in checked.run("build", expect=2).err


def test_keep_going(checked: Project) -> None:
    """Other datasets are built; the exit code is 2 only if nothing else is wrong."""
    checked.write("data/1.csv", data(1, bad="-1"))
    checked.write("other/a.csv", "x\n1\n")
    checked.replace(
        "mldata.yaml", "datasets:\n", "datasets:\n  a:\n    source: data/0.csv\n    validate: [missing]\n"
    )
    more = "  e:\n    source: other/*.csv\n    export: {}\n"
    checked.write("mldata.yaml", (checked / "mldata.yaml").read_text() + more)
    done = checked.run("build", "--keep-going", expect=2)
    assert [line.split("  ")[1].strip() for line in done.out.splitlines()] == [
        "built",
        "did not pass validation",
        "built",
    ]
    checked.write("other/a.csv", "x\n1,2\n")
    checked.run("build", "--keep-going", expect=1)


def test_doit_stops_there_too(checked: Project) -> None:
    """The doit program runs the validation before the export, and ends at it."""
    checked.write("dodo.py", "from mldata.tasks import load\nglobals().update(load('mldata.yaml'))\n")
    checked.write("data/1.csv", data(1, bad="-1"))
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "doit", "export:d"],
            cwd=checked.root, env=environment(), capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 1
        assert "did not pass validation: schema (1 error)" in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
    assert "-1" not in "".join(map(bytes.decode, checked.files("artifacts").values()))


def test_a_lost_receipt_and_report(checked: Project) -> None:
    """What is forgotten or lost is made again out of what is known; the store is sound."""
    (checked / ".mldata/receipts/d/validate.json").unlink()
    told = checked.build()
    assert status(told)["validate"] == "ran" and runs(told)["validate"] == 0
    receipt = json.loads((checked / ".mldata/receipts/d/validate.json").read_text())
    digest = receipt["output"]
    (checked / f".mldata/store/objects/{digest[:2]}/{digest}").unlink()
    assert status(checked.build())["validate"] == "ran"
    assert status(checked.build("--force"))["validate"] == "ran"
    assert_sound(checked)


def test_killed_before_the_receipt(checked: Project) -> None:
    """A build that is killed when the report is there, but not its receipt, goes on with nothing to run."""
    checked.write("data/1.csv", data(1, bad="5"))
    program = (
        "import importlib, os, signal\nbuild = importlib.import_module('mldata.build')\n"
        "write = build.write_receipt\n"
        "def killed(path, receipt):\n"
        "    if receipt.stage == 'validate':\n        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    write(path, receipt)\n"
        "build.write_receipt = killed\n"
        "from mldata.cli import main\nmain(['build'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=checked.root, env=environment(), capture_output=True
    )
    assert done.returncode == -signal.SIGKILL
    told = checked.build()
    assert runs(told)["validate"] == 0 and status(told)["validate"] == status(told)["export"] == "ran"
    assert_sound(checked)


def test_the_command(checked: Project) -> None:
    """It prints the report, or the envelope, or writes it to a file by its suffix; and exits with 0 or 2."""
    text = checked.run("validate", "d", "-o", "out/report.md").out
    assert text.startswith("# Validation of d: passed\n\n24 rows: train ")
    assert (checked / "out/report.md").read_text() == text
    result = checked.json("validate", "d", "-o", "report.json")["result"]
    assert result["passed"] is True
    assert {name: check["status"] for name, check in result["checks"].items()} == dict.fromkeys(
        ("schema", "missing", "duplicates"), "passed"
    )
    assert json.loads((checked / "report.json").read_text()) == result
    for wrong, what in (
        (["nope"], "nope"),
        (["d", "-o", "report.txt"], "expected a file called *.html, *.md or *.json"),
        (["d", "--checks", "mising"], "did you mean 'missing'?"),
        (["d", "--checks", "missing,missing"], "'missing' is given twice"),
        (["d", "-j", "0"], "expected -j of at least 1"),
        (["d", "-o", "data/0.csv/x.md"], "cannot write the report"),
    ):
        assert what in checked.run("validate", *wrong, expect=3).err


def test_the_command_builds_what_it_needs(checked: Project) -> None:
    """Changed data is read and split first; the export is not touched, and a broken file is an error like in a build."""
    before = checked.files("artifacts")
    checked.write("data/1.csv", data(1, bad="-1"))
    assert "'value' is not at least 0 in 1 row" in checked.run("validate", "d", expect=2).out
    assert checked.files("artifacts") == before
    checked.write("data/1.csv", "id,value\n1\n")
    assert "1.csv" in checked.run("validate", "d", expect=1).err


def test_other_checks_leave_no_trace(checked: Project) -> None:
    """Checks that are asked for once, with the spec's settings of them, are none of the build's business."""
    checked.write("data/1.csv", data(1, bad="-1"))
    checked.run("build", expect=2)
    assert list(checked.json("validate", "d", "--checks", "missing")["result"]["checks"]) == ["missing"]
    checked.run("validate", "d", "--checks", "duplicates,schema", expect=2)
    checked.run("build", expect=2)
    assert set(status(checked.json("build", expect=2)["result"]["datasets"]).values()) == {"up-to-date"}


@pytest.mark.no_cover
def test_a_dataset_without_validate(checked: Project) -> None:
    """It has the default checks done, and is up to date as before."""
    checked.replace("mldata.yaml", VALIDATE, "")
    checked.write("data/1.csv", data(1) + "10,0\n")
    result = checked.json("validate", "d")["result"]
    assert list(result["checks"]) == [
        "schema",
        "missing",
        "duplicates",
        "labels",
        "leakage",
        "outliers",
        "files",
    ]
    assert result["checks"]["files"]["status"] == "passed" and result["counts"]["valid"] == FILES
    assert result["checks"]["duplicates"]["severity"] == "warning"
    assert not (checked / ".mldata/receipts/d/validate.json.tmp").exists()
    assert "validate" not in checked.build()["d"]["stages"]


def test_from_python(checked: Project) -> None:
    """``mldata.validate`` gives the report, passed or not."""
    import mldata

    found = mldata.validate("d", project=checked.root)
    assert found.passed and found.data is not None and found.data.rows == 24
    checked.write("data/1.csv", data(1, bad="-1"))
    found = mldata.validate("d", project=checked.root)
    assert not found.passed and found.checks["schema"].status == "failed"
    assert mldata.validate("d", checks=["missing"], project=checked.root).passed
    with pytest.raises(mldata.MldataError, match="found 'lables'"):
        mldata.validate("d", checks=["lables"], project=checked.root)


@pytest.mark.no_cover
def test_same_report_however_many_workers(built_checked: Project, tmp_path: Path) -> None:
    """The output is that of the first build, whatever -j is, and in another folder."""
    outputs = set()
    for jobs in ("1", "3"):
        project = built_checked.copy(tmp_path / jobs)
        project.write("data/2.csv", data(2) + "20,0\n30,0\n30,0\n")
        outputs.add(project.build("--force", "-j", jobs)["d"]["stages"]["validate"]["output"])
    assert len(outputs) == 1


def test_a_wrong_name_in_the_spec(checked: Project) -> None:
    """A setting that names no column of the data is told with its place and the nearest name, and the last report stands."""
    checked.replace("mldata.yaml", "missing: {max: 50%}", "missing: {columns: {valeu: 0}}")
    done = checked.run("build", expect=1)
    assert (
        "mldata.yaml:6:112: expected a column of the table, found 'valeu'\n  did you mean 'value'?"
        in done.err
    )
    assert os.path.exists(checked / ".mldata/receipts/d/validate.json")


def test_a_renamed_file(checked: Project) -> None:
    """Its rows are known; the report names it as it is called now."""
    checked.write("data/1.csv", data(1, bad="-1"))
    checked.run("build", expect=2)
    (checked / "data/2.csv").rename(checked / "data/3.csv")
    (checked / "data/1.csv").rename(checked / "data/2.csv")
    assert ", 2.csv): `-1`" in checked.run("validate", "d", expect=2).out
    told = checked.json("build", expect=2)["result"]["datasets"]
    assert runs(told)["validate"] == 0


STRICT = """\
    validate:
      checks: [schema, missing, duplicates]
      schema:
        extra: error
        columns:
          species: {allowed: [Adelie, Gentoo], nullable: false}
          bill_length_mm: {min: 35, max: 55, unique: true, type: int64}
          body_mass: {min: 0}
          island: {pattern: "[A-Z][a-z]{4,5}", max_length: 8}
          sex: {min: 0}
          year: {max: 2008}
      missing: {max: 1%, columns: {sex: 10}}
      duplicates: {columns: [species, island, flipper_length_mm], within: 40%, across: 50%}
    export: {to: artifacts/penguins"""


def test_golden_report(examples: Project, request: pytest.FixtureRequest) -> None:
    """What is told of the penguins, in words, when more is asked of them than they are."""
    text = (examples / "mldata.yaml").read_text()
    begin, end = text.index("    validate:"), text.index("    export: {to: artifacts/penguins")
    strict = text[:begin] + STRICT + text[end:].removeprefix("    export: {to: artifacts/penguins")
    examples.write("mldata.yaml", strict)
    got = examples.run("validate", "penguins", expect=2).out
    golden = ROOT / "tests/golden/validate.md"
    if request.config.getoption("--update-golden"):
        golden.write_text(got, encoding="utf-8")
    assert got == golden.read_text(encoding="utf-8")
