"""Objects stand in another program's folder under its names, and nothing of its own is lost."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from store import ObjectCorrupt, ObjectId, ObjectMissing, Store, UnsafeName, placing

DATA = {"ab/one": b"one", "ab/two": b"two", "cd/ef/three": b"three", "top": b""}


@pytest.fixture
def files(store: Store) -> list[tuple[str, ObjectId]]:
    return [(path, store.put(data)) for path, data in DATA.items()]


def test_objects_are_linked_read_only_and_then_kept(
    store: Store, tmp_path: Path, files: list[tuple[str, ObjectId]]
) -> None:
    """Each file is the object itself, cannot be written to, and is left alone the next time; no temporary stays."""
    out = tmp_path / "theirs"
    done = store.hand_over(files, out)
    assert (done.linked, done.copied, done.kept, done.wrong) == (4, 0, 0, [])
    for path, id in files:
        found = (out / path).stat()
        assert os.path.samestat(found, store.path(id).stat())
        assert stat.S_IMODE(found.st_mode) == 0o444
        assert (out / path).read_bytes() == DATA[path]
    assert {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()} == set(DATA)
    again = store.hand_over(files, out)
    assert (again.linked, again.copied, again.kept, again.wrong) == (0, 0, 4, [])


def test_where_nothing_links_files_are_copied_read_only(
    store: Store, tmp_path: Path, files: list[tuple[str, ObjectId]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another filesystem the files are whole copies of their own."""

    def refuse(*args: Any, **options: Any) -> None:
        raise OSError(errno.EXDEV, "cross-device link")

    monkeypatch.setattr(placing.os, "link", refuse)
    monkeypatch.setattr(placing, "clone", lambda source, target: False)
    out = tmp_path / "theirs"
    done = store.hand_over(files, out)
    assert (done.linked, done.copied) == (0, 4)
    for path, id in files:
        found = (out / path).stat()
        assert found.st_nlink == 1 and stat.S_IMODE(found.st_mode) == 0o444
        assert found.st_ino != store.path(id).stat().st_ino and (out / path).read_bytes() == DATA[path]
    assert store.hand_over(files, out).kept == 4


def test_what_stands_there_is_kept_if_right_and_reported_if_wrong(
    store: Store, tmp_path: Path, files: list[tuple[str, ObjectId]]
) -> None:
    """A right file of somebody else keeps its times; a wrong one is replaced only when asked."""
    out = tmp_path / "theirs"
    (out / "ab").mkdir(parents=True)
    (out / "ab/one").write_bytes(b"one")
    (out / "ab/two").write_bytes(b"TWO")
    os.utime(out / "ab/one", ns=(5, 5))
    done = store.hand_over(files, out)
    assert (done.linked, done.kept, done.wrong) == (2, 1, ["ab/two"])
    assert (out / "ab/one").stat().st_mtime_ns == 5
    assert (out / "ab/two").read_bytes() == b"TWO"
    done = store.hand_over(files, out, force=True)
    assert (done.linked, done.kept, done.wrong) == (1, 3, ["ab/two"])
    assert (out / "ab/two").read_bytes() == b"two"


def test_nothing_is_written_through_links_or_outside(store: Store, tmp_path: Path) -> None:
    """A link where a folder is to be, and a path that leads out, are refused."""
    out, elsewhere = tmp_path / "theirs", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / "ab").symlink_to(elsewhere)
    id = store.put(b"one")
    for path in ("ab/one", "../one", "/one", "a/../../one"):
        with pytest.raises(UnsafeName):
            store.hand_over([(path, id)], out)
    assert list(elsewhere.iterdir()) == [] and not (tmp_path / "one").exists()


def test_only_verified_objects_are_handed_over(store: Store, tmp_path: Path) -> None:
    """An object that was altered or is not there is an error, and no file stands for it."""
    id = store.put(b"right")
    path = store.path(id)
    path.chmod(0o644)
    path.write_bytes(b"wrong")
    with pytest.raises(ObjectCorrupt):
        store.hand_over([("ab/one", id)], tmp_path / "theirs")
    with pytest.raises(ObjectMissing):
        store.hand_over([("ab/one", id)], tmp_path / "theirs")
    assert not (tmp_path / "theirs/ab/one").exists()
