"""How often garbage is collected during an intake."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from store.collecting import COLLECT_AFTER, seldom_collecting


@pytest.fixture(autouse=True)
def _thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_the_last_one_out_puts_things_as_they_were() -> None:
    """Whoever began first: two intakes of two threads overlap in any order."""
    gc.set_threshold(500, 7, 9)
    first, second = seldom_collecting(), seldom_collecting()
    first.__enter__()
    second.__enter__()
    assert gc.get_threshold() == (COLLECT_AFTER, 7, 9)
    first.__exit__(None, None, None)
    assert gc.get_threshold()[0] == COLLECT_AFTER
    second.__exit__(None, None, None)
    assert gc.get_threshold() == (500, 7, 9)


def test_who_collects_more_seldom_or_never_keeps_that() -> None:
    """A threshold of 0 switches collecting off."""
    for first in (0, 10 * COLLECT_AFTER):
        gc.set_threshold(first, 7, 9)
        with seldom_collecting():
            assert gc.get_threshold() == (first, 7, 9)
        assert gc.get_threshold() == (first, 7, 9)


def test_an_error_puts_things_as_they_were_too() -> None:
    """As any other way out."""
    before = gc.get_threshold()
    with pytest.raises(KeyError), seldom_collecting():
        raise KeyError
    assert gc.get_threshold() == before
