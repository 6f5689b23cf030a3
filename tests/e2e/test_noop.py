"""A build with nothing to do does nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.e2e.project import Project, environment

HEAVY = ("pyarrow", "PIL", "numpy", "soundfile", "pandas", "rich", "httpx")

PROGRAM = f"""
import sys
from mldata.cli import main
try:
    code = main(sys.argv[1:])
except SystemExit as stop:
    code = stop.code
print('exit', code or 0)
print('loaded', *sorted(set({HEAVY!r}) & set(sys.modules)))
"""


@pytest.mark.parametrize("command", ["build", "status"])
def test_nothing_to_do_loads_nothing(command: str, examples: Project) -> None:
    """The second build, and the status after it, import no library that reads data."""
    examples.build()  # in its new folder
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, command],
        cwd=examples.root,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-2:] == ["exit 0", "loaded"], done.stdout + done.stderr


def test_nothing_to_do_writes_nothing(examples: Project) -> None:
    """The second build leaves every export, receipt and the lock as they are, time stamps included."""

    def stamps() -> dict[str, int]:
        found = {}
        for folder, _, names in os.walk(examples.root):
            for name in names:
                if "store" not in os.path.relpath(folder, examples.root).split(os.sep) and ".db" not in name:
                    path = os.path.join(folder, name)
                    found[path] = os.stat(path).st_mtime_ns
        return found

    examples.build()
    before = stamps()
    told = examples.build()
    assert {s["status"] for dataset in told.values() for s in dataset["stages"].values()} == {"up-to-date"}
    after = {path: stamp for path, stamp in stamps().items() if path in before}
    assert after == before


def test_nothing_to_do_runs_no_action(examples: Project) -> None:
    """A project that was moved with its store is still up to date: only content counts."""
    for name, dataset in examples.build().items():
        for stage, told in dataset["stages"].items():
            assert (stage, name, told["actions"]["run"]) == (stage, name, 0)


def test_a_dry_run_changes_nothing(project: Project) -> None:
    """--dry-run says what would run and makes no export, receipt or lock."""
    project.write("data/a.csv", "x,y\n1,2\n3,4\n")
    project.write("mldata.yaml", "version: 1\ndatasets:\n  a:\n    source: data/*.csv\n    export: {}\n")
    told = project.run("build", "--dry-run")
    assert "fetch" in told.text
    assert not (project / "artifacts").exists()
    assert not (project / "mldata.lock").exists()
    assert not list(project.root.glob(".mldata/receipts/**/*.json"))
