"""Check: what it finds, whom it names, and what repair does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import (
    KIND_FILE,
    KIND_TREE,
    ActionResult,
    Digest,
    ObjectId,
    Output,
    Store,
    StoreReadOnly,
    TreeEntry,
    digest_bytes,
    encode,
    inspection,
    is_sealed,
    reseal,
)
from store.check import CheckReport, Finding, check


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s") as store:
        yield store


def tree_of(store: Store, *ids: ObjectId, kind: str = KIND_FILE) -> ObjectId:
    return store.put_tree([TreeEntry(f"n{n}", kind, *id) for n, id in enumerate(ids)])


def record(store: Store, name: str, id: ObjectId, kind: str = KIND_FILE) -> Digest:
    key = digest_bytes(name.encode())
    store.actions.put(key, ActionResult({"o": Output(*id, kind)}))
    return key


def spoil(path: Path, data: bytes) -> None:
    """Write other bytes, as an editor would."""
    mode = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(data)
    path.chmod(mode)


def rot(store: Store, digest: Digest) -> None:
    """Alter bytes and keep the seal, as a failing disk would."""
    path = store.layout.object(digest)
    data = path.read_bytes()
    spoil(path, bytes([data[0] ^ 1]) + data[1:])
    assert reseal(path, digest)


def only(report: CheckReport) -> Finding:
    (finding,) = report.findings
    return finding


def test_sound_store(store: Store) -> None:
    """Nothing is found where nothing is wrong, and little is read."""
    tree = tree_of(store, store.put(b"a"), store.put(b"b"))
    store.refs.set("d/1", tree.digest)
    record(store, "k", tree, KIND_TREE)
    report = store.check()
    assert report == CheckReport((), objects=3, read=0, bytes=0)
    assert report.ok
    full = store.check(read_data=True)
    assert full.ok and full.read == 3 and full.bytes == 2 + tree.size


def test_missing_object_names_who_needs_it(store: Store) -> None:
    """Every ref and result above a missing object is named, through trees and shared trees."""
    leaf = store.put(b"leaf")
    inner = tree_of(store, leaf)
    outer = tree_of(store, inner, kind=KIND_TREE)
    other = tree_of(store, inner, leaf and inner, kind=KIND_TREE)
    store.refs.set("d/1", outer.digest)
    store.refs.set("tag", leaf.digest)
    store.refs.set("apart", store.put(b"apart").digest)
    key = record(store, "k", other, KIND_TREE)
    store.layout.object(leaf.digest).unlink()
    finding = only(store.check())
    assert finding.kind == "missing" and finding.digest == leaf.digest and finding.path.endswith(leaf.digest)
    assert finding.needed_by == ("ref d/1", "ref tag", f"result {key}")
    assert "mldata build" in finding.remedy
    assert finding.matters


def test_missing_tree_hides_what_is_below(store: Store) -> None:
    """A missing tree is one finding; what it listed cannot be known."""
    inner = tree_of(store, store.put(b"leaf"))
    outer = tree_of(store, inner, kind=KIND_TREE)
    store.refs.set("d/1", outer.digest)
    store.layout.object(inner.digest).unlink()
    finding = only(store.check())
    assert (finding.kind, finding.digest, finding.needed_by) == ("missing", inner.digest, ("ref d/1",))


def test_needed_by_is_bounded(store: Store) -> None:
    """A thousand refs to one lost object do not make a thousand names."""
    leaf = store.put(b"leaf")
    for number in range(13):
        store.refs.set(f"d/{number + 1}", leaf.digest)
    store.layout.object(leaf.digest).unlink()
    needed_by = only(store.check()).needed_by
    assert len(needed_by) == 11 and needed_by[-1] == "and 3 more"


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"LEAF", "altered"), (b"longer than before", "altered"), (b"le", "truncated"), (b"", "truncated")],
)
def test_edited_object_is_found_without_reading_all(store: Store, data: bytes, kind: str) -> None:
    """A write breaks the seal; the object is read and judged. Repair moves it aside, and it is made again."""
    leaf = store.put(b"leaf")
    tree = tree_of(store, leaf)
    store.refs.set("d/1", tree.digest)
    spoil(store.layout.object(leaf.digest), data)
    finding = only(store.check())
    assert (finding.kind, finding.digest, finding.needed_by) == (kind, leaf.digest, ("ref d/1",))
    assert "--repair" in finding.remedy and store.has(leaf.digest), "a check moves nothing"
    repaired = only(store.check(repair=True))
    assert "moved to" in repaired.remedy and "mldata build" in repaired.remedy
    assert [path.read_bytes() for path in store.layout.quarantine.iterdir()] == [data]
    assert only(store.check()).kind == "missing"
    store.put(b"leaf")
    assert store.check().findings == ()


def test_unneeded_altered_object_matters(store: Store) -> None:
    """It would be taken for the content it is named by; but nothing has to be built again."""
    leaf = store.put(b"leaf")
    spoil(store.layout.object(leaf.digest), b"xxxx")
    finding = only(store.check())
    assert finding.matters and finding.needed_by == () and finding.remedy.endswith("nothing needs it")


def test_touched_object_is_sealed_again(store: Store) -> None:
    """A lost seal with the right bytes is no finding."""
    leaf = store.put(b"leaf")
    os.utime(store.layout.object(leaf.digest))
    report = store.check()
    assert report.findings == () and report.read == 1
    assert store.intact(leaf.digest)


def test_rot_is_found_by_reading(store: Store) -> None:
    """What a failing disk altered has its seal; only reading finds it."""
    leaf = store.put(b"leaf")
    store.refs.set("d/1", tree_of(store, leaf).digest)
    rot(store, leaf.digest)
    assert store.check().ok
    finding = only(store.check(read_data=True))
    assert (finding.kind, finding.needed_by) == ("altered", ("ref d/1",))


def test_rotten_tree_is_found_always(store: Store) -> None:
    """Trees are read anyway, so that what they list is known."""
    tree = tree_of(store, store.put(b"leaf"))
    store.refs.set("d/1", tree.digest)
    rot(store, tree.digest)
    finding = only(store.check())
    assert (finding.kind, finding.digest, finding.needed_by) == ("altered", tree.digest, ("ref d/1",))


def test_result_that_calls_a_file_a_tree(store: Store) -> None:
    """Bytes that are right and no tree are told as such."""
    leaf = store.put(b"leaf")
    key = record(store, "k", leaf, KIND_TREE)
    finding = only(store.check())
    assert (finding.kind, finding.needed_by) == ("bad-tree", (f"result {key}",))


def test_tree_with_a_wrong_size(store: Store) -> None:
    """A tree that says another size than the object has is wrong, not the object."""
    leaf = store.put(b"leaf")
    tree = store.put_tree([TreeEntry("n", KIND_FILE, leaf.digest, 99)])
    store.refs.set("d/1", tree.digest)
    finding = only(store.check())
    assert (finding.kind, finding.digest, finding.needed_by) == ("bad-tree", leaf.digest, ("ref d/1",))
    assert "99" in finding.remedy


def test_damaged_result(store: Store) -> None:
    """A result that cannot be read is found, moved aside by repair, and does no more harm."""
    key = record(store, "k", store.put(b"x"))
    spoil(store.layout.action(key), b"damaged")
    finding = only(store.check())
    assert finding.kind == "bad-result" and finding.digest == key
    assert "moved to" in only(store.check(repair=True)).remedy
    assert store.check().findings == ()
    assert store.actions.get(key) is None


def test_damaged_ref(store: Store) -> None:
    """A damaged ref is named and never moved: what it kept would be collected."""
    store.refs.set("d/1", store.put(b"x").digest)
    (store.layout.refs / "d/1").write_text("damaged")
    finding = only(store.check(repair=True))
    assert finding.kind == "bad-ref" and finding.needed_by == ("ref d/1",) and "gc refuses" in finding.remedy
    assert finding.matters and (store.layout.refs / "d/1").exists()


def test_ref_with_an_impossible_name(store: Store) -> None:
    """Somebody's file among the refs is named."""
    (store.layout.refs / ".DS_Store").write_text("x")
    assert only(store.check()).kind == "bad-ref"


def test_strays_are_told_and_moved_by_repair(store: Store) -> None:
    """Files that are none of the store's do no harm; repair moves those aside that lie among objects and results."""
    digest = digest_bytes(b"elsewhere")
    for folder in (store.layout.objects, store.layout.actions):
        (folder / "00").mkdir(exist_ok=True)
        (folder / "00" / "stray").write_text("x")
    (store.layout.objects / "zz").mkdir()
    (store.layout.objects / "zz" / digest).write_text("x")
    (store.layout.root / "top").write_text("x")
    kinds = sorted((f.kind, Path(f.path).name) for f in store.check().findings)
    assert kinds == [("bad-name", digest), ("stray", "stray"), ("stray", "stray"), ("stray", "top")]
    report = store.check(repair=True)
    assert report.ok and len(report.findings) == 4
    assert len(list(store.layout.quarantine.iterdir())) == 3
    assert only(store.check()).path.endswith("top")


def test_folder_in_place_of_an_object(store: Store) -> None:
    """It is a stray, and the object is missing."""
    leaf = store.put(b"leaf")
    store.refs.set("d/1", leaf.digest)
    path = store.layout.object(leaf.digest)
    path.unlink()
    path.mkdir()
    assert {f.kind for f in store.check().findings} >= {"bad-name"}
    assert not store.check().ok
    store.check(repair=True)
    assert only(store.check()).kind == "missing"


def test_writable_object(store: Store) -> None:
    """Write permission invites accidents through hard links; repair takes it away."""
    leaf = store.put(b"leaf")
    store.layout.object(leaf.digest).chmod(0o644)
    report = store.check()
    assert only(report).kind == "bad-mode" and report.ok
    store.check(repair=True)
    assert store.check().findings == ()


def test_temporaries_do_not_matter(store: Store) -> None:
    """What a killed build left is told, and is no damage."""
    (store.layout.tmp / "left").mkdir()
    report = store.check()
    assert only(report).kind == "temporary" and report.ok


def test_samples_cover_everything_in_turn(store: Store) -> None:
    """Each sample reads other objects, and together they read all."""
    ids = [store.put(bytes([number])) for number in range(10)]
    for id in ids:
        rot(store, id.digest)
    found: list[Digest | None] = []
    for _ in range(4):
        report = store.check(sample=0.25)
        assert report.read == 3
        found += [finding.digest for finding in report.findings]
    assert set(found) == {id.digest for id in ids}
    assert store.check(sample=0).read == 0
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match="sample"):
            store.check(sample=wrong)


def test_read_only_sample_follows_the_clock(store: Store, tmp_path: Path) -> None:
    """Where the position cannot be kept, time moves it."""
    for number in range(4):
        store.put(bytes([number]))
    with Store.open(tmp_path / "s", read_only=True) as reader:
        assert reader.check(sample=0.5).read == 2
        with pytest.raises(StoreReadOnly):
            check(reader, repair=True)


def test_duration_ends_reading_and_the_next_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that ran out of time says so; those after it read the rest."""
    for number in range(10):
        rot(store, store.put(bytes([number])).digest)
    monkeypatch.setattr(inspection, "GROUP", 1)
    report = store.check(read_data=True, max_duration=0)
    assert (report.read, report.unread, report.finished) == (0, 10, False)
    clock = iter(range(1000))
    monkeypatch.setattr(inspection.time, "monotonic", lambda: float(next(clock)))
    found: set[Digest | None] = set()
    for _ in range(20):
        report = store.check(read_data=True, max_duration=4.5)
        assert report.read + report.unread == 10
        found |= {finding.digest for finding in report.findings}
        if len(found) == 10:
            break
    assert len(found) == 10


def test_progress_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects and bytes grow to their totals, over many groups."""
    for number in range(20):
        store.put(bytes([number]) * 10)
    monkeypatch.setattr(inspection, "GROUP", 2)
    told: list[tuple[int, int]] = []
    check(store, read_data=True, progress=lambda objects, size: told.append((objects, size)))
    assert told == [(number, number * 10) for number in range(1, 21)]


def test_what_gc_takes_meanwhile_is_no_finding(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object or result that goes between looking and reading was not needed."""
    leaf = store.put(b"leaf")
    key = record(store, "k", store.put(b"other"))
    real = store.actions.load

    def load(asked: Digest) -> ActionResult:
        store.layout.object(leaf.digest).unlink(missing_ok=True)
        store.actions.delete(key)
        return real(asked)

    monkeypatch.setattr(store.actions, "load", load)
    assert store.check(read_data=True).findings == ()


def test_what_a_build_adds_meanwhile_is_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object published after the scan is not missing."""
    real = store.refs.names

    def names(prefix: str = "") -> Iterator[str]:
        store.refs.set("d/1", store.put(b"new").digest)
        return real(prefix)

    monkeypatch.setattr(store.refs, "names", names)
    assert store.check().findings == ()


def test_unreadable_object_is_altered(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object that is no longer a file it can read counts as damaged, never as a crash."""
    leaf = store.put(b"leaf")
    os.utime(store.layout.object(leaf.digest))
    from store import objects

    def fails(*_: object, **__: object) -> None:
        raise OSError(5, "input/output error")

    monkeypatch.setattr(objects, "hash_fd", fails)
    assert only(store.check()).kind == "truncated"


def test_seal_is_what_check_trusts(store: Store) -> None:
    """The figures of the format: size and nanoseconds."""
    leaf = store.put(b"leaf")
    assert is_sealed(os.stat(store.layout.object(leaf.digest)), leaf.digest, 4)
    assert encode(["x"]) == b"\x91\xa1x"
