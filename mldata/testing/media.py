"""What every media format promises."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from mldata.errors import DataError
from mldata.formats.base import FormatInfo
from mldata.testing.expect import raises
from mldata.testing.reading import make_format, source_file

__all__ = ["MediaFormatContract"]

TAKEN = {"path", "label", "split", "digest", "size"}
"""Columns that media tables have before the format's own."""


class MediaFormatContract:
    """A format of kind ``images`` or ``audio``. Set :attr:`info` and write :meth:`samples`."""

    info: ClassVar[FormatInfo]
    """The format, as its entry point gives it."""

    def samples(self) -> Mapping[str, tuple[bytes, tuple[int | float | str | None, ...]]]:
        """Small sound files by name: their bytes, and the values of the format's fields."""
        raise NotImplementedError

    def test_describes_itself(self) -> None:
        """Fields have names of their own and Arrow types; the library whose version is in action keys is installed."""
        from importlib.metadata import version

        made = make_format(self.info)
        names = [name for name, _ in made.fields]
        assert self.info.kind in ("images", "audio")
        assert len(set(names)) == len(names) and not TAKEN & set(names)
        assert all(pa.type_for_alias(kind) for _, kind in made.fields)
        assert version(made.library)

    def test_headers_are_read(self, tmp_path: Path) -> None:
        """Every sample has the values it was made with, in the types of the fields, each time, from a path without a suffix."""
        made = make_format(self.info)
        for name, (data, expected) in self.samples().items():
            file = source_file(tmp_path, name, data)
            found = made.read(file)
            assert found == expected == made.read(file), name
            for value, (field, kind) in zip(found, made.fields, strict=True):
                assert pa.array([value], pa.type_for_alias(kind))[0].as_py() == value, field

    def test_names_do_not_matter(self, tmp_path: Path) -> None:
        """What is read depends on the content, never on the name."""
        made = make_format(self.info)
        for name, (data, expected) in self.samples().items():
            for other in ("x", f"a/b{name}.txt"):
                assert made.read(source_file(tmp_path, other, data)) == expected

    def test_other_data_is_refused(self, tmp_path: Path) -> None:
        """Text, zeros, random bytes and nothing at all are errors that name the file."""
        made = make_format(self.info)
        for data in (b"", b"no media file\n" * 20, bytes(4096), bytes(range(1, 256)) * 9):
            file = source_file(tmp_path, "folder/bad.bin", data)
            error = raises(DataError, lambda file=file: made.read(file))  # type: ignore[misc]
            assert "folder/bad.bin" in str(error)

    def test_a_cut_header_is_refused(self, tmp_path: Path) -> None:
        """A file cut within its header is an error that names it, of no other kind than ``DataError``."""
        made = make_format(self.info)
        for name, (data, _) in self.samples().items():
            for size in (1, 4, 8, 11):
                file = source_file(tmp_path, name, data[:size])
                assert name in str(raises(DataError, lambda file=file: made.read(file)))  # type: ignore[misc]
            for size in range(12, len(data), len(data) // 40 + 1):
                try:
                    made.read(source_file(tmp_path, name, data[:size]))
                except DataError as error:
                    assert name in str(error)
