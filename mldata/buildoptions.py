"""How to build, whatever is built."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from mldata.errors import UsageError
from mldata.executor import EXECUTORS

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """How to build; none of these changes what is made."""

    jobs: int | None = None
    """Actions at a time; None: one a processor."""
    force: bool = False
    """Run every action again, whatever receipts and the action cache say."""
    locked: bool = False
    """Fail when a source is not what mldata.lock pins."""
    offline: bool = False
    """Use no network: sources that are elsewhere are taken from the store, as mldata.lock pins them."""
    executor: str = "threads"
    """Where actions run, one of :data:`EXECUTORS`: in threads of this process, or in processes of their own."""
    keep_going: bool = False
    """Run what does not depend on a failure."""
    partial: bool = False
    """Export to the other formats where one cannot be written; no receipt tells of such an export."""
    overwrite: bool = False
    """Let trackers replace what somebody else wrote."""
    anew: Collection[str] = ()
    """Datasets whose sources elsewhere are looked at anew, whatever mldata.lock pins."""
    download: Mapping[str, Any] = field(default_factory=dict)
    """How to download, by the fields of :class:`mldata.download.options.DownloadOptions`; what is not said is as the spec or the user's settings
    have it."""
    samples: int | None = None
    """For a project that is only fetched: so many first rows of each source elsewhere; None: all files as they are."""

    def __post_init__(self) -> None:
        if self.executor not in EXECUTORS:
            raise UsageError(
                f"expected one of {', '.join(EXECUTORS)}; found {self.executor!r}", where="executor"
            )
