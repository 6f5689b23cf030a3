"""Searching the Hub: by words in names, and by what the front matter of README.md says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mldata.hub.api import Hub
from mldata.hub.card import license_of, texts_of, title_of
from mldata.sources.base import Hit, Query

__all__ = ["find"]

FIELDS = ("cardData", "downloads", "lastModified", "tags", "mainSize")
PAGE = 100
MOST_LOOKED_AT = 1000
"""Repositories of which the size is looked at, where it matters: the Hub cannot be asked by it."""


def find(query: Query) -> Sequence[Hit]:
    """Datasets that a query finds, most downloaded first. Raises as requests do."""
    asked = [("search", query.text)] if query.text else []
    for key, value in (
        ("task_categories", query.task),
        ("license", query.license),
        ("modality", query.modality),
    ):
        if value:
            asked.append(("filter", f"{key}:{value.strip().lower().replace(' ', '-')}"))
    sized = query.min_size is not None or query.max_size is not None
    asked += [
        ("sort", "downloads"),
        ("direction", "-1"),
        ("limit", str(PAGE if sized else min(query.limit, PAGE))),
    ]
    asked += [("expand", name) for name in FIELDS]
    found: list[Hit] = []
    for number, said in enumerate(Hub(f"hf search {query.text}").listed(asked)):
        hit = _hit(said)
        if not sized or _fits(hit.size, query):
            found.append(hit)
        if len(found) == query.limit or number + 1 == MOST_LOOKED_AT:
            break
    return found


def _fits(size: int | None, query: Query) -> bool:
    return size is not None and (query.min_size or 0) <= size <= (query.max_size or float("inf"))


def _hit(said: Mapping[str, Any]) -> Hit:
    card, updated = said.get("cardData"), said.get("lastModified")
    card = card if isinstance(card, dict) else {}
    size, downloads = said.get("mainSize"), said.get("downloads")
    return Hit(
        source=f"hf://{said['id']}",
        title=title_of(card),
        license=license_of(card),
        size=size if isinstance(size, int) else None,
        downloads=downloads if isinstance(downloads, int) else None,
        updated=updated[:10] if isinstance(updated, str) else None,
        tags=texts_of(said.get("tags")),
    )
