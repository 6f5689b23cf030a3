"""Files appear whole and durable, or not at all, and failures say what to do."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from store import StoreError, StoreFull, StoreReadOnly, atomic, publish_bytes, publish_text
from store.testing import killed, steps


def publish_steps(path: Path) -> list[str]:
    return steps(lambda: publish_bytes(path, b"x"))


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """Missing folders are made; text is UTF-8 with line ends as they are; no temporary is left."""
    path = tmp_path / "a/b/file"
    publish_text(path, "é\r\n")
    assert path.read_bytes() == b"\xc3\xa9\r\n"
    publish_bytes(path, b"new", mode=0o600, tmp=tmp_path)
    assert path.read_bytes() == b"new" and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["file"] and os.listdir(tmp_path) == ["a"]


def test_killed_at_any_step_the_file_is_old_or_new(tmp_path: Path) -> None:
    """A reader never sees a part."""
    for number, step in enumerate(publish_steps(tmp_path / "probe")):
        path = tmp_path / f"{number}"
        path.write_bytes(b"old")
        assert killed(lambda path=path: publish_bytes(path, b"new content"), number), step
        assert path.read_bytes() in (b"old", b"new content"), step


def test_a_failed_step_removes_the_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception at any step before the rename leaves the folder as it was."""
    names = publish_steps(tmp_path / "probe")
    for name in names[: names.index("file.rename:before") + 1]:

        def fail(step: str, name: str = name) -> None:
            if step == name:
                raise KeyboardInterrupt

        monkeypatch.setattr(atomic, "on_checkpoint", fail)
        with pytest.raises(KeyboardInterrupt):
            publish_bytes(tmp_path / "other", b"x")
    assert os.listdir(tmp_path) == ["probe"]


@pytest.mark.parametrize(
    ("number", "error", "says"),
    [
        (errno.ENOSPC, StoreFull, "needed at least 7 bytes.*mldata gc"),
        (errno.EDQUOT, StoreFull, "no space left"),
        (errno.EROFS, StoreReadOnly, "make it writable"),
        (errno.EACCES, StoreReadOnly, "make it writable"),
        (errno.EIO, StoreError, "look at the disk"),
    ],
)
def test_errors_of_the_disk_are_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[StoreError], says: str
) -> None:
    """Whatever the disk says, the error names the path and the next step."""

    def fail(*args: Any) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(error, match=says) as caught:
        publish_bytes(tmp_path / "f", b"content")
    assert str(tmp_path / "f") in str(caught.value) and os.listdir(tmp_path) == []


def test_a_full_disk_for_real(small_disk: Path) -> None:
    """The old content stays."""
    publish_bytes(small_disk / "f", b"old")
    with pytest.raises(StoreFull) as caught:
        publish_bytes(small_disk / "f", bytes(8 << 20))
    assert caught.value.free is not None and caught.value.free < 8 << 20
    assert (small_disk / "f").read_bytes() == b"old" and os.listdir(small_disk) == ["f"]


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may take less than it was given."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:3]))
    publish_bytes(tmp_path / "f", b"0123456789")
    assert (tmp_path / "f").read_bytes() == b"0123456789"


@pytest.fixture
def staging(tmp_path: Path) -> Iterator[atomic.Staging]:
    staging = atomic.Staging(tmp_path, tmp_path / "tmp")
    yield staging
    staging.close()


def stage(staging: atomic.Staging, count: int) -> list[tuple[str, str]]:
    moves = []
    for number in range(count):
        name, fd = staging.create()
        os.write(fd, b"%d" % number)
        os.close(fd)
        moves.append((name, f"objects/{number:02d}/{number}"))
    return moves


@pytest.mark.parametrize("count", [1, atomic.FEW + 1])
@pytest.mark.parametrize("syncfs", ["there", "missing", "unsupported"])
def test_few_and_many_files_are_published(
    staging: atomic.Staging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, syncfs: str
) -> None:
    """One by one, by syncfs, and where there is no syncfs, files end in their folders."""
    if syncfs == "missing":
        monkeypatch.setattr(atomic, "_libc_call", lambda name: None)
    elif syncfs == "unsupported":

        def refuse(fd: int) -> int:
            ctypes.set_errno(errno.ENOSYS)
            return -1

        monkeypatch.setattr(atomic, "_libc_call", lambda name: refuse)
    moves = stage(staging, count)
    staging.sync([temp for temp, _ in moves])
    staging.publish(moves, "objects")
    for number in range(count):
        assert (tmp_path / f"objects/{number:02d}/{number}").read_bytes() == b"%d" % number


def test_a_failed_write_back_is_an_error(staging: atomic.Staging, monkeypatch: pytest.MonkeyPatch) -> None:
    """What syncfs reports is not passed over: nothing may be published after it."""

    def fail(fd: int) -> int:
        ctypes.set_errno(errno.EIO)
        return -1

    monkeypatch.setattr(atomic, "_libc_call", lambda name: fail)
    with pytest.raises(OSError, match="Input/output"):
        staging.sync([temp for temp, _ in stage(staging, atomic.FEW + 1)])


def test_without_a_c_library_or_linux_things_still_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hints are left out, and files are synced one by one."""
    monkeypatch.setattr(atomic.sys, "platform", "freebsd14")
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        atomic.start_writeback(fd, 0, 1)
        assert atomic._syncfs(fd) is False
        (tmp_path / "x").touch()
        atomic.sync_many(["x"] * (atomic.FEW + 1), fd)
    finally:
        os.close(fd)


def test_closing_removes_what_was_not_published(tmp_path: Path) -> None:
    """Temporaries and their folder go."""
    staging = atomic.Staging(tmp_path, tmp_path / "tmp")
    stage(staging, 3)
    staging.close()
    assert os.listdir(tmp_path / "tmp") == []


def test_a_disk_without_inodes_is_told_from_one_without_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Free bytes would be no explanation; a filesystem that counts no inodes has not run out of them."""

    class Counted:
        f_bavail, f_frsize, f_files, f_favail = 10, 4096, 100, 0

    monkeypatch.setattr(os, "statvfs", lambda path: Counted)
    full = OSError(errno.ENOSPC, "No space left on device")
    assert "no free inode" in str(atomic.explain(full, tmp_path, 5))
    Counted.f_files = 0
    assert "needed at least 5 bytes, found 40,960 bytes free" in str(atomic.explain(full, tmp_path, 5))
