"""Several builds, and gc beside them, over one store."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.e2e.project import Project, environment
from tests.e2e.small import outputs, small_project


def start(project: Project, *args: str, store: Path | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mldata", *args],
        cwd=project.root,
        env=environment({"MLDATA_STORE": str(store)} if store else {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(child: subprocess.Popen[str]) -> str:
    out, err = child.communicate(timeout=600)
    assert child.returncode == 0, out + err
    return out


def test_two_builds_and_gc_over_one_store(tmp_path: Path) -> None:
    """Two projects build the same data at once while gc runs again and again: both succeed, nothing needed is lost."""
    store = tmp_path / "store"
    projects = [small_project(tmp_path / name, files=30) for name in ("one", "two")]
    builds = [start(project, "build", "--json", store=store) for project in projects]
    collections = 0
    while any(build.poll() is None for build in builds):
        finish(start(projects[0], "gc", store=store))
        collections += 1
    told = [json.loads(finish(build))["result"]["datasets"] for build in builds]
    assert collections
    assert outputs(told[0]) == outputs(told[1])
    assert projects[0].files("out") == projects[1].files("out")
    finish(start(projects[0], "gc", store=store))
    checked = json.loads(finish(start(projects[0], "check", "--read-data", "--json", store=store)))
    assert checked["result"]["ok"], checked["result"]["findings"]
    for project in projects:
        again = json.loads(finish(start(project, "build", "--json", store=store)))["result"]["datasets"]
        assert {report["status"] for report in again["d"]["stages"].values()} == {"up-to-date"}


def test_two_builds_of_one_project(tmp_path: Path) -> None:
    """Two builds in the same folder: the second waits for the first, and finds nothing left to run."""
    project = small_project(tmp_path / "project", files=30)
    builds = [start(project, "build", "--json") for _ in range(2)]
    told = [json.loads(finish(build))["result"]["datasets"] for build in builds]
    assert outputs(told[0]) == outputs(told[1])
    ran = [sum(report["actions"]["run"] for report in t["d"]["stages"].values()) for t in told]
    assert min(ran) == 0
    assert project.json("check", "--read-data")["result"]["ok"]
