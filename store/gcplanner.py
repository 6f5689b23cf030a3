"""Plans a garbage collection: what no root reaches, each thing with its reason. Planning changes nothing.

Roots are refs, what running builds lease, and the extra roots of the caller (receipts).
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from store.digest import Digest
from store.errors import BadEncoding, ObjectCorrupt, ObjectMissing
from store.gcplan import GcItem, GcPlan, GcRoot, GcTotals
from store.leases import LeaseReader, Need
from store.parts import Parts
from store.reach import UNREADABLE, Found, Reach, is_tree_file, scan
from store.refs import Ref, split_series
from store.retention import dropped_by_age, dropped_by_count, series_of
from store.trees import KIND_TREE

__all__ = ["STALE_SECONDS", "need_all", "plan_gc", "temporaries"]

STALE_SECONDS = 86400.0
"""Temporaries that nothing wrote to for a day are nobody's. Younger ones go when the store is opened while nobody else has it open."""

PARTIAL_AGE = timedelta(days=7)
"""What came of a download that was cut off is kept for so long after it was last gone on with, unless the caller has a limit of his own."""


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
        max_age: drop refs of a series set longer ago, but never its newest; and partial data last written to longer ago, in place of
            :data:`PARTIAL_AGE`.
        max_size: bytes of objects to stay below, by dropping the oldest refs of all series, but never a series' newest. What leases and extra
            roots reach counts, and stays.
        extra_roots: name → digest of what else must stay (receipts). One that reads anew whenever it is iterated makes
            ``execute_gc`` see receipts written meanwhile.
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
    items += plan.partials(max_age if max_age is not None else PARTIAL_AGE, clock)
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
        newest = {numbered[-1][1].name for numbered in series_of(refs).values()}
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

    def partials(self, limit: timedelta, clock: float) -> Iterator[GcItem]:
        """Downloads that nobody has gone on with for longer than ``limit``."""
        for kept in self.parts.partials.kept():
            age = timedelta(seconds=max(0.0, clock - kept.touched))
            if not kept.live and age > limit:
                what = kept.where or "nobody can say what"
                reason = f"the beginning of {what}, last gone on with {_ago(age)} ago"
                yield GcItem("partial", kept.name, kept.bytes, reason)

    def leftovers(self, limit: float) -> Iterator[GcItem]:
        """What killed builds left behind: temporaries last written to before ``limit``, and leases that nobody holds."""
        for name, size, touched in temporaries(self.parts.layout.tmp):
            if touched < limit:
                yield GcItem("tmp", name, size, "a build that was stopped left it behind")
        for path in self.dead_leases:
            with suppress(FileNotFoundError):
                yield GcItem("lease", path.name, path.stat().st_size, "the build that held it is over")


def _ago(age: timedelta) -> str:
    for seconds, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if (count := int(age.total_seconds() // seconds)) or unit == "second":
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    raise AssertionError("the last unit ends the loop")


def _unreached(kind: Literal["tree", "object"], found: Found) -> GcItem:
    reason = "no ref, receipt or running build reaches it"
    return GcItem(kind, str(found.digest), found.stat.st_size, reason, found.stat.st_nlink > 1)


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
