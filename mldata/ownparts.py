"""The parts that a place has of its own (``train/``, ``test.csv``): the split of what no spec names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mldata.errors import MldataError
from mldata.plainplace import OWN_SPLIT

if TYPE_CHECKING:
    from mldata.build import Session

__all__ = ["OWN_PARTS", "has_parts", "own_split"]

OWN_PARTS: Mapping[str, Any] = {"method": "predefined"}
"""``split:`` as a spec has it."""


def own_split() -> Mapping[str, Any]:
    """The same in its plain form, every default filled in."""
    return OWN_SPLIT


def has_parts(session: Session, dataset: str) -> bool:
    """Whether a dataset that is split by its own parts has any. Raises what its fetch and normalize do."""
    from mldata.tasks import require_tasks

    require_tasks(session, [f"normalize:{dataset}"])
    try:
        require_tasks(session, [f"split:{dataset}"])
    except MldataError:
        session.failures.clear()
        return False
    return True
