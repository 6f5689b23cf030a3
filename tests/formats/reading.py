"""Reads bytes with a built-in format, the way the normalize stage does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from mldata.formats import FORMATS
from mldata.formats.base import Options
from mldata.testing import read_fragments, read_table


def read(folder: Path, data: bytes, format: str = "csv", *, threads: int = 1, **options: Any) -> pa.Table:
    """The table that one file becomes: both passes."""
    return read_all(folder, {f"data.{format}": data}, format, threads=threads, **options)


def read_all(
    folder: Path, files: Mapping[str, bytes], format: str = "csv", *, threads: int = 1, **options: Any
) -> pa.Table:
    """The table that several files of one format become."""
    return read_table(FORMATS[format], folder, files, Options(**options), threads)


def fragments(
    folder: Path, files: Mapping[str, bytes], format: str = "csv", *, threads: int = 1, **options: Any
) -> list[bytes]:
    """The bytes of every fragment, in order."""
    return read_fragments(FORMATS[format], folder, files, Options(**options), threads)
