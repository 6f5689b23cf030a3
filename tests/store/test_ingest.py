"""Files from outside are taken in as they were at one moment, or refused by name."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store import (
    FileStat,
    NameCollision,
    SourceChanged,
    SourceUnreadable,
    Store,
    StoreFull,
    UnsafeName,
    atomic,
    copying,
    digest_bytes,
    ingest,
)
from store import source as source_module

BIG = ingest.SMALL + 12345


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with small, empty, large, nested and executable files."""
    folder = tmp_path / "source"
    (folder / "sub/deep").mkdir(parents=True)
    (folder / "empty-folder").mkdir()
    (folder / "a").write_bytes(b"a")
    (folder / "empty").write_bytes(b"")
    (folder / "big").write_bytes(os.urandom(BIG))
    (folder / "sub/run").write_bytes(b"#!")
    (folder / "sub/run").chmod(0o755)
    (folder / "sub/deep/é").write_bytes(b"a")
    return folder


def test_a_folder_becomes_a_tree(store: Store, source: Path) -> None:
    """Every file is listed by path with its content, size and whether it is a program."""
    tree = store.ingest(source, hashes=["sha256"])
    found = dict(store.walk(tree.digest))
    assert list(found) == ["a", "big", "empty", "sub/deep/é", "sub/run"]
    for path, entry in found.items():
        data = (source / path).read_bytes()
        assert store.read(entry.digest) == data and entry.size == len(data)
        assert entry.executable == (path == "sub/run")
    known = store.index.get_hashes([found["big"].digest])
    assert known[found["big"].digest].sha256 == hashlib.sha256((source / "big").read_bytes()).hexdigest()
    assert store.ingest(source) == tree


def test_the_tree_does_not_depend_on_the_order_of_creation(store: Store, tmp_path: Path) -> None:
    """Two folders with equal files give one digest."""
    names = [f"{number}" for number in range(300)]
    for folder, order in (("x", names), ("y", names[::-1])):
        (tmp_path / folder).mkdir()
        for name in order:
            (tmp_path / folder / name).write_text(name)
    assert store.ingest(tmp_path / "x") == store.ingest(tmp_path / "y")


def test_files_are_reported_in_order_with_progress(store: Store, source: Path) -> None:
    """``ingest_files`` gives one line a file, in the order asked, and counts up to the totals."""
    wanted = [("second", source / "big"), ("first", source / "a")] + [
        (str(n), source / "a") for n in range(600)
    ]
    seen: list[tuple[int, int]] = []
    taken = store.ingest_files(wanted, progress=lambda files, size: seen.append((files, size)))
    assert [item.name for item in taken] == [name for name, _ in wanted]
    assert taken[0].stat == FileStat.of((source / "big").stat()) and taken[0].id.size == BIG
    assert seen[-1] == (602, BIG + 601) and seen == sorted(seen)
    assert store.ingest_files([]) == []


def test_names_to_leave_out(store: Store, source: Path) -> None:
    """``ignore`` is asked for files and for folders, which are then not entered."""
    tree = store.ingest(source, ignore=lambda name: name in ("sub/deep", "big"))
    assert [path for path, _ in store.walk(tree.digest)] == ["a", "empty", "sub/run"]


def test_a_link_inside_the_folder_is_the_file_it_names(store: Store, source: Path) -> None:
    """As in a copy: content, not the link, is kept."""
    (source / "link").symlink_to("sub/run")
    (source / "sub/up").symlink_to("../link")
    found = dict(store.walk(store.ingest(source).digest))
    assert found["link"].digest == found["sub/up"].digest == digest_bytes(b"#!") and found["link"].executable


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda p: p.symlink_to("/etc/passwd"), "leaves the folder"),
        (lambda p: p.symlink_to("../source-2"), "leaves the folder"),
        (lambda p: p.symlink_to("nowhere"), "nothing is"),
        (lambda p: p.symlink_to("odd"), "nothing is"),
        (lambda p: p.symlink_to("sub"), "link to a folder"),
        (lambda p: p.symlink_to("."), "link to a folder"),
        (lambda p: os.mkfifo(p), "a pipe"),
        (lambda p: socket.socket(socket.AF_UNIX).bind(str(p)), "a socket"),
        (lambda p: os.open(os.fsencode(p.parent) + b"/\xff", os.O_CREAT), "not UTF-8"),
        (lambda p: (p.parent / "CON").write_text(""), "device on Windows"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(
    store: Store, source: Path, make: Callable[[Path], object], why: str
) -> None:
    """Links out of the folder, special files and unsafe names raise before anything is stored."""
    (source.parent / "source-2").write_text("outside")
    make(source / "odd")
    with pytest.raises(UnsafeName, match=why):
        store.ingest(source)
    assert list(store.objects) == [] and os.listdir(store.layout.tmp) == []


def test_colliding_names_are_refused(store: Store, source: Path) -> None:
    """Both are named."""
    (source / "A").write_text("")
    with pytest.raises(NameCollision, match=r"A.*a"):
        store.ingest(source)


def test_what_is_asked_for_must_be_a_readable_file(store: Store, source: Path) -> None:
    """A missing file, a folder, a pipe and an impossible path are errors that name the path."""
    os.mkfifo(source / "pipe")
    for path, error in (
        ("none", SourceUnreadable),
        ("sub", UnsafeName),
        ("pipe", UnsafeName),
        ("a/b", SourceUnreadable),
        ("nul\0", UnsafeName),
    ):
        with pytest.raises(error, match=path[:3]):
            store.put_file(source / path)
    with pytest.raises(SourceUnreadable, match="none"):
        store.ingest(source / "none")


def test_files_of_the_kernel_that_lie_about_their_size_are_refused(store: Store) -> None:
    """A file that says 0 bytes and gives more never holds still."""
    if not os.path.exists("/proc/self/status"):
        pytest.skip("no /proc")
    with pytest.raises(SourceChanged):
        store.put_file("/proc/self/status")


@pytest.mark.parametrize("size", [100, BIG])
@pytest.mark.parametrize("times", [1, 2, 99])
def test_a_file_that_changes_while_it_is_read_is_read_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, times: int
) -> None:
    """Twice it is read again; then it is refused, and nothing is stored under a wrong name."""
    path = tmp_path / "moving"
    path.write_bytes(b"0" * size)
    real, count = source_module.unchanged, 0

    def changing(a: os.stat_result, b: os.stat_result) -> bool:
        nonlocal count
        if count < times:
            count += 1
            path.write_bytes(b"%d" % (count % 10) * size)
            return real(a, path.stat())
        return real(a, b)

    monkeypatch.setattr(source_module, "unchanged", changing)
    monkeypatch.setattr(ingest, "unchanged", changing)
    if times < ingest.TRIES:
        id = store.put_file(path)
        assert store.read(id.digest) == path.read_bytes()
    else:
        with pytest.raises(SourceChanged, match="moving"):
            store.put_file(path)
        assert list(store.objects) == [] and os.listdir(store.layout.tmp) == []


@pytest.mark.parametrize(
    "change", [lambda p: os.truncate(p, BIG // 2), lambda p: p.open("ab").write(b"more")]
)
def test_a_growing_or_shrinking_file_is_noticed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]
) -> None:
    """A large file that is cut or appended to between opening and copying is read again, as it is then."""
    path = tmp_path / "f"
    path.write_bytes(b"x" * BIG)
    changes = iter([change])

    def listen(step: str) -> None:
        if step == "temp.create:after" and (now := next(changes, None)):
            now(path)

    monkeypatch.setattr(atomic, "on_checkpoint", listen)
    id = store.put_file(path)
    assert id == (digest_bytes(path.read_bytes()), path.stat().st_size)
    assert [object.digest for object in store.objects] == [id.digest]


@pytest.mark.parametrize("how", ["kernel", "read", "missing"])
def test_large_files_are_copied_whole_by_every_way(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """With and without ``copy_file_range`` the object is the file, with all digests."""
    data = os.urandom((20 << 20) + 17)
    (tmp_path / "f").write_bytes(data)
    if how == "read":

        def refuse(*args: Any) -> int:
            raise OSError(18, "Invalid cross-device link")

        monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)
    elif how == "missing":
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    id = store.put_file(tmp_path / "f", hashes=["md5"])
    assert id == (digest_bytes(data), len(data)) and store.intact(id.digest, id.size)
    assert store.index.get_hashes([id.digest])[id.digest].md5 == hashlib.md5(data).hexdigest()


def test_a_cloned_file_is_hashed_from_the_clone(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where blocks can be shared, what is hashed is what is stored."""
    (tmp_path / "f").write_bytes(b"z" * BIG)

    def clone(source: int, target: int) -> bool:
        os.copy_file_range(source, target, BIG, 0, 0)
        return True

    monkeypatch.setattr(copying, "clone", clone)
    assert store.put_file(tmp_path / "f") == (digest_bytes(b"z" * BIG), BIG)


@pytest.mark.parametrize("how", ["kernel", "missing"])
def test_a_full_disk_while_a_large_file_is_copied(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """It says how much was needed, and leaves no temporaries."""
    (tmp_path / "f").write_bytes(bytes(8 << 20))
    if how == "missing":
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    with Store.open(small_disk / "s") as store:
        with pytest.raises(StoreFull) as caught:
            store.put_file(tmp_path / "f")
        assert caught.value.needed == 8 << 20
        assert os.listdir(store.layout.tmp) == []


def test_one_bad_file_stops_the_others(store: Store, source: Path) -> None:
    """Among many groups, the first failure is raised, and nothing becomes visible."""
    files = [(str(n), source / "a") for n in range(2000)]
    files[1500] = ("bad", source / "none")
    with pytest.raises(SourceUnreadable, match="none"):
        store.ingest_files(files)
    assert list(store.objects) == [] and os.listdir(store.layout.tmp) == []
