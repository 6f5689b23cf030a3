"""A store for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store import Store
from tests.disks import small_disk

__all__ = ["small_disk", "store"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new store in ``s``."""
    with Store.open(tmp_path / "s") as store:
        yield store
