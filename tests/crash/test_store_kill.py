"""``kill -9`` at every publish step of the store: it stays sound, and doing the work again gives the same digests."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from store import KIND_FILE, KIND_TREE, ActionResult, Digest, Output, Store, TreeEntry, digest_bytes
from store.testing import killed, steps, write_files

FILES = {"a": b"a" * 100, "b/c": b"c", "b/d/e": b"", "b/copy": b"c"}
KEY = digest_bytes(b"key")
Work = Callable[[Path], object]


def put(root: Path) -> Digest:
    """One object of bytes."""
    with Store.open(root) as store:
        return store.put(b"content", hashes=["sha256"]).digest


def ingest(root: Path) -> Digest:
    """A folder."""
    with Store.open(root) as store:
        return store.ingest(write_files(root.parent / "in", FILES)).digest


def batch(root: Path) -> tuple[Digest, Output]:
    """A fragment, its tree, and the result that names it: what an action does."""
    with Store.open(root) as store, store.lease("work"), store.batch() as batch:
        with batch.writer() as writer:
            writer.write(b"rows" * 1000)
        tree = batch.put_tree([TreeEntry("fragment", KIND_FILE, *writer.id)])
        output = Output(tree.digest, tree.size, KIND_TREE)
        batch.add_result(KEY, ActionResult({"table": output}, {"rows": 1000}))
        return tree.digest, output


def single_result(root: Path) -> Output:
    """A result recorded outside a batch."""
    with Store.open(root) as store:
        id = store.put(b"x")
        return store.actions.put(KEY, ActionResult({"o": Output(*id)})).result.outputs["o"]


def refs(root: Path) -> list[Digest]:
    """A new ref in new folders, one moved, one of a series."""
    with Store.open(root) as store:
        one, two = store.put(b"1").digest, store.put(b"2").digest
        store.refs.set("deep/er/tag", one)
        store.refs.set("deep/er/tag", two)
        if not list(store.refs.list("d/")):
            store.refs.append("d", one)
        return [ref.digest for ref in store.refs.list()]


def collect(root: Path) -> list[str]:
    """gc of results, nested trees, objects, an old ref, beside what stays; returns what is left."""
    with Store.open(root) as store:
        store.execute_gc(store.plan_gc(keep_last=1))
        return sorted(id.digest for id in store.objects)


def nothing(root: Path) -> None:
    """Only what the work itself makes."""


def litter(root: Path) -> None:
    """Two builds and things that nothing reaches."""
    with Store.open(root) as store:
        for number, content in enumerate([b"old", b"new"]):
            leaf = store.put(content)
            inner = store.put_tree([TreeEntry("x", KIND_FILE, *leaf)])
            outer = store.put_tree([TreeEntry("inner", KIND_TREE, *inner)])
            store.refs.append("d", outer.digest)
            key = digest_bytes(content)
            store.actions.put(
                key, ActionResult({"o": Output(*outer, KIND_TREE), "i": Output(*leaf)}, {"n": number})
            )
        store.put(b"junk")


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("work", "before"),
    [
        (put, nothing),
        (ingest, nothing),
        (batch, nothing),
        (single_result, nothing),
        (refs, nothing),
        (collect, litter),
    ],
)
def test_killed_at_every_step(work: Work, before: Work, tmp_path: Path) -> None:
    """Killed at any checkpoint, the store passes check with at most temporaries left, and the work done again ends the same."""
    start = tmp_path / "start"
    with Store.open(start):
        pass
    before(start)
    clean = tmp_path / "clean"
    shutil.copytree(start, clean, symlinks=True)
    expected: list[object] = []
    passed = steps(lambda: expected.append(work(clean)))
    for number in range(len(passed)):
        root = tmp_path / f"killed-{number}" / "s"
        shutil.copytree(start, root, symlinks=True)
        assert killed(lambda root=root: work(root), number), f"expected to die at {passed[number]}"
        with Store.open(root, read_only=True) as store:
            report = store.check(read_data=True)
            assert report.ok, (passed[number], report.findings)
            assert {finding.kind for finding in report.findings} <= {"temporary"}, passed[number]
        assert work(root) == expected[0], passed[number]
        with Store.open(root) as store:
            assert store.check(read_data=True).findings == (), passed[number]
        shutil.rmtree(root)


def test_store_killed_while_it_is_made(tmp_path: Path) -> None:
    """A store half made is made whole by the next who opens it."""

    def make(root: Path) -> None:
        with Store.open(root):
            pass

    passed = steps(lambda: make(tmp_path / "clean"))
    for number in range(len(passed)):
        root = tmp_path / f"{number}"
        assert killed(lambda root=root: make(root), number)
        with Store.open(root) as store:
            id = store.put(b"x")
            assert store.read(id.digest) == b"x"
            assert store.check().ok
