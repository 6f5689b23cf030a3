"""Builders and gc at once over one store: nothing that a finished or running builder needs is lost."""

from __future__ import annotations

import os
import random
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from store import KIND_FILE, KIND_TREE, ActionResult, Output, Store, TreeEntry, digest_bytes

SECONDS = 4.0


def in_child(work: Callable[[], None]) -> int:
    """Run ``work`` in a forked process; its exit status says whether it was well."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return child


def fragment(number: int) -> bytes:
    return f"fragment {number} ".encode() * 50


def build(store: Store, rng: random.Random) -> None:
    """What a build does: fragments by hit or by work, a tree of them, a ref at the end. Few fragments, so that builders meet."""
    with store.lease("build"):
        outputs = []
        for number in rng.sample(range(12), 4):
            key = digest_bytes(b"key %d" % number)
            result = store.actions.get(key)
            if result is None:
                with store.batch() as batch:
                    id = batch.put(fragment(number))
                    tree = batch.put_tree([TreeEntry("rows", KIND_FILE, *id)])
                    batch.add_result(key, ActionResult({"o": Output(*tree, KIND_TREE)}))
                result = batch.recorded[key].result
            outputs.append(result.outputs["o"])
        table = store.put_tree(
            TreeEntry(f"{n}", KIND_TREE, output.digest, output.size) for n, output in enumerate(outputs)
        )
        assert store.missing(table.digest) == [], "a running builder's hit was collected"
        if rng.random() < 0.5:
            store.refs.append(f"datasets/{rng.randrange(2)}", table.digest)
            assert store.missing(table.digest) == []


def builder(root: Path, seed: int, end: float) -> None:
    rng = random.Random(seed)
    done = 0
    while time.monotonic() < end or done < 3:
        with Store.open(root) as store:
            for _ in range(3):
                build(store, rng)
                done += 1


def collector(root: Path, end: float) -> None:
    deleted = 0
    while time.monotonic() < end or not deleted:
        with Store.open(root) as store:
            deleted += len(store.execute_gc(store.plan_gc(keep_last=2)).delete)


@pytest.mark.slow
def test_two_builders_and_gc(tmp_path: Path) -> None:
    """For some seconds two builders hit, build, and set refs while gc collects whatever it can; all end well."""
    root = tmp_path / "s"
    Store.open(root).close()
    end = time.monotonic() + SECONDS
    children = [
        in_child(lambda: builder(root, 1, end)),
        in_child(lambda: builder(root, 2, end)),
        in_child(lambda: collector(root, end)),
    ]
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert statuses == [0, 0, 0]
    with Store.open(root) as store:
        report = store.check(read_data=True)
        assert report.ok, report.findings
        refs = list(store.refs.list())
        assert refs and all(store.missing(ref.digest) == [] for ref in refs)
        assert store.leases.paths() == []


def test_killed_builder_beside_gc(tmp_path: Path) -> None:
    """A builder killed at random moments harms neither the store nor the next builder."""
    root = tmp_path / "s"
    Store.open(root).close()
    rng = random.Random(7)
    for seed in range(8):
        end = time.monotonic() + 60
        child = in_child(lambda seed=seed, end=end: builder(root, seed, end))
        time.sleep(0.02 + 0.1 * rng.random())
        os.kill(child, 9)
        os.waitpid(child, 0)
        with Store.open(root) as store:
            report = store.check(read_data=True)
            assert report.ok, report.findings
            store.execute_gc(store.plan_gc(keep_last=1))
            assert store.check(read_data=True).ok
            build(store, rng)


def test_same_action_by_two(tmp_path: Path) -> None:
    """Two processes that record one action both succeed, and one result is there; the other is told if it differs."""
    root = tmp_path / "s"
    Store.open(root).close()
    key = digest_bytes(b"key")

    def record(name: str) -> None:
        with Store.open(root) as store:
            id = store.put(name.encode())
            recorded = store.actions.put(key, ActionResult({"o": Output(*id)}))
            assert recorded.status in ("new", "differs")

    children = [in_child(lambda name=name: record(name)) for name in ("one", "two")]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    with Store.open(root) as store:
        result = store.actions.get(key)
        assert result is not None and store.read(result.outputs["o"].digest) in (b"one", b"two")
