"""What a file system that only fsspec knows is as a source."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest

from mldata.errors import MissingExtra
from mldata.sources import find_source, open_source
from mldata.sources.buckets.other import NOT_PLACES, knows
from mldata.spec import InvalidSpec, parse_dataset
from mldata.testing import Asked, RemotePlace, RemoteSourceContract
from mldata.testing.expect import raises


class Shelf(fsspec.AbstractFileSystem):  # type: ignore[misc]
    """A client of another package, with no more than every client must have."""

    protocol = "shelf"
    books: ClassVar[dict[str, tuple[bytes, int]]] = {}
    asked: ClassVar[list[Asked]] = []

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        self.asked.append(Asked(path))
        path = self._strip_protocol(path).rstrip("/")
        below = {name: name[len(path) + 1 :].split("/") for name in self.books if name.startswith(f"{path}/")}
        if not below and path not in self.books:
            raise FileNotFoundError(path)
        folders = {f"{path}/{parts[0]}" for parts in below.values() if len(parts) > 1}
        found = [{"name": name, "size": 0, "type": "directory"} for name in sorted(folders)]
        names = [name for name, parts in below.items() if len(parts) == 1] or (
            [path] if path in self.books else []
        )
        found += [
            {"name": n, "size": len(self.books[n][0]), "type": "file", "mtime": self.books[n][1]} for n in names
        ]  # fmt: skip
        return found if detail else [it["name"] for it in found]

    def _open(self, path: str, *_: Any, **__: Any) -> Any:
        return io.BytesIO(self.books[self._strip_protocol(path)][0])


class Place:
    uri = "shelf://room/books"
    nowhere = "shelf://room/nothing"
    requests = Shelf.asked

    def put(self, files: Mapping[str, bytes]) -> None:
        before = dict(Shelf.books)
        Shelf.books.clear()
        for name, data in files.items():
            path = f"room/books/{name}"
            same = path in before and before[path][0] == data
            Shelf.books[path] = before[path] if same else (data, before.get(path, (b"", 0))[1] + 1)


class TestOther(RemoteSourceContract):
    """A scheme that fsspec was told of."""

    malformed = ("shelf://", "shelf:///a", "shelf://u:secret@room/a")
    unsafe = ("../x.csv", "C:\\x.csv", "nul\0.csv", "con.csv")
    many = 200
    lacks: ClassVar[Mapping[str, str]] = {
        "old": "files are read as they are now",
        "token": "it has none",
        "gate": "it has no terms to accept",
        "rename": "it cannot be renamed",
        "move": "bytes come from the place itself",
        "fail": "it has no status of HTTP",
        "cut": "it has no connection to break",
    }

    @contextmanager
    def serve(self, folder: Path) -> Iterator[RemotePlace]:
        fsspec.register_implementation("shelf", Shelf, clobber=True)
        Shelf.books.clear()
        Shelf.asked.clear()
        find_source.cache_clear()
        yield Place()


def test_only_places_are_sources() -> None:
    """What fsspec has for this machine, for wrapping others, or what has a source of its own here, is none of these."""
    assert knows("ftp") and knows("webdav") and not knows("no-such-scheme")
    assert not any(knows(scheme) for scheme in NOT_PLACES)
    for scheme in ("memory", "simplecache", "zip", "reference"):
        with pytest.raises(InvalidSpec, match="unknown scheme"):
            parse_dataset("d", {"source": f"{scheme}://x"})


def test_a_client_that_is_not_installed(tmp_path: Path) -> None:
    """A scheme whose package is missing says which one it needs."""
    source: Any = open_source("oci://bucket/data", tmp_path)
    assert "ocifs" in str(raises(MissingExtra, source.resolve))
