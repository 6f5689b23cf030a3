"""What is known of files: it saves looking at them again, and never says what they are not."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from mldata.integrity import KINDS
from mldata.integrity.base import FileCheckResult
from mldata.integrity.checking import Checking, Options, Target
from mldata.integrity.look import Look, Seen
from mldata.integrity.memo import Memo, default_memo
from mldata.integrity.walk import walk
from store import digest_bytes
from tests.integrity.decoders import register


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kinds of the tests are known."""
    register(monkeypatch)


class Folder:
    """Files whose checker writes a line to a log each time it looks at one, and a memo beside them."""

    def __init__(self, place: Path) -> None:
        self.place, self.log, self.data = place, place / "log", place / "data"
        self.data.mkdir()
        for number in range(6):
            self.write(f"{number}.obey", f"log {self.log} {number}")
        self.write("bad.obey", "bad")
        self.write("cannot.obey", "cannot")
        self.write("notes.txt", "notes")

    def write(self, name: str, text: str) -> Path:
        """Write a file that was not written just now."""
        (self.data / name).write_text(text)
        os.utime(self.data / name, (1_700_000_000, 1_700_000_000.5))
        return self.data / name

    def check(self, **options: float) -> tuple[list[FileCheckResult], int, bool]:
        """Results, how often a checker has logged, and whether workers were needed."""
        self.log.unlink(missing_ok=True)
        with Checking(
            Options(jobs=1, timeout=options.get("timeout", 60)), default_memo(self.place)
        ) as checking:
            results = list(checking.run(it for it in walk(self.data) if isinstance(it, Target)))
            worked = checking.working
        looked = len(self.log.read_text().splitlines()) if self.log.exists() else 0
        return results, looked, worked


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Such a folder, not checked yet."""
    return Folder(tmp_path)


def test_the_second_time_nothing_is_read(folder: Folder) -> None:
    """The results are the same, and no worker is started: of what is valid, corrupt, not readable here and of no kind."""
    first, looked, worked = folder.check()
    assert (looked, worked) == (6, True)
    assert {result.verdict for result in first} == {"valid", "corrupt", "skipped"}
    assert folder.check() == (first, 0, False)


def test_a_file_that_changed_is_looked_at_again(folder: Folder) -> None:
    """Also when its size and modification time are the same; the others are not."""
    first, _, _ = folder.check()
    folder.write("3.obey", "bad ".ljust(len(f"log {folder.log} 3")))
    second, looked, worked = folder.check()
    assert (looked, worked) == (0, True)
    assert [it.path for it in second if it not in first] == ["3.obey"]
    assert [it.verdict for it in second if it not in first] == ["corrupt"]


def test_a_content_is_known_wherever_it_is(folder: Folder) -> None:
    """A copy of the folder is read and found to be known; no checker looks at it."""
    first, _, _ = folder.check()
    shutil.copytree(folder.data, folder.place / "copy")
    shutil.rmtree(folder.data)
    (folder.place / "copy").rename(folder.data)
    assert folder.check() == (first, 0, True)


def test_objects_of_a_store_are_known_by_their_digest(folder: Folder, tmp_path: Path) -> None:
    """Where the digest is given, the content is not even read."""
    first, _, _ = folder.check()
    text = (folder.data / "1.obey").read_bytes()
    (tmp_path / "object").write_bytes(text)
    folder.log.unlink()
    with Checking(Options(jobs=1), default_memo(folder.place)) as checking:
        results = list(checking.run([Target("1.obey", tmp_path / "object", digest_bytes(text))]))
        assert not checking.working
    assert results == [it for it in first if it.path == "1.obey"] and not folder.log.exists()


@pytest.mark.parametrize(("version", "libraries"), [(2, ()), (1, ("pillow",))])
def test_another_version_looks_again(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, version: int, libraries: tuple[str, ...]
) -> None:
    """What a checker found is known for its version and its libraries alone."""
    first, _, _ = folder.check()
    register(monkeypatch, version, libraries)
    assert folder.check() == (first, 6, True)
    assert folder.check() == (first, 0, False)


def test_a_name_that_says_another_kind_is_no_part_of_what_is_known(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same content under two names is warned of under one of them, the second time too."""
    png = KINDS["png"]._replace(module="tests.integrity.decoders", factory="Anything")
    monkeypatch.setitem(KINDS, "png", png)
    for name in ("a.png", "b.obey"):
        (folder.data / name).write_bytes(b"\x89PNG\r\n\x1a\n and so on")
    first, _, _ = folder.check()
    assert folder.check() == (first, 0, False)
    found = {it.path: [problem.code for problem in it.problems] for it in first}
    assert (found["a.png"], found["b.obey"]) == ([], ["other-type"])
    [error] = [it.error for it in first if it.path == "b.obey"]
    assert error == "expected OBEY by the name, found PNG"


@pytest.mark.parametrize(
    ("word", "verdict", "timeout"),
    [("abort_until", "corrupt", 60), ("fault_until", "skipped", 60), ("wait", "timeout", 0.1)],
)
def test_what_says_nothing_of_a_content_is_not_remembered(
    folder: Folder, word: str, verdict: str, timeout: float
) -> None:
    """A timeout, a crash and a fault of a checker are looked into again."""
    shutil.rmtree(folder.data)
    folder.data.mkdir()
    mark = folder.place / "mark"
    folder.write("a.obey", f"{word} {mark}")
    assert [it.verdict for it in folder.check(timeout=timeout)[0]] == [verdict]
    mark.touch()
    assert [it.verdict for it in folder.check()[0]] == ["valid"]


def test_a_run_that_is_stopped_remembers_what_it_saw(folder: Folder) -> None:
    """What was told before the generator was closed is known the next time."""
    targets = [it for it in walk(folder.data) if isinstance(it, Target)]
    with Checking(Options(jobs=1), default_memo(folder.place)) as checking:
        results = checking.run(targets)
        for _ in range(3):
            next(results)
        results.close()
    _, looked, _ = folder.check()
    assert looked <= 3


def test_a_damaged_memo_costs_time_only(folder: Folder) -> None:
    """Whatever bytes of it are lost, the results are the same, and the next run knows them again."""
    first, _, _ = folder.check()
    memo = folder.place / "files.sqlite"
    whole = memo.read_bytes()
    chance = random.Random(5)
    targets = [it for it in walk(folder.data) if isinstance(it, Target)]
    files = [os.fsencode(target.file) for target in targets]
    good = Memo(memo).recall(targets, files)
    assert None not in good
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 1, 50))):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        memo.write_bytes(damaged[: chance.choice((len(damaged), chance.randrange(len(damaged))))])
        opened = Memo(memo)
        assert all(
            look in (None, known) for look, known in zip(opened.recall(targets, files), good, strict=True)
        )
        opened.close()
    memo.write_bytes(b"no database" * 1000)
    assert folder.check() == (first, 6, True)
    assert folder.check() == (first, 0, False)


def test_an_unknown_version_is_made_anew(folder: Folder) -> None:
    """A memo of a later mldata is not read, and not an error."""
    first, _, _ = folder.check()
    db = sqlite3.connect(folder.place / "files.sqlite")
    db.execute("PRAGMA user_version = 99")
    db.close()
    assert folder.check() == (first, 6, True)


def test_no_memo_can_be_had(folder: Folder) -> None:
    """A folder in its place is done without."""
    (folder.place / "files.sqlite").mkdir()
    first, looked, _ = folder.check()
    assert looked == 6
    assert folder.check() == (first, 6, True)


def test_its_folder_is_made(tmp_path: Path) -> None:
    """A cache folder that is not there yet is no reason to forget."""
    memo = default_memo(tmp_path / "cache/mldata")
    memo.remember([(b"/x", Look("obey", 1, tuple(Seen("Obey 1")), digest="ab" * 32))])
    assert memo.seen("ab" * 32, "obey") == ("Obey 1", [], {}, None)


def test_several_at_the_same_time(tmp_path: Path) -> None:
    """Threads with memos of their own write into one file, and nothing is lost."""
    (tmp_path / "f").write_text("x")
    stat = os.stat(tmp_path / "f")
    state = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)

    def work(number: int) -> None:
        memo = Memo(tmp_path / "m.sqlite")
        for part in range(5):
            seen = tuple(Seen("Obey 1"))
            memo.remember(
                [(f"/{number}/{part}".encode(), Look("obey", 1, seen, digest="ab" * 32, state=state))]
            )
        memo.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    paths = [f"/{number}/{part}".encode() for number in range(4) for part in range(5)]
    targets = [Target("x.obey", os.fsdecode(path), stat=stat) for path in paths]
    assert None not in Memo(tmp_path / "m.sqlite").recall(targets, paths)
