"""What an agent answers to git lfs, line by line."""

from __future__ import annotations

import io
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.lfsagent.place import StorePlace, ref_name
from mldata.lfsagent.protocol import LONGEST, TransferError, parse
from store import Digest, Store
from tests.lfsagent.session import download, init, oid_of, repository, talk, upload

ONE = b"one\n" * 3_000_000
"""Larger than what is hashed at a time."""
END = {"event": "terminate"}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store, with a git repository as the working folder."""
    monkeypatch.chdir(repository(tmp_path / "repo"))
    Store.open(tmp_path / "store").close()
    return tmp_path / "store"


def put(tmp_path: Path, data: bytes) -> Path:
    """A file to upload."""
    path = tmp_path / f"file-{oid_of(data)[:8]}"
    path.write_bytes(data)
    return path


def digest_of(store: Path, data: bytes) -> Digest:
    """The store's digest of an object that was uploaded."""
    with Store.open(store) as opened:
        tree = opened.refs.get(ref_name(oid_of(data)))
        assert tree is not None
        (entry,) = opened.tree(tree)
        return entry.digest


def test_an_upload_comes_back(store: Path, tmp_path: Path) -> None:
    """What was uploaded is fetched as a file in git lfs's own folder; progress adds up to the size both ways; nothing is left behind."""
    ready, *news, done = talk(store, init("upload"), upload(put(tmp_path, ONE)), END)
    assert ready == {}
    assert len(news) > 1 and news[-1]["bytesSoFar"] == sum(it["bytesSinceLast"] for it in news) == len(ONE)
    assert {it["event"] for it in news} == {"progress"} and {it["oid"] for it in news} == {oid_of(ONE)}
    assert done == {"event": "complete", "oid": oid_of(ONE)}

    folder = tmp_path / "repo/.git/lfs/tmp"
    taken: list[Any] = []

    class Replies(io.BytesIO):
        """Moves what was fetched, as git lfs does."""

        def write(self, line: Any) -> int:
            if b'"path"' in line:
                path = Path(json.loads(line)["path"])
                assert path.is_relative_to(folder)
                os.rename(path, tmp_path / "moved")
            taken.append(line)
            return len(line)

    talk(store, init("download"), download(ONE), download(ONE), END, replies=Replies())
    assert (tmp_path / "moved").read_bytes() == ONE
    assert sum(b"complete" in line for line in taken) == 2
    assert list(folder.iterdir()) == []


def test_what_is_moved_away_does_not_open_the_store(store: Path, tmp_path: Path) -> None:
    """A fetched file shares no writable inode with the store, and the object stays sound when git lfs changes its mode or removes it."""
    talk(store, init("upload"), upload(put(tmp_path, b"abc")))
    with StorePlace(store, writing=False) as place:
        path = place.fetch(oid_of(b"abc"), 3, tmp_path, lambda done: None)
    found = path.stat()
    assert found.st_nlink == 1 or not found.st_mode & 0o222
    path.chmod(stat.S_IMODE(found.st_mode) | 0o200)  # git lfs takes over the mode of a file that it replaces
    path.unlink()
    with Store.open(store) as opened:
        assert opened.intact(digest_of(store, b"abc"))


def test_many_in_one_conversation(store: Path, tmp_path: Path) -> None:
    """One transfer that fails ends no other, and says which object, what was expected and what to do."""
    good, other = put(tmp_path, b"good"), put(tmp_path, b"other")
    lying = {**upload(other), "oid": oid_of(b"good2")}
    short = {**upload(good), "size": 3}
    gone = upload(tmp_path / "nowhere", b"gone")
    folder = upload(tmp_path, b"folder")
    replies = talk(store, init("upload"), lying, short, gone, folder, upload(good), END)
    done = [it for it in replies if it.get("event") == "complete"]
    assert [it["oid"] for it in done] == [it["oid"] for it in (lying, short, gone, folder, upload(good))]
    assert [it.get("error", {}).get("code") for it in done] == [422, 422, 500, 500, None]
    assert "git lfs fsck" in done[0]["error"]["message"]
    with Store.open(store) as opened:
        assert list(opened.refs.names()) == [ref_name(oid_of(b"good"))]
        kept = {id.size for id in opened.objects}
    assert 5 not in kept  # what turned out to be something else is nowhere


def test_an_object_that_is_not_there(store: Path) -> None:
    """The error of a missing object names the store and how the object gets there; a wrong size is another."""
    ready, missing = talk(store, init("download"), download(b"never"))
    assert ready == {}
    assert missing["error"]["code"] == 404
    assert str(store) in missing["error"]["message"] and "git lfs push --all" in missing["error"]["message"]


def test_a_wrong_size_is_told(store: Path, tmp_path: Path) -> None:
    """A pointer with another size than the content's gets an error, not the content."""
    talk(store, init("upload"), upload(put(tmp_path, b"abc")))
    told = talk(store, init("download"), {**download(b"abc"), "size": 4})[-1]
    assert told["error"]["code"] == 422 and "4 bytes" in told["error"]["message"]


@pytest.mark.parametrize("lost", ["content", "tree", "ref", "flipped"])
def test_damage_is_never_served_and_an_upload_mends_it(store: Path, tmp_path: Path, lost: str) -> None:
    """An object of which any part is lost or altered is answered as missing; uploading it again brings it back."""
    path = put(tmp_path, b"abc")
    talk(store, init("upload"), upload(path))
    digest = digest_of(store, b"abc")
    ref = store / "refs" / ref_name(oid_of(b"abc"))
    objects = store / "objects"
    content = objects / digest[:2] / digest
    tree = objects / ref.read_text()[:2] / ref.read_text().strip()
    if lost == "flipped":
        content.chmod(0o644)
        content.write_bytes(b"abd")
    elif lost == "ref":
        ref.write_text("?")
    else:
        (content if lost == "content" else tree).unlink()
    (store / "index.sqlite").unlink()  # else it would know the content without ref and tree
    assert talk(store, init("download"), download(b"abc"))[-1]["error"]["code"] == 404
    assert talk(store, init("upload"), upload(path))[-1] == {"event": "complete", "oid": oid_of(b"abc")}
    assert "path" in talk(store, init("download"), download(b"abc"))[-1]


def test_an_upload_that_is_cut_off(store: Path, tmp_path: Path) -> None:
    """When git lfs goes away in the middle, the store holds nothing half, and the next upload goes through."""
    path = put(tmp_path, ONE)

    class Gone(io.BytesIO):
        def write(self, line: Any) -> int:
            if b"progress" in line:
                raise BrokenPipeError
            return len(line)

    with pytest.raises(BrokenPipeError):
        talk(store, init("upload"), upload(path), replies=Gone())
    with Store.open(store) as opened:
        assert (list(opened.refs.names()), list(opened.objects)) == ([], [])
        assert opened.check().ok
        assert list((store / "tmp").iterdir()) == []
    assert talk(store, init("upload"), upload(path))[-1]["event"] == "complete"


def test_gc_keeps_what_was_uploaded(store: Path, tmp_path: Path) -> None:
    """Garbage collection, however strict, keeps uploaded objects, names their refs as roots, and removes the rest."""
    talk(store, init("upload"), upload(put(tmp_path, b"kept")))
    with Store.open(store) as opened:
        stray = opened.put(b"stray")
        plan = opened.execute_gc(opened.plan_gc(keep_last=1, max_size=0))
        assert ("ref", ref_name(oid_of(b"kept"))) in [(root.kind, root.name) for root in plan.roots]
        assert not opened.has(stray)
    assert "path" in talk(store, init("download"), download(b"kept"))[-1]


def test_content_with_the_bytes_of_a_tree(store: Path, tmp_path: Path) -> None:
    """A file that looks like a tree of the store is content like any other: gc does not look for what it lists."""
    with Store.open(store) as opened:
        below = opened.put(b"below")
        tree = opened.put_paths([("x", below, False)])
        data = opened.read(tree)
    talk(store, init("upload"), upload(put(tmp_path, data)))
    with Store.open(store) as opened:
        opened.execute_gc(opened.plan_gc())
        assert not opened.has(below)
        assert opened.plan_gc().warnings == ()
    assert "path" in talk(store, init("download"), download(data))[-1]


def test_what_an_export_holds_needs_no_upload(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that the store has with a known SHA-256 is served without an upload; uploading it stores no second copy, but a ref."""
    with Store.open(store) as opened:
        id = opened.put(b"exported", hashes=("sha256",))
    assert "path" in talk(store, init("download"), download(b"exported"))[-1]
    with Store.open(store) as opened:
        assert list(opened.refs.names()) == []
    monkeypatch.setattr("store.batch.copy_in", None)  # nothing is copied
    talk(store, init("upload"), upload(put(tmp_path, b"exported")))
    assert digest_of(store, b"exported") == id.digest


def test_what_gc_takes_meanwhile_is_stored_anew(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Content that was there a moment ago, and that a gc removed before it was leased, is taken from the file."""
    with Store.open(store) as opened:
        id = opened.put(b"exported", hashes=("sha256",))
        opened.execute_gc(opened.plan_gc())
        assert not opened.has(id)
    monkeypatch.setattr(StorePlace, "_made_here", lambda self, oid, path=None: id)
    assert talk(store, init("upload"), upload(put(tmp_path, b"exported")))[-1]["event"] == "complete"
    with Store.open(store) as opened:
        assert opened.read(digest_of(store, b"exported")) == b"exported"
        assert opened.check(read_data=True).ok


def test_a_lying_index_does_no_harm(store: Path, tmp_path: Path) -> None:
    """An index that knows a wrong SHA-256 never leads to a ref to other content."""
    from store import Hashes

    with Store.open(store) as opened:
        other = opened.put(b"other")
        opened.index.put_hashes([Hashes(other.digest, 5, None, oid_of(b"right"))])
    assert talk(store, init("upload"), upload(put(tmp_path, b"right")))[-1]["event"] == "complete"
    assert digest_of(store, b"right") != other.digest


def test_a_store_that_cannot_be_written(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only store still serves, what was uploaded and what was exported, and refuses uploads at once."""
    talk(store, init("upload"), upload(put(tmp_path, b"abc")))
    with Store.open(store) as opened:
        opened.put(b"exported", hashes=("sha256",))
    monkeypatch.setattr("store.store._writable", lambda layout: False)
    assert "path" in talk(store, init("download"), download(b"abc"))[-1]
    assert "path" in talk(store, init("download"), download(b"exported"))[-1]
    refused, *_ = talk(store, init("upload"))
    assert refused["error"]["code"] == 403


def test_no_store(store: Path, tmp_path: Path) -> None:
    """A folder without a store is told in the answer to init, and is not made one: it may be a disk that is not mounted."""
    told, after = talk(tmp_path / "none", init("download"), download(b"abc"))
    assert told["error"]["code"] == 404 and "--setup" in told["error"]["message"]
    assert "init" in after["error"]["message"]
    assert not (tmp_path / "none").exists()


def test_outside_of_a_repository(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a repository there is nowhere to put what is fetched: an error, not a file elsewhere."""
    talk(store, init("upload"), upload(put(tmp_path, b"abc")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "repository" in talk(store, init("download"), download(b"abc"))[-1]["error"]["message"]


HOSTILE = [
    b"not json\n",
    b"[]\n",
    b"\xff\xfe\n",
    b"\n",
    b'{"event": "delete"}\n',
    b'{"event": "init", "operation": "erase"}\n',
    {"event": "download", "oid": "../../../etc/passwd", "size": 1},
    {"event": "download", "oid": "A" * 64, "size": 1},
    {"event": "download", "oid": "a" * 64 + "\n", "size": 1},
    {"event": "download", "oid": 7, "size": 1},
    {"event": "download", "oid": "a" * 64, "size": -1},
    {"event": "download", "oid": "a" * 64, "size": True},
    {"event": "upload", "oid": "a" * 64, "size": 1},
    {"event": "upload", "oid": "a" * 64, "size": 1, "path": "a\0b"},
    b"[" * 100_000 + b"\n",
]


def test_lines_that_are_no_requests(store: Path) -> None:
    """Each line that makes no sense gets one error with a code, which repeats the object's id where there is one; serving goes on."""
    ready, *told, last = talk(store, init("download"), *HOSTILE, download(b"x"), END)
    assert ready == {}
    assert [it["error"]["code"] for it in told] == [400] * len(HOSTILE)
    assert told[6]["oid"] == "../../../etc/passwd"
    assert last["error"]["code"] == 404


def test_a_line_without_end(store: Path) -> None:
    """A line longer than any request ends the conversation with an error: memory stays bounded."""
    told = talk(store, init("download"), b"x" * (LONGEST + 10), download(b"x"))
    assert len(told) == 2 and "at most" in told[1]["error"]["message"]


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_line_is_a_request_or_an_error(line: bytes) -> None:
    """No line makes the reader fail in another way."""
    try:
        assert parse(line).event
    except TransferError as error:
        assert str(error)
