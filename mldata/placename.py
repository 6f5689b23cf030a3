"""What the made-up dataset is called that stands for a place, and how errors about it name the place itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mldata.errors import MldataError

__all__ = ["NAME", "errors_of"]

NAME = "place"


@contextmanager
def errors_of(place: str) -> Iterator[None]:
    """Errors about the made-up dataset are about ``place``, as the user typed it."""
    try:
        yield
    except MldataError as error:
        if error.where == NAME:
            error.where = place
        raise
