"""Objects are served verified, or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import BadDigest, Digest, ObjectCorrupt, ObjectMissing, Store, digest_bytes, is_sealed


def edit(store: Store, digest: Digest, data: bytes) -> Path:
    """Overwrite an object in place, as an editor of a hardlink does."""
    path = store.layout.object(digest)
    path.chmod(0o644)
    path.write_bytes(data)
    return path


def in_quarantine(store: Store) -> list[bytes]:
    return sorted(path.read_bytes() for path in store.layout.quarantine.iterdir())


@pytest.mark.parametrize("data", [b"", b"x", b"0123456789" * 300_000])
def test_what_is_put_is_read_back(store: Store, data: bytes) -> None:
    """Bytes and streams come back by every way of reading; the file is read-only and sealed."""
    id = store.put(data)
    assert store.put(io.BytesIO(data)) == id == (digest_bytes(data), len(data))
    assert store.read(id.digest) == data == store.path(id.digest).read_bytes()
    with store.open_object(id.digest) as file:
        assert file.read() == data
    found = store.path(id.digest).stat()
    assert stat.S_IMODE(found.st_mode) == 0o444 and is_sealed(found, id.digest, id.size)
    assert (
        store.has(id.digest) and store.intact(id.digest, id.size) and not store.intact(id.digest, id.size + 1)
    )
    assert list(store.objects) == [id] and os.listdir(store.layout.tmp) == []


def test_what_is_not_there_is_missing(store: Store) -> None:
    """Every way of reading says which object is missing and what to run."""
    digest = digest_bytes(b"none")
    assert not store.has(digest) and not store.intact(digest)
    for read in (store.read, store.path, store.open_object, lambda d: store.hashes([d], ["md5"])):
        with pytest.raises(ObjectMissing, match=f"{digest}.*mldata build"):
            read(digest)
    with pytest.raises(BadDigest):
        store.path(Digest("../../etc/passwd"))


@pytest.mark.parametrize("reader", ["read", "path", "open_object"])
@pytest.mark.parametrize("damage", [b"", b"conten", b"CONTENT", b"content and more"])
def test_an_edited_object_is_moved_aside_and_never_served(store: Store, reader: str, damage: bytes) -> None:
    """Reading it raises with both names and the way back; putting the content again brings it back."""
    id = store.put(b"content")
    path = edit(store, id.digest, damage)
    with pytest.raises(ObjectCorrupt) as caught:
        getattr(store, reader)(id.digest)
    assert (
        id.digest in str(caught.value)
        and str(path) in str(caught.value)
        and "mldata build" in str(caught.value)
    )
    assert in_quarantine(store) == [damage] and not store.has(id.digest)
    assert store.put(b"content") == id and store.read(id.digest) == b"content"


def test_damage_under_an_intact_seal_is_found_by_reading(store: Store) -> None:
    """``read`` hashes always: a flipped bit that left the times alone is not served."""
    id = store.put(b"content")
    times = store.path(id.digest).stat()
    path = edit(store, id.digest, b"cOntent")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(ObjectCorrupt):
        store.read(id.digest)


def test_putting_over_a_bad_object_replaces_it(store: Store) -> None:
    """Content that is there with a broken seal is verified; the bad file is kept in quarantine."""
    id = store.put(b"content")
    edit(store, id.digest, b"broken!")
    assert store.put(b"content") == id
    assert store.read(id.digest) == b"content" and in_quarantine(store) == [b"broken!"]
    edit(store, id.digest, b"again!!")
    store.put(b"content")
    assert in_quarantine(store) == [b"again!!", b"broken!"]


def test_a_lost_seal_is_put_back_after_hashing(store: Store) -> None:
    """A copied or touched object is verified once and then recognised by its seal."""
    id = store.put(b"content")
    os.utime(store.layout.object(id.digest))
    assert not store.intact(id.digest)
    store.path(id.digest)
    assert store.intact(id.digest)
    os.utime(store.layout.object(id.digest))
    assert store.put(b"content") == id and store.intact(id.digest)


@pytest.mark.parametrize("what", ["folder", "link", "dangling"])
def test_what_is_no_file_is_moved_aside(store: Store, tmp_path: Path, what: str) -> None:
    """A folder or a link under an object's name is not followed, and makes room for the object."""
    id = store.put(b"content")
    path = store.layout.object(id.digest)
    path.unlink()
    if what == "folder":
        path.mkdir()
    else:
        (tmp_path / "elsewhere").write_bytes(b"content")
        path.symlink_to(tmp_path / ("elsewhere" if what == "link" else "nowhere"))
    assert not store.intact(id.digest)
    with pytest.raises(ObjectCorrupt):
        store.read(id.digest)
    assert store.put(b"content") == id and store.read(id.digest) == b"content"
    path.unlink()
    path.mkdir()
    for reader in (store.path, store.open_object):
        with pytest.raises((ObjectCorrupt, ObjectMissing)):
            reader(id.digest)


def test_secondary_digests_are_computed_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for at put or later, they are remembered; only what is not known is read."""
    now = store.put(b"now", hashes=["md5", "sha256"]).digest
    later = store.put(b"later").digest
    got = store.hashes([now, later, now], ["sha256"])
    assert got[later].sha256 == hashlib.sha256(b"later").hexdigest() and got[later].md5 is None
    both = store.hashes([later], ["md5"])
    assert both[later].md5 == hashlib.md5(b"later").hexdigest()
    monkeypatch.setattr(store.objects, "verify_content", None)
    known = store.hashes([later, now], ["md5", "sha256"])
    assert known[now].md5 == hashlib.md5(b"now").hexdigest() and known[later].sha256 == got[later].sha256


def test_secondary_digests_of_a_bad_object_are_refused(store: Store) -> None:
    """Its bytes are verified in the same pass."""
    id = store.put(b"content")
    edit(store, id.digest, b"CONTENT")
    with pytest.raises(ObjectCorrupt):
        store.hashes([id.digest], ["md5"])


def test_quarantine_leaves_what_has_taken_the_place(store: Store) -> None:
    """A file that another process put there meanwhile is not the one that was found bad."""
    id = store.put(b"content")
    path = store.layout.object(id.digest)
    old = path.stat()
    os.rename(path, path.with_suffix(".bad"))
    store.put(b"content")
    assert store.objects.quarantine(id.digest, old) is None and store.intact(id.digest)
    assert store.objects.quarantine(digest_bytes(b"none")) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=20), max_size=6))
def test_objects_are_listed_once_each(store: Store, contents: list[bytes]) -> None:
    """Equal content is one object."""
    for content in contents:
        store.put(content)
        assert store.read(digest_bytes(content)) == content
    listed = list(store.objects)
    assert len(set(listed)) == len(listed) and {(digest_bytes(c), len(c)) for c in contents} <= set(listed)
