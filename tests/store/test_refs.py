"""Refs: names, compare-and-swap, series, damage."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store import BadRef, Digest, ObjectMissing, RefConflict, Store, StoreReadOnly, digest_bytes
from store.refs import ANY, check_ref_name, split_series


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s") as store:
        yield store


@pytest.fixture
def digest(store: Store) -> Digest:
    return store.put(b"x").digest


@pytest.mark.parametrize(
    "name",
    ["", "/", "a/", "/a", "a//b", ".", "..", "a/../b", ".hidden", "a/.b", "a\\b", "a\0b", "a\nb", "a:b", "a*", "con", "a/NUL.txt",
     "a.", "a ", "\ud800", "x" * 256, "/".join(["x" * 200] * 6)],
)  # fmt: skip
def test_unsafe_names_are_refused(store: Store, digest: Digest, name: str) -> None:
    """A name that some system cannot hold, or that leaves the folder, is refused with the reason."""
    for call in (
        lambda: store.refs.set(name, digest),
        lambda: store.refs.get(name),
        lambda: store.refs.delete(name),
        lambda: store.refs.append(name, digest),
    ):
        with pytest.raises(BadRef, match=r"expected a ref name"):
            call()


@pytest.mark.parametrize("name", ["a", "datasets/penguins/3", "Größe/日本", "a.b-c_d e"])
def test_safe_names_are_taken(name: str) -> None:
    """Ordinary names are fine, in any script."""
    assert check_ref_name(name) == name


def test_set_get_delete(store: Store, digest: Digest) -> None:
    """A ref names what it was set to until it is deleted, and leaves no folder behind."""
    assert store.refs.get("a/b/c") is None
    store.refs.set("a/b/c", digest)
    assert store.refs.get("a/b/c") == digest
    assert (store.layout.refs / "a/b/c").read_text() == f"{digest}\n"
    assert store.refs.delete("a/b/c")
    assert not store.refs.delete("a/b/c")
    assert list(store.layout.refs.iterdir()) == []
    assert repr(ANY) == "ANY"


def test_compare_and_swap(store: Store, digest: Digest) -> None:
    """With ``expect`` a ref moves only from there, and the error says what it is instead."""
    other = store.put(b"y").digest
    with pytest.raises(RefConflict, match="no such ref"):
        store.refs.set("r", digest, expect=other)
    store.refs.set("r", digest, expect=None)
    with pytest.raises(RefConflict, match=digest):
        store.refs.set("r", other, expect=None)
    with pytest.raises(RefConflict):
        store.refs.delete("r", expect=other)
    store.refs.set("r", other, expect=digest)
    assert store.refs.delete("r", expect=other)


def test_ref_names_only_what_is_there(store: Store) -> None:
    """A ref to an object that the store does not have is refused."""
    with pytest.raises(ObjectMissing):
        store.refs.set("r", digest_bytes(b"absent"))


def test_names_do_not_nest(store: Store, digest: Digest) -> None:
    """A ref cannot be a folder of refs too; the error names both sides."""
    store.refs.set("a", digest)
    with pytest.raises(RefConflict, match="found a ref"):
        store.refs.set("a/b", digest)
    assert store.refs.get("a/b") is None
    store.refs.set("c/d", digest)
    with pytest.raises(RefConflict, match="found a folder"):
        store.refs.set("c", digest)
    assert store.refs.get("c") is None
    assert not store.refs.delete("c")
    assert not store.refs.delete("a/b")


def test_list_sorts_numbers_by_value(store: Store, digest: Digest) -> None:
    """Build 10 comes after build 9, and a prefix chooses."""
    for name in ["d/10", "d/9", "d/x", "e/1", "top"]:
        store.refs.set(name, digest)
    assert [ref.name for ref in store.refs.list()] == ["d/9", "d/10", "d/x", "e/1", "top"]
    assert [ref.name for ref in store.refs.list("d/1")] == ["d/10"]
    assert all(ref.digest == digest and ref.mtime > 0 for ref in store.refs.list())


def test_append_takes_the_next_number(store: Store, digest: Digest) -> None:
    """Numbers go on from the highest, whatever else is in the folder."""
    assert store.refs.append("d", digest) == 1
    store.refs.set("d/41", digest)
    store.refs.set("d/latest", digest)
    assert store.refs.append("d", digest) == 42
    assert split_series("d/42") == ("d", 42)
    assert split_series("d/042") is split_series("42") is split_series("d/x") is None


def test_append_by_many_never_takes_a_number_twice(store: Store, digest: Digest, tmp_path: Path) -> None:
    """Threads of two open stores get different numbers, without a gap."""
    with Store.open(tmp_path / "s") as other, ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda n: (store, other)[n % 2].refs.append("d", digest), range(24)))
    assert sorted(taken) == list(range(1, 25))


@pytest.mark.parametrize(
    "content", ["", "abc", "a" * 63 + "\n", "A" * 64 + "\n", "a" * 64, "a" * 64 + "\n\n", "a" * 70]
)
def test_damaged_ref_is_an_error(store: Store, digest: Digest, content: str) -> None:
    """A ref that does not hold exactly a digest is named, never taken for absent; it can be deleted or set again."""
    store.refs.set("d/1", digest)
    (store.layout.refs / "d/1").write_text(content)
    for call in (lambda: store.refs.get("d/1"), lambda: list(store.refs.list())):
        with pytest.raises(BadRef, match=r"refs/d/1"):
            call()
    with pytest.raises(BadRef):
        store.refs.set("d/1", digest, expect=None)
    assert list(store.refs.names()) == ["d/1"]
    store.refs.set("d/1", digest)
    assert store.refs.get("d/1") == digest
    (store.layout.refs / "d/1").write_text(content)
    assert store.refs.delete("d/1")


def test_unreadable_ref_is_an_error(store: Store) -> None:
    """What cannot be read for another reason than absence is an error too."""
    os.symlink("1", store.layout.refs / "1")  # a loop
    with pytest.raises(BadRef):
        store.refs.get("1")


def test_read_only_store_reads_refs_and_sets_none(store: Store, digest: Digest, tmp_path: Path) -> None:
    """A read-only store shows refs and refuses to move them."""
    store.refs.set("r", digest)
    with Store.open(tmp_path / "s", read_only=True) as reader:
        assert reader.refs.get("r") == digest
        with pytest.raises(StoreReadOnly):
            reader.refs.set("r", digest)
        with pytest.raises(StoreReadOnly):
            reader.refs.delete("r")


def test_store_without_refs_folder(store: Store, digest: Digest) -> None:
    """A lost ``refs/`` is empty, and made again."""
    store.layout.refs.rmdir()
    assert list(store.refs.list()) == []
    assert store.refs.append("d", digest) == 1
