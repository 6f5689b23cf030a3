"""Downloads: what comes is what was promised, or nothing of it is stored."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mldata.download.base import DownloadOptions, Got, Mismatch, Want
from mldata.download.engine import download
from mldata.download.web import Web
from store import Store, digest_bytes
from tests.servers.files import Fault, FileServer, Served

DATA = os.urandom(300_000)


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


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s") as store:
        yield store


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web(timeout=5)
    yield web
    web.close()


def get(
    store: Store, web: Web, server: FileServer, *names: str, watch: Watched | None = None, **given: object
) -> list[Got]:
    wants = [Want(name[1:], web.origin(server.url(name)), **given) for name in names]  # type: ignore[arg-type]
    return list(download(store, wants, DownloadOptions(), watch or Watched()))


def test_a_file_comes_into_the_store(store: Store, web: Web) -> None:
    """What a server gives is an object, and its validator comes with it."""
    watch = Watched()
    with FileServer({"/a": Served(DATA)}) as server:
        (got,) = get(store, web, server, "/a", watch=watch)
    assert store.read(got.id) == DATA
    assert (got.name, got.resumed_from, got.received) == ("a", 0, len(DATA))
    assert (got.validator.etag, got.validator.size) == ('"1"', len(DATA))
    assert sum(watch.moved) == len(DATA) and watch.ended == ["a"]


def test_many_files_come_side_by_side(store: Store, web: Web) -> None:
    """Each of many files is yielded once, an empty one too."""
    files = {f"/{n}": Served(bytes([n]) * n) for n in range(40)}
    with FileServer(files) as server:
        found = get(store, web, server, *files)
    assert {got.name: got.id.digest for got in found} == {
        name[1:]: digest_bytes(file.data[:]) for name, file in files.items()
    }


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5", "git-sha1"])
def test_a_digest_that_is_right(kind: str, store: Store, web: Web) -> None:
    """A file with the digest that its source states is stored."""
    head = b"blob %d\0" % len(DATA) if kind == "git-sha1" else b""
    stated = hashlib.new(kind.removeprefix("git-"), head + DATA).hexdigest()
    with FileServer({"/a": Served(DATA)}) as server:
        (got,) = get(store, web, server, "/a", digests={kind: stated})
    assert store.read(got.id) == DATA


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5", "git-sha1"])
def test_a_digest_that_is_wrong(kind: str, store: Store, web: Web) -> None:
    """A file with another digest is an error that names both, and nothing is stored."""
    stated = hashlib.new(kind.removeprefix("git-"), b"other").hexdigest()
    with FileServer({"/a": Served(DATA)}) as server, pytest.raises(Mismatch, match=stated):
        get(store, web, server, "/a", digests={kind: stated})
    assert list(store.objects) == []


def test_a_size_that_is_wrong(store: Store, web: Web) -> None:
    """A file of another size than its source states is an error, and nothing is stored."""
    with FileServer({"/a": Served(DATA)}) as server, pytest.raises(Mismatch, match="300,000"):
        get(store, web, server, "/a", size=5)
    assert list(store.objects) == []


def test_a_passing_failure_is_tried_again(store: Store, web: Web) -> None:
    """503 and a reset connection do not end a download."""
    with FileServer({"/a": Served(DATA)}) as server:
        server.fail("/a", Fault(status=503, headers={"Retry-After": "0"}), Fault(reset_at=1000))
        (got,) = get(store, web, server, "/a")
    assert store.read(got.id) == DATA
