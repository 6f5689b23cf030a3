"""Asking a place again, where that may help.

This is for what a source asks to be listed; the bytes of files are asked for again by who reads them, who knows what came.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mldata.download.base import Transient
from mldata.download.patience import Patience

__all__ = ["again"]

T = TypeVar("T")


def again(call: Callable[[], T]) -> T:
    """What ``call`` answers; it is called again after :class:`~mldata.download.base.Transient`, as small requests are."""
    patience = Patience()
    while True:
        try:
            return call()
        except Transient as error:
            patience.wait(error)
