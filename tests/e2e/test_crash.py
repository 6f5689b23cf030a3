"""A build killed at any moment leaves a sound store, and the next one goes on from there to the same bytes."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.e2e.project import Project, environment
from tests.e2e.small import assert_sound, kept_results, outputs, runs, small_project

KILLED = -9
FILES = 2

PROGRAM = """
import os, signal, sys
import store.atomic
from mldata.cli import main

at, count = int(sys.argv[1]), 0

def listen(step):
    global count
    if count == at:
        os.kill(os.getpid(), signal.SIGKILL)
    count += 1

store.atomic.on_checkpoint = listen
code = main(["-q", "build", "-j", "1"])
assert code == 0, code
print("steps", count)
"""


def crash_at(project: Project, step: int) -> subprocess.CompletedProcess[str]:
    """Build in a process that kills itself at the publish step of this number (-1: never)."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(step)],
        cwd=project.root,
        env=environment(measured=False),  # it dies before it could tell
        capture_output=True,
        text=True,
        timeout=60,
    )


def assert_goes_on(project: Project, reference: Project, expected: dict[str, str], what: str) -> None:
    """The store is sound; the next build ends like the reference, and what had a result does not run again."""
    if (project / ".mldata/store/format").exists():
        assert_sound(project)
    have = kept_results(project)
    told = project.build()
    assert outputs(told) == expected, what
    assert runs(told) == kept_results(project) - have, what
    assert project.files("out") == reference.files("out"), what
    assert_sound(project)
    assert {report["status"] for report in project.build()["d"]["stages"].values()} == {"up-to-date"}, what


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same project, built in peace."""
    project = small_project(tmp_path_factory.mktemp("reference") / "project", FILES)
    project.build()
    return project


def crash_at_each(tmp_path: Path, reference: Project, choose: Callable[[int], Iterable[int]]) -> None:
    """Crash a new project at each chosen step number, and go on; ``choose`` is told how many steps there are."""
    whole = crash_at(small_project(tmp_path / "whole", FILES), -1)
    assert whole.returncode == 0, whole.stderr
    steps = int(whole.stdout.split()[-1])
    assert steps > 50
    expected = outputs(reference.build())
    for step in choose(steps):
        project = small_project(tmp_path / f"at-{step}", FILES)
        done = crash_at(project, step)
        assert done.returncode == KILLED, f"step {step} of {steps}: {done.stderr}"
        assert_goes_on(project, reference, expected, f"step {step} of {steps}")


def test_killed_at_publish_steps(tmp_path: Path, reference: Project) -> None:
    """kill -9 at a sample of the publish steps of a build."""
    crash_at_each(tmp_path, reference, lambda steps: (0, *range(7, steps, 31), steps - 1))


TURNS = 8
"""Parts of the next test, so that they can run side by side."""


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(TURNS))
def test_killed_at_every_publish_step(turn: int, tmp_path: Path, reference: Project) -> None:
    """kill -9 at each publish step of a build."""
    crash_at_each(tmp_path, reference, lambda steps: range(turn, steps, TURNS))


def test_killed_at_random_moments(tmp_path: Path) -> None:
    """kill -9 again and again at any moment of one build: it gets ahead, and ends as if nothing had happened."""
    reference = small_project(tmp_path / "reference", files=40)
    expected = reference.build()
    project = small_project(tmp_path / "project", files=40)
    moments = random.Random(7)
    killed = 0
    for _ in range(5):
        child = subprocess.Popen(
            [sys.executable, "-m", "mldata", "-q", "build"],
            cwd=project.root,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(moments.uniform(0.1, 0.9))
        child.kill()
        killed += child.wait() == KILLED
        if (project / ".mldata/store/format").exists():
            assert_sound(project)
    assert killed
    told = project.build()
    assert outputs(told) == outputs(expected)
    assert project.files("out") == reference.files("out")
    assert_sound(project)


def test_interrupted(tmp_path: Path) -> None:
    """Ctrl-C ends with 130, says how to go on, and the next build does."""
    project = small_project(tmp_path / "project", files=2)
    program = PROGRAM.replace("SIGKILL", "SIGINT").replace("assert code == 0, code", "sys.exit(code)")
    # A shell starts what it puts in the background with SIGINT ignored, and children inherit that.
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n" + program
    done = subprocess.run(
        [sys.executable, "-c", program, "60"],
        cwd=project.root,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 130, done.stderr
    assert "to go on" in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert_sound(project)
    project.build()
    assert_sound(project)
