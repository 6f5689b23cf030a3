"""Files of a source that are in no format that is read: counted by suffix, for the receipt, the manifest and people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["OTHERS", "skipped_facts", "skipped_text", "suffix_of"]

KEPT = 20
"""How many files, and how many suffixes, the facts name."""
NAMED = 5
"""How many files a message names."""
OTHERS = "others"
"""Stands for the suffixes that are not named."""
BARE = "without suffix"


def skipped_facts(names: Sequence[str]) -> dict[str, Any]:
    """How many, the first of their names and, if there are any, how many of each suffix."""
    facts = {"count": len(names), "names": list(names[:KEPT])}
    return facts if not names else {**facts, "suffixes": _suffixes(names)}


def skipped_text(facts: Mapping[str, Any]) -> str:
    """``3 .txt, 1 .md (a.txt, b.txt, c.txt, r.md)``, of what :func:`skipped_facts` gave."""
    # A receipt keeps its keys sorted, so the order is made again. Builds of before suffixes were counted are still shown.
    counts = sorted(
        facts.get("suffixes", {}).items(), key=lambda item: (item[0] == OTHERS, -item[1], item[0])
    )
    more = f" and {facts['count'] - NAMED:,} more" if facts["count"] > NAMED else ""
    names = ", ".join(facts["names"][:NAMED]) + more
    return f"{', '.join(f'{n:,} {suffix}' for suffix, n in counts)} ({names})" if counts else names


def _suffixes(names: Sequence[str]) -> dict[str, int]:
    """Files by suffix, in lower case, the most frequent first."""
    found = Counter(map(suffix_of, names))
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(count for _, count in ordered[KEPT:])
    return {**dict(ordered[:KEPT]), **({OTHERS: rest} if rest else {})}


def suffix_of(name: str) -> str:
    """What a file is counted under: the end of its name, in lower case."""
    stem, dot, suffix = name.rpartition("/")[2].rpartition(".")
    return f".{suffix.lower()}" if stem and dot else BARE
