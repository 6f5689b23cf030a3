"""The sources of a dataset that are elsewhere: brought into the store before its fetch stage lists what there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mldata.errors import LockMismatch
from mldata.lockfile import LOCK_NAME
from mldata.sources import find_source, open_remote, scheme_of

if TYPE_CHECKING:
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
    _warn_of_credentials((texts[number] for number in wanted), job)
    return brought


def _warn_of_credentials(texts: Iterable[str], job: StageJob) -> None:
    """Say what is wrong with how the credentials are kept that these sources use."""
    from mldata.credentials import SERVICES, find_credential

    known = (find_source(scheme_of(text)) for text in texts)
    for service in sorted({info.service for info in known if info is not None and info.service in SERVICES}):
        used = find_credential(service)
        if used is not None and used.warning is not None:
            job.warn(f"the credential for {service} in {used.origin}: {used.warning}")
