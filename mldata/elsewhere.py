"""The sources of a dataset that are elsewhere: brought into the store before its fetch stage lists what there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mldata.errors import LockMismatch
from mldata.lockfile import LOCK_NAME
from mldata.sources import open_remote

if TYPE_CHECKING:
    from mldata.download.base import DownloadOptions
    from mldata.job import StageJob
    from mldata.pin import Pin
    from mldata.pulling import Pulled
    from mldata.state import ProjectState
    from store import Store

__all__ = ["bring"]


def bring(
    state: ProjectState,
    store: Store,
    dataset: str,
    wanted: Mapping[int, Pin | None],
    options: DownloadOptions | None,
    job: StageJob,
    *,
    locked: bool = False,
) -> list[Pulled]:
    """Bring sources of a dataset into the store, and tell ``state`` what each was.

    Args:
        wanted: which, by their place in the spec, and what each has to be; None: what it is now.
        locked: all of them have to be pinned.

    Raises:
        LockMismatch: one is not what the lock pins, or is not pinned and should be.
        MldataError, store.StoreError: one could not be had.
    """
    from mldata.pulling import pull

    texts = state.spec(dataset).sources
    for number, pin in wanted.items():
        if locked and pin is None:
            raise LockMismatch(
                f"expected {texts[number]} to be pinned, found no entry for it",
                where=f"{state.project.root / LOCK_NAME}: {dataset}",
                hint=f"Pin what is there now: mldata update {dataset}",
            )
    if options is None:
        from mldata.download.base import DownloadOptions

        options = DownloadOptions()
    brought = []
    for number, pin in wanted.items():
        source = open_remote(texts[number], state.project.root)
        pulled = pull(store, source, options, job.downloads(), pin)
        state.pulled(dataset, number, pulled.pin)
        brought.append(pulled)
    return brought
