"""Ways in which a file can be damaged where it lies, read-only or not."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["empty", "flip", "sneak", "truncate"]


def flip(path: Path) -> None:
    """Turn a bit in the middle over."""
    data = bytearray(path.read_bytes())
    if data:
        data[len(data) // 2] ^= 0x10
    _write(path, bytes(data))


def truncate(path: Path) -> None:
    """Take the second half away."""
    _write(path, path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    """Take everything away."""
    _write(path, b"")


def sneak(path: Path) -> None:
    """Change a byte and put the time stamps back, as a failing disk would."""
    state = path.stat()
    flip(path)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def _write(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)
