"""A build killed at any moment leaves a sound store, and the next one goes on from there to the same bytes."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.project import Project, environment
from tests.e2e.small import assert_sound, kept_results, outputs, runs, small_project

KILLED = -9
FILES = 2

PROGRAM = """
import gc, importlib, itertools, os, signal, sys, threading
import store.atomic
from mldata.cli import main

def build(listen):
    store.atomic.on_checkpoint = listen
    return main(["-q", "build", "-j", "1"])

def end_at(at, how):
    steps = itertools.count()
    return lambda step: os.kill(os.getpid(), how) if next(steps) == at else None
"""

SERVER = (
    PROGRAM
    + """
class Changes:
    def __init__(self):
        self.steps, self.last, self.count, self.lock = [], None, 0, threading.Lock()

    def __call__(self, step):
        with self.lock:
            now = on_disk()
            if now != self.last:
                self.steps.append(self.count)
            self.last = now
            self.count += 1

def on_disk():
    found = {}
    for folder, _, files in os.walk("."):
        found[folder] = None
        for name in files:
            try:
                with open(os.path.join(folder, name), "rb") as file:
                    found[folder, name] = file.read()
            except FileNotFoundError:
                pass  # another thread gave it its name in between
    return found

for name in sys.argv[1:]:
    importlib.import_module(name)
importlib.import_module("pyarrow").array([])  # looks for pandas, and imports it
importlib.import_module("mldata.formats").formats()  # looks through all that is installed for plug-ins
gc.freeze()
for line in sys.stdin:
    at, folder = line.rstrip().split(" ", 1)
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        os.chdir(folder)
        sys.stdout = sys.stderr  # what the command prints; the lines for the test go past it
        changes = Changes()
        code = build(end_at(int(at), signal.SIGKILL) if int(at) >= 0 else changes)
        os.write(1, " ".join(["steps", *map(str, changes.steps)]).encode() + b"\\n")
        os._exit(code)
    _, status = os.waitpid(child, 0)
    print("ended", os.waitstatus_to_exitcode(status), flush=True)
"""
)
"""Forks a child for each build that is to be killed. Itself it only imports, so it has no thread but the one of
pyarrow's allocator, which knows of forks."""

LOADED = ("doit", "mldata", "numpy", "pyarrow", "pydantic", "sqlite3", "store", "yaml")
"""What the server imports of that which a build imports: most of the time of a build that starts from nothing."""


@dataclass(frozen=True)
class Builds:
    """The server, and the project that its builds are compared with."""

    server: subprocess.Popen[str]
    reference: Project
    expected: dict[str, str]

    def crash_at(self, project: Project, step: int) -> int:
        """Build in a process that kills itself at the publish step of this number; how it ended."""
        return self._build(project, step)[0]

    def steps(self, project: Project) -> list[int]:
        """Build in peace; the numbers of the publish steps before which anything changed on disk.

        At any other a kill leaves what it leaves one step before.
        """
        code, steps = self._build(project, -1)
        assert code == 0
        return steps

    def _build(self, project: Project, step: int) -> tuple[int, list[int]]:
        assert self.server.stdin is not None and self.server.stdout is not None
        print(step, project.root, file=self.server.stdin, flush=True)
        steps: list[int] = []
        for line in self.server.stdout:
            what, *numbers = line.split()
            if what == "ended":
                return int(numbers[0]), steps
            steps = [int(number) for number in numbers]
        raise AssertionError(f"the server is gone: {self.server.wait()}")

    def assert_goes_on(self, project: Project, what: str) -> None:
        """The store is sound; the next build ends like the reference, and what had a result does not run again."""
        if (project / ".mldata/store/format").exists():
            assert_sound(project)
        have = kept_results(project)
        told = project.build()
        assert outputs(told) == self.expected, what
        assert runs(told) == kept_results(project) - have, what
        assert project.files("out") == self.reference.files("out"), what
        assert_sound(project)
        again = project.build()["d"]["stages"].values()
        assert {report["status"] for report in again} == {"up-to-date"}, what


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builds]:
    """The same project, built in peace, and the server."""
    reference = small_project(tmp_path_factory.mktemp("reference") / "project", FILES)
    expected = outputs(reference.build())
    loaded = sorted(name for name in sys.modules if name.partition(".")[0] in LOADED)
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, *loaded],
        env=environment({"OPENBLAS_NUM_THREADS": "1"}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        yield Builds(server, reference, expected)
        assert server.stdin is not None
        server.stdin.close()


TURNS = 8
"""Parts of the next test, so that they can run side by side. The first is a sample of all steps, for the quick round."""


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "turn", [0, *(pytest.param(turn, marks=pytest.mark.slow) for turn in range(1, TURNS))]
)
def test_killed_at_every_publish_step(turn: int, tmp_path: Path, builds: Builds) -> None:
    """kill -9 at each publish step of a build before which anything changed on disk."""
    steps = builds.steps(small_project(tmp_path / "whole", FILES))
    assert len(steps) > 50
    for step in [step for step in steps if step % TURNS == turn]:  # another turn may count other steps
        project = small_project(tmp_path / f"at-{step}", FILES)
        code = builds.crash_at(project, step)
        assert code == KILLED, f"step {step}"
        builds.assert_goes_on(project, f"step {step}")
        shutil.rmtree(project.root)


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
    # A shell starts what it puts in the background with SIGINT ignored, and children inherit that.
    program = PROGRAM + "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "sys.exit(build(end_at(60, signal.SIGINT)))\n"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=project.root,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 130, done.stderr
    assert "to go on" in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert_sound(project)
    project.build()
    assert_sound(project)
