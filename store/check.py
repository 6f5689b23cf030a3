"""Check: does the store hold what it says it holds? Findings first; repair only when asked, and it moves aside, never deletes.

What is always looked at: every name and seal, and that everything that refs and action results reach is there. An object whose seal is
broken is hashed. ``read_data`` hashes every object; ``sample`` a fraction of them. Reading starts where the last partial reading
stopped, in order of digest, and wraps round: so ``sample=0.05`` run twenty times has read everything, as has any number of runs that
``max_duration`` cut short. The position is kept in the index; where that cannot be, it follows the clock.
"""

from __future__ import annotations

import math
import os
import time
from bisect import bisect_left
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from store import atomic
from store.digest import Digest, digest_bytes
from store.errors import BadEncoding, BadRef, ObjectMissing, StoreReadOnly
from store.findings import CheckReport, Finding, FindingKind
from store.inspection import inspect_all
from store.layout import FOLDERS
from store.objects import Verdict
from store.parts import Parts
from store.reach import UNREADABLE, Found, is_tree_file, scan
from store.seal import is_sealed
from store.trees import KIND_TREE, Tree

__all__ = ["CheckReport", "Finding", "check"]

MAX_NEEDED_BY = 10
"""Names listed in :attr:`Finding.needed_by`; a last entry says how many more there are."""

KNOWN = frozenset({*FOLDERS, "format", "CACHEDIR.TAG", "lock", "refs.lock"})
"""What belongs at the top of a store, next to the index."""

CURSOR = "check.cursor"
"""Index entry: the digest (32 bytes) where partial reading goes on."""


def check(
    parts: Parts,
    *,
    read_data: bool = False,
    sample: float | None = None,
    max_duration: float | None = None,
    repair: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> CheckReport:
    """Look the store over.

    Args:
        read_data: hash every object.
        sample: hash this fraction (0 to 1) of the objects, other ones each time.
        max_duration: stop hashing after so many seconds. Names, seals and references are looked at whatever it takes.
        repair: move aside (``quarantine/``) altered objects, damaged results and refs, and strays; make writable objects read-only.
        progress: called with objects and bytes hashed so far.

    Raises:
        StoreReadOnly: ``repair`` on a store opened read-only.
        ValueError: a ``sample`` outside 0 to 1.
        StoreError: a folder cannot be read.
    """
    if sample is not None and not 0 <= sample <= 1:
        raise ValueError(f"expected a sample between 0 and 1, found {sample}")
    if repair and parts.read_only:
        raise StoreReadOnly(parts.layout.root)
    run = _Check(parts, repair, None if max_duration is None else time.monotonic() + max_duration, progress)
    with atomic.explained(parts.layout.root):
        run.look_at_objects()
        run.look_at_roots()
        run.read_suspects()
        if read_data or sample is not None:
            run.read_fraction(1.0 if read_data or sample is None else sample)
        run.look_at_leftovers()
        run.name_the_needy()
    return CheckReport(tuple(run.findings), len(run.sizes), run.read, run.bytes, not run.unread, run.unread)


class _Root(NamedTuple):
    name: str
    digest: Digest
    tree: bool
    size: int | None


class _Check:
    """The state of one check."""

    def __init__(
        self, parts: Parts, repair: bool, deadline: float | None, progress: Callable[[int, int], None] | None
    ) -> None:
        self.parts = parts
        self.repair = repair
        self.deadline = deadline
        self.progress = progress
        self.findings: list[Finding] = []
        self.sizes: dict[bytes, int] = {}
        """Every object that is there: digest → bytes of its file."""
        self.suspects: dict[bytes, int | None] = {}
        """Objects to hash whatever was asked for: digest → the size that a tree or result says, if any."""
        self.bad: dict[Digest, tuple[FindingKind, str, str]] = {}
        """What is missing or wrong: digest → kind, path, remedy."""
        self.roots: list[_Root] = []
        self.parents: dict[bytes, set[bytes]] = {}
        """Tree → trees that list it."""
        self.followed: set[bytes] = set()
        self.read = self.bytes = self.unread = 0

    # -- what is there

    def look_at_objects(self) -> None:
        """Names, modes and seals of all objects: one stat each."""
        for found in scan(self.parts.layout.objects):
            if found.digest is None:
                self.stray(found)
                continue
            key = bytes.fromhex(found.digest)
            self.sizes[key] = found.stat.st_size
            if not is_sealed(found.stat, found.digest):
                self.suspects[key] = None
            if found.stat.st_mode & 0o222:
                remedy = "run `mldata check --repair`, which makes it read-only: a write through a hard link would alter it"
                if self.repair:
                    os.chmod(found.path, 0o444)
                    remedy = "made read-only"
                self.findings.append(Finding("bad-mode", found.path, found.digest, remedy=remedy))

    def stray(self, found: Found) -> None:
        name = os.path.basename(found.path)
        kind: FindingKind = (
            "bad-name" if len(name) == 64 and not set(name.lower()) - set("0123456789abcdef") else "stray"
        )
        self.findings.append(
            Finding(kind, found.path, remedy=self.move_aside(Path(found.path), "nothing refers to it"))
        )

    def move_aside(self, path: Path, why: str) -> str:
        """Quarantine a file if repairing; the remedy either way."""
        if not self.repair:
            return f"{why}; run `mldata check --repair`, which moves it to quarantine/"
        target = self.parts.layout.quarantine / f"{path.name}.{atomic.unique_name()}"
        with suppress(FileNotFoundError):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(path, target)
        return f"{why}; moved to {target}"

    # -- what is needed

    def look_at_roots(self) -> None:
        """Follow every ref and action result; whatever they name must be there, in the size they say."""
        self.look_at_refs()
        self.look_at_results()
        for root in self.roots:
            self.expect(root.digest, root.size)
            if root.tree:
                self.follow(root.digest)

    def look_at_refs(self) -> None:
        for name in self.parts.refs.names():
            path = self.parts.layout.refs / name
            try:
                digest = self.parts.refs.get(name)
            except BadRef as error:
                kept = "until then gc refuses to run, since it cannot know what the ref kept"
                self.findings.append(
                    Finding("bad-ref", str(path), needed_by=(f"ref {name}",), remedy=f"{error}; {kept}")
                )
                continue
            if digest is not None:
                tree = is_tree_file(self.parts.layout.object(digest))
                if not tree and bytes.fromhex(digest) in self.sizes:
                    self.suspects[bytes.fromhex(digest)] = (
                        None  # a tree whose very first bytes are damaged looks like this
                    )
                self.roots.append(_Root(f"ref {name}", digest, tree, None))

    def look_at_results(self) -> None:
        for found in scan(self.parts.layout.actions):
            if found.digest is None:
                self.stray(found)
                continue
            try:
                result = self.parts.actions.load(found.digest)
            except ObjectMissing:  # gc took it meanwhile
                continue
            except BadEncoding:
                remedy = self.move_aside(Path(found.path), "the action runs again when it is next needed")
                self.findings.append(Finding("bad-result", found.path, found.digest, remedy=remedy))
                continue
            name = f"result {found.digest}"
            self.roots += [
                _Root(name, o.digest, o.kind == KIND_TREE, o.size) for o in result.outputs.values()
            ]

    def expect(self, digest: Digest, size: int | None) -> None:
        key = bytes.fromhex(digest)
        there = self.sizes.get(key)
        if there is None:
            path = self.parts.layout.object(digest)
            if not path.is_file():  # else published since the scan
                self.bad[digest] = (
                    "missing",
                    str(path),
                    "run `mldata build`, which makes or fetches it again",
                )
        elif size is not None and size != there:
            self.suspects[key] = size

    def follow(self, top: Digest) -> None:
        """Look at everything below a tree, each tree once."""
        todo = [top]
        while todo:
            digest = todo.pop()
            key = bytes.fromhex(digest)
            if key in self.followed:
                continue
            self.followed.add(key)
            tree = self.tree(digest)
            for entry in tree or ():
                below = bytes.fromhex(entry.digest)
                if self.sizes.get(below) != entry.size:
                    self.expect(entry.digest, entry.size)
                if entry.kind == KIND_TREE:
                    self.parents.setdefault(below, set()).add(key)
                    todo.append(entry.digest)

    def tree(self, digest: Digest) -> Tree | None:
        """Read a tree, moving nothing. None, and a suspect or a finding, if it cannot be read."""
        path = self.parts.layout.object(digest)
        try:
            data = path.read_bytes()
        except OSError:
            self.suspects.setdefault(bytes.fromhex(digest), None)
            return None
        if digest_bytes(data) != digest:
            self.suspects.setdefault(bytes.fromhex(digest), None)
            return None
        try:
            return Tree.decode(data)
        except UNREADABLE as error:
            self.bad[digest] = (
                "bad-tree",
                str(path),
                f"its bytes are right and no tree ({error}); delete what needs it, then run `mldata build`",
            )
            return None

    # -- reading

    def read_suspects(self) -> None:
        """Hash what a seal or a size throws doubt on; time does not matter here."""
        keys = sorted(self.suspects)
        for key, verdict in inspect_all(self.parts.objects, keys, self.sizes):
            self.judge(key, verdict)

    def read_fraction(self, fraction: float) -> None:
        """Hash the next part of all objects, from the cursor on."""
        keys = sorted(self.sizes)
        count = min(len(keys), math.ceil(fraction * len(keys)))
        start = bisect_left(keys, self.cursor()) if count < len(keys) or self.deadline is not None else 0
        window = [key for key in (keys[start:] + keys[:start])[:count] if key not in self.suspects]
        done = 0
        for key, verdict in inspect_all(self.parts.objects, window, self.sizes, self.deadline):
            done += 1
            self.judge(key, verdict)
        self.unread = len(window) - done
        after = keys[(start + count) % len(keys)] if keys else b""
        self.remember(window[done] if self.unread else after)

    def judge(self, key: bytes, verdict: Verdict | None) -> None:
        """Turn what hashing showed into a finding, if it is one."""
        digest = Digest(key.hex())
        path = str(self.parts.layout.object(digest))
        if verdict is None:
            return  # gone: if something needs it, `expect` said so, else gc took it
        size = verdict.hashes.size if verdict.hashes else 0
        self.read += 1
        self.bytes += size
        if self.progress is not None:
            self.progress(self.read, self.bytes)
        expected = self.suspects.get(key)
        if not verdict.good:
            remedy = (
                "run `mldata check --repair`, which moves it aside, then `mldata build`, which makes it again"
            )
            if self.repair:
                moved = self.parts.objects.quarantine(digest, verdict.stat)
                remedy = f"moved to {moved or 'quarantine/'}; run `mldata build`, which makes it again"
            short = verdict.stat is not None and (size == 0 or (expected is not None and size < expected))
            self.bad[digest] = ("truncated" if short else "altered", path, remedy)
        elif expected is not None and size != expected:
            wrong = (
                f"it is right and has {size:,} bytes; what needs it says {expected:,} and must be built again"
            )
            self.bad[digest] = ("bad-tree", path, wrong)

    def cursor(self) -> bytes:
        saved = self.parts.index.get_blob(CURSOR)
        if saved is not None and len(saved) == 32:
            return saved
        # No memory (a read-only store): let time move the window, one place in 2**32 a second over and over.
        return (int(time.time() * 2654435761) % 2**32).to_bytes(4, "big")

    def remember(self, key: bytes) -> None:
        if not self.parts.read_only and key:
            self.parts.index.put_blob(CURSOR, key)

    # -- the rest

    def look_at_leftovers(self) -> None:
        """Partial data that nobody can use, temporaries, and files at the top that are none of the store's."""
        layout = self.parts.layout
        for name in self.parts.partials.strays():
            self.findings.append(
                Finding("stray", str(layout.partial / name), remedy="not the store's; move it elsewhere")
            )
        for kept in self.parts.partials.kept():
            if kept.where is None and not kept.live:
                remedy = "what it is cannot be read, so it is begun again: `mldata pull --clean` removes it, or `mldata gc` in a week"
                self.findings.append(Finding("bad-partial", str(layout.partial / kept.name), remedy=remedy))
        with suppress(FileNotFoundError):
            for entry in sorted(os.scandir(layout.tmp), key=lambda entry: entry.name):
                remedy = "a running build's, or left by one that was stopped: `mldata gc` removes it when no build runs"
                self.findings.append(Finding("temporary", entry.path, remedy=remedy))
        for entry in sorted(os.scandir(layout.root), key=lambda entry: entry.name):
            if entry.name not in KNOWN and not entry.name.startswith(layout.index.name):
                self.findings.append(
                    Finding("stray", entry.path, remedy="not the store's; move it elsewhere")
                )

    def name_the_needy(self) -> None:
        """Turn what is bad into findings that say who needs it."""
        if not self.bad:
            return
        holders = self.holders()
        names: dict[bytes, list[str]] = {}
        for root in self.roots:
            names.setdefault(bytes.fromhex(root.digest), []).append(root.name)
        for digest, (kind, path, remedy) in sorted(self.bad.items()):
            needy: dict[str, None] = {}
            seen: set[bytes] = set()
            todo = [bytes.fromhex(digest)]
            while todo:
                key = todo.pop()
                if key not in seen:
                    seen.add(key)
                    needy |= dict.fromkeys(names.get(key, ()))
                    todo += holders.get(key, ())
                    todo += self.parents.get(key, ())
            if kind != "missing" and not needy:
                remedy = remedy.replace("then `mldata build`, which makes it again", "nothing needs it")
            self.findings.append(Finding(kind, path, digest, _bounded(sorted(needy)), remedy))

    def holders(self) -> dict[bytes, set[bytes]]:
        """Bad object → trees that list it."""
        bad = {bytes.fromhex(digest) for digest in self.bad}
        found: dict[bytes, set[bytes]] = {}
        for key in self.followed - bad:
            with suppress(OSError, *UNREADABLE):
                for entry in Tree.decode(self.parts.layout.object(Digest(key.hex())).read_bytes()):
                    below = bytes.fromhex(entry.digest)
                    if below in bad:
                        found.setdefault(below, set()).add(key)
        return found


def _bounded(names: list[str]) -> tuple[str, ...]:
    more = len(names) - MAX_NEEDED_BY
    return (*names[:MAX_NEEDED_BY], f"and {more:,} more") if more > 0 else tuple(names)
