"""Shards of the webdataset format, read as what they are: tar files."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

__all__ = ["members"]


def members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file, in order."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            file = archive.extractfile(member)
            assert file is not None
            yield member.name, file.read()
