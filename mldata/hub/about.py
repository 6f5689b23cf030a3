"""What is told of a dataset of the Hub without reading any of it.

Its own description comes first; the dataset viewer is asked only where that says nothing of columns. Numbers of rows are told where they are of the very files
that are meant: of whole splits, at the same commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mldata.hub.card import Info, infos_of, license_of, subsets_of, title_of
from mldata.hub.choice import Choice, choose
from mldata.hub.subsets import Undecided
from mldata.sources.base import About

if TYPE_CHECKING:
    from mldata.hub.api import Hub, Repo
    from mldata.hub.place import Place

__all__ = ["tell"]


def tell(hub: Hub, repo: Repo, place: Place) -> About:
    """What is known of a place in a repository. Raises as :func:`mldata.hub.choice.choose`, but for what has yet to be chosen."""
    choice = _choice(hub, repo, place)
    described = hub.repo(place.repo, None) if place.converted else repo
    infos = infos_of(described.card.get("dataset_info"))
    if not any(info.features for info in infos.values()):
        infos = hub.viewer_infos(described) or infos
    subset = choice.subset if choice is not None else place.subset
    info = infos.get(subset or "default") or (next(iter(infos.values())) if len(infos) == 1 else Info())
    rows = _rows(place, choice, info)
    counted = [count for count in rows.values() if count is not None]
    return About(
        title=title_of(described.card) or repo.id,
        homepage=hub.page(repo.id),
        license=license_of(described.card),
        size=sum(choice.entries[path].size for _, path in choice.files) if choice is not None else None,
        rows=sum(counted) if rows and len(counted) == len(rows) else None,
        splits=rows,
        subsets=subsets_of(described.card) or [name for name in infos if len(infos) > 1],
        features=info.features,
        tags=described.tags,
    )


def _choice(hub: Hub, repo: Repo, place: Place) -> Choice | None:
    """The files that are meant; None if that has yet to be said: what there is to choose from is told all the same."""
    try:
        return choose(hub, repo, place)
    except Undecided:
        return None


def _rows(place: Place, choice: Choice | None, info: Info) -> Mapping[str, int | None]:
    """Rows of each split that is meant."""
    splits = choice.splits if choice is not None else []
    if place.path:  # maybe a part of each split only
        return dict.fromkeys(splits)
    if place.split is not None:
        splits = [place.split]
    return {split: info.splits.get(split) for split in splits or info.splits}
