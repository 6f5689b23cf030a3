"""Objects are taken over from another store: hashed, and by link where that can be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import ObjectCorrupt, ObjectId, ObjectMissing, Store, digest_bytes, reseal


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """Another store."""
    with Store.open(tmp_path / "other") as store:
        yield store


def tamper(store: Store, id: ObjectId) -> None:
    """Other bytes under the seal of the right ones, as only somebody who means it writes them."""
    path = store.layout.object(id.digest)
    path.chmod(0o644)
    path.write_bytes(b"x" * id.size)
    with path.open("rb+") as file:
        reseal(file.fileno(), id.digest)
    assert store.intact(id.digest, id.size)


def test_objects_are_linked(store: Store, other: Store) -> None:
    """What is taken over is the other store's file, whole and sealed; once more changes nothing."""
    ids = [other.put(b"one"), other.put(b"two" * 1000), other.put(b"one")]
    assert list(store.borrow(other, ids)) == ids
    assert list(store.borrow(other, ids)) == ids
    for id in ids:
        assert store.intact(id.digest, id.size)
        assert os.path.samefile(store.path(id), other.path(id))


def test_objects_are_copied_where_there_are_no_links(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another filesystem, say, they are files of their own."""
    id = other.put(b"bytes" * 500_000)

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    assert list(store.borrow(other, [id])) == [id]
    assert store.read(id) == other.read(id)
    assert not os.path.samefile(store.path(id), other.path(id))


def test_a_seal_is_not_believed(store: Store, other: Store) -> None:
    """An object with other bytes under a right seal is found, and moved aside where it was."""
    id = other.put(b"right bytes")
    tamper(other, id)
    with pytest.raises(ObjectCorrupt, match=id.digest):
        list(store.borrow(other, [id]))
    assert not store.has(id) and not other.has(id)


def test_what_is_not_there_is_an_error(store: Store, other: Store) -> None:
    """An object that the other store lacks, or that has another size than is said."""
    with pytest.raises(ObjectMissing):
        list(store.borrow(other, [ObjectId(digest_bytes(b"no"), 2)]))
    with pytest.raises(ObjectCorrupt):
        list(store.borrow(other, [ObjectId(other.put(b"yes").digest, 2)]))
