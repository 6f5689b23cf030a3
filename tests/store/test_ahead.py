"""Objects are hashed ahead of those who ask for it, and never less carefully."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from store import Digest, ObjectCorrupt, ObjectMissing, Store, digest_bytes
from store import objects as objects_module
from tests.damage import flip, sneak

HASH = objects_module.hash_fd


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads that hashed an object."""
    names: list[str] = []

    def noted(*args: Any, **named: Any) -> Any:
        names.append(threading.current_thread().name)
        return HASH(*args, **named)

    monkeypatch.setattr(objects_module, "hash_fd", noted)
    return names


def alter(store: Store, digest: Digest, *, sealed: bool) -> None:
    """Turn a bit of an object over."""
    (sneak if sealed else flip)(store.layout.object(digest))


def test_what_was_verified_ahead_is_not_hashed_again(store: Store, hashed: list[str]) -> None:
    """Who asks waits for the thread that has begun, and is told what it found. Who asks again pays for it."""
    id = store.put(b"content")
    store.verify_ahead([id.digest])
    store.verify(id)
    assert [name.startswith("verify") for name in hashed] == [True]
    store.verify(id.digest)
    assert [name.startswith("verify") for name in hashed] == [True, False]


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("sealed", [False, True])
def test_other_bytes_are_found(store: Store, ahead: bool, sealed: bool) -> None:
    """A flipped bit is told and the object moved aside, whether the seal shows it or not, whether it was looked at before or not."""
    id = store.put(b"content")
    alter(store, id.digest, sealed=sealed)
    if ahead:
        store.verify_ahead([id.digest])
    with pytest.raises(ObjectCorrupt):
        store.verify(id)
    assert not store.has(id)
    with pytest.raises(ObjectMissing):
        store.verify(id)


def test_what_is_written_to_afterwards_is_hashed_again(store: Store) -> None:
    """A good object that was changed after it was verified ahead is bad."""
    id = store.put(b"content")
    store.verify_ahead([id.digest])
    assert store._ahead is not None
    store._ahead._begun[id.digest].result()
    alter(store, id.digest, sealed=False)
    with pytest.raises(ObjectCorrupt):
        store.verify(id)


def test_what_is_made_again_meanwhile_is_good(store: Store) -> None:
    """An object that was missing when it was looked at ahead, and is there when it is asked for, passes."""
    digest = digest_bytes(b"content")
    store.verify_ahead([digest])
    assert store._ahead is not None
    store._ahead._begun[digest].result()
    store.verify(store.put(b"content"))


def test_closing_waits_for_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody asked for is dropped in the middle, and the rest not begun."""
    begun, go = threading.Event(), threading.Event()
    ends: list[str] = []

    def slow(*args: Any, checkpoint: Any = None, **named: Any) -> Any:
        begun.set()
        go.wait(10)
        try:
            checkpoint()
        except Exception as error:
            ends.append(type(error).__name__)
            raise
        ends.append("went on")
        return HASH(*args, **named)

    monkeypatch.setattr(objects_module, "hash_fd", slow)
    store.verify_ahead([store.put(bytes([number])).digest for number in range(5)])
    assert begun.wait(10)
    assert store._ahead is not None
    store._ahead._stop.set()
    go.set()
    store.close()
    assert ends == ["Stopped"]


def test_a_fork_looks_for_itself(store: Store) -> None:
    """A forked child has no thread that would tell, and does not wait for it."""
    id = store.put(b"content")
    store.verify_ahead([id.digest])
    child = os.fork()
    if not child:
        try:
            store.verify(id)
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    store.verify(id)
