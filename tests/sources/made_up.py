"""A made-up place of datasets: what a source must have to be searched and looked at, over a server that the test runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mldata.download.base import Origin
from mldata.download.web import Web
from mldata.errors import SourceError
from mldata.sources import SOURCES, find_source
from mldata.sources.base import About, Hit, Query, RemoteFile, Resolved, SourceInfo


@dataclass
class Place:
    """What it has, and does."""

    url: str = ""
    files: Sequence[RemoteFile] = ()
    """As the list of the place states them; ``place`` is behind the URL."""
    about: About = field(default_factory=About)
    hits: Sequence[Hit] = ()
    fails: Exception | None = None
    queries: list[Query] = field(default_factory=list)
    before: Callable[[], object] = lambda: None
    """Called before a search is answered."""
    resolved: Callable[[Resolved], Resolved] = lambda it: it


class MadeUpSource:
    """``PLACE://NAME``; see :class:`mldata.sources.base.RemoteSource`."""

    place: Place

    def __init__(self, text: str, root: Path) -> None:
        self.text = self.key = text
        self.web = Web(timeout=10)

    def resolve(self, revision: str | None = None) -> Resolved:
        place = self.place
        if place.fails is not None:
            raise place.fails
        if not place.files:
            raise SourceError("expected files, found none", where=self.text)
        files = sorted(place.files, key=lambda file: file.name)
        made = hashlib.sha256(repr(files).encode()).hexdigest()
        return place.resolved(Resolved(revision or made, files))

    def origin(self, file: RemoteFile) -> Origin:
        return self.web.origin(f"{self.place.url}/{file.place}")

    def about(self) -> About:
        if self.place.fails is not None:
            raise self.place.fails
        return self.place.about


@contextmanager
def make_place(monkeypatch: pytest.MonkeyPatch, scheme: str, service: str | None = None) -> Iterator[Place]:
    """Register ``scheme``; what the place has is the test's to say. Afterwards nobody remembers it."""
    place = Place()
    find_source.cache_clear()

    def search(query: Query) -> Sequence[Hit]:
        place.queries.append(query)
        place.before()
        if place.fails is not None:
            raise place.fails
        return place.hits

    source = type("Source", (MadeUpSource,), {"place": place})
    for name, what in ((f"{scheme}_source", source), (f"{scheme}_search", search)):
        monkeypatch.setitem(globals(), name, what)
    info = SourceInfo(
        scheme, __name__, f"{scheme}_source", remote=True, search=f"{scheme}_search", service=service
    )
    monkeypatch.setitem(SOURCES, scheme, info)
    yield place
    find_source.cache_clear()


def listed(files: dict[str, bytes]) -> list[RemoteFile]:
    """The list of a place that has these files."""
    return [
        RemoteFile(name, name, len(data), {}, hashlib.md5(data).hexdigest()) for name, data in files.items()
    ]


__all__ = ["MadeUpSource", "Place", "listed", "make_place"]
