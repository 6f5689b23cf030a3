"""The sources of a dataset that are elsewhere: brought into the store before its fetch stage lists what there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mldata.errors import LockMismatch
from mldata.lockfile import LOCK_NAME
from mldata.receipts import pins_of
from mldata.sources import open_remote

if TYPE_CHECKING:
    from mldata.job import StageJob
    from mldata.pin import Pin
    from mldata.pulling import Pulled
    from mldata.state import ProjectState
    from store import Store

__all__ = ["bring", "parts_passed_over"]


def parts_passed_over(state: ProjectState, dataset: str) -> str | None:
    """A warning where a source has parts of its own, and the spec makes others: rows that are there for a test may end up in training."""
    receipt = state.receipt(dataset, "fetch")
    if receipt is None or (state.spec(dataset).split or {}).get("method") in ("folder", "column"):
        return None
    for pin in pins_of(receipt.facts):
        if len(own := pin.facts.get("splits", ())) > 1:
            return (
                f"{pin.source} has parts of its own ({', '.join(own)}), which are mixed here;"
                " 'split: {method: predefined}' keeps them"
            )
    return None


def bring(
    state: ProjectState,
    store: Store,
    dataset: str,
    wanted: Mapping[int, Pin | None],
    said: Mapping[str, Any],
    job: StageJob,
    *,
    locked: bool = False,
    samples: int | None = None,
) -> list[Pulled]:
    """Bring sources of a dataset into the store, and tell ``state`` what each was.

    Args:
        wanted: which, by their place in the spec, and what each has to be; None: what it is now.
        said: how to download, where that is neither as the spec nor as the user's settings have it.
        locked: all of them have to be pinned.
        samples: only so many first rows of each; None: all files as they are.

    Raises:
        LockMismatch: one is not what the lock pins, or is not pinned and should be.
        MldataError, store.StoreError: one could not be had.
    """
    from mldata.config import load_config
    from mldata.pulling import pull

    texts = state.spec(dataset).sources
    for number, pin in wanted.items():
        if locked and pin is None:
            raise LockMismatch(
                f"expected {texts[number]} to be pinned, found no entry for it",
                where=f"{state.project.root / LOCK_NAME}: {dataset}",
                hint=f"Pin what is there now: mldata update {dataset}",
            )
    options = replace(load_config().download(), **{**state.spec(dataset).fetch, **said})
    brought = []
    for number, pin in wanted.items():
        source = open_remote(texts[number], state.project.root)
        pulled = pull(store, source, options, job.downloads(), pin, samples)
        state.pulled(dataset, number, pulled.pin)
        brought.append(pulled)
    return brought
