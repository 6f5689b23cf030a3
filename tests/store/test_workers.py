"""Workers answer whole or are known to be lost, and none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from store import workers
from store.workers import Worker, WorkerLost, worker_count

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no workers")

ANSWERS = """
import os, sys
from store.workers import serve

def answer(request):
    what, value = request
    if what == "echo":
        print("not an answer")
        return value
    if what == "fds":
        return [fd for fd in value if os.path.exists(f"/dev/fd/{fd}")]
    if what == "fail":
        raise RuntimeError(value)
    if what == "half":
        os.write(3 if os.path.exists("/dev/fd/3") else 1, b"")
        os.kill(os.getpid(), 9)

def main():
    serve(answer)
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module that a worker finds because this process would; afterwards no child is left."""
    (tmp_path / "answers.py").write_text(ANSWERS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("answers", "main")
    yield worker
    worker.close()


@pytest.mark.parametrize("value", [None, [], "x" * 1_000_000, [(1, "a", b"b", None, True)] * 10_000])
def test_every_answer_arrives_whole(worker: Worker, value: Any) -> None:
    """Of any size, whatever the worker prints, and one after the other."""
    assert [worker.ask(("echo", value)) for _ in range(3)] == [value] * 3


@pytest.mark.parametrize("what", ["fail", "half"])
def test_a_worker_that_fails_is_lost(worker: Worker, what: str) -> None:
    """An exception and a kill are both noticed, at once and from then on."""
    assert worker.ask(("echo", 1)) == 1
    for _ in range(2):
        with pytest.raises(WorkerLost):
            worker.ask((what, None))


def test_a_killed_worker_is_lost(worker: Worker) -> None:
    """From outside, between two requests."""
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(WorkerLost):
        worker.ask(("echo", 1))


def test_a_worker_that_cannot_start_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether there is no such program or no such module."""
    worker = Worker("no_such_module", "main")
    with pytest.raises(WorkerLost):
        worker.ask(("echo", 1))
    worker.close()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(WorkerLost):
        Worker("answers", "main")


def test_workers_hold_no_file_of_the_parent(tmp_path: Path) -> None:
    """Only what they were given is open in them, under the same number: no lock, no pipe lives on."""
    kept, dropped = (os.open(tmp_path, os.O_RDONLY) for _ in range(2))
    os.set_inheritable(dropped, True)
    worker = Worker("answers", "main", [kept])
    try:
        assert worker.ask(("fds", [kept, dropped])) == [kept]
    finally:
        worker.close()
        os.close(kept)
        os.close(dropped)


def test_a_worker_ends_with_its_parent(tmp_path: Path) -> None:
    """Killed without a chance to clean up, the parent leaves nobody behind."""
    code = (
        f"import sys, os, signal; sys.path[:0] = {sys.path!r}\n"
        "from store.workers import Worker\n"
        "worker = Worker('answers', 'main'); worker.ask(('echo', 1))\n"
        "print(worker.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    pid = int(done.stdout)  # its input is at its end; the system ends it when it next looks
    until = time.monotonic() + 600
    while not _ended(pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert _ended(pid), f"worker {pid} is still there"


def _ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with suppress(OSError):  # a zombie has ended; whoever took it over has not looked yet
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    return False


def test_one_processor_is_not_worth_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a program that holds its own interpreter; else there is one for each processor, up to a limit."""
    monkeypatch.setattr(workers, "_processors", lambda: 8)
    assert worker_count(4) == 4 and worker_count(1) == 0
    monkeypatch.setattr(workers, "_processors", lambda: 1)
    assert worker_count(4) == 0
    monkeypatch.setattr(workers, "_processors", lambda: 8)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert worker_count(4) == 0
