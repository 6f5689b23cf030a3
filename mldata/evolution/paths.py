"""How a place inside something is written: names with dots between them, ``address.city``, ``steps[2].name``; a name that would be read wrong stands in quotes.

Invariant: two places have two paths.
"""

from __future__ import annotations

import json

__all__ = ["below", "quoted"]

SPECIAL = frozenset('.[]{}"`')


def quoted(name: str) -> str:
    """A name as a path has it."""
    return json.dumps(name, ensure_ascii=False) if not name or SPECIAL & set(name) else name


def below(path: str, name: str) -> str:
    """The path of ``name`` inside what ``path`` names; an empty one names the whole."""
    return f"{path}.{quoted(name)}" if path else quoted(name)
