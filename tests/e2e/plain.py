"""Builds of plain files straight into a folder: what their tests have in common."""

from __future__ import annotations

from typing import Any

from tests.e2e.project import Project

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
