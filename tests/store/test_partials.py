"""Partial data survives whoever brought it, is held by one at a time, and is believed only after it was hashed."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store import Partial, PartialState, Piece, Store, StoreError, StoreFull, claims, digest_bytes, hash_bytes
from store.testing import killed, steps

WHERE = "https://example.org/a"
PIECE = 1000
DATA = os.urandom(2500)


def state_of(have: int = len(DATA)) -> PartialState:
    """A state that claims the first ``have`` bytes."""
    pieces = {}
    for number in range(-(-have // PIECE)):
        part = DATA[number * PIECE : min(have, (number + 1) * PIECE)]
        pieces[number] = Piece(len(part), digest_bytes(part))
    return PartialState(WHERE, PIECE, 1, len(DATA), '"1"', None, pieces)


def started(store: Store, have: int = 1500) -> Partial:
    """A partial with the first ``have`` bytes, held."""
    partial = store.partials.create(WHERE, replace(state_of(0)))
    partial.write(0, DATA[:have])
    partial.save(state_of(have))
    return partial


def finish(store: Store, partial: Partial) -> bytes:
    """Add the rest, and publish it."""
    have = partial.state.have
    partial.write(have, DATA[have:])
    partial.save(state_of())
    with store.batch() as batch:
        id = partial.adopt(batch, hash_bytes(DATA))
    return store.read(id)


def test_what_came_is_found_again(store: Store) -> None:
    """Bytes that were let go of are claimed, verified, added to and become the object; nothing of the partial is left."""
    started(store).release()
    partial = store.partials.claim(WHERE)
    assert partial is not None
    assert partial.verify() == state_of(1500).pieces
    assert finish(store, partial) == DATA
    assert store.partials.kept() == [] and os.listdir(store.layout.partial) == []


def test_the_file_itself_becomes_the_object(store: Store) -> None:
    """No second copy is made; the object is read-only and sealed."""
    partial = started(store, len(DATA))
    inode = os.stat(partial.folder / "data").st_ino
    with store.batch() as batch:
        id = partial.adopt(batch, hash_bytes(DATA))
    found = os.stat(store.layout.object(id.digest))
    assert found.st_ino == inode and stat.S_IMODE(found.st_mode) == 0o444
    assert store.intact(id) and store.check(read_data=True).findings == ()


def test_an_object_that_is_there_already(store: Store) -> None:
    """The one that is there stays; the partial goes."""
    id = store.put(DATA)
    inode = os.stat(store.path(id)).st_ino
    assert finish(store, started(store)) == DATA
    assert os.stat(store.path(id)).st_ino == inode and store.partials.kept() == []


def test_nothing_is_written_once_it_is_an_object(store: Store) -> None:
    """Whoever still has the partial at hand is refused."""
    partial = started(store)
    finish(store, partial)
    for late in (lambda: partial.write(0, b"x"), lambda: partial.save(state_of(0))):
        with pytest.raises(StoreError, match="let go of"):
            late()
    partial.release()
    partial.discard()


def test_what_is_held_is_not_given_away(store: Store) -> None:
    """A second one who wants the same finds nothing, and makes its own; both end well."""
    first = started(store)
    assert store.partials.claim(WHERE) is None
    second = started(store)
    assert finish(store, second) == finish(store, first) == DATA


def test_of_many_threads_one_claims(store: Store) -> None:
    """A partial is claimed once, however many try at a time."""
    for _ in range(20):
        started(store).release()
        found: list[Partial | None] = []

        def claim(found: list[Partial | None] = found) -> None:
            found.append(store.partials.claim(WHERE))

        threads = [threading.Thread(target=claim) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (claimed,) = [partial for partial in found if partial is not None]
        claimed.discard()


def test_a_dead_owner_loses_it(store: Store) -> None:
    """What a killed process held is taken over, before it is even waited for."""
    code = (
        "import sys, os, signal\nfrom pathlib import Path\nfrom store import Store\n"
        "from tests.store.test_partials import started\nimport tests.store.test_partials as t\n"
        "store = Store.open(sys.argv[1])\nt.DATA = bytes.fromhex(sys.argv[2])\nt.started(store)\n"
        "print('ready', flush=True)\nsignal.pause()\n"
    )
    command = [sys.executable, "-c", code, str(store.root), DATA.hex()]
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as child:
        assert child.stdout is not None and child.stdout.readline() == b"ready\n"
        assert store.partials.claim(WHERE) is None
        assert [kept.live for kept in store.partials.kept()] == [True]
        child.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        partial = store.partials.claim(WHERE)
    assert partial is not None and finish(store, partial) == DATA


def foreign(store: Store, partial: Partial) -> Path:
    """Let the partial be held by a process of another machine."""
    folder = partial.folder.with_name(partial.folder.name.rpartition(".")[0] + ".000000000000-5-7")
    os.rename(partial.folder, folder)
    return folder


def test_another_machine_is_believed_for_a_minute(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another machine touches is its own; once it is silent its bytes are copied, so that it may wake up and write."""
    sleeper = started(store)
    foreign(store, sleeper)
    assert store.partials.claim(WHERE) is None
    monkeypatch.setattr(claims, "SILENT", -1.0)
    partial = store.partials.claim(WHERE)
    assert partial is not None and partial.verify() == state_of(1500).pieces
    sleeper.write(0, bytes(1500))  # it woke up
    with pytest.raises(StoreError, match="taken by another process"):
        sleeper.save(state_of(1500))
    with pytest.raises(StoreError, match="taken by another process"):
        sleeper.beat()
    assert finish(store, partial) == DATA
    sleeper.release()
    assert store.partials.kept() == []


@pytest.mark.parametrize(("at", "lost"), [(0, 0), (999, 0), (1000, 1), (1499, 1)])
def test_bytes_that_changed_are_not_believed(store: Store, at: int, lost: int) -> None:
    """A piece with another byte is dropped, by itself; the others stay."""
    partial = started(store)
    partial.release()
    (kept,) = store.partials.kept()
    with open(store.layout.partial / kept.name / "data", "r+b") as file:
        file.seek(at)
        file.write(bytes([DATA[at] ^ 1]))
    again = store.partials.claim(WHERE)
    assert again is not None
    assert set(again.verify()) == {0, 1} - {lost}
    assert set(again.state.pieces) == {0, 1} - {lost}


def test_bytes_that_are_gone_are_not_believed(store: Store) -> None:
    """A state that is newer than its data, as after a power cut, is not believed beyond them."""
    started(store).release()
    (kept,) = store.partials.kept()
    os.truncate(store.layout.partial / kept.name / "data", 1200)
    again = store.partials.claim(WHERE)
    assert again is not None and set(again.verify()) == {0}


def test_a_state_cut_anywhere(store: Store, tmp_path: Path) -> None:
    """Whatever is left of the newer state, the older one or it is read, or the partial is removed; nothing false is claimed."""
    partial = started(store, 1500)
    newest = max(
        partial.folder.glob("state.*"),
        key=lambda path: (PartialState.decode(path.read_bytes()) or (0, None))[0],
    )
    partial.release()
    (kept,) = store.partials.kept()
    path = store.layout.partial / kept.name / newest.name
    whole = path.read_bytes()
    end = 4 + int.from_bytes(whole[:4], "big") + 32
    for cut in range(0, end, 7):
        path.write_bytes(whole[:cut] + bytes(len(whole) - cut))
        assert [it.have for it in store.partials.kept()] == [0]
    path.write_bytes(whole[:end])
    assert [it.have for it in store.partials.kept()] == [1500]


def test_what_nobody_can_read_is_named_and_removed(store: Store) -> None:
    """A partial without a state is a finding that breaks nothing; the next claim clears it away."""
    started(store).release()
    (kept,) = store.partials.kept()
    for path in (store.layout.partial / kept.name).glob("state.*"):
        path.write_bytes(b"x")
    (store.layout.partial / "stranger").write_bytes(b"")
    report = store.check()
    assert report.ok and {finding.kind for finding in report.findings} == {"bad-partial", "stray"}
    assert store.partials.claim(WHERE) is None
    assert os.listdir(store.layout.partial) == ["stranger"]


def test_a_sound_partial_is_no_finding(store: Store) -> None:
    """check has nothing to say of downloads that were cut off."""
    started(store).release()
    started(store)
    assert store.check(read_data=True).findings == ()


def test_what_is_kept_is_listed_and_cleaned(store: Store) -> None:
    """The list tells what each is of, how much of it there is and how old it is; cleaning leaves what is held."""
    started(store).release()
    held = started(store, 700)
    first, second = sorted(store.partials.kept(), key=lambda kept: -kept.have)
    assert (first.where, first.have, first.size, first.live) == (WHERE, 1500, len(DATA), False)
    assert first.bytes >= 1500 and 0 <= first.age < 60
    assert second.live and second.name == held.folder.name
    assert [kept.name for kept in store.partials.clean()] == [first.name]
    assert [kept.name for kept in store.partials.kept()] == [second.name]


def test_gc_takes_what_is_old(store: Store) -> None:
    """A week after it was last gone on with a partial is in the plan, with its age, and goes; what is held never does."""
    started(store).release()
    (kept,) = store.partials.kept()
    started(store)
    now = datetime.now(UTC)
    assert store.plan_gc(now=now + timedelta(days=6)).delete == ()
    assert [
        it.kind for it in store.plan_gc(now=now + timedelta(days=2), max_age=timedelta(days=1)).delete
    ] == ["partial"]
    plan = store.plan_gc(now=now + timedelta(days=8))
    (item,) = plan.delete
    assert (item.kind, item.name) == ("partial", kept.name)
    assert WHERE in item.reason and "8 days ago" in item.reason
    assert store.execute_gc(plan).delete == (item,)
    assert [it.live for it in store.partials.kept()] == [True]


def test_gc_leaves_what_was_taken_since(store: Store) -> None:
    """A partial that somebody goes on with after the plan was made stays."""
    started(store).release()
    plan = store.plan_gc(now=datetime.now(UTC) + timedelta(days=8))
    partial = store.partials.claim(WHERE)
    assert store.execute_gc(plan).delete == ()
    assert partial is not None and finish(store, partial) == DATA


def test_a_full_disk_keeps_what_came(small_disk: Path) -> None:
    """When no byte more can be written, the state still can."""
    with Store.open(small_disk / "s") as store:
        partial = store.partials.create(WHERE, PartialState(WHERE, 16 << 20, 1))
        data = os.urandom(1 << 16)
        have = 0
        hasher = b""
        with pytest.raises(StoreFull):
            while True:
                partial.write(have, data)
                have += len(data)
                hasher += data
        partial.save(PartialState(WHERE, 16 << 20, 1, pieces={0: Piece(have, digest_bytes(hasher))}))
        partial.release()
        again = store.partials.claim(WHERE)
        assert again is not None and again.verify()[0].have == have > 1 << 20
        assert store.check().ok


def work(root: Path) -> bytes:
    """Go on with what is there, or begin; the whole is an object in the end."""
    with Store.open(root) as store, store.lease("work"):
        partial = store.partials.claim(WHERE)
        if partial is None:
            partial = started(store)
        if partial.finished:
            assert partial.state.became is not None and store.objects.sound(partial.state.became)
            id = partial.state.became
            partial.discard()
            return store.read(id)
        partial.verify()
        return finish(store, partial)


@pytest.mark.no_cover
def test_killed_at_every_step(tmp_path: Path) -> None:
    """Killed anywhere, from the first state to the object's name, the store is sound, what was claimed is there, and the rest is gone on with."""
    start, clean = tmp_path / "start", tmp_path / "clean"
    with Store.open(start):
        pass
    shutil.copytree(start, clean)
    passed = steps(lambda: work(clean))
    assert {"partial.save:after", "objects.rename:after"} <= set(passed)
    for number in range(len(passed)):
        root = tmp_path / f"{number}" / "s"
        shutil.copytree(start, root)
        assert killed(lambda root=root: work(root), number), passed[number]
        with Store.open(root, read_only=True) as store:
            report = store.check(read_data=True)
            assert report.ok and {it.kind for it in report.findings} <= {"temporary", "bad-partial"}, passed[
                number
            ]
        assert work(root) == DATA, passed[number]
        with Store.open(root) as store:
            assert store.check(read_data=True).findings == () and store.partials.kept() == []
