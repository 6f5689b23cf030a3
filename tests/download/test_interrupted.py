"""Downloads that are ended in whatever way, several at once, and on a full disk: what came is kept and used."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mldata.download.base import Want
from mldata.download.engine import download
from mldata.download.options import DownloadOptions
from mldata.download.web import Web
from store import PartialState, Piece, Store, StoreFull, digest_bytes, piece_size
from tests.download.watched import Getter, Watched
from tests.e2e.project import environment
from tests.servers.files import Fault, FileServer, Served

BIG = os.urandom(48 << 20)
ROOT = Path(__file__).parent.parent.parent
CHILD = """
import signal, sys
from mldata.download.base import Want
from mldata.download.options import DownloadOptions
from mldata.download.engine import download
from mldata.download.web import Web
from store import Store
from tests.download.watched import Watched
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
root, url, size, segments = sys.argv[1:]
options = DownloadOptions(segments=int(segments), retries=0)
try:
    with Store.open(root) as store, store.lease("test"):
        for got in download(store, [Want("a", Web().origin(url), int(size))], options, Watched()):
            print(got.id.digest, got.resumed_from, got.received)
except KeyboardInterrupt:
    sys.exit(130)
"""


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something that comes to pass."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


@contextmanager
def child(store: Store, server: FileServer, segments: int) -> Iterator[subprocess.Popen[str]]:
    """A process that downloads ``/a``."""
    command = [sys.executable, "-c", CHILD, str(store.root), server.url("/a"), str(len(BIG)), str(segments)]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()


def claimed(store: Store) -> int:
    """Bytes that are kept."""
    return sum(kept.have for kept in store.partials.kept())


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer({"/a": Served(BIG)}) as server:
        yield server


@pytest.mark.parametrize("segments", [1, 4])
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_an_ended_process(
    number: signal.Signals, code: int, segments: int, store: Store, server: FileServer, get: Getter
) -> None:
    """A process that is killed, interrupted or asked to end does so at once; the next one asks for the rest only."""
    parts = min(segments, 3)  # it has no more pieces
    server.fail("/a", *[Fault(stall_at=9_000_000)] * parts)
    with child(store, server, segments) as process:
        wait_until(lambda: claimed(store) >= 9_000_000 * parts)
        begun = time.monotonic()
        process.send_signal(number)
        assert process.wait(60) == code and time.monotonic() - begun < 25
    have = claimed(store)
    assert have == 9_000_000 * parts
    assert number == signal.SIGKILL or not any("." in kept.name[33 + 20 :] for kept in store.partials.kept())
    server.forget_faults()
    server.asked.clear()
    got = get.one(segments=segments)
    assert store.read(got.id) == BIG
    assert (got.resumed_from, got.received) == (have, len(BIG) - have)
    assert server.sent() == len(BIG) - have


def test_two_processes_at_once(store: Store, server: FileServer, get: Getter) -> None:
    """Two that want the same file each bring it, and it is stored once; neither writes where the other does."""
    go = threading.Event()
    server.fail("/a", Fault(hold=go), Fault(hold=go))
    with child(store, server, 1) as first, child(store, server, 1) as second:
        wait_until(lambda: len(store.partials.kept()) == 2)
        go.set()
        assert first.stdout is not None and second.stdout is not None
        found = [process.stdout.read().split() for process in (first, second) if process.stdout is not None]
    assert found[0][0] == found[1][0] == next(iter(store.objects)).digest
    assert len(list(store.objects)) == 1 and store.check(read_data=True).findings == ()
    assert store.partials.kept() == []


def test_one_who_does_not_want_the_rest(store: Store, server: FileServer, small_scale: None) -> None:
    """Leaving the loop ends what is under way at once, keeps what came, and leaves no thread behind."""
    server.files["/b"] = Served(b"b")
    server.fail("/a", Fault(stall_at=100_000))
    before = threading.active_count()
    web = Web()
    wants = [Want("a", web.origin(server.url("/a"))), Want("b", web.origin(server.url("/b")))]
    begun = time.monotonic()
    for got in download(store, wants, DownloadOptions(segments=1), Watched()):
        assert got.name == "b"
        wait_until(lambda: claimed(store) == 100_000)
        break
    web.close()
    assert time.monotonic() - begun < 10 and claimed(store) == 100_000
    assert [kept.live for kept in store.partials.kept()] == [False]
    wait_until(lambda: threading.active_count() <= before + 1)  # the server's


def test_a_full_disk(small_disk: Path, server: FileServer, small_scale: None) -> None:
    """When nothing fits any more that is the error; what came is kept and used once there is room."""
    server.files["/a"] = Served(BIG[:5_000_000], chunked=True)  # nobody says how much it is
    with Store.open(small_disk / "s") as store:
        other = store.put(b"other")
        get = Getter(store, server)
        with pytest.raises(StoreFull):
            get.one()
        assert store.read(other) == b"other" and store.check(read_data=True).ok
        have = claimed(store)
        assert have > 2_000_000
        subprocess.run(["mount", "-o", "remount,size=32m", str(small_disk)], check=True)
        server.asked.clear()
        got = get.one()
        assert store.read(got.id) == BIG[:5_000_000] and got.resumed_from == have


def test_what_cannot_fit_is_not_begun(small_disk: Path, server: FileServer) -> None:
    """A file that is larger than what is free is refused before it comes."""
    with Store.open(small_disk / "s") as store, pytest.raises(StoreFull, match="50,331,648"):
        Getter(store, server).one()
    assert server.sent() < 30_000_000


@pytest.mark.no_cover
def test_gc_beside_it(store: Store, server: FileServer, small_scale: None) -> None:
    """A gc that would take everything that is old or that nothing needs takes nothing of a download that runs, nor what it brought."""
    data = BIG[:2_000_000]
    server.files |= {f"/{n}": Served(data[n:]) for n in range(6)} | {
        f"/small{n}": Served(b"%d" % n) for n in range(50)
    }
    over = threading.Event()
    went: list[str] = []

    def collect() -> None:
        with Store.open(store.root) as other:
            while not over.is_set():
                plan = other.plan_gc(now=datetime.now(UTC) + timedelta(days=30))
                went.extend(item.kind for item in other.execute_gc(plan).delete)

    thread = threading.Thread(target=collect)
    thread.start()
    try:
        with store.lease("test"):
            paths = [path for path in server.files if path != "/a"]
            found = Getter(store, server)(*paths)
            assert {f"/{got.name}": store.read(got.id) for got in found} == {
                path: server.files[path].data for path in paths
            }
    finally:
        over.set()
        thread.join()
    assert "partial" not in went and store.check(read_data=True).ok


class Zeros:
    """Bytes that are nowhere: zeros, with something else at the end."""

    def __init__(self, size: int, tail: bytes) -> None:
        self._size, self._tail = size, tail

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice, /) -> bytes:
        start, stop, _ = part.indices(self._size)
        first = self._size - len(self._tail)
        return (
            bytes(max(0, min(stop, first) - start)) + self._tail[max(0, start - first) : max(0, stop - first)]
        )


ZEROS_AND_TAIL = "50defb3e9a66acf3a12f4bc859e4a7eaa8657bb135d754ac62c177684866c8be"
"""BLAKE3 of the next test's file, taken once by the library blake3 itself."""


@pytest.mark.slow
@pytest.mark.no_cover
def test_more_than_four_gibibytes(store: Store, server: FileServer, get: Getter) -> None:
    """Offsets beyond 32 bits are right: a file is gone on with from below 4 GiB to beyond, in parts."""
    tail = random.Random(4).randbytes(50_000_000)
    data = Zeros((4 << 30) + len(tail) - 3, tail)
    length = piece_size(len(data))
    there = (4 << 30) // length - 2
    piece = Piece(length, digest_bytes(bytes(length)))
    state = PartialState("x", length, 1, len(data), '"1"', None, dict.fromkeys(range(there), piece))
    url = server.url("/a")
    partial = store.partials.create(url, state)
    os.truncate(partial.folder / "data", there * length)  # a hole
    partial.release()
    server.files["/a"] = Served(data)
    got = get.one()
    assert got.resumed_from == there * length and got.id.size == len(data)
    assert max(it.start for it in server.asked) > 1 << 32
    assert got.id.digest == ZEROS_AND_TAIL
