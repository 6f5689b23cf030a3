"""What a store must do, as tests that anybody can run; and how to stop one at any publish step.

- :class:`StoreContract`: subclass it in a pytest file; override ``open`` to test another way of opening a store.
- :func:`steps`, :func:`kill_at`, :func:`killed`: fault injection at the checkpoints of ``store.atomic``.
- :func:`state_machine`: a Hypothesis machine that compares a store with a dictionary. Needs hypothesis.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from store import atomic
from store.actions import Action, ActionResult, Output
from store.digest import Digest, ObjectId, digest_bytes
from store.errors import ObjectMissing, RefConflict, StoreError
from store.store import Store
from store.trees import KIND_FILE, KIND_TREE, TreeEntry

if TYPE_CHECKING:
    from hypothesis.stateful import RuleBasedStateMachine

__all__ = ["StoreContract", "kill_at", "killed", "raises", "state_machine", "steps", "write_files"]


# -- fault injection


@contextmanager
def _listening(listener: Callable[[str], None]) -> Iterator[None]:
    before, atomic.on_checkpoint = atomic.on_checkpoint, listener
    try:
        yield
    finally:
        atomic.on_checkpoint = before


def steps(work: Callable[[], object]) -> list[str]:
    """Run ``work`` and return the checkpoints it passed, in order."""
    passed: list[str] = []
    with _listening(passed.append):
        work()
    return passed


@contextmanager
def kill_at(number: int) -> Iterator[None]:
    """Within this, the process dies by ``SIGKILL`` at the checkpoint of that number, counted from 0."""
    count = 0

    def listen(step: str) -> None:
        nonlocal count
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    with _listening(listen):
        yield


def killed(work: Callable[[], object], number: int) -> bool:
    """Run ``work`` in a forked child that dies at checkpoint ``number``.

    Returns True if it died there, False if it was done before it passed that many. Raises ``RuntimeError`` if it failed.
    """
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _run_child(work, number)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if status != 0:
        raise RuntimeError(
            f"the child failed before checkpoint {number} (status {status}); its traceback is on stderr"
        )
    return False


def _run_child(work: Callable[[], object], number: int) -> NoReturn:
    status = 1
    try:
        with kill_at(number):
            work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def raises(kind: type[BaseException], work: Callable[[], object]) -> BaseException:
    """The error that ``work`` raises; ``AssertionError`` if it raises none. Keeps this file free of pytest."""
    try:
        work()
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, nothing was raised")


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Make ``folder`` with these files in it."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


# -- the contract


class StoreContract:
    """What every store promises. pytest collects the ``test_`` methods of a subclass."""

    def open(self, path: Path, *, read_only: bool = False) -> Store:
        """Open the store under test at ``path``."""
        return Store.open(path, read_only=read_only)

    def test_put_is_read_back(self, tmp_path: Path) -> None:
        """Bytes and streams come back as they were put, under the digest of their content."""
        with self.open(tmp_path / "s") as store:
            for data in (b"", b"a", bytes(range(256)) * 5000):
                id = store.put(data)
                assert id == ObjectId(digest_bytes(data), len(data)) == store.put(BytesIO(data))
                assert store.has(id.digest) and store.intact(id.digest, id.size)
                assert store.read(id.digest) == data == store.path(id.digest).read_bytes()

    def test_absent_object_is_an_error(self, tmp_path: Path) -> None:
        """What was never put is missing, and says so."""
        with self.open(tmp_path / "s") as store:
            absent = digest_bytes(b"absent")
            assert not store.has(absent)
            error = raises(ObjectMissing, lambda: store.read(absent))
            assert absent in str(error)

    def test_folder_comes_back(self, tmp_path: Path) -> None:
        """Ingest and materialize are inverse, and the same content is the same tree."""
        files = {"a.txt": b"a", "b/c.txt": b"c", "b/d/e": b"", "copy": b"a"}
        source = write_files(tmp_path / "in", files)
        with self.open(tmp_path / "s") as store:
            tree = store.ingest(source)
            assert tree == store.ingest(source)
            store.materialize(tree.digest, tmp_path / "out")
            assert {p: (tmp_path / "out" / p).read_bytes() for p in files} == files
            assert [path for path, _ in store.walk(tree.digest)] == sorted(files)
            assert store.missing(tree.digest) == []

    def test_nothing_changes_by_reopening(self, tmp_path: Path) -> None:
        """Objects, results and refs survive, and a store opened to read shows the same."""
        action = Action("split", 1, {"seed": 42}, (("table", digest_bytes(b"t")),), {"numpy": "2.0"})
        with self.open(tmp_path / "s") as store:
            id = store.put(b"rows")
            result = ActionResult({"part": Output(id.digest, id.size)}, {"rows": 3})
            store.actions.put(action.key, result)
            store.refs.set("datasets/p/1", id.digest)
        for read_only in (False, True):
            with self.open(tmp_path / "s", read_only=read_only) as store:
                assert store.read(id.digest) == b"rows"
                assert store.actions.get(action.key) == result
                assert store.refs.get("datasets/p/1") == id.digest

    def test_hit_needs_every_object(self, tmp_path: Path) -> None:
        """An action result counts only while all that it names is there, below trees too."""
        with self.open(tmp_path / "s") as store:
            leaf = store.put(b"leaf")
            tree = store.put_tree([TreeEntry("leaf", KIND_FILE, leaf.digest, leaf.size)])
            key = digest_bytes(b"key")
            store.actions.put(key, ActionResult({"out": Output(tree.digest, tree.size, KIND_TREE)}))
            assert store.actions.get(key) is not None
            store.layout.object(leaf.digest).unlink()
            assert store.actions.get(key) is None
            store.put(b"leaf")
            assert store.actions.get(key) is not None

    def test_ref_is_compared_and_swapped(self, tmp_path: Path) -> None:
        """A ref moves only from where the caller thinks it is."""
        with self.open(tmp_path / "s") as store:
            one, two = store.put(b"1").digest, store.put(b"2").digest
            store.refs.set("r", one, expect=None)
            raises(RefConflict, lambda: store.refs.set("r", two, expect=None))
            store.refs.set("r", two, expect=one)
            assert store.refs.get("r") == two
            assert [store.refs.append("series", one) for _ in range(3)] == [1, 2, 3]

    def test_gc_keeps_what_roots_reach(self, tmp_path: Path) -> None:
        """What a ref, an extra root or a lease reaches stays; the rest goes; the store stays sound."""
        with self.open(tmp_path / "s") as store:
            kept = store.ingest(write_files(tmp_path / "in", {"a": b"a", "b/c": b"c"}))
            store.refs.append("datasets/p", kept.digest)
            extra = store.put(b"receipt")
            lost = store.put(b"lost")
            with store.lease("test") as lease:
                leased = store.put(b"leased")
                lease.need([leased.digest])
                done = store.execute_gc(store.plan_gc(extra_roots={"receipt": extra.digest}))
            assert [item.name for item in done.delete] == [lost.digest]
            assert store.has(extra.digest) and store.has(leased.digest) and store.missing(kept.digest) == []
            assert store.check(read_data=True).ok

    def test_damage_is_never_served(self, tmp_path: Path) -> None:
        """An altered object is named by check, refused by every reader, and comes back when it is put again."""
        with self.open(tmp_path / "s") as store:
            id = store.put(b"the right bytes")
            path = store.layout.object(id.digest)
            path.chmod(0o644)
            path.write_bytes(b"the wrong bytes")
            report = store.check()
            assert not report.ok and report.findings[-1].digest == id.digest
            raises(StoreError, lambda: store.read(id.digest))
            store.put(b"the right bytes")
            assert store.read(id.digest) == b"the right bytes" and store.check(read_data=True).ok


# -- a store against a dictionary


def state_machine(open_store: Callable[[], Store]) -> type[RuleBasedStateMachine]:
    """A Hypothesis machine whose rules use a store and check it against a model. ``open_store()`` opens the same, empty at first, store anew.

    Run it with ``hypothesis.stateful.run_state_machine_as_test``, each time with a fresh ``open_store``: see ``tests/store/test_testing.py``.
    """
    from hypothesis import strategies as st
    from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

    class StoreMachine(RuleBasedStateMachine):
        ids = Bundle("ids")
        names = st.sampled_from(["datasets/a/1", "datasets/a/2", "datasets/b/1", "tag"])

        def __init__(self) -> None:
            super().__init__()
            self.store = open_store()
            self.objects: dict[Digest, bytes] = {}
            self.trees: dict[Digest, dict[str, ObjectId]] = {}
            self.refs: dict[str, Digest] = {}

        def teardown(self) -> None:
            self.store.close()

        @rule(target=ids, data=st.binary(max_size=40))
        def put(self, data: bytes) -> ObjectId:
            id = self.store.put(data)
            self.objects[id.digest] = data
            return id

        @rule(target=ids, parts=st.lists(ids, max_size=4))
        def put_tree(self, parts: list[ObjectId]) -> ObjectId:
            parts = [part for part in parts if part.digest in self.objects]
            entries = {f"n{number}": part for number, part in enumerate(parts)}
            id = self.store.put_tree(
                TreeEntry(name, KIND_TREE if part.digest in self.trees else KIND_FILE, *part)
                for name, part in entries.items()
            )
            self.trees[id.digest] = entries
            self.objects[id.digest] = self.store.read(id.digest)
            return id

        @rule(name=names, id=ids)
        def set_ref(self, name: str, id: ObjectId) -> None:
            if id.digest in self.objects:
                self.store.refs.set(name, id.digest)
                self.refs[name] = id.digest
            else:
                raises(ObjectMissing, lambda: self.store.refs.set(name, id.digest))

        @rule(name=names)
        def delete_ref(self, name: str) -> None:
            assert self.store.refs.delete(name) == (self.refs.pop(name, None) is not None)

        @rule(keep_last=st.sampled_from([None, 1]))
        def gc(self, keep_last: int | None) -> None:
            if keep_last and "datasets/a/2" in self.refs:
                self.refs.pop("datasets/a/1", None)
            self.store.execute_gc(self.store.plan_gc(keep_last=keep_last))
            reached: set[Digest] = set()
            todo = list(self.refs.values())
            while todo:
                digest = todo.pop()
                if digest not in reached:
                    reached.add(digest)
                    todo += [part.digest for part in self.trees.get(digest, {}).values()]
            self.objects = {digest: data for digest, data in self.objects.items() if digest in reached}

        @rule(id=ids, cut=st.booleans())
        def damage(self, id: ObjectId, cut: bool) -> None:
            data = self.objects.get(id.digest)
            if not data:
                return
            path = self.store.layout.object(id.digest)
            path.chmod(0o644)
            path.write_bytes(data[:-1] if cut else bytes([data[0] ^ 1]) + data[1:])
            found = {finding.digest: finding for finding in self.store.check().findings if finding.matters}
            assert found[id.digest].kind in ("altered", "truncated")
            self.store.check(repair=True)
            assert not self.store.has(id.digest)
            # As a build would: what is lost is made again.
            if id.digest in self.trees:
                self.store.put_tree(self.store_entries(self.trees[id.digest]))
            else:
                self.store.put(data)

        def store_entries(self, entries: dict[str, ObjectId]) -> list[TreeEntry]:
            return [
                TreeEntry(name, KIND_TREE if part.digest in self.trees else KIND_FILE, *part)
                for name, part in entries.items()
            ]

        @rule()
        def reopen(self) -> None:
            self.store.close()
            self.store = open_store()

        @invariant()
        def same(self) -> None:
            assert {id.digest for id in self.store.objects} == set(self.objects)
            assert {ref.name: ref.digest for ref in self.store.refs.list()} == self.refs
            assert all(self.store.read(digest) == data for digest, data in self.objects.items())

        @invariant()
        def sound(self) -> None:
            assert [finding for finding in self.store.check().findings if finding.matters] == []

    return StoreMachine
