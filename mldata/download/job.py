"""What all files of one download share."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from mldata.download.base import Transient, Want, Watch
from mldata.download.bodies import Bodies
from mldata.download.options import DownloadOptions
from mldata.download.rate import Rate
from store import Store

__all__ = ["Job"]

LONG = 30.0
"""Seconds of waiting that need an explanation."""


@dataclass(frozen=True)
class Job:
    """One download."""

    store: Store
    options: DownloadOptions
    watch: Watch
    rate: Rate
    bodies: Bodies
    stop: threading.Event

    def tell(self, want: Want, error: Transient, wait: float) -> None:
        """Say that something is tried again; to everybody if that is not soon."""
        say = self.watch.warn if wait >= LONG else self.watch.note
        say(f"{want.origin.name}: {error.message}; trying again in {wait:.1f} s")
