"""Thousands of small files taken in by workers end as those taken in one by one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from store import (
    Digest,
    ObjectId,
    SourceUnreadable,
    Store,
    StoreFull,
    UnsafeName,
    atomic,
    bulk,
    digest_bytes,
    ingest,
    stager,
)
from store.source import SMALL
from store.workers import Worker, worker_count

COUNT = 700


@pytest.fixture(autouse=True)
def _from_few_files_on(monkeypatch: pytest.MonkeyPatch) -> None:
    if not worker_count(2):
        pytest.skip("workers need Linux and two processors")
    monkeypatch.setattr(ingest, "BULK_FILES", 300)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of many contents, some equal, one program, one large, one empty."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for number in range(COUNT):
        (folder / "sub" / f"{number:04d}").write_bytes(b"%d" % (number // 2) * 50)
    (folder / "sub/0007").chmod(0o755)
    (folder / "large").write_bytes(os.urandom(SMALL + 1))
    (folder / "empty").write_bytes(b"")
    return folder


def test_workers_and_threads_make_the_same_tree(
    store: Store, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all digests and the whole of the progress; nothing is left in ``tmp``."""
    by_workers: list[bool] = []
    real = Worker.ask

    def ask(self: Worker, request: Any) -> Any:
        by_workers.append(True)
        return real(self, request)

    monkeypatch.setattr(Worker, "ask", ask)
    tree = store.ingest(folder, hashes=["md5"])
    assert len(by_workers) == 3
    monkeypatch.setattr(ingest, "BULK_FILES", 10**9)
    with Store.open(tmp_path / "other") as other:
        assert other.ingest(folder) == tree
    assert len(by_workers) == 3
    assert store.missing(tree.digest) == [] and os.listdir(store.layout.tmp) == []
    found = dict(store.walk(tree.digest))
    assert found["sub/0007"].executable and not found["sub/0006"].executable
    one = found["sub/0100"].digest
    assert store.index.get_hashes([one])[one].md5 == hashlib.md5(b"50" * 50).hexdigest()
    for id in store.objects:
        assert store.intact(id.digest, id.size) and digest_bytes(store.read(id.digest)) == id.digest


def test_known_content_is_not_written_again(store: Store, folder: Path) -> None:
    """Also when a seal is lost or an object is bad: then it is verified, and replaced."""
    tree = store.ingest(folder)
    ids = [store.walk(tree.digest).__next__()[1].digest, digest_bytes(b"3" * 50), digest_bytes(b"4" * 50)]
    inodes = [store.layout.object(digest).stat().st_ino for digest in ids]
    os.utime(store.layout.object(ids[1]))
    store.layout.object(ids[2]).chmod(0o644)
    store.layout.object(ids[2]).write_bytes(b"bad")
    seen: list[tuple[int, int]] = []
    files = [(f"{n}", folder / "sub" / f"{n:04d}") for n in range(COUNT)] + [("empty", folder / "empty")]
    store.ingest_files(files, progress=lambda count, size: seen.append((count, size)))
    assert seen[-1] == (COUNT + 1, sum(path.stat().st_size for _, path in files))
    assert store.ingest(folder) == tree and store.missing(tree.digest) == []
    after = [store.layout.object(digest).stat().st_ino for digest in ids]
    assert after[:2] == inodes[:2] and store.read(ids[2]) == b"4" * 50


def test_a_bad_file_among_many_is_an_error_that_names_it(store: Store, folder: Path) -> None:
    """What workers pass over, the parent looks at; then nothing becomes visible."""
    files: list[tuple[str, Any]] = [("x", folder / "sub/0000")] * 400
    for bad, error in (
        (folder / "none", SourceUnreadable),
        (folder / "sub", UnsafeName),
        ("a\0b", UnsafeName),
    ):
        with pytest.raises(error):
            store.ingest_files([*files, ("bad", bad)])
    assert list(store.objects) == [] and os.listdir(store.layout.tmp) == []


def test_a_bad_name_found_while_workers_are_at_work(store: Store, folder: Path) -> None:
    """Files are taken in while the rest is still being listed: an error there leaves nothing behind either."""
    (folder / "zzz").mkdir()
    (folder / "zzz" / "con").write_bytes(b"")
    with pytest.raises(UnsafeName, match="con"):
        store.ingest(folder)
    assert list(store.objects) == [] and os.listdir(store.layout.tmp) == []
    (folder / "zzz" / "con").unlink()
    assert len(list(store.walk(store.ingest(folder).digest))) == COUNT + 2


@pytest.mark.parametrize("after", [False, True])
def test_workers_that_die_lose_time_only(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    """Killed at once or with work done that nobody heard of, their files are taken in by the parent."""
    real = Worker.ask

    def dies(self: Worker, request: Any) -> Any:
        if after:
            rows = real(self, request)
            temp = os.path.join(f"/proc/self/fd/{request[1]}", next(row[7] for row in rows if row[7]))
            os.chmod(temp, 0o644)
            os.truncate(temp, 0)  # as if it had been writing it when it died
        os.kill(self.pid, 9)
        return real(self, request)

    monkeypatch.setattr(Worker, "ask", dies)
    tree = store.ingest(folder)
    assert store.missing(tree.digest) == [] and len(list(store.walk(tree.digest))) == COUNT + 2
    assert store.check(read_data=True).ok and os.listdir(store.layout.tmp) == []


def test_a_new_store_gets_whole_folders(
    store: Store, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One rename a folder where the store has none of that name; a file at a time where it has."""
    renamed: list[tuple[str, str]] = []
    real = os.rename

    def rename(source: str, target: str, **fds: int) -> None:
        real(source, target, **fds)
        renamed.append((str(source), str(target)))

    monkeypatch.setattr(os, "rename", rename)
    other = store.put(b"a stranger").digest
    renamed.clear()
    tree = store.ingest(folder)
    whole = [target for _, target in renamed if target.startswith("objects/") and len(target) == 10]
    assert len(whole) > 150 and f"objects/{other[:2]}" not in whole
    assert len({target for _, target in renamed}) < len(whole) + 60
    assert store.check(read_data=True).ok and store.missing(tree.digest) == []
    assert store.read(other) == b"a stranger"
    for name in ("objects", whole[0]):
        assert (store.root / name).stat().st_mode == (store.root / f"objects/{other[:2]}").stat().st_mode


@pytest.mark.parametrize("step", ["objects.rename:before", "objects.rename:after", "batch.sync:after"])
def test_a_stop_between_folders_leaves_a_sound_store(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """What is visible is whole, and the next ingest ends with the same tree."""

    class Stop(BaseException):
        pass

    left = 40

    def stop(reached: str) -> None:
        nonlocal left
        left -= reached == step
        if left == 0 or (reached == step and step.startswith("batch")):
            raise Stop

    monkeypatch.setattr(atomic, "on_checkpoint", stop)
    with pytest.raises(Stop):
        store.ingest(folder)
    monkeypatch.setattr(atomic, "on_checkpoint", None)
    assert store.check(read_data=True).ok
    assert bool(list(store.objects)) == step.startswith("objects")
    tree = store.ingest(folder)
    assert store.missing(tree.digest) == [] and len(list(store.walk(tree.digest))) == COUNT + 2


def test_what_a_gc_took_meanwhile_is_put_again(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker saw it, then it went: the parent notices under the gate."""
    tree = store.ingest(folder)
    gone = digest_bytes(b"9" * 50)
    real = bulk.take_rows

    def late(batch: Any, group: Any, rows: Any) -> Any:
        store.layout.object(gone).unlink(missing_ok=True)
        return real(batch, group, rows)

    monkeypatch.setattr(bulk, "take_rows", late)
    with store.lease("test"):
        assert store.ingest(folder) == tree
    assert store.missing(tree.digest) == []


def test_a_full_disk_is_an_error_of_the_parent(small_disk: Path, tmp_path: Path) -> None:
    """Workers stop; the parent says how much was needed, and the store is sound."""
    (tmp_path / "many").mkdir()
    for number in range(400):
        (tmp_path / "many" / f"{number}").write_bytes(os.urandom(20_000))
    with Store.open(small_disk / "s") as store:
        with pytest.raises(StoreFull):
            store.ingest(tmp_path / "many")
        assert list(store.objects) == [] and os.listdir(store.layout.tmp) == []
        assert store.put(bytes(1 << 20)).size == 1 << 20


def test_a_group_is_staged_without_what_is_odd(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only files that are small, regular and still are reported, each with the name of its temporary or none."""
    known = store.put(b"0" * 50)
    unsealed = store.put(b"1" * 50)
    os.utime(store.layout.object(unsealed.digest))
    os.mkfifo(folder / "pipe")
    paths = ["sub/0000", "none", "large", "sub", "pipe", "sub/0002", "sub/0004", "empty"]
    group = [(n, path, str(folder / path)) for n, path in enumerate(paths)]
    with store.batch() as batch:
        fds = store.objects.root_fd, batch.staging.fd

        def stage(names: Sequence[str] = ()) -> list[stager.Row]:
            files = [(number, path) for number, _, path in group]
            return stager.stage_files(*fds, batch.staging.new_folder(), files, names)

        rows = stage(["sha256"])
        assert [(row[0], bool(row[7])) for row in rows] == [(0, False), (6, True), (7, True)]
        assert rows[0][1:3] == known and rows[1][4] == hashlib.sha256(b"2" * 50).hexdigest()
        taken = bulk.take_rows(batch, group, [*rows, *stage()])
        assert [item.id for _, item in taken][:3] == [ObjectId(Digest(row[1]), row[2]) for row in rows]

        def full(*args: Any) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        assert len(stage()) == 1
        monkeypatch.undo()
        real = os.read
        monkeypatch.setattr(os, "read", lambda fd, size: real(fd, size)[:-1])
        assert [row[0] for row in stage()] == [7]
        monkeypatch.setattr(os, "read", full)
        assert stage() == []
        monkeypatch.undo()
    assert store.read(digest_bytes(b"2" * 50)) == b"2" * 50 and os.listdir(store.layout.tmp) == []
