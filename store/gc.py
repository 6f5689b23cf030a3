"""Garbage collection: what no root reaches goes. Planned, shown, then executed.

Roots are refs, what running builds lease, and the extra roots of the caller (receipts). Planning changes nothing. Executing deletes
refs, then action results, then trees (outer before inner), then other objects, and makes each kind's deletion durable before it starts the next: so
whatever is left at any moment still finds what it names, and a run that was interrupted is finished by the next.

Invariant: nothing that a root reaches is deleted, roots made while gc runs included. gc closes the gate (``leases.py``) for a few
hundredths of a second at a time, and each time first reads refs, leases and extra roots again.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from store import atomic
from store.actions import ActionCache
from store.digest import Digest, as_digest
from store.errors import BadDigest, BadEncoding, ObjectCorrupt, ObjectMissing, RefConflict, StoreReadOnly
from store.layout import Layout
from store.leases import LeaseReader, Leases, Need
from store.objects import Objects
from store.reach import UNREADABLE, Found, Reach, is_tree_file, scan
from store.refs import Ref, Refs, split_series
from store.trees import KIND_TREE, Tree

__all__ = [
    "GcItem",
    "GcPlan",
    "GcRoot",
    "GcTotals",
    "Parts",
    "dropped_by_age",
    "dropped_by_count",
    "execute_gc",
    "plan_gc",
]

GcKind = Literal["ref", "result", "tree", "object", "tmp", "lease"]
ORDER: tuple[GcKind, ...] = ("ref", "result", "tree", "object", "tmp", "lease")
"""The order of deletion."""

STALE_SECONDS = 86400.0
"""Temporaries that nothing wrote to for a day are nobody's. Younger ones go when the store is opened while nobody else has it open."""

HOLD_SECONDS = 0.05
"""How long the gate stays closed at a time: builders wait no longer than this, and a look at the roots."""


RACY_NS = 100_000_000
"""A folder's modification time may stand still for about as long (the tick of the filesystem's clock) while it changes."""


class GcItem(NamedTuple):
    """One thing to delete, or deleted."""

    kind: GcKind
    name: str
    """The ref's name, the digest, or the file's name."""
    bytes: int
    reason: str
    """One sentence."""
    shared: bool = False
    """The file has other hard links (an export, DVC's cache): its space is free only when those go too."""


class GcRoot(NamedTuple):
    """Something that keeps what it reaches."""

    kind: Literal["ref", "extra", "lease"]
    name: str
    digest: Digest | None
    """None for a lease, which names many."""


@dataclass(frozen=True)
class GcTotals:
    """Counts, and bytes of the files."""

    refs: int = 0
    results: int = 0
    objects: int = 0
    """Trees among them."""
    bytes: int = 0
    """Of results and objects."""


@dataclass(frozen=True)
class GcPlan:
    """What gc would delete and why; from :func:`execute_gc`, what it did delete."""

    delete: tuple[GcItem, ...]
    """In the order of deletion."""
    keep: GcTotals
    roots: tuple[GcRoot, ...]
    warnings: tuple[str, ...] = ()
    """What the user should know: roots that lack something, a size that cannot be reached."""
    reach: Reach | None = field(default=None, repr=False, compare=False)
    """What the roots reached when the plan was made."""
    results: frozenset[bytes] = field(default=frozenset(), repr=False, compare=False)
    """Keys of the action results that stay; one that is not among them came later."""
    extra_roots: Mapping[str, Digest] = field(default_factory=dict, repr=False, compare=False)
    doomed: Mapping[str, Digest] = field(default_factory=dict, repr=False, compare=False)
    """Refs to delete, with what they named when the plan was made."""

    @property
    def totals(self) -> GcTotals:
        """What ``delete`` adds up to."""
        count = dict.fromkeys(ORDER, 0)
        for item in self.delete:
            count[item.kind] += 1
        return GcTotals(
            count["ref"],
            count["result"],
            count["tree"] + count["object"],
            sum(item.bytes for item in self.delete),
        )

    @property
    def freed(self) -> int:
        """Bytes of disk that really become free: without files that have other hard links."""
        return sum(item.bytes for item in self.delete if not item.shared)


class Parts(Protocol):
    """What gc needs of a store; ``Store`` has it."""

    @property
    def layout(self) -> Layout: ...
    @property
    def read_only(self) -> bool: ...
    @property
    def objects(self) -> Objects: ...
    @property
    def actions(self) -> ActionCache: ...
    @property
    def refs(self) -> Refs: ...
    @property
    def leases(self) -> Leases: ...

    def tree(self, digest: Digest) -> Tree:
        """The tree of that digest, verified."""
        ...


# -- decisions


def dropped_by_count(refs: Iterable[Ref], keep_last: int) -> dict[str, str]:
    """Refs of a series below its ``keep_last`` highest numbers, with the reason. Refs outside any series stay."""
    if keep_last < 1:
        raise ValueError(
            f"keep_last must be 1 or more, found {keep_last}: a series never loses its newest build"
        )
    return {
        ref.name: f"{series} keeps its {keep_last} newest builds, the oldest of them {numbered[-keep_last][0]}"
        for series, numbered in _series(refs).items()
        for _, ref in numbered[:-keep_last]
    }


def dropped_by_age(refs: Iterable[Ref], max_age: timedelta, now: float) -> dict[str, str]:
    """Refs of a series set more than ``max_age`` before ``now`` (seconds since the epoch), but never a series' newest, with the reason."""
    limit = max_age.total_seconds()
    return {
        ref.name: f"set {(now - ref.mtime) / 86400:.1f} days ago, more than {limit / 86400:g}, and {series}/{numbered[-1][0]} is newer"
        for series, numbered in _series(refs).items()
        for _, ref in numbered[:-1]
        if now - ref.mtime > limit
    }


def _series(refs: Iterable[Ref]) -> dict[str, list[tuple[int, Ref]]]:
    """Series → its refs by rising number."""
    found: dict[str, list[tuple[int, Ref]]] = {}
    for ref in refs:
        where = split_series(ref.name)
        if where:
            found.setdefault(where[0], []).append((where[1], ref))
    return {series: sorted(numbered) for series, numbered in found.items()}


# -- planning


def plan_gc(
    parts: Parts,
    *,
    keep_last: int | None = None,
    max_age: timedelta | None = None,
    max_size: int | None = None,
    extra_roots: Mapping[str, Digest] | None = None,
    now: datetime | None = None,
) -> GcPlan:
    """What to delete so that only what roots reach remains. Changes nothing.

    Args:
        keep_last: of every series (``datasets/penguins/*``) keep the refs with the N highest numbers.
        max_age: drop refs of a series set longer ago, but never its newest.
        max_size: bytes of objects to stay below, by dropping the oldest refs of all series, but never a series' newest. What leases and extra
            roots reach counts, and stays.
        extra_roots: name → digest of what else must stay (receipts). One that reads anew whenever it is iterated makes
            :func:`execute_gc` see receipts written meanwhile.
        now: the time that ages count from; the clock's by default.

    Raises:
        BadRef: a ref is damaged. Nothing can be planned: what it reached is unknown.
        ValueError: an impossible limit.
    """
    if (max_size is not None and max_size < 0) or (max_age is not None and max_age < timedelta(0)):
        raise ValueError("max_size and max_age must not be negative")
    extra = extra_roots if extra_roots is not None else {}
    clock = time.time() if now is None else now.timestamp()
    refs = list(parts.refs.list())
    dropped: dict[str, str] = {}
    if max_age is not None:
        dropped |= dropped_by_age(refs, max_age, clock)
    if keep_last is not None:
        dropped |= dropped_by_count(refs, keep_last)
    plan = _Planner(parts)
    roots = plan.leases()
    for name, digest in extra.items():
        roots.append(GcRoot("extra", name, digest))
        plan.root(f"{name}", digest)
    kept = [ref for ref in refs if ref.name not in dropped]
    if max_size is None:
        for ref in kept:
            plan.root(f"ref {ref.name}", ref.digest)
    else:
        dropped |= plan.fit(kept, max_size)
    roots += [GcRoot("ref", ref.name, ref.digest) for ref in kept if ref.name not in dropped]
    gone = [ref for ref in refs if ref.name in dropped]
    items = [GcItem("ref", ref.name, 65, dropped[ref.name]) for ref in gone]
    items += plan.results()
    items += plan.objects()
    items += plan.leftovers(clock - STALE_SECONDS)
    totals = GcTotals(len(refs) - len(gone), len(plan.kept_results), plan.kept_objects, plan.kept_bytes)
    doomed = {ref.name: ref.digest for ref in gone}
    kept_results = frozenset(plan.kept_results)
    return GcPlan(
        tuple(items), totals, tuple(roots), tuple(plan.warnings), plan.reach, kept_results, extra, doomed
    )


class _Planner:
    """The state of one planning: what is reached so far, and what was noticed."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.reach = Reach(parts.tree)
        self.wanted_results: set[Digest] = set()
        self.warnings: list[str] = []
        self.dead_leases: list[Path] = []
        self.kept_results: set[bytes] = set()
        self.kept_objects = self.kept_bytes = 0

    def leases(self) -> list[GcRoot]:
        """Take what running builds need as roots."""
        roots = []
        for path in self.parts.leases.paths():
            if self.parts.leases.live(path):
                roots.append(GcRoot("lease", path.name, None))
                need_all(self.parts, self.reach, self.wanted_results, LeaseReader(path).read())
            else:
                self.dead_leases.append(path)
        return roots

    def root(self, name: str, digest: Digest) -> None:
        path = self.parts.layout.object(digest)
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            self.warnings.append(
                f"{name} names {digest}, which is not in the store; `mldata build` makes it again"
            )
            size = 0
        tree = is_tree_file(path)
        if not tree and size and not self.parts.objects.inspect(digest).good:
            self.note(name, {digest: ObjectCorrupt(digest, path)})
        self.note(name, self.reach.add(digest, tree=tree, size=size).lost)

    def note(self, name: str, lost: Mapping[Digest, Exception]) -> None:
        self.warnings += [
            f"{name} needs tree {digest}, which is lost, and what only that tree lists cannot be kept; `mldata check` says how it comes back"
            for digest in lost
        ]

    def fit(self, refs: list[Ref], max_size: int) -> dict[str, str]:
        """Keep the newest refs that fit; the others, with the reason."""
        newest = {numbered[-1][1].name for numbered in _series(refs).values()}
        fixed = [ref for ref in refs if ref.name in newest or split_series(ref.name) is None]
        for ref in fixed:
            self.root(f"ref {ref.name}", ref.digest)
        if self.reach.size > max_size:
            self.warnings.append(
                f"the store cannot be brought below {max_size:,} bytes: {self.reach.size:,} are needed by the newest build of each dataset,"
                " by other refs, receipts and running builds"
            )
        dropped: dict[str, str] = {}
        others = [ref for ref in refs if ref not in fixed]
        for ref in sorted(others, key=lambda ref: (ref.mtime, split_series(ref.name)), reverse=True):
            path = self.parts.layout.object(ref.digest)
            size = path.stat().st_size if path.exists() else 0
            spread = self.reach.spread(ref.digest, tree=is_tree_file(path), size=size)
            # Once one is dropped all older ones go too, unless that would free nothing.
            if spread.size and (dropped or self.reach.size + spread.size > max_size):
                dropped[ref.name] = f"the newer builds fill the {max_size:,} bytes that the store may have"
            else:
                self.reach.merge(spread)
                self.note(f"ref {ref.name}", spread.lost)
        return dropped

    def results(self) -> Iterator[GcItem]:
        """Action results that can be of no use any more."""
        for found in scan(self.parts.layout.actions):
            if found.digest is None:
                continue  # a stray: `check` names it, nobody deletes what he does not know
            reason = self.useless(found.digest)
            if reason:
                yield GcItem("result", found.digest, found.stat.st_size, reason)
            else:
                self.kept_results.add(bytes.fromhex(found.digest))
                self.kept_bytes += found.stat.st_size

    def useless(self, key: Digest) -> str | None:
        if key in self.wanted_results:
            return None
        try:
            result = self.parts.actions.load(key)
        except ObjectMissing:  # gone meanwhile
            return "it is gone"
        except BadEncoding:
            return "it is damaged, so it can never be used"
        for name, output in result.outputs.items():
            if output.digest not in self.reach:
                return f"no ref, receipt or running build reaches its output {name!r}"
        return None

    def objects(self) -> list[GcItem]:
        """Objects that nothing reaches: trees, outer before inner, then the others."""
        trees: dict[Digest, Found] = {}
        others: list[GcItem] = []
        for found in scan(self.parts.layout.objects):
            if found.digest is None:
                continue
            if found.digest in self.reach:
                self.kept_objects += 1
                self.kept_bytes += found.stat.st_size
            elif is_tree_file(found.path):
                trees[found.digest] = found
            else:
                others.append(_unreached("object", found))
        return [_unreached("tree", trees[digest]) for digest in self.outer_first(trees)] + others

    def outer_first(self, trees: Mapping[Digest, Found]) -> list[Digest]:
        """Unreached trees, each before those it lists: a tree that still stands has all its parts."""
        order: list[Digest] = []
        seen: set[Digest] = set()
        for top in trees:
            stack = [(top, False)]
            while stack:
                digest, done = stack.pop()
                if done:
                    order.append(digest)
                elif digest not in seen:
                    seen.add(digest)
                    stack.append((digest, True))
                    with suppress(*UNREADABLE):
                        stack += [
                            (e.digest, False)
                            for e in self.parts.tree(digest)
                            if e.kind == KIND_TREE and e.digest in trees
                        ]
        return order[::-1]

    def leftovers(self, limit: float) -> Iterator[GcItem]:
        """What killed builds left behind: temporaries last written to before ``limit``, and leases that nobody holds."""
        for name, size, touched in temporaries(self.parts.layout.tmp):
            if touched < limit:
                yield GcItem("tmp", name, size, "a build that was stopped left it behind")
        for path in self.dead_leases:
            with suppress(FileNotFoundError):
                yield GcItem("lease", path.name, path.stat().st_size, "the build that held it is over")


def temporaries(folder: Path) -> Iterator[tuple[str, int, float]]:
    """Each entry of ``tmp/``: its name, the bytes in it, and when something in it was last written to (seconds since the epoch)."""
    with suppress(FileNotFoundError):
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            with suppress(FileNotFoundError):
                states = [entry.stat(follow_symlinks=False)]
                if entry.is_dir(follow_symlinks=False):
                    states += [inner.stat(follow_symlinks=False) for inner in os.scandir(entry.path)]
                # Change times: a temporary that is sealed already has a modification time of its own.
                size = sum(state.st_size for state in states if not stat.S_ISDIR(state.st_mode))
                yield entry.name, size, max(state.st_ctime for state in states)


def _unreached(kind: Literal["tree", "object"], found: Found) -> GcItem:
    reason = "no ref, receipt or running build reaches it"
    return GcItem(kind, str(found.digest), found.stat.st_size, reason, found.stat.st_nlink > 1)


def need_all(parts: Parts, reach: Reach, results: set[Digest], needs: Iterable[Need]) -> None:
    """Add what a lease names to what is reached."""
    for kind, digest in needs:
        if kind == "result":
            results.add(digest)
            with suppress(*UNREADABLE):
                for output in parts.actions.load(digest).outputs.values():
                    reach.add(output.digest, tree=output.kind == KIND_TREE, size=output.size)
        elif kind == "tree" or (kind == "object" and is_tree_file(parts.layout.object(digest))):
            reach.add(digest, tree=True)
        else:
            reach.objects.add(bytes.fromhex(digest))


# -- executing


def execute_gc(parts: Parts, plan: GcPlan) -> GcPlan:
    """Delete what a plan names, but for what has become needed since, and say what went.

    Interrupted anywhere, it leaves a sound store, and the next plan names the rest.

    Raises:
        StoreReadOnly: the store was opened read-only.
        StoreBusy: the filesystem has no locks, so running builds cannot be seen.
        BadRef, StoreError: a ref or the lease of a running build is damaged, so that what it needs is unknown.
    """
    if parts.read_only:
        raise StoreReadOnly(parts.layout.root)
    run = _Run(parts, plan)
    run.look_again()  # the long look, while builders work
    for kind in ORDER:
        items = [item for item in plan.delete if item.kind == kind][::-1]
        atomic.checkpoint(f"gc.{kind}:before")
        while items:
            with parts.leases.closed_gate():
                run.look_again()
                run.delete_some(items)
        run.sync()
        atomic.checkpoint(f"gc.{kind}:after")
    return replace(plan, delete=tuple(run.deleted))


class _Run:
    """The state of one execution."""

    def __init__(self, parts: Parts, plan: GcPlan) -> None:
        self.parts = parts
        self.plan = plan
        self.planned = plan.reach or Reach(parts.tree)
        self.reach = Reach(parts.tree, self.planned)
        """What became reachable since the plan was made."""
        self.results: set[Digest] = set()
        self.settled = set(plan.results)
        self.settled |= {bytes.fromhex(item.name) for item in plan.delete if item.kind == "result"}
        """Keys of results that the plan knew or a look has seen."""
        self.seen: dict[str, int] = {}
        """Folders of results that a look has seen: name → modification time then."""
        self.readers: dict[Path, LeaseReader] = {}
        self.deleted: list[GcItem] = []
        self.folders: set[str] = set()

    def look_again(self) -> None:
        """Take in every root there is now. While the gate is closed no other can come."""
        self.reach.retry()
        for path in self.parts.leases.paths():
            if self.parts.leases.live(path):
                reader = self.readers.setdefault(path, LeaseReader(path))
                need_all(self.parts, self.reach, self.results, reader.read())
        self.look_at_results()
        for ref in self.parts.refs.list():
            if self.plan.doomed.get(ref.name) != ref.digest:
                self.root(ref.digest)
        for digest in self.plan.extra_roots.values():
            self.root(digest)

    def look_at_results(self) -> None:
        """Keep what results name that came since the plan: whoever made them may have ended his lease between two looks."""
        with suppress(FileNotFoundError):
            for shard in os.scandir(self.parts.layout.actions):
                with suppress(FileNotFoundError, NotADirectoryError):
                    changed = shard.stat().st_mtime_ns
                    if self.seen.get(shard.name) == changed:
                        continue
                    # A folder that changed a moment ago may change again without showing it in its time.
                    self.seen[shard.name] = changed if time.time_ns() - changed > RACY_NS else -1
                    for name in os.listdir(shard.path):
                        self.look_at_result(name)

    def look_at_result(self, name: str) -> None:
        with suppress(BadDigest):
            key = as_digest(name)
            if bytes.fromhex(key) not in self.settled:
                self.settled.add(bytes.fromhex(key))
                need_all(self.parts, self.reach, self.results, [Need("result", key)])

    def root(self, digest: Digest) -> None:
        if digest not in self.planned and digest not in self.reach:
            self.reach.add(digest, tree=is_tree_file(self.parts.layout.object(digest)))

    def delete_some(self, items: list[GcItem]) -> None:
        """Take items off the end of the list and delete them, for as long as the gate may be closed."""
        end = time.monotonic() + HOLD_SECONDS
        while items:
            item = items.pop()
            if self.delete(item):
                self.deleted.append(item)
            if time.monotonic() > end:
                return

    def delete(self, item: GcItem) -> bool:
        """Delete one thing unless it is needed after all. Returns whether it went."""
        match item.kind:
            case "ref":
                return self.delete_ref(item.name)
            case "result":
                return self.delete_result(Digest(item.name))
            case "tree" | "object":
                digest = Digest(item.name)
                return digest not in self.reach and self.unlink(self.parts.layout.object(digest))
            case "lease":
                return self.parts.leases.remove_dead(self.parts.layout.leases / item.name)
            case "tmp":
                return self.remove_temporary(self.parts.layout.tmp / item.name)

    def delete_ref(self, name: str) -> bool:
        try:
            gone = self.parts.refs.delete(name, expect=self.plan.doomed[name])
        except RefConflict:  # it names something else now, which is a root
            return False
        self.folders.add(str((self.parts.layout.refs / name).parent))
        return gone

    def delete_result(self, key: Digest) -> bool:
        if key in self.results:
            return False
        self.settled.discard(bytes.fromhex(key))  # from now on it would be a new one
        return self.unlink(self.parts.layout.action(key))

    def remove_temporary(self, path: Path) -> bool:
        limit = time.time() - STALE_SECONDS
        if all(touched < limit for name, _, touched in temporaries(path.parent) if name == path.name):
            shutil.rmtree(path, ignore_errors=True)
            with suppress(OSError):  # it was a file, or is gone
                path.unlink()
        return not path.exists()

    def unlink(self, path: Path) -> bool:
        atomic.checkpoint("gc.unlink:before")
        with atomic.explained(path):
            try:
                path.unlink()
            except FileNotFoundError:
                return False
        atomic.checkpoint("gc.unlink:after")
        self.folders.add(str(path.parent))
        return True

    def sync(self) -> None:
        """Make one kind's deletions durable: else, after a power cut, a ref could be back and its tree gone."""
        if self.folders:
            with atomic.explained(self.parts.layout.root):
                fd = os.open(self.parts.layout.root, atomic.FOLDER_FLAGS)
                try:
                    atomic.sync_many(sorted(self.folders), fd)
                finally:
                    os.close(fd)
        self.folders.clear()
