"""Corrupt files are moved into quarantine and back, and nothing is ever lost."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mldata.errors import UsageError
from mldata.integrity.base import FileCheckResult
from mldata.integrity.journal import JOURNAL, alone, read_journal
from mldata.integrity.quarantine import QUARANTINE, Outcome, check_quarantine, quarantine, restore
from mldata.sources import open_local
from store import hash_file

BAD = ("a/b.jpg", "a/c/d.wav", "e.csv")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dataset's folder with three corrupt files and a good one."""
    root = tmp_path / "data"
    for name in (*BAD, "a/good.png"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"bytes of {name}".encode())
    os.chmod(root / "e.csv", 0o600)
    os.utime(root / "e.csv", (1_000_000_000, 1_000_000_001))
    return root


def judged(root: Path, *names: str) -> list[tuple[Path, FileCheckResult]]:
    """Files with the verdict on them."""
    made = []
    for name in names or BAD:
        details: dict[str, Any] = {"digest": hash_file(root / name).digest}
        made.append((root / name, FileCheckResult(name, "jpeg", False, "cut short", details, "corrupt")))
    return made


def isolate(root: Path, *names: str) -> Outcome:
    return quarantine(root, root / QUARANTINE, judged(root, *names))


def snapshot(root: Path) -> dict[str, tuple[bytes, int, int]]:
    """Content, mode and modification time of each file."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            state = path.stat()
            found[path.relative_to(root).as_posix()] = (path.read_bytes(), state.st_mode, state.st_mtime_ns)
    return found


def test_there_and_back(root: Path) -> None:
    """Files move under their own paths, recorded with digest, size and reason; restoring leaves the folder as it was, mode and times too."""
    before = snapshot(root)
    done = isolate(root)
    assert [move.source for move in done.moved] == list(BAD) and not done.left
    assert {name for name in snapshot(root) if not name.startswith(".")} == {"a/good.png"}
    journal = read_journal(root / QUARANTINE)
    assert journal is not None and journal[0] == ".."
    first = journal[1][0]
    assert (first.source, first.target, first.reason, first.size) == (
        "a/b.jpg",
        "a/b.jpg",
        "cut short",
        len("bytes of a/b.jpg"),
    )
    assert first.digest == hash_file(root / QUARANTINE / "a/b.jpg").digest
    back = restore(root / QUARANTINE)
    assert {move.source for move in back.moved} == set(BAD) and not back.left
    assert snapshot(root) == before and not (root / QUARANTINE).exists()


def test_builds_leave_it_out(root: Path) -> None:
    """What is in quarantine is no file of the dataset, neither of its folder nor of a pattern."""
    isolate(root)
    for source in (".", "**/*"):
        assert open_local(source, root).listing().names == ["a/good.png"]


def test_told_to_programs(root: Path) -> None:
    """The outcome as JSON has what the journal has, and why a file was left."""
    files = judged(root)
    (root / "a/b.jpg").write_bytes(b"other")
    told: Any = quarantine(root, root / QUARANTINE, files).to_json()
    assert [move["from"] for move in told["moved"]] == ["a/c/d.wav", "e.csv"]
    assert told["left"] == [{"path": "a/b.jpg", "why": "it has changed since it was checked"}]


def test_some(root: Path) -> None:
    """Named paths come back alone; one that is not there is an error that moves nothing."""
    isolate(root)
    with pytest.raises(UsageError, match=r"found 'nope'") as caught:
        restore(root / QUARANTINE, ["e.csv", "nope"])
    assert caught.value.hint is not None and not (root / "e.csv").exists()
    assert [move.source for move in restore(root / QUARANTINE, ["./e.csv"]).moved] == ["e.csv"]
    assert (root / "e.csv").exists() and not (root / "a/b.jpg").exists()
    restore(root / QUARANTINE)
    assert (root / "a/b.jpg").exists() and not (root / QUARANTINE).exists()


def test_never_over_another(root: Path) -> None:
    """A path that is taken in quarantine gets a number; what is in the dataset now is not replaced by restoring."""
    isolate(root, "e.csv")
    (root / "e.csv").write_bytes(b"second")
    again = isolate(root, "e.csv")
    assert again.moved[0].target == "e.csv.1"
    (root / "e.csv").write_bytes(b"third")
    told = restore(root / QUARANTINE)
    assert [left.why for left in told.left] == ["something else is there now"] * 2 and not told.moved
    assert (root / "e.csv").read_bytes() == b"third"
    (root / "e.csv").unlink()
    assert [move.target for move in restore(root / QUARANTINE).moved] == ["e.csv.1"]  # which was there last
    assert (root / "e.csv").read_bytes() == b"second"
    (root / "e.csv").unlink()
    assert [move.target for move in restore(root / QUARANTINE, ["e.csv"]).moved] == ["e.csv"]


def test_file_where_a_folder_was(root: Path) -> None:
    """A file in quarantine is never taken for a folder, and one of the journal's name does not meet it."""
    isolate(root, "e.csv")
    (root / "e.csv").mkdir()
    (root / "e.csv/x.jpg").write_bytes(b"x")
    (root / JOURNAL).write_bytes(b"mine")
    done = isolate(root, "e.csv/x.jpg", JOURNAL)
    assert [move.target for move in done.moved] == ["e.csv.1/x.jpg", f"{JOURNAL}.1"]


def test_changed_since(root: Path) -> None:
    """A file that was changed or went away since it was judged stays where it is, and is told."""
    files = judged(root)
    (root / "e.csv").write_bytes(b"mended")
    (root / "a/b.jpg").unlink()
    done = quarantine(root, root / QUARANTINE, files)
    assert [move.source for move in done.moved] == ["a/c/d.wav"]
    assert [left.path for left in done.left] == ["a/b.jpg", "e.csv"]
    assert "changed" in done.left[1].why and (root / "e.csv").read_bytes() == b"mended"


def test_changed_in_quarantine(root: Path) -> None:
    """What is not what was put there does not come back as if it were."""
    isolate(root)
    (root / QUARANTINE / "e.csv").write_bytes(b"other")
    (root / QUARANTINE / "a/b.jpg").unlink()
    told = restore(root / QUARANTINE)
    assert {left.path: left.why for left in told.left} == {
        "e.csv": "it has changed in the quarantine",
        "a/b.jpg": "it is not in the quarantine any more",
    }
    assert (root / "a/c/d.wav").exists() and (root / QUARANTINE / "e.csv").exists()


@pytest.mark.parametrize("folder", ["..", "../elsewhere", ".", "bad", "a/good.png"])
def test_folders_that_will_not_do(root: Path, folder: str) -> None:
    """A quarantine outside of the dataset, the dataset itself, one that builds would read and a file are refused by name."""
    with pytest.raises(UsageError) as caught:
        quarantine(root, root / folder, judged(root))
    assert "--quarantine" in str(caught.value)
    assert set(snapshot(root)) == {*BAD, "a/good.png"}


def test_link_out(root: Path, tmp_path: Path) -> None:
    """A quarantine that is a link out is refused, and a file that links lead to outside of the dataset is never touched."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "o.jpg").write_bytes(b"outside")
    (root / ".q").symlink_to(outside)
    with pytest.raises(UsageError, match="inside"):
        check_quarantine(root, root / ".q")
    (root / "linked").symlink_to(outside)
    done = isolate(root, "linked/o.jpg")
    assert not done.moved and "link" in done.left[0].why and (outside / "o.jpg").exists()


def test_links_move_as_links(root: Path, tmp_path: Path) -> None:
    """A symbolic link is moved and comes back with its text; what it leads to is left alone."""
    (tmp_path / "far.jpg").write_bytes(b"far")
    (root / "l.jpg").symlink_to("../far.jpg")
    done = isolate(root, "l.jpg")
    assert done.moved[0].link == "../far.jpg" and os.readlink(root / QUARANTINE / "l.jpg") == "../far.jpg"
    assert (tmp_path / "far.jpg").read_bytes() == b"far"
    restore(root / QUARANTINE)
    assert os.readlink(root / "l.jpg") == "../far.jpg"


def test_link_in_quarantine_leads_nowhere(root: Path, tmp_path: Path) -> None:
    """A link that is in quarantine is never gone through: a file below a folder of that name gets another."""
    outside = tmp_path / "outside"
    outside.mkdir()
    isolate(root, "e.csv")
    (root / QUARANTINE / "a").symlink_to(outside)
    assert isolate(root, "a/b.jpg").moved[0].target == "a.1/b.jpg"
    assert not list(outside.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no Unicode are Linux's")
def test_odd_names(root: Path) -> None:
    """Names with newlines and of bytes that are no Unicode go there and back."""
    name = os.fsdecode(b"a/\xff\nx.jpg")
    (root / name).write_bytes(b"odd")
    before = snapshot(root)
    assert isolate(root, name).moved[0].target == name
    restore(root / QUARANTINE)
    assert snapshot(root) == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is read-only for root")
def test_read_only(root: Path) -> None:
    """In a folder that cannot be written nothing is half-done."""
    os.chmod(root / "a", 0o555)
    try:
        done = isolate(root)
        assert [move.source for move in done.moved] == ["a/c/d.wav", "e.csv"]
        assert [left.path for left in done.left] == ["a/b.jpg"] and (root / "a/b.jpg").exists()
    finally:
        os.chmod(root / "a", 0o755)


def test_cannot_remove(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose folder lets no name go stays under its own name alone."""

    def refuse(path: Any, *args: Any, **named: Any) -> None:
        if str(path).endswith("data/e.csv"):
            raise PermissionError(errno.EACCES, "Permission denied")
        os.remove(path, *args, **named)

    monkeypatch.setattr(os, "unlink", refuse)
    done = isolate(root, "e.csv")
    assert [left.why for left in done.left] == ["Permission denied"] and not done.moved
    assert (root / "e.csv").exists() and not (root / QUARANTINE).exists()


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM])
def test_other_filesystems(root: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Across filesystems a verified copy is made, and where files have one name only it is renamed; mode, times and links stay."""
    (root / "l.jpg").symlink_to("a/good.png")
    before, link = snapshot(root), os.link

    def refuse(source: str, target: str, **named: Any) -> None:
        if ".mldata-moving-" not in source:
            raise OSError(number, os.strerror(number))
        link(source, target, **named)

    monkeypatch.setattr(os, "link", refuse)
    assert len(isolate(root, *BAD, "l.jpg").moved) == 4
    assert not restore(root / QUARANTINE).left
    assert snapshot(root) == before and os.readlink(root / "l.jpg") == "a/good.png"


class Killed(BaseException):
    """The process ends here."""


CALLS = ("link", "unlink", "rename", "replace", "mkdir", "rmdir", "fsync", "open", "write")


@pytest.fixture
def killing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Ends what runs at the n-th call that changes something on the disk, and refuses every later one, as for a process that is gone."""
    left = [0]
    for name in CALLS:
        real = getattr(os, name)

        def call(*args: Any, real: Any = real, name: str = name, **named: Any) -> Any:
            reading = name == "open" and not args[1] & (os.O_CREAT | os.O_WRONLY | os.O_RDWR)
            if left[0] and not reading:
                left[0] -= 1
                if left[0] == 0:
                    left[0] = -1
            if left[0] < 0 and not reading:
                raise Killed
            return real(*args, **named)

        monkeypatch.setattr(os, name, call)

    def arm(number: int) -> None:
        left[0] = number

    yield arm


@pytest.mark.parametrize("linking", [True, False])
def test_killed_anywhere(
    root: Path, killing: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, linking: bool
) -> None:
    """Killed at any step of quarantining or restoring, nothing is lost; the next call goes on, and restoring gives the folder as it was."""
    if not linking:
        link = os.link

        def refuse(source: str, target: str, **named: Any) -> None:
            if ".mldata-moving-" not in source:
                raise OSError(errno.EXDEV, "Invalid cross-device link")
            link(source, target, **named)

        monkeypatch.setattr(os, "link", refuse)
    before = snapshot(root)
    contents = {content for content, _, _ in before.values()}
    for undo in (False, True):
        number = 0
        while True:
            number += 1
            if undo:
                isolate(root)
            files = [] if undo else judged(root)
            killing(number)
            try:
                if undo:
                    restore(root / QUARANTINE)
                else:
                    quarantine(root, root / QUARANTINE, files)
                ended = True
            except Killed:
                ended = False
            killing(0)
            assert {content for content, _, _ in snapshot(root).values()} >= contents, number
            again = [name for name in BAD if (root / name).exists()]
            assert not isolate(root, *again).left if again else True
            for name in BAD:
                assert not (root / name).exists(), (number, name)
            told = restore(root / QUARANTINE)
            assert {left.why for left in told.left} <= {"something else is there now"}
            found = snapshot(root)
            assert {name: found[name] for name in before} == before, number
            # A copy to another filesystem may be there twice: it is told, and kept.
            assert linking is False or set(found) == set(before), number
            subprocess.run(["rm", "-rf", os.fspath(root / QUARANTINE)], check=True)
            if ended:
                break
        assert number > 8


def test_one_at_a_time(root: Path) -> None:
    """Two processes do not move files of one quarantine at once: the second says so, and moves nothing."""
    isolate(root, "e.csv")
    with alone(root / QUARANTINE):
        with pytest.raises(UsageError, match="another process"):
            isolate(root, "a/b.jpg")
        with pytest.raises(UsageError, match="another process"):
            restore(root / QUARANTINE)
    assert (root / "a/b.jpg").exists() and not (root / "e.csv").exists()


@pytest.mark.parametrize(
    "line",
    [
        '{"from": "../x", "to": "x", "digest": "", "size": 1, "reason": ""}',
        '{"from": "x", "to": "/x", "digest": "", "size": 1, "reason": ""}',
        '{"from": "x"}', "[]", "half a li", '{"from": "x", "to": 1, "digest": "", "size": 1, "reason": ""}',
    ],
)  # fmt: skip
def test_damaged_journal(root: Path, line: str) -> None:
    """A journal that is none is refused with its line, and moves nothing out of the folder."""
    isolate(root, "e.csv")
    with open(root / QUARANTINE / JOURNAL, "a") as file:
        file.write(line + "\n")
    with pytest.raises(UsageError) as caught:
        restore(root / QUARANTINE)
    assert str(caught.value.where).endswith(f"{JOURNAL}:3") and (root / QUARANTINE / "e.csv").exists()


def test_no_quarantine(root: Path, tmp_path: Path) -> None:
    """Restoring what is no quarantine is an error that says what to name; so is a root that is not above."""
    for folder in (root, tmp_path / "nothing"):
        with pytest.raises(UsageError, match="found no"):
            restore(folder)
    isolate(root, "e.csv")
    (root / QUARANTINE / JOURNAL).write_text('{"quarantine": 1, "root": "../../etc"}\n')
    with pytest.raises(UsageError, match="not above"):
        restore(root / QUARANTINE)


def test_of_another_root(root: Path) -> None:
    """A quarantine belongs to one folder: another one that is above it too does not mix with it."""
    isolate(root, "e.csv")
    with pytest.raises(UsageError, match="found one of"):
        quarantine(root.parent, root / QUARANTINE, judged(root, "a/b.jpg"))
    assert (root / "a/b.jpg").exists()


def test_moved_dataset(root: Path, tmp_path: Path) -> None:
    """The journal names no place on the machine: a dataset that was moved is restored where it is now."""
    before = snapshot(root)
    isolate(root)
    there = tmp_path / "elsewhere"
    root.rename(there)
    restore(there / QUARANTINE)
    assert snapshot(there) == before
