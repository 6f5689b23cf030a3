"""Leases and the gate."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from store import Digest, StoreBusy, StoreError, StoreFull, digest_bytes
from store import leases as leases_module
from store.layout import Layout
from store.leases import LeaseReader, Leases, Need

ONE, TWO = digest_bytes(b"1"), digest_bytes(b"2")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    layout.leases.mkdir()
    return layout


@pytest.fixture
def leases(layout: Layout) -> Leases:
    return Leases(layout)


def test_lease_says_what_is_needed(leases: Leases) -> None:
    """Every kind is written and read back; new lines are read once."""
    with leases.lease("build\npenguins ") as lease:
        assert lease.path.read_text() == f"mldata-lease 1 {os.getpid()} build penguins\n"
        reader = LeaseReader(lease.path)
        assert reader.read() == []
        leases.need([ONE, TWO], "file")
        lease.add([Need("tree", ONE), Need("result", TWO)])
        lease.need([])
        lease.need([ONE])
        assert reader.read() == [
            Need("file", ONE), Need("file", TWO), Need("tree", ONE), Need("result", TWO), Need("object", ONE)
        ]  # fmt: skip
        assert reader.read() == []
    assert reader.read() == []


def test_lease_lives_as_long_as_its_last_holder(leases: Leases) -> None:
    """Nested leases are one file, which goes when the last is left; without one nothing is written."""
    leases.need([ONE])
    assert leases.paths() == []
    with leases.lease("outer") as outer:
        with leases.lease("inner") as inner:
            assert inner is outer
        assert leases.paths() == [outer.path]
        assert leases.live(outer.path)
        assert not leases.remove_dead(outer.path)
    assert leases.paths() == []
    assert leases.current is None
    assert not leases.live(outer.path)


def test_a_new_lease_is_held_though_a_gc_looks_at_it(
    layout: Layout, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that looks whether a lease is dead, in the moment between its making and its locking, does not make it a dead one."""
    looking = threading.Event()

    def look(path: Path) -> None:
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)  # as ``live`` does
            looking.set()
            time.sleep(0.2)

    made = leases._open

    def watched(name: str, flags: int = 0) -> int:
        fd = made(name, flags)
        if name.endswith(".lease"):
            threading.Thread(target=look, args=(layout.leases / name,)).start()
            assert looking.wait(10)
        return fd

    monkeypatch.setattr(leases, "_open", watched)
    with leases.lease("build") as lease:
        other = Leases(layout)
        assert looking.is_set() and other.live(lease.path)
        assert not other.remove_dead(lease.path)
    assert leases.paths() == []


def test_lease_ends_with_an_error(leases: Leases) -> None:
    """An exception lets go too."""
    with pytest.raises(ZeroDivisionError), leases.lease("x"):
        _ = 1 / 0
    assert leases.paths() == []


def test_killed_holder_leaves_a_dead_lease(leases: Leases) -> None:
    """The kernel lets go of a killed builder's lease, and gc may remove it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with leases.lease("child"):
            os.write(writing, b"x")
            signal.pause()
    os.read(reading, 1)
    (path,) = leases.paths()
    assert leases.live(path)
    assert leases.current is None
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert not leases.live(path)
    assert leases.remove_dead(path)
    assert leases.remove_dead(path)
    assert leases.paths() == []
    os.close(reading)
    os.close(writing)


def test_forked_child_takes_its_own_lease(leases: Leases) -> None:
    """A child does not write into its parent's lease, and does not end it."""
    with leases.lease("parent") as lease:
        child = os.fork()
        if child == 0:
            ok = leases.current is None
            with leases.lease("child") as own:
                ok = ok and own.path != lease.path
            os._exit(0 if ok else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert leases.live(lease.path)


def test_gate_keeps_gc_out(layout: Layout) -> None:
    """The gate closes only when every builder has left it, and none enters while it is closed."""
    builder, other, gc = Leases(layout), Leases(layout), Leases(layout)
    events: list[str] = []
    inside, leave = threading.Event(), threading.Event()

    def build() -> None:
        with builder.gate(), other.gate():
            inside.set()
            leave.wait()
            events.append("builder")

    def collect() -> None:
        with gc.closed_gate():
            events.append("gc")

    threads = [threading.Thread(target=build), threading.Thread(target=collect)]
    threads[0].start()
    inside.wait()
    threads[1].start()
    threads[1].join(0.1)
    assert events == []
    leave.set()
    for thread in threads:
        thread.join()
    assert events == ["builder", "gc"]


def test_gate_is_reentrant_while_gc_waits(layout: Layout) -> None:
    """A builder inside may pass again though gc stands in the turnstile: else both would wait for ever."""
    builder, gc = Leases(layout), Leases(layout)
    with builder.gate():
        waiting = threading.Thread(target=lambda: gc.closed_gate().__enter__())
        waiting.start()
        waiting.join(0.05)
        with builder.gate(), builder.gate():
            pass
    waiting.join(60)
    assert not waiting.is_alive()


def test_gc_may_pass_its_own_gate_but_not_from_inside(leases: Leases) -> None:
    """What gc calls while the gate is closed may pass it; a builder may not start gc from within."""
    with leases.closed_gate(), leases.gate():
        pass
    with leases.gate(), pytest.raises(StoreBusy, match="leave it first"), leases.closed_gate():
        pass


def test_read_only_needs_no_gate(layout: Layout) -> None:
    """Readers leave no files."""
    before = sorted(layout.leases.iterdir())
    with Leases(layout, read_only=True).gate():
        pass
    assert sorted(layout.leases.iterdir()) == before


@pytest.mark.parametrize(
    "line", ["x " + "a" * 64, "f" + "a" * 65, "f " + "A" * 64, "f " + "a" * 63, "", "f " + "a" * 65]
)
def test_damaged_line_stops_gc(layout: Layout, line: str) -> None:
    """A line that cannot be understood is an error that names the lease; an unfinished last line is not."""
    path = layout.leases / "x.lease"
    path.write_text("mldata-lease 1 7 x\n" + line)
    reader = LeaseReader(path)
    assert reader.read() == []
    path.write_text("mldata-lease 1 7 x\n" + line + "\n")
    with pytest.raises(StoreError, match=r"x\.lease"):
        reader.read()


def test_damaged_header_stops_gc(layout: Layout) -> None:
    """A file that is no lease is an error too."""
    path = layout.leases / "x.lease"
    path.write_text("mldata-lease 2\n")
    with pytest.raises(StoreError, match="expected a lease line"):
        LeaseReader(path).read()


def test_full_disk_leaves_whole_lines(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fills in the middle of a line, the line is taken back, and the error says so."""
    write = os.write
    calls = 0

    def short(fd: int, data: bytes) -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            return write(fd, bytes(data[:10]))
        raise OSError(errno.ENOSPC, "no space")

    with leases.lease("x") as lease:
        lease.need([ONE])
        with monkeypatch.context() as patch:
            patch.setattr(leases_module.os, "write", short)
            with pytest.raises(StoreFull):
                lease.need([TWO])
        lease.need([TWO])
        assert [need.digest for need in LeaseReader(lease.path).read()] == [ONE, TWO]


def test_lease_that_cannot_be_written_leaves_no_file(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk while the lease is made is an error of the store, and nothing stays behind."""

    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(leases_module.os, "write", full)
    with pytest.raises(StoreFull), leases.lease("x"):
        pass
    assert leases.paths() == []


def test_filesystem_without_locks(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builders work without locks; gc refuses, since it cannot see them; every lease counts as live."""

    def no_flock(fd: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(leases_module.fcntl, "flock", no_flock)
    with leases.lease("x") as lease, leases.gate():
        lease.need([Digest(ONE)])
        assert leases.live(lease.path)
    with pytest.raises(StoreBusy, match="expected a filesystem with file locks"), leases.closed_gate():
        pass


def test_other_lock_errors_are_not_hidden(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that is not about missing locks comes out."""

    def broken(fd: int, operation: int) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(leases_module.fcntl, "flock", broken)
    with pytest.raises(StoreError, match="input/output"), leases.gate():
        pass


def test_lost_folder_is_made_again(leases: Leases, layout: Layout) -> None:
    """``leases/`` may be deleted while nobody holds one."""
    layout.leases.rmdir()
    assert leases.paths() == []
    with leases.lease("x"):
        assert len(leases.paths()) == 1
