"""How changes are said, in a terminal and in Markdown alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from mldata.errors import brief
from mldata.evolution.datadiff import all_equal
from mldata.evolution.making import MISSING, as_json, source_name
from mldata.evolution.schemadiff import ADDED, KINDS, REMOVED, RENAMED, REORDERED, Change, SchemaDiff
from mldata.plural import counted

if TYPE_CHECKING:
    from mldata.drift.report import DriftReport
    from mldata.evolution.fragments import FragmentCount
    from mldata.evolution.making import Difference, MakingDiff, SourceDifference

__all__ = [
    "MARKS",
    "MOST",
    "cut",
    "fragments_text",
    "only_one",
    "schema_summary",
    "setting",
    "settings",
    "source",
    "what",
]

MOST = 20
"""Changes of a kind that are shown where not all are asked for."""
WIDE = 60
"""Characters of a type or a setting that are shown."""
MARKS = dict(zip(KINDS, "+-=~~>", strict=True))
NAMES = dict(
    zip(
        KINDS,
        ("added", "removed", "renamed (a guess)", "of another type", "of other nullability", "moved"),
        strict=True,
    )
)

Item = TypeVar("Item")


def cut(items: Sequence[Item], detailed: bool) -> tuple[Sequence[Item], int]:
    """What is shown of many, and how many are not."""
    return (items, 0) if detailed else (items[:MOST], max(0, len(items) - MOST))


def schema_summary(diff: SchemaDiff) -> str:
    """``2 added, 1 removed; breaking``."""
    if diff.same:
        return "no change"
    counts = [f"{len(found):,} {name}" for kind, name in NAMES.items() if (found := diff.of(kind))]
    breaking = sum(change.breaking for change in diff.changes)
    return f"{', '.join(counts)}; {f'{breaking:,} breaking' if breaking else 'nothing breaking'}"


def what(change: Change, arrow: str, *, detailed: bool = False) -> str:
    """What has changed of a column."""
    old, new = (it if it is None or detailed else brief(it, WIDE) for it in (change.old, change.new))
    if change.kind in (ADDED, REMOVED):
        return f"{new or old}{'' if change.nullable else ', not null'}"
    if change.kind == RENAMED:
        return f"was {old}, a guess ({change.score or 0:.2f})"
    if change.kind == REORDERED:
        return f"from column {old} to {new}"
    return f"{old} {arrow} {new}"


def settings(diff: MakingDiff, detailed: bool) -> Iterator[tuple[str, Sequence[Difference], int]]:
    """Parameters, code and versions that are shown, and how many are not."""
    for name, found in (("param", diff.params), ("code", diff.code), ("version", diff.versions)):
        yield name, *cut(found, detailed)


def setting(difference: Difference, arrow: str, *, detailed: bool = False) -> str:
    """``42 -> 43``; of code its digests, shortened."""
    old, new = (_value(it, detailed) for it in (difference.old, difference.new))
    if difference.old is MISSING:
        return f"new: {new}"
    if difference.new is MISSING:
        return f"gone: {old}"
    return f"{old} {arrow} {new}"


def source(difference: SourceDifference, arrow: str) -> str:
    """What has become of a source: its name, its revision, its files."""
    old, new = difference.old, difference.new
    if old is MISSING or new is MISSING:
        return "new" if old is MISSING else "gone"
    told = [] if old.get("source") == new.get("source") else [f"was {source_name(old)}"]
    revisions = [_revisions(it) for it in (old, new)]
    if revisions[0] != revisions[1]:
        told.append(f"revision {revisions[0]} {arrow} {revisions[1]}")
    if difference.files is not None:
        found = difference.files
        counts = {
            "added": len(found.added),
            "removed": len(found.removed),
            "changed": len(found.changed),
            "moved": len(found.moved),
            "unchanged": found.unchanged,
        }
        told.append("files: " + ", ".join(f"{count:,} {name}" for name, count in counts.items() if count))
    elif old.get("tree") != new.get("tree"):
        trees = [_value(it.get("tree"), False) for it in (old, new)]
        told.append(f"tree {trees[0]} {arrow} {trees[1]}")
    return "; ".join(told) or "other files were left out"


def _revisions(source: Mapping[str, Any]) -> str:
    pins = source.get("remote") or []
    found = [str(pin.get("revision")) for pin in pins if isinstance(pin, Mapping)]
    return ", ".join(found) or "(none)"


def _value(value: Any, detailed: bool) -> str:
    if value is MISSING:
        return repr(value)
    text = value if isinstance(value, str) and value else json.dumps(as_json(value), ensure_ascii=False)
    if not detailed and isinstance(value, str) and len(value) == _DIGEST and not value.strip(_HEX):
        return value[:_SHORT]
    return text if detailed else brief(text, WIDE)


_DIGEST, _SHORT, _HEX = 64, 12, "0123456789abcdef"


def fragments_text(count: FragmentCount) -> str:
    """What is known of rows that were not compared."""
    if count.same:
        return f"{all_equal(count.new_rows)} (by the digests of {counted(count.new, 'fragment')})"
    rows = f"{counted(count.old_rows, 'row')} before, {count.new_rows:,} now"
    known = f"fragments: {count.old:,} before, {count.new:,} now, {count.equal:,} of them in both"
    return f"{rows}; {known}{'' if count.media else '; media files differ'}"


def only_one(report: DriftReport) -> str:
    """Of how many columns drift says nothing, since one side has none of them."""
    return f"columns that only one has: {len(report.removed):,} before, {len(report.added):,} now"
