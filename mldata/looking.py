"""How files are looked at, as far as whoever asks can choose."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ABOVE", "SHARE", "TIMEOUT", "Looking"]

SHARE = 0.1
TIMEOUT = 5.0
ABOVE = 10_000
"""A folder of more files is sampled: a first look takes minutes, not hours."""


@dataclass(frozen=True)
class Looking:
    """How files are looked at."""

    timeout: float | None = None
    """Seconds for one file; None: as the spec has it, else :data:`TIMEOUT`."""
    share: float | None = None
    """Of the files that are looked at; None: :data:`SHARE` where there are more than :data:`ABOVE`, else all."""
    seed: int = 0
    """Of the sample."""
    jobs: int | None = None
    """Worker processes; None: one a processor."""
    fail_on: str = "error"
    """See :attr:`mldata.integrity.report.FilesReport.fail_on`."""
