"""``mldata gc``: remove from the store what nothing needs. Plans, shows, then deletes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Container, ItemsView, Iterator, Mapping, ValuesView
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mldata.cli.base import Arguments, Output, Result, parse_duration, parse_size, store_here
from mldata.errors import UsageError
from mldata.into import FOLDERS
from mldata.pulls import forget_pull, old_pulls, pull_states

if TYPE_CHECKING:
    from pathlib import Path

    from store import Digest

EXAMPLE = "  mldata gc --keep-last 3 --dry-run"
COUNTED = {
    "result": ("action result", "action results"),
    "tree": ("tree", "trees"),
    "object": ("object", "objects"),
}
"""Kinds that people see as a count; ``-v`` and ``--json`` name each."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata gc``."""
    parser.description = (
        "Remove from the store what nothing needs. Without options it keeps every build of every dataset; the "
        "newest build of a dataset is never removed. Safe beside running builds. Outside of a project it is about what "
        "was pulled and built into folders without one."
    )
    parser.add_argument(
        "--keep-last", type=int, default=None, metavar="N", help="keep N builds of each dataset"
    )
    parser.add_argument(
        "--max-age",
        default=None,
        metavar="AGE",
        help="remove builds, and what was pulled, older than this, such as 30d",
    )
    parser.add_argument(
        "--max-size",
        default=None,
        metavar="SIZE",
        help="remove oldest builds until the rest fits, such as 20GB",
    )
    parser.add_argument(
        "-n", "--dry-run", action="store_true", default=False, help="show what would go, remove nothing"
    )
    parser.add_argument(
        "--print-roots", action="store_true", default=False, help="show what everything kept is kept for"
    )


def run(args: Arguments, output: Output) -> Result:
    """Plan, show, and unless --dry-run delete."""
    from mldata.sizes import human_size
    from store import Store

    if args.keep_last is not None and args.keep_last < 1:
        raise UsageError(f"expected --keep-last of at least 1, found {args.keep_last}")
    max_age = None if args.max_age is None else timedelta(seconds=parse_duration(args.max_age))
    max_size = None if args.max_size is None else parse_size(args.max_size)
    root, state = store_here()
    old = {} if max_age is None else old_pulls(state, max_age)
    with Store.open(root) as store:
        plan = store.plan_gc(
            keep_last=args.keep_last, max_age=max_age, max_size=max_size, extra_roots=ReceiptRoots(state, old)
        )
        if args.print_roots:
            roots = [{"kind": root.kind, "name": root.name, "digest": root.digest} for root in plan.roots]
            text = "\n".join(
                f"{(root['digest'] or '')[:12]:<12}  {root['kind']:<5}  {root['name']}" for root in roots
            )
            return Result({"dry_run": True, "roots": roots}, text or "no roots")
        if not args.dry_run:
            for path in old:
                forget_pull(path)
            plan = store.execute_gc(plan)
    items: list[dict[str, Any]] = [
        {"kind": "pull", "name": pull.name, "bytes": 0, "reason": pull.reason} for pull in old.values()
    ]
    items += [
        {"kind": item.kind, "name": item.name, "bytes": item.bytes, "reason": item.reason}
        for item in plan.delete
    ]
    data: dict[str, Any] = {
        "dry_run": args.dry_run,
        "delete": {**asdict(plan.totals), "bytes": plan.freed},
        "keep": asdict(plan.keep),
        "items": items,
    }
    lines = []
    listed = [item for item in items if output.verbose or item["kind"] not in COUNTED]
    lines += [
        f"{item['kind']:<6}  {item['name']}  {human_size(item['bytes'])}  {item['reason']}" for item in listed
    ]
    if not output.verbose:
        for kind, (one, many) in COUNTED.items():
            group = [item for item in items if item["kind"] == kind]
            if group:
                size = human_size(sum(item["bytes"] for item in group))
                lines.append(f"{len(group):,} {one if len(group) == 1 else many}  {size}  nothing needs them")
    verb = "would remove" if args.dry_run else "removed"
    lines.append(f"{verb} {human_size(plan.freed)} in {len(items)} items; kept {human_size(plan.keep.bytes)}")
    lines += [f"warning: {warning}" for warning in plan.warnings]
    return Result(data, "\n".join(lines), warnings=list(plan.warnings))


class ReceiptRoots(Mapping[str, "Digest"]):
    """What a project's receipts name: the next build starts from it, so it is kept like a build.

    Receipts are read again at each look, so that gc sees what a build beside it has just written.

    Args:
        state: of the project, or the user's cache.
        dropped: states of pulls that keep nothing any more.
    """

    def __init__(self, state: Path, dropped: Container[Path] = ()) -> None:
        self._state, self._dropped = state, dropped

    def _read(self) -> dict[str, Digest]:
        from mldata.receipts import read_receipts

        roots = {
            f"receipt {receipt.dataset}/{receipt.stage}": receipt.output
            for receipt in read_receipts(self._state)
        }
        for state in pull_states(self._state):
            if state not in self._dropped:
                roots |= {f"pull {state.name}": it.output for it in read_receipts(state)}
        for state in sorted((self._state / FOLDERS).glob("*")):  # builds into folders, while these are there
            receipts = read_receipts(state)
            if any(os.path.isdir(it.place["to"]) for it in receipts if "to" in it.place):
                roots |= {f"folder {state.name}: {it.dataset}/{it.stage}": it.output for it in receipts}
        return roots

    def __getitem__(self, name: str) -> Digest:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def items(self) -> ItemsView[str, Digest]:
        """All at one moment."""
        return self._read().items()

    def values(self) -> ValuesView[Digest]:
        """All at one moment."""
        return self._read().values()
