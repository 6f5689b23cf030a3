"""Garbage collection: what goes, what stays, and why."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from store import (
    KIND_FILE,
    KIND_TREE,
    ActionResult,
    BadRef,
    Digest,
    ObjectId,
    Output,
    Store,
    StoreError,
    StoreReadOnly,
    TreeEntry,
    digest_bytes,
    gcplanner,
)
from store import gc as gc_module
from store.gc import GcPlan, plan_gc

DAY = 86400.0
SOME = digest_bytes(b"some")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s") as store:
        yield store


def tree_of(store: Store, *ids: ObjectId, kind: str = KIND_FILE) -> ObjectId:
    return store.put_tree([TreeEntry(f"n{n}", kind, *id) for n, id in enumerate(ids)])


def build(store: Store, series: str, number: int, size: int = 1000, age: float = 0.0) -> ObjectId:
    """A build of one object of its own, with a ref of that age in days."""
    tree = tree_of(store, store.put(f"{series}{number}".encode().ljust(size, b".")))
    name = f"{series}/{number}"
    store.refs.set(name, tree.digest)
    when = time.time() - age * DAY
    os.utime(store.layout.refs / name, (when, when))
    return tree


def record(store: Store, name: str, *ids: ObjectId, kind: str = KIND_FILE) -> Digest:
    key = digest_bytes(name.encode())
    store.actions.put(key, ActionResult({f"o{n}": Output(*id, kind) for n, id in enumerate(ids)}))
    return key


def gone(plan: GcPlan, kind: str) -> list[str]:
    return [item.name for item in plan.delete if item.kind == kind]


def collect(store: Store, **options: object) -> GcPlan:
    done = store.execute_gc(store.plan_gc(**options))  # type: ignore[arg-type]
    assert store.check().ok
    return done


# -- plans


def test_no_option_keeps_every_build(store: Store) -> None:
    """Without options all refs stay, and what they reach; the rest goes in order: results, trees outer first, objects."""
    kept = build(store, "d", 1)
    build(store, "d", 2, age=1000)
    good = record(store, "good", kept, kind=KIND_TREE)
    empty = record(store, "empty")
    leaf = store.put(b"leaf")
    inner = tree_of(store, leaf)
    outer = tree_of(store, inner, kind=KIND_TREE)
    bad = record(store, "bad", kept, outer, kind=KIND_TREE)
    plan = store.plan_gc()
    assert [(item.kind, item.name) for item in plan.delete] == [
        ("result", bad), ("tree", outer.digest), ("tree", inner.digest), ("object", leaf.digest)
    ]  # fmt: skip
    assert plan.delete[0].reason == "no ref, receipt or running build reaches its output 'o1'"
    assert (plan.keep.refs, plan.keep.results, plan.keep.objects) == (2, 2, 4)
    assert plan.totals.bytes == plan.freed == sum(item.bytes for item in plan.delete) > 0
    assert {root.name for root in plan.roots} == {"d/1", "d/2"}
    assert store.has(leaf.digest), "planning must delete nothing"
    done = collect(store)
    assert done.delete == plan.delete
    assert store.actions.get(good) is not None and store.actions.get(empty) is not None
    assert store.actions.get(bad) is None and not store.has(leaf.digest)
    assert collect(store).delete == ()


def test_shared_parts_stay(store: Store) -> None:
    """Dropping a build keeps what another build shares with it."""
    shared, own = store.put(b"shared"), store.put(b"own")
    store.refs.set("d/1", tree_of(store, shared, own).digest)
    store.refs.set("d/2", tree_of(store, shared).digest)
    done = collect(store, keep_last=1)
    assert gone(done, "ref") == ["d/1"]
    assert gone(done, "object") == [own.digest]
    assert store.refs.get("d/1") is None and store.read(shared.digest) == b"shared"


def test_max_age_counts_from_now(store: Store) -> None:
    """Ages count from ``now``, so that a plan can be asked for another day."""
    build(store, "d", 1, age=10)
    build(store, "d", 2, age=1)
    assert gone(store.plan_gc(max_age=timedelta(days=5)), "ref") == ["d/1"]
    past = datetime.now() - timedelta(days=8)
    assert gone(store.plan_gc(max_age=timedelta(days=5), now=past), "ref") == []


def test_max_size_drops_the_oldest_of_all_series(store: Store) -> None:
    """The oldest builds go until the rest fits, never a series' newest."""
    build(store, "a", 1, size=10_000, age=4)
    build(store, "b", 1, size=10_000, age=3)
    build(store, "a", 2, size=10_000, age=2)
    build(store, "b", 2, size=10_000, age=1)
    build(store, "a", 3, size=10_000, age=0)
    assert gone(store.plan_gc(max_size=100_000), "ref") == []
    assert gone(store.plan_gc(max_size=41_000), "ref") == ["a/1"]
    plan = store.plan_gc(max_size=31_000)
    assert sorted(gone(plan, "ref")) == ["a/1", "b/1"]
    assert not plan.warnings and "31,000 bytes" in plan.delete[0].reason
    plan = store.plan_gc(max_size=5)
    assert sorted(gone(plan, "ref")) == ["a/1", "a/2", "b/1"]
    (warning,) = plan.warnings
    assert "cannot be brought below 5 bytes" in warning
    collect(store, max_size=31_000)
    assert [ref.name for ref in store.refs.list()] == ["a/2", "a/3", "b/2"]


def test_max_size_keeps_what_costs_nothing(store: Store) -> None:
    """An old build that shares all its objects with a kept one frees nothing, and stays."""
    tree = build(store, "a", 1, size=10_000, age=9)
    build(store, "a", 2, size=10_000, age=5)
    store.refs.set("a/3", tree.digest)
    assert gone(store.plan_gc(max_size=11_000), "ref") == ["a/2"]


def test_refs_outside_series_stay(store: Store) -> None:
    """A named ref is never dropped by number, age or size."""
    store.refs.set("tag", store.put(b"x" * 1000).digest)
    os.utime(store.layout.refs / "tag", (0, 0))
    assert store.plan_gc(keep_last=1, max_age=timedelta(0), max_size=0).delete == ()


@pytest.mark.parametrize("options", [{"max_size": -1}, {"max_age": timedelta(-1)}, {"keep_last": 0}])
def test_impossible_limits_are_refused(store: Store, options: dict[str, object]) -> None:
    """A limit that makes no sense is an error, not "keep nothing"."""
    with pytest.raises(ValueError):
        store.plan_gc(**options)  # type: ignore[arg-type]


def test_extra_roots_keep(store: Store) -> None:
    """Receipts are roots like refs."""
    tree = tree_of(store, store.put(b"x"))
    plan = store.plan_gc(extra_roots={"receipt d/export": tree.digest})
    assert plan.delete == ()
    assert [(root.kind, root.name, root.digest) for root in plan.roots] == [
        ("extra", "receipt d/export", tree.digest)
    ]


def test_missing_root_is_a_warning(store: Store) -> None:
    """A root, or a tree below it, that is lost is said; it is no crash, and the rest of the plan stands."""
    leaf = store.put(b"leaf")
    inner = tree_of(store, leaf)
    outer = tree_of(store, inner, kind=KIND_TREE)
    store.refs.set("d/1", outer.digest)
    store.layout.object(inner.digest).unlink()
    plan = store.plan_gc(extra_roots={"receipt x": SOME})
    assert len(plan.warnings) == 2
    assert "receipt x" in plan.warnings[0] and SOME in plan.warnings[0]
    assert "d/1" in plan.warnings[1] and inner.digest in plan.warnings[1]
    assert gone(plan, "object") == [leaf.digest]
    assert gone(store.plan_gc(max_size=10**9), "object") == [leaf.digest]


@pytest.mark.parametrize("place", [0, 20])
def test_damaged_root_is_a_warning(store: Store, place: int) -> None:
    """A tree that is damaged is said to be lost, though its first bytes are what was damaged."""
    tree = build(store, "d", 1)
    path = store.layout.object(tree.digest)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    (warning,) = store.plan_gc().warnings
    assert "d/1" in warning and "is lost" in warning


def test_damaged_ref_stops_gc(store: Store) -> None:
    """What a damaged ref kept is unknown, so nothing is planned and nothing executed."""
    build(store, "d", 1)
    junk = store.put(b"junk")
    plan = store.plan_gc()
    (store.layout.refs / "d/1").write_text("damaged")
    with pytest.raises(BadRef):
        store.plan_gc()
    with pytest.raises(BadRef):
        store.execute_gc(plan)
    assert store.has(junk.digest)


def test_damaged_result_goes(store: Store) -> None:
    """A result that cannot be read can never be a hit."""
    key = record(store, "k", store.put(b"x"))
    path = store.layout.action(key)
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    assert [(i.name, i.reason) for i in store.plan_gc().delete if i.kind == "result"] == [
        (key, "it is damaged, so it can never be used")
    ]


def test_strays_stay(store: Store) -> None:
    """gc deletes nothing that it does not know."""
    for folder in (store.layout.objects, store.layout.actions):
        (folder / "stray").write_text("x")
        (folder / "ab").mkdir()
        (folder / "ab" / "stray").write_text("x")
    assert collect(store).delete == ()
    assert (store.layout.objects / "ab" / "stray").exists()


def test_hard_links_are_told(store: Store, tmp_path: Path) -> None:
    """Space that another link keeps is not promised."""
    id = store.put(b"x" * 1000)
    os.link(store.layout.object(id.digest), tmp_path / "link")
    plan = store.plan_gc()
    assert plan.delete[0].shared and plan.totals.bytes == 1000 and plan.freed == 0


def test_leftovers(store: Store) -> None:
    """Old temporaries and dead leases go; fresh ones may be a running build's."""
    old, fresh = store.layout.tmp / "old", store.layout.tmp / "fresh"
    old.mkdir()
    (old / "0").write_bytes(b"x" * 10)
    (store.layout.tmp / "file").write_bytes(b"y")
    dead = store.layout.leases / "dead.lease"
    dead.write_text("mldata-lease 1 1 x\n")
    later = datetime.now() + timedelta(days=2)
    fresh.mkdir()
    assert [(i.kind, i.name) for i in store.plan_gc().delete] == [("lease", "dead.lease")]
    plan = store.plan_gc(now=later)
    assert [(i.kind, i.name, i.bytes) for i in plan.delete] == [
        ("tmp", "file", 1), ("tmp", "fresh", 0), ("tmp", "old", 10), ("lease", "dead.lease", 19)
    ]  # fmt: skip
    done = store.execute_gc(plan)
    assert [item.name for item in done.delete] == ["dead.lease"], (
        "by the real clock the temporaries are young"
    )
    assert old.exists() and not dead.exists()


def test_old_temporaries_are_removed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nothing wrote to for a day goes, folder or file."""
    (store.layout.tmp / "old").mkdir()
    (store.layout.tmp / "old" / "0").write_bytes(b"x")
    (store.layout.tmp / "file").write_bytes(b"y")
    monkeypatch.setattr(gcplanner, "STALE_SECONDS", -5.0)
    assert gone(collect(store), "tmp") == ["file", "old"]
    assert list(store.layout.tmp.iterdir()) == []


# -- running builds


def test_lease_keeps_all_that_it_names(store: Store) -> None:
    """An object, a tree with all below it, an object of unknown kind that is a tree, and a result with its outputs."""
    plain, tree, unknown, output = (tree_of(store, store.put(name)) for name in (b"1", b"2", b"3", b"4"))
    key = record(store, "k", output, kind=KIND_TREE)
    with store.lease("x") as lease:
        lease.need([plain.digest], "file")
        lease.need([tree.digest], "tree")
        lease.need([unknown.digest])
        lease.need([key, digest_bytes(b"no such result")], "result")
        plan = store.plan_gc()
        assert gone(plan, "object") == [digest_bytes(b"1")]
        assert gone(plan, "tree") == gone(plan, "result") == []
        assert [root.kind for root in plan.roots] == ["lease"]
        assert gone(store.execute_gc(plan), "object") == [digest_bytes(b"1")]
    assert len(collect(store).delete) == 8


def test_needed_since_the_plan(store: Store) -> None:
    """What a lease, a ref, a moved ref or an extra root needs since the plan was made is not deleted."""
    leased, reffed, moved, extra, lost = (
        tree_of(store, store.put(name)) for name in (b"1", b"2", b"3", b"4", b"5")
    )
    hit = record(store, "hit", leased, kind=KIND_TREE)
    build(store, "d", 1)
    build(store, "d", 2)
    receipts: dict[str, Digest] = {}
    plan = plan_gc(store, keep_last=1, extra_roots=receipts)
    assert len(gone(plan, "tree")) == 6 and gone(plan, "ref") == ["d/1"] and gone(plan, "result") == [hit]
    with store.lease("builder"):
        assert store.actions.get(hit) is not None
        store.refs.set("new", reffed.digest)
        store.refs.set("d/1", moved.digest)
        receipts["receipt"] = extra.digest
        done = store.execute_gc(plan)
    assert gone(done, "ref") == gone(done, "result") == []
    assert lost.digest in gone(done, "tree") and len(gone(done, "tree")) == 2
    assert all(store.missing(id.digest) == [] for id in (leased, reffed, moved, extra))
    assert not store.has(lost.digest)


def test_result_published_since_the_plan(store: Store) -> None:
    """A result that came after the plan keeps what it names, though its maker's lease is over: else it would name what is gone."""
    record(store, "old", store.put(b"old"))
    junk, other = store.put(b"junk"), store.put(b"other")
    plan = store.plan_gc()
    assert len(plan.delete) == 4
    key = record(store, "new", junk)
    again = record(store, "old", store.put(b"old"))
    (store.layout.actions / key[:2] / "stray").write_text("x")
    (store.layout.actions / "stray").write_text("x")
    assert set(gone(store.execute_gc(plan), "object")) == {digest_bytes(b"old"), other.digest}
    assert store.actions.get(key) is not None and store.actions.get(again) is None
    assert store.check().ok


def test_result_put_again_while_gc_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same after gc has deleted the first result of that action: the look before the next deletion sees the second."""
    key = record(store, "k", store.put(b"x"))
    real = gc_module._Run.sync

    def sync(run: object) -> None:
        real(run)  # type: ignore[arg-type]
        if store.has(digest_bytes(b"x")):
            record(store, "k", store.put(b"x"))

    monkeypatch.setattr(gc_module._Run, "sync", sync)
    plan = store.plan_gc()
    assert [item.kind for item in plan.delete] == ["result", "object"]
    assert [item.kind for item in store.execute_gc(plan).delete] == ["result"]
    assert store.actions.get(key) is not None and store.check().ok


def test_tree_announced_before_it_is_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease may name a tree before it is published; once it is, what it lists is kept too."""
    leaf = store.put(b"leaf")
    tree = tree_of(store, leaf)
    data = store.read(tree.digest)
    store.layout.object(tree.digest).unlink()
    plan = store.plan_gc()
    with store.lease("x") as lease:
        lease.need([tree.digest], "tree")
        look = gc_module._Run.look_again
        looks = 0

        def look_again(run: object) -> None:
            nonlocal looks
            looks += 1
            look(run)  # type: ignore[arg-type]
            if looks == 1:
                store.put(data)

        monkeypatch.setattr(gc_module._Run, "look_again", look_again)
        assert store.execute_gc(plan).delete == ()
    assert store.read(leaf.digest) == b"leaf"


def test_plan_without_its_memory_is_executed_safely(store: Store) -> None:
    """A plan made by hand deletes only what nothing needs now."""
    kept = build(store, "d", 1)
    junk = store.put(b"junk")
    item = store.plan_gc().delete[0]
    foolish = item._replace(kind="tree", name=kept.digest)
    done = store.execute_gc(GcPlan((item, foolish), store.plan_gc().keep, ()))
    assert [i.name for i in done.delete] == [junk.digest]
    assert store.missing(kept.digest) == []


def test_already_gone_is_not_counted(store: Store) -> None:
    """Two that execute one plan delete each thing once."""
    build(store, "d", 1)
    build(store, "d", 2)
    record(store, "r", store.put(b"x"))
    plan = store.plan_gc(keep_last=1)
    first = store.execute_gc(plan)
    assert first.delete == plan.delete
    assert store.execute_gc(plan).delete == ()


def test_damaged_live_lease_stops_gc(store: Store) -> None:
    """What a running build needs must be readable."""
    junk = store.put(b"junk")
    with store.lease("x") as lease:
        lease.path.write_text("nonsense\n")
        with pytest.raises(StoreError, match="expected a lease line"):
            store.plan_gc()
    assert store.has(junk.digest)


def test_read_only_store_plans_and_does_not_execute(store: Store, tmp_path: Path) -> None:
    """A plan can be looked at without the right to carry it out."""
    store.put(b"junk")
    with Store.open(tmp_path / "s", read_only=True) as reader:
        plan = plan_gc(reader)
        assert len(plan.delete) == 1
        with pytest.raises(StoreReadOnly):
            gc_module.execute_gc(reader, plan)


def test_extra_roots_are_read_anew(store: Store) -> None:
    """A mapping that looks at the disk when it is iterated shows receipts written after the plan."""
    tree = tree_of(store, store.put(b"x"))
    asked = 0

    class Receipts(Mapping[str, Digest]):
        def __iter__(self) -> Iterator[str]:
            nonlocal asked
            asked += 1
            return iter([] if asked == 1 else ["receipt"])

        def __len__(self) -> int:
            return 1

        def __getitem__(self, name: str) -> Digest:
            return tree.digest

    plan = store.plan_gc(extra_roots=Receipts())
    assert len(plan.delete) == 2
    assert store.execute_gc(plan).delete == ()


def test_many_deletions_open_the_gate_between(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builders are let in every few hundredths of a second."""
    for number in range(5):
        store.put(bytes([number]))
    monkeypatch.setattr(gc_module, "HOLD_SECONDS", 0.0)
    closed = 0
    gate = store.leases.closed_gate

    def counting() -> object:
        nonlocal closed
        closed += 1
        return gate()

    monkeypatch.setattr(store.leases, "closed_gate", counting)
    assert len(collect(store).delete) == 5
    assert closed == 5
