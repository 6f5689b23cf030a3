"""The stat cache saves hashing and is never wrong: what it says equals what hashing everything would say."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mldata.snapshot import Changes, Snapshots, combined, compare
from mldata.sources import open_source
from mldata.sources.base import Listing
from store import Digest, digest_bytes, hash_file
from store.index import Index

TREE = Digest("ee" * 32)


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    """A stat cache over a real index."""
    store: Any = SimpleNamespace(index=Index(tmp_path / "index.sqlite"))
    return Snapshots(store, "source")


def folder(tmp_path: Path, **files: str) -> Path:
    """A source folder whose files are old enough to be trusted."""
    root = tmp_path / "d"
    root.mkdir(exist_ok=True)
    for name, text in files.items():
        (root / name).write_text(text)
    return root


def settle() -> None:
    """Let the clock's granularity pass, so that what was written before is not racy."""
    time.sleep(0.05)


def listing(root: Path) -> Listing:
    return open_source(str(root), root).listing()


def digests(root: Path) -> dict[str, Digest]:
    return {path.name: hash_file(path).digest for path in root.iterdir()}


def entries(root: Path) -> dict[str, tuple[Digest, int]]:
    return {path.name: (hash_file(path).digest, path.stat().st_size) for path in root.iterdir()}


def test_nothing_changed(tmp_path: Path, snapshots: Snapshots) -> None:
    """An untouched folder is known as a whole by its signature, and file by file."""
    root = folder(tmp_path, a="1", b="2")
    settle()
    snapshots.record(listing(root), digests(root), TREE)
    assert snapshots.unchanged(listing(root), TREE)
    assert snapshots.known(listing(root)) == digests(root)


def test_another_tree_is_not_the_one_recorded(tmp_path: Path, snapshots: Snapshots) -> None:
    """The signature stands for one tree only."""
    root = folder(tmp_path, a="1")
    settle()
    snapshots.record(listing(root), digests(root), TREE)
    assert not snapshots.unchanged(listing(root), Digest("dd" * 32))


def test_touched_files_are_the_same(tmp_path: Path, snapshots: Snapshots) -> None:
    """New time stamps on old content are no change, and the next look is cheap again."""
    root = folder(tmp_path, a="1", b="2")
    settle()
    snapshots.record(listing(root), digests(root), TREE)
    then = entries(root)
    for path in root.iterdir():
        os.utime(path, (1, 1))
    settle()
    assert not snapshots.unchanged(listing(root), TREE)
    changes, known = compare(snapshots, listing(root), TREE, then)
    assert changes == Changes() and not changes
    assert known == digests(root)
    assert snapshots.unchanged(listing(root), TREE)


def test_added_removed_modified(tmp_path: Path, snapshots: Snapshots) -> None:
    """Every kind of change is told by name, also an edit that keeps the size."""
    root = folder(tmp_path, a="1", b="2", c="3", d="4")
    settle()
    snapshots.record(listing(root), digests(root), TREE)
    then = entries(root)
    (root / "a").write_text("x")
    (root / "b").write_text("longer")
    (root / "c").unlink()
    (root / "e").write_text("new")
    changes, known = compare(snapshots, listing(root), TREE, then)
    assert changes == Changes(added=("e",), removed=("c",), modified=("a", "b"))
    assert known["a"] == digest_bytes(b"x")
    assert "e" not in known


def test_a_racy_edit_is_seen(tmp_path: Path, snapshots: Snapshots) -> None:
    """A file written again within one clock tick, same size and same times, is still hashed again."""
    root = folder(tmp_path, a="1")
    settle()
    (root / "a").write_text("2")
    seen = listing(root)
    snapshots.record(seen, {"a": digest_bytes(b"2")}, TREE)
    assert not snapshots.unchanged(seen, TREE)
    assert snapshots.known(seen) == {}


def test_without_an_index_everything_is_hashed(tmp_path: Path, snapshots: Snapshots) -> None:
    """Losing the cache loses time only."""
    root = folder(tmp_path, a="1")
    assert not snapshots.unchanged(listing(root), TREE)
    changes, _ = compare(snapshots, listing(root), TREE, entries(root))
    assert not changes


@pytest.mark.parametrize("blob", [b"", b"\xc1", b"\x93\x01\x02\x03", b"\x94\x01\x91\xa1a\xc4\x00\xc4\x00"])
def test_a_damaged_row_is_ignored(tmp_path: Path, snapshots: Snapshots, blob: bytes) -> None:
    """Whatever the cache holds, it is checked before it is used."""
    root = folder(tmp_path, a="1")
    settle()
    snapshots._store.index.put_blob("snapshot-head:source", blob)
    snapshots._store.index.put_blob("snapshot-rows:source", blob)
    assert not snapshots.unchanged(listing(root), TREE)
    assert snapshots.known(listing(root)) == {}


def test_several_sources_keep_apart(tmp_path: Path) -> None:
    """Files of equal name in two sources stay two files."""
    one = folder(tmp_path / "1" if (tmp_path / "1").mkdir() is None else tmp_path, a="1")
    (tmp_path / "2").mkdir()
    two = folder(tmp_path / "2", a="2")
    both = combined([listing(one), listing(two)])
    assert both.names == ["0/a", "1/a"]
    assert combined([listing(one)]).names == ["a"]
