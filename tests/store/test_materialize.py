"""A folder becomes what its tree says, and nothing outside it is touched."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import (
    KIND_FILE,
    KIND_TREE,
    Difference,
    Digest,
    NameCollision,
    ObjectCorrupt,
    ObjectMissing,
    Store,
    StoreError,
    StoreFull,
    StoreReadOnly,
    TreeEntry,
    UnsafeName,
    digest_bytes,
    encode,
    is_sealed,
    materialize,
    placing,
)
from store.testing import killed, steps

FILES = {"a": b"a", "empty": b"", "d/b": b"bb", "d/e/c": b"ccc", "d/same": b"a"}


def tree_of(store: Store, files: Mapping[str, bytes], programs: tuple[str, ...] = ()) -> Digest:
    """A tree of these contents."""
    return store.put_paths([(path, store.put(data), path in programs) for path, data in files.items()]).digest


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def links_of(path: Path) -> int:
    return path.stat().st_nlink


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.mark.parametrize("link", ["auto", "hardlink", "copy"])
def test_every_file_is_there_sealed_and_then_kept(store: Store, out: Path, link: Any) -> None:
    """A second time nothing is touched."""
    tree = tree_of(store, FILES)
    done = store.materialize(tree, out, link=link)
    assert done.linked + done.copied == len(FILES) and content(out) == FILES
    for path, entry in store.walk(tree):
        assert is_sealed((out / path).stat(), entry.digest, entry.size)
    if link == "hardlink":
        assert done.linked == len(FILES)
        assert stat.S_IMODE((out / "a").stat().st_mode) == 0o444 and links_of(out / "a") == 3
    if link == "copy":
        assert done.copied == len(FILES)
        assert stat.S_IMODE((out / "a").stat().st_mode) == 0o644 and links_of(out / "a") == 1
    before = {path: path.stat() for path in out.rglob("*")}
    again = store.materialize(tree, out, link=link)
    assert (again.kept, again.linked, again.copied, again.removed) == (len(FILES), 0, 0, 0)
    assert {path: path.stat() for path in out.rglob("*")} == before
    assert store.verify_export(tree, out) == []


@pytest.mark.parametrize("link", ["auto", "hardlink", "copy"])
def test_programs_are_copies_that_run(store: Store, out: Path, link: Any) -> None:
    """A hardlink would share its permission bits with files that are no programs."""
    tree = tree_of(store, {"run": b"#!/bin/sh\n", "text": b"#!/bin/sh\n"}, programs=("run",))
    store.materialize(tree, out, link=link)
    assert os.access(out / "run", os.X_OK) and links_of(out / "run") == 1
    (out / "run").chmod(0o644)
    assert store.verify_export(tree, out) == [Difference("run", "changed")]
    store.materialize(tree, out, link=link)
    assert os.access(out / "run", os.X_OK) and not (out / "text").stat().st_mode & 0o100


@pytest.mark.parametrize("link", ["hardlink", "copy"])
def test_what_was_edited_or_deleted_comes_back_alone(store: Store, out: Path, link: Any) -> None:
    """The others stay the files they were; a touched one is verified and sealed again."""
    tree = tree_of(store, FILES)
    store.materialize(tree, out, link=link)
    inode = (out / "d/b").stat().st_ino
    (out / "a").unlink()
    (out / "a").write_bytes(b"A")
    (out / "d/e/c").unlink()
    os.utime(out / "d/same")
    assert store.verify_export(tree, out) == [Difference("a", "changed"), Difference("d/e/c", "missing")]
    assert is_sealed((out / "d/same").stat(), digest_bytes(b"a"), 1)
    done = store.materialize(tree, out, link=link)
    assert (done.kept, done.linked + done.copied) == (3, 2) and content(out) == FILES
    assert (out / "d/b").stat().st_ino == inode


def test_an_edited_hardlink_is_never_served_again(store: Store, out: Path) -> None:
    """Writing into a hardlinked output damages the object, which is found, set aside and named."""
    tree = tree_of(store, {"a": b"content"})
    store.materialize(tree, out, link="hardlink")
    (out / "a").chmod(0o644)
    (out / "a").write_bytes(b"CONTENT")
    assert store.verify_export(tree, out) == [Difference("a", "changed")]
    with pytest.raises(ObjectCorrupt, match="mldata build"):
        store.materialize(tree, out, link="hardlink")
    assert (out / "a").read_bytes() == b"CONTENT" and store.missing(tree)[0].digest == digest_bytes(
        b"content"
    )
    store.put(b"content")
    store.materialize(tree, out, link="hardlink")
    assert content(out) == {"a": b"content"}


def test_an_object_made_writable_is_linked_read_only(store: Store, out: Path) -> None:
    """Permission bits of the object are put right before it is linked."""
    tree = tree_of(store, {"a": b"x"})
    store.layout.object(digest_bytes(b"x")).chmod(0o666)
    store.materialize(tree, out, link="hardlink")
    assert stat.S_IMODE((out / "a").stat().st_mode) == 0o444


@pytest.mark.parametrize("known", ["as a tree", "by its files"])
def test_files_of_the_earlier_tree_go_unless_edited(store: Store, out: Path, known: str) -> None:
    """What is no longer in the tree is removed with the folders it empties; strangers and edited files stay."""
    old = tree_of(
        store, {"a": b"1", "gone": b"2", "x/y/gone": b"3", "x/edited": b"4", "z/gone": b"5", "lost": b"6"}
    )
    store.materialize(old, out, link="copy")
    (out / "x/edited").write_bytes(b"mine")
    (out / "z/stranger").write_bytes(b"mine")
    (out / "lost").unlink()
    new = tree_of(store, {"a": b"1", "n": b"2"})
    previous = old if known == "as a tree" else dict(store.walk(old))
    done = store.materialize(new, out, link="copy", previous=previous)
    assert content(out) == {"a": b"1", "n": b"2", "x/edited": b"mine", "z/stranger": b"mine"}
    assert (done.removed, done.kept, [path for path, _ in done.skipped]) == (3, 1, ["x/edited"])
    assert not (out / "x/y").exists()


def test_a_new_folder_for_temporaries_may_be_swept(
    store: Store, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process that takes it for one left by a killed process, in the moment before it is locked, costs another folder and no file."""
    tree = tree_of(store, FILES)
    lock, locked = placing._try_flock, []

    def swept(fd: int, *, wait: bool = False) -> bool:
        if wait and not locked:
            locked.append(fd)
            with out_of(fd) as folder:
                placing.sweep(folder)
        return lock(fd, wait=wait)

    monkeypatch.setattr(placing, "_try_flock", swept)
    store.materialize(tree, out, link="copy")
    assert locked and content(out) == FILES


@contextmanager
def out_of(fd: int) -> Iterator[int]:
    """The folder that an open folder is in."""
    above = os.open("..", os.O_RDONLY, dir_fd=fd)
    try:
        yield above
    finally:
        os.close(above)


def test_a_link_to_an_object_that_was_moved_aside_is_replaced(store: Store, out: Path) -> None:
    """Its seal is whole, but the store has found other bytes in it and has the object anew."""
    tree = tree_of(store, {"a": b"right", "b": b"too"})
    store.materialize(tree, out, link="auto")
    id = store.put(b"right")
    path = store.layout.object(id.digest)
    times = path.stat()
    path.chmod(0o644)
    path.write_bytes(b"wrong")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(ObjectCorrupt):
        store.verify(id)
    store.put(b"right")
    done = store.materialize(tree, out, link="auto")
    assert content(out) == {"a": b"right", "b": b"too"}
    assert done.kept == 1


def test_a_file_of_the_earlier_tree_is_replaced_unread(
    store: Store, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands there as it was written, so that it is another one than the new one of its size is known without a look into it."""
    old, new = tree_of(store, {"a": b"1", "b": b"mine"}), tree_of(store, {"a": b"2", "b": b"2222"})
    store.materialize(old, out, link="copy")
    (out / "b").write_bytes(b"2222")
    read = []
    hash_fd = materialize.hash_fd
    monkeypatch.setattr(materialize, "hash_fd", lambda fd: read.append(os.fstat(fd).st_size) or hash_fd(fd))
    store.materialize(new, out, link="copy", previous=old)
    assert content(out) == {"a": b"2", "b": b"2222"}
    assert read == [4]


def test_a_folder_may_become_a_file_and_back(store: Store, out: Path) -> None:
    """The files of the earlier tree make room first."""
    one, two = tree_of(store, {"a/b/c": b"1"}), tree_of(store, {"a": b"2"})
    for tree, earlier in ((one, None), (two, one), (one, two)):
        store.materialize(tree, out, previous=earlier)
        assert store.verify_export(tree, out) == []


def test_an_earlier_tree_that_is_gone_is_said(store: Store, out: Path) -> None:
    """What only it had cannot be told from strangers, and is left."""
    tree = tree_of(store, {"a": b"1"})
    done = store.materialize(tree, out, previous=digest_bytes(b"no tree"))
    assert done.linked + done.copied == 1 and "gone" in done.skipped[0][1]


def test_without_force_strangers_stay(store: Store, out: Path) -> None:
    """Only what an earlier export put there is replaced; the rest is reported."""
    old, new = (
        tree_of(store, {"a": b"old", "b": b"old"}),
        tree_of(store, {"a": b"new", "b": b"new", "c": b"new"}),
    )
    store.materialize(old, out, link="copy")
    (out / "b").write_bytes(b"mine")
    (out / "c").write_bytes(b"mine")
    done = store.materialize(new, out, previous=old, force=False)
    assert content(out) == {"a": b"new", "b": b"mine", "c": b"mine"}
    assert [path for path, _ in done.skipped] == ["b", "c"]
    (out / "a").unlink()
    assert store.materialize(new, out, previous=new, force=False).kept == 0
    store.materialize(new, out)
    assert store.verify_export(new, out) == []


@pytest.mark.parametrize("path", ["d", "d/e"])
def test_nothing_is_written_through_a_link(store: Store, out: Path, tmp_path: Path, path: str) -> None:
    """A link where a folder belongs is an error that names it, and what it names stays empty."""
    (tmp_path / "outside").mkdir()
    (out / path).parent.mkdir(parents=True)
    (out / path).symlink_to(tmp_path / "outside")
    with pytest.raises(UnsafeName, match=f"'{path}'.*link"):
        store.materialize(tree_of(store, FILES), out)
    assert os.listdir(tmp_path / "outside") == []
    differences = store.verify_export(tree_of(store, FILES), out)
    assert Difference("d/e/c", "missing") in differences


def test_a_link_where_a_file_belongs_is_replaced(store: Store, out: Path, tmp_path: Path) -> None:
    """The link goes; the file it named stays as it is."""
    (tmp_path / "outside").write_bytes(b"a")
    out.mkdir()
    (out / "a").symlink_to(tmp_path / "outside")
    tree = tree_of(store, {"a": b"a"})
    assert store.verify_export(tree, out) == [Difference("a", "changed")]
    for link in ("hardlink", "copy"):
        store.materialize(tree, out, link=link)  # type: ignore[arg-type]
        assert not (out / "a").is_symlink() and (out / "a").read_bytes() == b"a"
    assert (tmp_path / "outside").read_bytes() == b"a"


def test_earlier_files_behind_a_link_stay(store: Store, out: Path, tmp_path: Path) -> None:
    """Removing does not follow links either."""
    old, new = tree_of(store, {"d/b": b"1", "e/b": b"1"}), tree_of(store, {"a": b"1"})
    store.materialize(old, tmp_path / "outside", link="copy")
    out.mkdir()
    (out / "d").symlink_to(tmp_path / "outside/d")
    (out / "e").write_bytes(b"")
    done = store.materialize(new, out, previous=old)
    assert (tmp_path / "outside/d/b").exists() and done.removed == 0


def test_a_folder_in_the_way_is_an_error(store: Store, out: Path) -> None:
    """Whole folders are never removed."""
    (out / "a/precious").mkdir(parents=True)
    with pytest.raises(UnsafeName, match=r"'a'.*folder stands"):
        store.materialize(tree_of(store, {"a": b""}), out)
    assert store.verify_export(tree_of(store, {"a": b""}), out) == [Difference("a", "changed")]


def test_out_may_be_a_link_to_a_folder(store: Store, out: Path, tmp_path: Path) -> None:
    """The user chose it; only what is below is guarded."""
    (tmp_path / "real").mkdir()
    out.symlink_to(tmp_path / "real")
    store.materialize(tree_of(store, FILES), out)
    assert content(tmp_path / "real") == FILES


@pytest.mark.parametrize("names", [["../x"], [".."], ["/x"], ["a", "A"], ["nul"], ["x\\y"]])
def test_hostile_trees_are_refused(store: Store, out: Path, names: list[str]) -> None:
    """A tree object with unsafe or colliding names writes nothing, at the top or below."""
    id = store.put(b"x")
    names = sorted(names)
    raw = bytes.fromhex(id.digest) * len(names)
    bad = store.put(encode(["tree", 1, names, bytes(len(names)), [1] * len(names), raw]))
    for tree in (bad, store.put_tree([TreeEntry("d", KIND_TREE, *bad)])):
        with pytest.raises((UnsafeName, NameCollision)):
            store.materialize(tree.digest, out)
    assert content(out) == {}


def test_endless_trees_are_refused(store: Store, out: Path) -> None:
    """Too many folders within folders are an error, not an exhausted stack."""
    id, kind = store.put(b"x"), KIND_FILE
    with store.batch() as batch:
        for _ in range(210):
            id, kind = batch.put_tree([TreeEntry("d", kind, *id)]), KIND_TREE
    with pytest.raises(UnsafeName, match="200 folders"):
        store.materialize(id.digest, out)


def test_an_unknown_tree_or_link_is_refused(store: Store, out: Path) -> None:
    """What is missing or misspelt is named."""
    with pytest.raises(ObjectMissing):
        store.materialize(digest_bytes(b"?"), out)
    with pytest.raises(ValueError, match="expected one of auto, reflink, hardlink, copy"):
        store.materialize(tree_of(store, {}), out, link="symlink")  # type: ignore[arg-type]
    lacking = store.put_tree([TreeEntry("a", KIND_FILE, digest_bytes(b"?"), 1)])
    for link in ("hardlink", "copy"):
        with pytest.raises(ObjectMissing):
            store.materialize(lacking.digest, out, link=link)  # type: ignore[arg-type]
    assert content(out) == {}


def test_between_filesystems_files_are_copied(store: Store, small_disk: Path) -> None:
    """``auto`` copies; what was asked for and is impossible is an error that says what to write instead."""
    tree = tree_of(store, FILES)
    done = store.materialize(tree, small_disk / "out")
    assert done.copied == len(FILES) and content(small_disk / "out") == FILES
    for link in ("hardlink", "reflink"):
        with pytest.raises(StoreError, match=f"by {link}.*link: copy"):
            store.materialize(tree, small_disk / "other", link=link)  # type: ignore[arg-type]
    assert content(small_disk / "other") == {}


def test_too_many_links_to_a_file_become_copies(
    store: Store, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only that file is copied."""
    real = os.link

    def link(source: str, *args: Any, **named: Any) -> None:
        if digest_bytes(b"a") in str(source):
            raise OSError(errno.EMLINK, "Too many links")
        real(source, *args, **named)

    monkeypatch.setattr(os, "link", link)
    done = store.materialize(tree_of(store, FILES), out, link="hardlink")
    assert (done.linked, done.copied) == (3, 2) and content(out) == FILES


def test_reflinks_count_as_links_and_stay_writable(
    store: Store, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the filesystem shares blocks, files are their own."""

    def clone(source: int, target: int) -> bool:
        os.write(target, os.pread(source, 1 << 20, 0))
        return True

    monkeypatch.setattr(placing, "clone", clone)
    done = store.materialize(tree_of(store, FILES), out)
    assert done.linked == len(FILES) and content(out) == FILES and links_of(out / "a") == 1


def test_a_full_disk_keeps_what_was_there(store: Store, small_disk: Path) -> None:
    """Old files stay whole, temporaries go, the error tells how much was needed."""
    small, large = (
        tree_of(store, {"a": b"old"}),
        tree_of(store, {"a": os.urandom(3 << 20), "b": os.urandom(3 << 20)}),
    )
    store.materialize(small, small_disk)
    with pytest.raises(StoreFull) as caught:
        store.materialize(large, small_disk)
    assert caught.value.needed == 3 << 20
    assert content(small_disk) == {"a": b"old"} and os.listdir(small_disk) == ["a"]


def test_out_that_is_a_file_or_below_one(store: Store, out: Path) -> None:
    """The error names it."""
    out.write_text("")
    tree = tree_of(store, FILES)
    for place in (out, out / "below"):
        with pytest.raises(StoreError, match=str(out)):
            store.materialize(tree, place)
        assert len(store.verify_export(tree, place)) == len(FILES)


def test_out_that_may_not_be_written(store: Store, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anywhere, so the refusal is made here."""

    def refuse(*args: Any, **named: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "makedirs", refuse)
    with pytest.raises(StoreReadOnly, match="Permission denied"):
        store.materialize(tree_of(store, FILES), out)


@pytest.mark.parametrize("link", ["hardlink", "copy"])
def test_killed_at_every_step(tmp_path: Path, link: Any) -> None:
    """Each file is old, new or not there yet; the next time makes the folder right and leaves no temporaries."""
    with Store.open(tmp_path / "s") as store:
        old = tree_of(store, {"a": b"old", "d/b": b"old", "gone": b"x"})
        new = tree_of(store, {"a": b"new!", "d/b": b"new!", "d/c": b"new"})
        store.materialize(old, tmp_path / "probe", link=link)
        passed = steps(lambda: store.materialize(new, tmp_path / "probe", link=link, previous=old))
        assert len(passed) > 8
        for number, step in enumerate(passed):
            out = tmp_path / f"{number}"
            store.materialize(old, out, link=link)
            assert killed(lambda out=out: store.materialize(new, out, link=link, previous=old), number), step
            for path, data in content(out).items():
                if not path.startswith(".mldata-"):
                    assert data in (b"old", b"new!", b"new", b"x"), step
            store.materialize(new, out, link=link, previous=old)
            assert content(out) == {"a": b"new!", "d/b": b"new!", "d/c": b"new"}, step
            assert sorted(os.listdir(out)) == ["a", "d"], step
            assert store.verify_export(new, out) == [], step
        assert store.missing(new) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["a", "b", "d/a", "d/b", "d/e/a", "x/y/z"]),
            st.sampled_from([b"1", b"2", b""]),
            max_size=5,
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["auto", "copy"]),
)
def test_a_series_of_trees_leaves_exactly_the_last(
    store: Store, versions: list[dict[str, bytes]], link: Any
) -> None:
    """Whatever came before, the folder holds the files of the last tree."""
    out = store.root.parent / os.urandom(8).hex()
    earlier: Digest | None = None
    for files in versions:
        tree = tree_of(store, files)
        store.materialize(tree, out, link=link, previous=earlier)
        assert content(out) == files and store.verify_export(tree, out) == []
        earlier = tree


@pytest.mark.parametrize(("first", "then"), [("hardlink", "copy"), ("copy", "hardlink")])
def test_another_link_mode_replaces_what_is_there(tmp_path: Path, first: Any, then: Any) -> None:
    """Asking for copies where hard links are gives copies that can be written, and the other way round."""
    with Store.open(tmp_path / "s") as store:
        id = store.put(b"data")
        tree = store.put_paths([("a", id, False)])
        store.materialize(tree, tmp_path / "out", link=first)
        store.materialize(tree, tmp_path / "out", link=then)
        linked = os.path.samefile(store.path(id), tmp_path / "out" / "a")
        assert linked == (then == "hardlink")
        assert (tmp_path / "out" / "a").read_bytes() == b"data"
        assert store.materialize(tree, tmp_path / "out", link=then).kept == 1
        assert store.materialize(tree, tmp_path / "out", link="auto").kept == 1
