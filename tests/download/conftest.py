"""A store, a server of the file ``/a``, and one who downloads from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store import Store
from tests.disks import small_disk
from tests.download.watched import DATA, Getter, scaled_down
from tests.servers.files import FileServer, Served

__all__ = ["small_disk"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s") as store:
        yield store


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer({"/a": Served(DATA)}) as server:
        yield server


@pytest.fixture
def get(store: Store, server: FileServer) -> Getter:
    return Getter(store, server)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long before he tries again."""
    monkeypatch.setattr("mldata.download.retries.FIRST", 0.002)


@pytest.fixture
def small_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """See :func:`tests.download.watched.scaled_down`."""
    scaled_down(monkeypatch)
