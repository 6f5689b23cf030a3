"""What every source promises."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from mldata.errors import SourceError
from mldata.sources.base import Source
from mldata.testing.expect import raises

__all__ = ["SourceContract"]

FILES = {"b.csv": b"2", "a.csv": b"", "sub/z.csv": b"333", "sub-1.csv": b"4", "sub/deep/é 北.csv": b"55555"}


class SourceContract:
    """A source of files. Write :meth:`make`."""

    unsafe: ClassVar[Sequence[str]] = ("bad\udcff.csv",)
    """Names that the place behind the source can hold and a dataset cannot; each is tried beside a sound file."""

    def make(self, folder: Path, files: Mapping[str, bytes]) -> Source:
        """A source that has exactly ``files``, kept below ``folder``, which is new or was given before and is to be changed."""
        raise NotImplementedError

    def put(self, folder: Path, files: Mapping[str, bytes]) -> None:
        """Write ``files`` below ``folder``: a help for :meth:`make`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def test_names_are_sorted(self, tmp_path: Path) -> None:
        """All files are listed once, by names relative to the source with ``/``, in sorting order; paths are absolute."""
        listing = self.make(tmp_path / "s", FILES).listing()
        assert list(listing.names) == sorted(FILES) and len(listing) == len(FILES)
        assert all(os.path.isabs(path) for path in listing.paths)
        assert {name: Path(path).read_bytes() for name, path, _ in listing} == FILES

    def test_stats_are_of_the_files(self, tmp_path: Path) -> None:
        """Size, times and inode are what ``stat`` says of each file."""
        listing = self.make(tmp_path / "s", FILES).listing()
        for _, path, found in listing:
            info = os.stat(path)
            assert found == (info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)
        assert listing.size == sum(map(len, FILES.values()))
        assert listing.taken_ns > 0

    def test_a_listing_repeats(self, tmp_path: Path) -> None:
        """Listing again what nobody changed gives the same, and the source keeps its text and key."""
        source = self.make(tmp_path / "s", FILES)
        text, key, one, two = source.text, source.key, source.listing(), source.listing()
        assert list(one) == list(two) and (source.text, source.key) == (text, key) and text and key

    def test_changes_show(self, tmp_path: Path) -> None:
        """A file that was added is listed, and one that was written to has another stat."""
        before = self.make(tmp_path / "s", FILES).listing()
        after = self.make(tmp_path / "s", {**FILES, "b.csv": b"other", "c.csv": b""}).listing()
        stats = {name: stat for name, _, stat in after}
        assert list(after.names) == sorted([*FILES, "c.csv"])
        assert stats["b.csv"] != dict(zip(before.names, before.stats(), strict=True))["b.csv"]

    def test_nothing_is_read(self, tmp_path: Path) -> None:
        """Listing opens no file."""
        source = self.make(tmp_path / "s", FILES)
        with _opened() as opened:
            source.listing()
        names = {os.path.basename(name) for name in FILES}
        assert not [path for path in opened if os.path.basename(os.fsdecode(path)) in names]

    def test_nothing_there_is_an_error(self, tmp_path: Path) -> None:
        """A source without files, or that is gone, is a ``SourceError`` that names it as the user wrote it."""
        empty = self.make(tmp_path / "empty", {})
        assert empty.text in str(raises(SourceError, empty.listing))
        gone = self.make(tmp_path / "gone", FILES)
        shutil.rmtree(tmp_path / "gone")
        assert gone.text in str(raises(SourceError, gone.listing))

    def test_unsafe_names_are_refused(self, tmp_path: Path) -> None:
        """A name that would mean something else on another machine, or lead out of a folder, is a ``SourceError``."""
        for number, name in enumerate(self.unsafe):
            try:
                source = self.make(tmp_path / str(number), {"a.csv": b"1", name: b"2"})
            except (OSError, UnicodeError):
                continue  # the file system here cannot hold it
            raises(SourceError, source.listing)


_listeners: list[list[Any]] = []
_hooked: list[bool] = []


@contextmanager
def _opened() -> Iterator[list[Any]]:
    """The paths that are opened within, by Python code. (An audit hook cannot be taken away, so there is one for all.)"""
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_hear)
    paths: list[Any] = []
    _listeners.append(paths)
    try:
        yield paths
    finally:
        _listeners.remove(paths)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        for paths in _listeners:
            paths.append(arguments[0])
