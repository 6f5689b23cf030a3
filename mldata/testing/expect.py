"""Expecting an error without a test framework."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

E = TypeVar("E", bound=Exception)


def raises(kind: type[E], call: Callable[[], object]) -> E:
    """The error of class ``kind`` that ``call`` raises. Any other error passes through; none is an ``AssertionError``."""
    try:
        found = call()
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, nothing was raised and the result was {found!r:.200}")
