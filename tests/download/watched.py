"""What tests of downloads share: one who watches, a way to ask, and sizes that make small files large."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest

from mldata.download.base import Got, Want
from mldata.download.engine import download
from mldata.download.options import DownloadOptions
from mldata.download.web import Web
from store import Store
from tests.servers.files import FileServer

DATA = os.urandom(300_000)
PIECE = 32 << 10
"""Of files that are :func:`scaled_down`."""


def scaled_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done for megabytes is done for kilobytes, and nobody waits long before he tries again."""
    monkeypatch.setattr("store.partialstate.LEAST_PIECE", PIECE)
    monkeypatch.setattr("mldata.download.small.SMALL", 1000)
    monkeypatch.setattr("mldata.download.transfer.LARGE", 3 * PIECE)
    monkeypatch.setattr("mldata.download.sockets.LARGE", 4096)
    monkeypatch.setattr("mldata.download.retries.FIRST", 0.002)


@dataclass
class Watched:
    """Remembers what it was told."""

    begun: list[tuple[str, int | None, int]] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def begin(self, name: str, size: int | None, resumed_from: int) -> None:
        self.begun.append((name, size, resumed_from))

    def advance(self, name: str, size: int) -> None:
        self.moved.append(size)

    def end(self, name: str) -> None:
        self.ended.append(name)

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def note(self, message: str) -> None:
        self.notes.append(message)


@cache
def _web() -> Web:
    """One for all: making one takes longer than most downloads here."""
    return Web(timeout=30)


@dataclass
class Getter:
    """Downloads files of a server, as one run of the program would."""

    store: Store
    server: FileServer
    options: DownloadOptions = field(default_factory=lambda: DownloadOptions(retries=3))
    watch: Watched = field(default_factory=Watched)

    def __call__(
        self, *paths: str, size: int | None = None, digests: Mapping[str, str] | None = None, **options: Any
    ) -> list[Got]:
        """What came, once all of it is there; ``watch`` is a new one each time."""
        self.watch = Watched()
        wants = [Want(path[1:], _web().origin(self.server.url(path)), size, digests or {}) for path in paths]
        return list(download(self.store, wants, replace(self.options, **options), self.watch))

    def one(self, path: str = "/a", **given: Any) -> Got:
        """The only one of a call."""
        (got,) = self(path, **given)
        return got
