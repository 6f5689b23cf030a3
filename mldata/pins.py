"""``mldata.lock`` beside a build: what it pins is compared with what a stage found, and brought up to date after it.

Invariant: with ``--locked`` the lock is never written, and nothing is recorded of a source that it does not pin.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mldata.errors import LockMismatch
from mldata.lockfile import LOCK_NAME, Locked, pinned, update_lock
from mldata.receipts import pins_of, raw_tree
from mldata.snapshot import Changes
from mldata.ways import way_words

if TYPE_CHECKING:
    from mldata.project import Project
    from mldata.stages.base import StageOutput
    from mldata.state import ProjectState
    from store import Digest, Store

SHOWN = 5


def compare(project: Project, store: Store, dataset: str, stage: str, made: StageOutput) -> None:
    """For ``--locked``, after a stage and before it is recorded.

    Raises:
        LockMismatch: the sources are not those that the lock pins, or are read in another way; it names the files.
    """
    locked = pinned(project, dataset)
    expected: object = None
    found: object = None
    if stage == "fetch":
        raw = raw_tree(made.output.digest, made.facts)
        if raw != (locked.tree if locked is not None else None):
            expected, found = _trees(store, locked, raw, made)
    elif stage == "normalize" and locked is not None and locked.read:
        expected, found = f"written as {'; '.join(locked.read)}", f"written as {'; '.join(ways(made.facts))}"
    if expected != found:
        raise LockMismatch(
            f"expected the sources to be {expected}; found {found}",
            where=f"{project.root / LOCK_NAME}: {dataset}",
            hint=f"Restore the files, or accept what is there: mldata build {dataset}",
        )


def _trees(store: Store, locked: Locked | None, raw: Digest | None, made: StageOutput) -> tuple[str, str]:
    facts = made.facts
    found = f"tree {raw} ({facts['files']:,} files, {facts['bytes']:,} bytes)" if raw else "no files"
    if locked is None:
        return "pinned", f"no entry for them, and {found}"
    expected = f"tree {locked.tree} ({locked.files:,} files, {locked.bytes:,} bytes)"
    changes = tree_changes(store, locked.tree, raw) if raw is not None else None
    return expected, found + (f": {changes_text(changes)}" if changes is not None else "")


def tree_changes(store: Store, old: Digest, new: Digest) -> Changes | None:
    """How two trees of source files differ; None if the store does not have the old one whole."""
    from store import StoreError

    try:
        before = {path: entry.digest for path, entry in store.walk(old)}
    except (StoreError, OSError):
        return None
    after = {path: entry.digest for path, entry in store.walk(new)}
    return Changes(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        modified=tuple(sorted(path for path in before.keys() & after if before[path] != after[path])),
    )


def changes_text(changes: Changes) -> str:
    """The first few files, and how many there are."""
    said = [
        f"{path} was {verb}"
        for verb, paths in (
            ("changed", changes.modified),
            ("added", changes.added),
            ("removed", changes.removed),
        )
        for path in paths
    ]
    more = f" and {len(said) - SHOWN:,} more" if len(said) > SHOWN else ""
    return ", ".join(said[:SHOWN]) + more


def update(state: ProjectState, dataset: str) -> None:
    """Bring the lock up to date with what the last fetch and normalize found, if the project has one."""
    fetch, normalize = (state.receipt(dataset, name) for name in ("fetch", "normalize"))
    if fetch is None or not state.project.locks:
        return
    known = normalize is not None and normalize.inputs.get("fetch") == fetch.output
    update_lock(
        state.project,
        dataset,
        tree=raw_tree(fetch.output, fetch.facts),
        files=fetch.facts["files"],
        size=fetch.facts["bytes"],
        read=ways(normalize.facts) if normalize is not None and known else None,
        remote=pins_of(fetch.facts),
    )


def ways(facts: Mapping[str, Any]) -> list[str]:
    """How text files are written, by the facts of normalize: each way once."""
    return list(dict.fromkeys(map(way_words, facts.get("read", ()))))
