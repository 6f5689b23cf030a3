"""Checks bytes as a file of a kind, the way a worker does."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

from mldata.integrity import load_checker
from mldata.integrity.base import Found, Problem
from mldata.integrity.content import Content

__all__ = ["check", "codes", "cuts", "errors", "flips"]


def check(kind: str, data: bytes) -> Found:
    """What the checker of a kind finds in a file of these bytes, which it is given as an open descriptor."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        with Content(os.dup(file.fileno())) as content:
            return load_checker(kind).check(content)


def codes(found: Found) -> list[str]:
    """The codes of what was found."""
    return [problem.code for problem in found.problems]


def errors(found: Found) -> list[Problem]:
    """What makes a file corrupt."""
    return [problem for problem in found.problems if problem.severity == "error"]


def cuts(data: bytes, step: int = 1) -> Iterator[bytes]:
    """Every beginning of ``data`` that is not all of it."""
    return (data[:size] for size in range(1, len(data), step))


def flips(data: bytes, step: int = 1) -> Iterator[tuple[int, bytes]]:
    """``data`` with one bit of a byte changed, and where: another bit each time."""
    for number, at in enumerate(range(0, len(data), step)):
        yield at, data[:at] + bytes([data[at] ^ 1 << number % 8]) + data[at + 1 :]
