"""Checking many files in worker processes: what hangs, crashes or changes takes itself down and nothing else."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest

from mldata.integrity import run as run_module
from mldata.integrity.base import FileCheckResult
from mldata.integrity.checking import Checking, Options, Target
from tests.integrity.decoders import PATIENCE, register, running, wait_for

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@pytest.fixture(autouse=True, scope="module")
def kinds() -> Iterator[None]:
    """The kinds of the tests are known."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        register(monkeypatch)
        yield


@pytest.fixture(scope="module")
def shared(kinds: None) -> Iterator[Checking]:
    """One worker, for tests that do not end it."""
    with Checking(Options(jobs=1, timeout=60)) as checking:
        yield checking


def targets(folder: Path, files: Mapping[str, str]) -> list[Target]:
    """Files with these contents."""
    for name, text in files.items():
        (folder / name).write_text(text)
    return [Target(name, folder / name) for name in files]


def check(
    folder: Path, files: Mapping[str, str], using: Checking | None = None, jobs: int = 1, timeout: float = 60
) -> dict[str, FileCheckResult]:
    """The results, by path."""
    if using is None:
        with Checking(Options(jobs=jobs, timeout=timeout)) as checking:
            return check(folder, files, checking)
    results = list(using.run(targets(folder, files)))
    assert [result.path for result in results] == list(files)
    return {result.path: result for result in results}


def test_results_come_in_order_and_do_not_depend_on_the_workers(tmp_path: Path) -> None:
    """Whatever each file is found to be, one worker and three say the same, in the order of the targets."""
    words = ("fine", "bad x", "odd x", "cannot", "fault", "")
    files = {f"{number:03d}.{'obey' if number % 5 else 'txt'}": words[number % 6] for number in range(150)}
    one = check(tmp_path, files, jobs=1)
    assert one == check(tmp_path, files, jobs=3)
    assert {result.verdict for result in one.values()} == {"valid", "suspect", "corrupt", "skipped"}


def test_what_each_file_is_found_to_be(tmp_path: Path, shared: Checking) -> None:
    """Problems, a missing decoder, a fault of a checker, an empty file and one of no kind are each told as what they are."""
    found = check(
        tmp_path,
        {
            "fine.obey": "fine text",
            "bad.obey": "bad",
            "odd.obey": "odd",
            "cannot.obey": "cannot",
            "fault.obey": "fault",
            "numbers.obey": "numbers",
            "empty.obey": "",
            "empty.txt": "",
            "some.txt": "text",
        },
        shared,
    )
    told = {
        name: (it.file_type, it.verdict, it.is_valid, it.details.get("error_class"), it.error)
        for name, it in found.items()
    }
    fault = "a fault of this program, not of the file: KeyError: 'what a checker forgot'"
    assert told == {
        "fine.obey": ("obey", "valid", True, None, None),
        "bad.obey": ("obey", "corrupt", False, "bad", "it is bad (byte 3)"),
        "odd.obey": ("obey", "suspect", True, "odd", "it is odd (line 2, column 1)"),
        "cannot.obey": ("obey", "skipped", False, "unsupported", "no decoder for it: pip install it"),
        "fault.obey": ("obey", "skipped", False, "internal", fault),
        "numbers.obey": ("obey", "skipped", False, "internal", "a checker gave what is no plain value"),
        "empty.obey": ("obey", "corrupt", False, "empty", "expected OBEY by the name, found no byte"),
        "empty.txt": ("unknown", "skipped", False, None, "it is empty"),
        "some.txt": ("unknown", "skipped", False, None, "no kind of file that is checked"),
    }
    assert found["fine.obey"].details["text"] == "text" and found["fine.obey"].details["size"] == 9
    assert len(found["fine.obey"].details["digest"]) == 64


@pytest.mark.parametrize("word", ["sleep", "spin"])
def test_a_decoder_that_hangs_is_ended(tmp_path: Path, word: str) -> None:
    """Asleep or busy in C with the GIL held, it takes down its file alone, which is told as timed out."""
    files = {"0.obey": "fine", "1.obey": word, "2.obey": "fine", "3.obey": "bad"}
    found = check(tmp_path, files, timeout=0.8)
    assert [it.verdict for it in found.values()] == ["valid", "timeout", "valid", "corrupt"]
    assert found["1.obey"].error == "took longer than 0.8 s to check; it may need more (--timeout)"
    assert found["1.obey"].file_type == "obey"
    assert not found["1.obey"].is_valid and found["1.obey"].details == {
        "size": len(word),
        "error_class": "timeout",
    }


def test_a_decoder_that_crashes_takes_only_its_file(tmp_path: Path) -> None:
    """The process dies, the file that it was at is told, and those beside it are checked by another."""
    files = {f"{number:02d}.obey": "abort" if number in (3, 4) else "fine" for number in range(12)}
    found = check(tmp_path, files)
    assert [name for name, it in found.items() if it.verdict == "corrupt"] == ["03.obey", "04.obey"]
    assert {it.verdict for it in found.values()} == {"corrupt", "valid"}
    crashed = found["03.obey"]
    assert crashed.details["error_class"] == "decoder-crash" == crashed.problems[0].code
    assert crashed.error is not None and "Abort" in crashed.error


def test_a_crash_that_does_not_come_again_says_nothing_of_the_file(tmp_path: Path) -> None:
    """A file on which a worker died is tried alone, and what is found then counts."""
    found = check(tmp_path, {"a.obey": f"abort_once {tmp_path / 'mark'}", "b.obey": "fine"})
    assert [it.verdict for it in found.values()] == ["valid", "valid"]
    assert (tmp_path / "mark").exists()


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    """Whoever ends a worker from outside changes no verdict."""
    with Checking(Options(jobs=1)) as checking:
        [first] = checking.run(targets(tmp_path, {"a.obey": "pid"}))
        os.kill(first.details["pid"], signal.SIGKILL)
        [second] = checking.run(targets(tmp_path, {"b.obey": "pid"}))
    assert second.verdict == "valid" and second.details["pid"] != first.details["pid"]


@linux
def test_memory_is_bounded(tmp_path: Path, shared: Checking) -> None:
    """A decoder that asks for more than it may have does not get it; the file is skipped as too large, not called corrupt."""
    files = {"big.obey": f"allocate {1 << 40}", "small.obey": f"allocate {1 << 20}"}
    found = check(tmp_path, files, shared)
    assert found["big.obey"].details["error_class"] == "too-large"
    assert found["big.obey"].error == "takes more than 1,024 MiB of memory to decode"
    assert [it.verdict for it in found.values()] == ["skipped", "valid"]


def test_one_slow_file_does_not_hold_those_behind_it(tmp_path: Path) -> None:
    """The first file of a batch ends only when the last of all is done: others take them."""
    mark = tmp_path / "mark"
    files = {"0.obey": f"wait {mark}"} | {f"1{number:02d}.obey": "fine" for number in range(40)}
    files["2.obey"] = f"touch {mark}"
    assert {it.verdict for it in check(tmp_path, files, jobs=2).values()} == {"valid"}


def test_what_cannot_be_opened(tmp_path: Path, shared: Checking) -> None:
    """A file that is gone, a link where none was, a pipe and a folder are results, and nothing waits for the pipe."""
    os.mkfifo(tmp_path / "pipe.obey")
    (tmp_path / "link.obey").symlink_to("none")
    results = shared.run(
        Target(name, tmp_path / name, follow=False) for name in ("gone.obey", "link.obey", "pipe.obey", "")
    )
    told = [(it.file_type, it.verdict, it.details["error_class"]) for it in results]
    assert told == [
        ("unknown", "skipped", "gone"),
        ("link", "skipped", "changed"),
        ("fifo", "skipped", "fifo"),
        ("folder", "skipped", "folder"),
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_a_file_without_permission(tmp_path: Path, shared: Checking) -> None:
    """It is skipped with the reason."""
    [target] = targets(tmp_path, {"a.obey": "fine"})
    (tmp_path / "a.obey").chmod(0)
    [result] = shared.run([target])
    assert (result.verdict, result.error) == ("skipped", "cannot be read: Permission denied")


def test_a_file_that_changes_while_it_is_read(tmp_path: Path, shared: Checking) -> None:
    """It is looked at once more, then skipped."""
    [result] = check(tmp_path, {"a.obey": f"grow {tmp_path / 'a.obey'}"}, shared).values()
    assert (result.verdict, result.details["error_class"]) == ("skipped", "changed")
    assert (tmp_path / "a.obey").read_text().endswith("obey  ")


def test_targets_are_not_held_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of targets without end, no more are taken than the window has room for, however long the first takes."""
    monkeypatch.setattr(run_module, "WINDOW", 1000)
    mark = tmp_path / "mark"
    (tmp_path / "a.obey").write_text(f"wait {mark}")
    (tmp_path / "b.obey").write_text("fine")
    taken = 0

    def endless() -> Iterator[Target]:
        nonlocal taken
        for taken in count(1):
            if taken == 900:
                mark.touch()
            yield Target(str(taken), tmp_path / ("a.obey" if taken == 1 else "b.obey"))

    with Checking(Options(jobs=2)) as checking:
        results = checking.run(endless())
        assert [next(results).path for _ in range(3)] == ["1", "2", "3"]
        results.close()
    assert taken <= 1000 + 2 * run_module.LUMP


def test_several_threads_share_the_workers(tmp_path: Path) -> None:
    """Runs at the same time each get their own results, from one set of processes."""
    files = targets(tmp_path, {f"{number}.obey": "pid" for number in range(60)})
    found: dict[int, list[FileCheckResult]] = {}
    with Checking(Options(jobs=2)) as checking:

        def work(number: int) -> None:
            found[number] = list(checking.run(files[number * 20 : number * 20 + 20]))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert [[it.path for it in found[number]] for number in range(3)] == [
        [target.path for target in files[number * 20 : number * 20 + 20]] for number in range(3)
    ]
    assert len({it.details["pid"] for results in found.values() for it in results}) <= 2


def test_done_tells_the_bytes_of_every_file(tmp_path: Path) -> None:
    """Also of one that timed out."""
    sizes: list[int] = []
    with Checking(Options(jobs=1, timeout=0.2)) as checking:
        list(checking.run([Target("a", tmp_path / "a.obey", stat=_written(tmp_path / "a.obey", "sleep")),
                           *targets(tmp_path, {"b.obey": "fine it is"})], sizes.append))  # fmt: skip
    assert sizes == [5, 10]


def _written(path: Path, text: str) -> os.stat_result:
    path.write_text(text)
    return path.stat()


@linux
def test_closing_the_generator_ends_what_runs(tmp_path: Path) -> None:
    """The process that sleeps in C is gone at once, and another run goes on with a new one."""
    with Checking(Options(jobs=1, timeout=600)) as checking:
        results = checking.run(targets(tmp_path, {"a.obey": "pid", "b.obey": f"sleep {tmp_path / 'pid'}"}))
        next(results)
        wait_for(tmp_path / "pid")
        pid = int((tmp_path / "pid").read_text())
        assert running(pid)
        results.close()
        [after] = checking.run(targets(tmp_path, {"c.obey": "pid"}))
        assert not running(pid) and running(after.details["pid"])
    assert not running(after.details["pid"])


_SCRIPT = """
import sys
from pathlib import Path
sys.path[:] = {path!r}
import pytest
from tests.integrity.decoders import register
from mldata.integrity.checking import Checking, Options, Target
register(pytest.MonkeyPatch())
with Checking(Options(jobs=1, timeout=600)) as checking:
    list(checking.run([Target("a.obey", Path({file!r}))]))
"""


@linux
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("word", ["sleep"])
def test_workers_end_with_the_process_that_started_them(tmp_path: Path, how: int, word: str) -> None:
    """Killed or interrupted, it leaves no process, though a decoder hangs in C."""
    (tmp_path / "a.obey").write_text(f"{word} {tmp_path / 'pid'}")
    script = _SCRIPT.format(path=sys.path, file=str(tmp_path / "a.obey"))
    parent = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    wait_for(tmp_path / "pid")
    pid = int((tmp_path / "pid").read_text())
    parent.send_signal(how)
    parent.wait(PATIENCE)
    until = time.monotonic() + PATIENCE
    while running(pid):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_target_says_whether_links_are_followed(tmp_path: Path, shared: Checking) -> None:
    """A link is opened only where the target allows it."""
    (tmp_path / "a.obey").write_text("fine")
    (tmp_path / "link.obey").symlink_to("a.obey")
    assert stat.S_ISLNK(os.lstat(tmp_path / "link.obey").st_mode)
    one, other = shared.run(
        [Target("link.obey", tmp_path / "link.obey", follow=follow) for follow in (True, False)]
    )
    assert (one.verdict, other.verdict) == ("valid", "skipped")


def test_what_stands_there_instead(tmp_path: Path) -> None:
    """Of a file that is something else than its name promises, what it is is told: most often a page that a server sent instead."""
    contents = {
        "page.jpg": (
            b"<!DOCTYPE html><html><body>404</body></html>",
            "expected JPEG by the name, found HTML",
        ),
        "zeros.jpg": (bytes(5000), "zeros"),
        "archive.png": (b"PK\x03\x04" + bytes(100), "ZIP archive"),
        "notes.xyz": (b"%PDF-1.7 and more", "PDF, which is not checked"),
    }
    for name, (data, _) in contents.items():
        (tmp_path / name).write_bytes(data)
    with Checking(Options(jobs=1)) as checking:
        found = list(checking.run(Target(name, tmp_path / name) for name in contents))
    assert [it.verdict for it in found] == ["corrupt", "corrupt", "corrupt", "skipped"]
    for it, (_, told) in zip(found, contents.values(), strict=True):
        assert it.error is not None and told in it.error
