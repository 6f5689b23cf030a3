"""The name that somebody most likely meant."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["nearest"]


def nearest(word: str, choices: Iterable[str], least: float = 0.6) -> str | None:
    """The choice most like a word, case aside; None if none is like it.

    Args:
        least: how like it has to be, from 0 to 1, as ``difflib`` measures it.
    """
    from difflib import get_close_matches

    folded: dict[str, str] = {}
    for choice in choices:
        folded.setdefault(choice.casefold(), choice)
    found = get_close_matches(word.casefold(), folded, 1, least)
    return folded[found[0]] if found else None
