"""Garbage collection: what no root reaches goes. Planned and shown (``gcplanner.py``), then executed here.

Executing deletes refs, then action results, then trees (outer before inner), then other objects, and makes each kind's deletion durable
before it starts the next: so whatever is left at any moment still finds what it names, and a run that was interrupted is finished by the next.

Invariant: nothing that a root reaches is deleted, roots made while gc runs included. gc closes the gate (``leases.py``) for a few
hundredths of a second at a time, and each time first reads refs, leases and extra roots again.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from store import atomic, gcplanner
from store.digest import Digest, as_digest
from store.errors import BadDigest, RefConflict, StoreReadOnly
from store.gcplan import ORDER, GcItem, GcPlan
from store.gcplanner import need_all, plan_gc, temporaries
from store.leases import LeaseReader, Need
from store.parts import Parts
from store.reach import Reach, is_tree_file

__all__ = ["GcPlan", "execute_gc", "plan_gc"]

HOLD_SECONDS = 0.05
"""How long the gate stays closed at a time: builders wait no longer than this, and a look at the roots."""

RACY_NS = 100_000_000
"""A folder's modification time may stand still for about as long (the tick of the filesystem's clock) while it changes."""


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
            case "partial":
                return self.parts.partials.remove(item.name)
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
        limit = time.time() - gcplanner.STALE_SECONDS
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
