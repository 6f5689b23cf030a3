"""How to download. A module of its own: settings and specs need it where nothing is downloaded."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DownloadOptions"]


@dataclass(frozen=True)
class DownloadOptions:
    """How to download; none of these changes what is stored."""

    segments: int = 4
    """Parts of a large file that come side by side."""
    connections: int = 8
    """Files at a time."""
    limit_rate: int | None = None
    """Bytes a second, over all files; None: as fast as they come."""
    resume: bool = True
    """Use what an earlier run has left."""
    retries: int = 5
    """Times that a request is made again after a passing failure, without any byte coming in between."""
    stall: float = 30.0
    """Seconds without a byte after which a connection is given up."""
