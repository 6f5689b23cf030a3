"""A small project that goes through every kind of publish step, for tests that build it many times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.project import Project

SPEC = """\
version: 1
datasets:
  d:
    source: data/*.csv
    split: {train: 0.6, test: 0.4, seed: 1, stratify: y}
    export: {to: out/d, formats: [parquet, csv]}
"""


def small_project(root: Path, files: int = 3) -> Project:
    """Not built yet."""
    project = Project(root)
    for number in range(files):
        rows = "".join(f"{number * 10 + row},{'ab'[row % 2]}\n" for row in range(10))
        project.write(f"data/{number}.csv", "x,y\n" + rows)
    project.write("mldata.yaml", SPEC)
    return project


def outputs(told: dict[str, Any]) -> dict[str, str]:
    """Output digest of each stage of ``d``."""
    return {stage: report["output"] for stage, report in told["d"]["stages"].items()}


def runs(told: dict[str, Any]) -> int:
    """How many actions ran; fetch has none that are remembered, it reads files."""
    return sum(report["actions"]["run"] for stage, report in told["d"]["stages"].items() if stage != "fetch")


def kept_results(project: Project) -> int:
    """Action results in the store."""
    return sum(1 for path in (project / ".mldata/store/actions").glob("*/*") if path.is_file())


def assert_sound(project: Project) -> None:
    """The store passes its full check."""
    told = project.json("check", "--read-data", expect=None)
    assert told["result"] is not None, told["errors"]
    assert told["result"]["ok"], told["result"]["findings"]
