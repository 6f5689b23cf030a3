"""How files are looked at, as far as whoever asks can choose."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

__all__ = ["SEED", "TIMEOUT", "Looking"]

TIMEOUT = 5.0
SEED = 42


@dataclass(frozen=True)
class Looking:
    """How files are looked at."""

    timeout: float | None = None
    """Seconds for one file; None: as the spec has it, else :data:`TIMEOUT`."""
    share: Fraction | None = None
    """Of the files that are looked at; None: as the spec has it, else a tenth of more than 10,000 files: a first look takes minutes, not hours."""
    seed: int = SEED
    """Of the sample."""
    jobs: int | None = None
    """Worker processes; None: one a processor."""
    fail_on: str = "error"
    """See :attr:`mldata.integrity.report.FilesReport.fail_on`."""
