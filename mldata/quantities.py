"""Sizes, durations and shares as people write them."""

from __future__ import annotations

import re

from mldata.errors import UsageError, brief

__all__ = ["format_size", "parse_duration", "parse_share", "parse_size"]

MOST = 2.0**62
"""Bytes: what is stored as a signed number of 64 bits has room for it."""


def parse_size(text: str) -> int:
    """Bytes from ``500MB``, ``20GB``, ``5k`` (powers of 1000) or ``4GiB`` (powers of 1024); a bare number is bytes."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*", text.lower())
    if match is None:
        raise UsageError(f"expected a size such as 500MB or 20GB, found {brief(text)!r}")
    power = " kmgt".index(match[2] or " ")
    unit = (1024 if match[3] else 1000) ** power
    if float(match[1]) * unit >= MOST:
        raise UsageError(f"expected a size below 4 EiB, found {brief(text)!r}")
    return int(float(match[1]) * unit) if "." in match[1] else int(match[1]) * unit


def format_size(size: int) -> str:
    """What :func:`parse_size` reads as ``size``, in the largest unit that leaves no fraction."""
    for base, units in ((1024, ("TiB", "GiB", "MiB", "KiB")), (1000, ("TB", "GB", "MB", "kB"))):
        for power, unit in zip((4, 3, 2, 1), units, strict=True):
            if size and size % base**power == 0:
                return f"{size // base**power}{unit}"
    return str(size)


def parse_duration(text: str) -> float:
    """Seconds from ``90s``, ``15m``, ``12h``, ``30d`` or ``2w``; a bare number is seconds."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw]?)\s*", text.lower())
    if match is None:
        raise UsageError(f"expected a duration such as 60s, 12h or 30d, found {brief(text)!r}")
    unit = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[match[2]]
    return float(match[1]) * unit


def parse_share(text: str) -> float:
    """A share from ``5%`` or ``0.05``, above 0 and at most 1."""
    try:
        share = float(text.rstrip("% ")) / 100 if text.strip().endswith("%") else float(text)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise UsageError(f"expected a share such as 5% or 0.05, found {brief(text)!r}")
    return share
