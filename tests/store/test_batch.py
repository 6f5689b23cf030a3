"""A batch is visible as a whole after its commit, and not before."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from store import (
    KIND_FILE,
    Action,
    ActionResult,
    Output,
    Store,
    StoreFull,
    TreeEntry,
    UnsafeName,
    atomic,
    digest_bytes,
)
from store.batch import Batch

KEY = Action("stage", 1, {}, (), {}).key


def test_nothing_is_visible_before_the_commit(store: Store) -> None:
    """Objects, trees and results of a batch appear together, and the batch goes on afterwards."""
    with store.batch() as batch:
        one = batch.put(b"one")
        tree = batch.put_tree([TreeEntry("one", KIND_FILE, *one)])
        batch.add_result(KEY, ActionResult({"out": Output(tree.digest, tree.size, "tree")}))
        assert not store.has(one.digest) and store.actions.get(KEY) is None
        batch.commit()
        assert store.missing(tree.digest) == [] and store.actions.get(KEY) is not None
        two = batch.put(b"two")
    assert store.read(two.digest) == b"two" and batch.recorded[KEY].status == "new"
    assert os.listdir(store.layout.tmp) == []


def test_an_exception_drops_everything(store: Store) -> None:
    """Neither objects nor temporaries are left."""
    with pytest.raises(RuntimeError), store.batch() as batch:
        batch.put(b"one")
        batch.writer().write(b"half")
        raise RuntimeError
    assert list(store.objects) == [] and os.listdir(store.layout.tmp) == []


def test_objects_come_before_trees_before_results(store: Store) -> None:
    """The publish steps of a commit come in the order that keeps every visible name complete."""
    passed: list[str] = []
    with store.batch() as batch:
        id = batch.put(b"x")
        tree = batch.put_tree([TreeEntry("x", KIND_FILE, *id)])
        batch.add_result(KEY, ActionResult({"t": Output(tree.digest, tree.size, "tree")}))
        atomic.on_checkpoint = passed.append
        try:
            batch.commit()
        finally:
            atomic.on_checkpoint = None
    assert [step for step in passed if step.endswith(":after")] == [
        f"{step}:after"
        for step in (
            "batch.sync", "objects.rename", "objects.folders", "trees.rename", "trees.folders",
            "results.rename", "results.folders",
        )
    ]  # fmt: skip
    assert {step.rpartition(":")[0] for step in passed} <= set(atomic.STEPS)


def test_the_first_result_of_an_action_stays(store: Store) -> None:
    """A second builder of the same action is told the result that counts."""
    a, b = store.put(b"a"), store.put(b"b")
    for id, status in ((a, "new"), (a, "same"), (b, "differs")):
        with store.batch() as batch:
            batch.add_result(KEY, ActionResult({"o": Output(*id)}))
        assert batch.recorded[KEY].status == status
        assert batch.recorded[KEY].result.outputs["o"].digest == a.digest


def test_a_writer_is_a_file_that_becomes_an_object(store: Store) -> None:
    """Small and large writes are hashed on the way; closing stages, and closing again does nothing."""
    parts = [b"a" * 10, b"b" * (3 << 20), b"c", b"d" * (1 << 20), memoryview(b"e" * 7), bytearray(b"f")]
    data = b"".join(parts)
    with store.batch() as batch:
        writer = batch.writer(hashes=["md5"])
        for part in parts:
            assert writer.write(part) == len(part)
        assert writer.tell() == len(data) and writer.writable() and not writer.closed
        writer.flush()
        with pytest.raises(ValueError, match="before close"):
            _ = writer.id
        writer.close()
        writer.close()
        assert writer.closed and writer.id == (digest_bytes(data), len(data))
        with pytest.raises(ValueError, match="closed"):
            writer.write(b"")
    assert store.read(writer.id.digest) == data
    assert store.index.get_hashes([writer.id.digest])[writer.id.digest].md5 == hashlib.md5(data).hexdigest()


def test_a_writer_that_is_dropped_stages_nothing(store: Store) -> None:
    """Discarded, left by an exception or forgotten: half an object is never published."""
    with store.batch() as batch:
        batch.writer().discard()
        with pytest.raises(RuntimeError), batch.writer() as writer:
            writer.write(b"half")
            raise RuntimeError
        forgotten = batch.writer()
        forgotten.write(b"half")
        del forgotten
    assert list(store.objects) == []


def test_a_writer_can_be_stopped(store: Store) -> None:
    """What it calls now and then may raise, in the middle of a large object: nothing is staged."""
    calls: list[int] = []

    def checkpoint() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise InterruptedError

    with store.batch() as batch:
        with pytest.raises(InterruptedError), batch.writer(checkpoint=checkpoint) as writer:
            for _ in range(5):
                writer.write(bytes(2 << 20))
        assert writer.tell() == 6 << 20
    assert list(store.objects) == []


def test_parquet_can_be_written_straight_into_a_batch(store: Store) -> None:
    """The writer is file enough for Arrow."""
    table = pa.table({"x": list(range(1000))})
    with store.batch() as batch, batch.writer() as writer:
        pq.write_table(table, pa.PythonFile(writer, mode="w"))
    assert pq.read_table(store.path(writer.id.digest)).equals(table)


def test_threads_share_a_batch(store: Store) -> None:
    """Equal and different content from several threads ends as one object each."""
    with store.batch() as batch:

        def work() -> None:
            for number in range(50):
                batch.put(b"%d" % number)
                with batch.writer() as writer:
                    writer.write(b"w%d" % number)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(list(store.objects)) == 100
    for id in store.objects:
        assert digest_bytes(store.read(id.digest)) == id.digest


def test_content_that_is_there_is_not_written_again(store: Store) -> None:
    """The file stays the same file."""
    id = store.put(b"x")
    inode = store.path(id.digest).stat().st_ino
    with store.batch() as batch:
        assert batch.put(b"x") == batch.put(b"x") == id
        with batch.writer() as writer:
            writer.write(b"x")
        assert writer.id == id
    assert store.path(id.digest).stat().st_ino == inode


def test_a_lease_names_what_a_batch_made_and_found(store: Store) -> None:
    """gc beside a build leaves what the build put, also what was there before."""
    old = store.put(b"old")
    with store.lease("test"), Store.open(store.root) as other:
        with store.batch() as batch:
            new = batch.put(b"new")
            batch.put(b"old")
            tree = batch.put_tree([TreeEntry("new", KIND_FILE, *new)])
            batch.add_result(
                KEY, ActionResult({"f": Output(*new), "t": Output(tree.digest, tree.size, "tree")})
            )
        other.execute_gc(other.plan_gc())
        assert store.has(old.digest) and store.missing(tree.digest) == [] and store.actions.get(KEY)
    store.execute_gc(store.plan_gc())
    assert list(store.objects) == []


def test_a_full_disk_leaves_the_store_sound(small_disk: Path) -> None:
    """The error says where and how much; what was there stays, temporaries go, and work goes on when there is room."""
    with Store.open(small_disk / "s") as store:
        kept = store.put(b"kept")
        (small_disk / "ballast").write_bytes(bytes(1 << 20))
        with pytest.raises(StoreFull, match="mldata gc") as caught:
            store.put(os.urandom(4 << 20))
        assert caught.value.needed == 4 << 20 and caught.value.free is not None
        for threads in (1, 2):
            with (
                pytest.raises(StoreFull),
                store.batch() as batch,
                batch.writer(hashes=["sha256"], threads=threads) as writer,
            ):
                for _ in range(5):
                    writer.write(os.urandom(1 << 20))
        with pytest.raises(StoreFull), store.batch() as batch:
            for _ in range(100_000):
                batch.put(os.urandom(500))
        assert list(store.objects) == [kept] and os.listdir(store.layout.tmp) == []
        assert store.read(kept.digest) == b"kept"
        (small_disk / "ballast").unlink()
        assert store.put(os.urandom(3 << 20)).size == 3 << 20


def test_results_need_an_action_cache(store: Store) -> None:
    """A batch made by hand, without one, says so."""
    with pytest.raises(TypeError, match="action cache"):
        Batch(store.objects).add_result(KEY, ActionResult({}))


def test_a_file_is_staged_with_all_its_digests(store: Store, tmp_path: Path) -> None:
    """A file's digests are known before it is visible, its progress ends at its size; a batch that is dropped keeps nothing."""
    data = os.urandom(9 << 20)
    path = tmp_path / "file"
    path.write_bytes(data)
    seen: list[int] = []
    with pytest.raises(ZeroDivisionError), store.batch() as batch:
        found = batch.put_file(path, hashes=("sha256",), progress=seen.append)
        raise ZeroDivisionError
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert seen == sorted(seen) and seen[-1] == len(data) and len(seen) > 1
    assert not store.has(found.digest)
    with store.batch() as batch:
        assert batch.put_file(path).digest == found.digest
    assert store.read(found.digest) == data
    with pytest.raises(UnsafeName, match="a folder"), store.batch() as batch:
        batch.put_file(tmp_path)


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("hashes", [(), ("sha256",), ("md5", "sha256")])
def test_threads_change_nothing_of_what_is_written(
    store: Store, threads: int, hashes: tuple[str, ...]
) -> None:
    """Bytes and digests are those of the pieces in order, small and large ones, also where each piece is in the memory of the one before."""
    pieces = [
        bytes([number]) * size for number, size in enumerate((10, 3 << 20, 300_000, 1, 1 << 20, 2 << 20))
    ]
    buffer = memoryview(bytearray(3 << 20))
    with store.batch() as batch, batch.writer(hashes=hashes, threads=threads) as writer:
        for piece in pieces:
            buffer[: len(piece)] = piece
            writer.write(buffer[: len(piece)])
    whole = b"".join(pieces)
    assert store.read(writer.id.digest) == whole and writer.id.digest == digest_bytes(whole)
    assert writer.hashes is not None
    for name in hashes:
        assert getattr(writer.hashes, name) == hashlib.new(name, whole).hexdigest()


def test_the_disk_begins_early_with_a_large_object(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each range is asked for once, in order, when enough has come together; and it is the object's own."""
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr("store.batch.WRITEBACK_BYTES", 2 << 20)
    monkeypatch.setattr("store.batch.start_writeback", lambda fd, start, size: asked.append((start, size)))
    with store.batch() as batch, batch.writer() as writer:
        for _ in range(5):
            writer.write(bytes(1 << 20))
    assert asked == [(0, 2 << 20), (2 << 20, 2 << 20)]
