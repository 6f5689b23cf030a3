"""Folders that an action stages: cancelled ones stop, hashes asked for are known, and clashing paths are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from mldata.folder import SMALL
from mldata.outputs import Cancelled, StagedOutputs
from store import NameCollision, Store, hash_bytes


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as store:
        yield store


def test_files_aliases_and_hashes(store: Store) -> None:
    """Files of any size and other names for them become one output, a tree; no file is an output of its own."""
    large = [b"x" * (SMALL - 1), b"yz" * SMALL]
    with store.batch() as batch:
        out = StagedOutputs(batch, Event())
        folder = out.folder("all")
        folder.add("a/large", large, hashes=("sha256",))
        folder.add("a/small", [b"1", b"", b"2"])
        folder.add("empty", [])
        folder.alias("b", "a/large")
        made = folder.close()
        assert list(out.finished()) == ["all"]
    found = {name: store.read(entry.digest) for name, entry in store.walk(made.digest)}
    assert found == {"a/large": b"".join(large), "a/small": b"12", "b": b"".join(large), "empty": b""}
    whole = hash_bytes(b"".join(large), ("sha256",))
    assert store.hashes([whole.digest], ["sha256"])[whole.digest].sha256 == whole.sha256


def test_cancelled(store: Store) -> None:
    """When the build stops, a folder stops at the next piece, also within a file, and makes nothing."""
    cancel = Event()

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * SMALL
            cancel.set()

    with pytest.raises(Cancelled), store.batch() as batch:
        StagedOutputs(batch, cancel).folder("all").add("a", endless())
    with pytest.raises(Cancelled), store.batch() as batch:
        StagedOutputs(batch, cancel).folder("all").add("b", [b"1"])
    assert not [path for path in (store.root / "objects").rglob("*") if path.is_file()]
    assert not list((store.root / "tmp").rglob("*"))


def test_clashing_paths(store: Store) -> None:
    """Two paths that some filesystem takes for one are refused."""
    with pytest.raises(NameCollision), store.batch() as batch:
        folder = StagedOutputs(batch, Event()).folder("all")
        folder.add("a", [b"1"])
        folder.add("A", [b"2"])
        folder.close()
