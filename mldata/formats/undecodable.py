"""Undecodable: the error for text that is in no known encoding, with the place and a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mldata.errors import DataError, Where
from mldata.formats.pieces import line_of

if TYPE_CHECKING:
    from mldata.formats.base import SourceFile
    from mldata.formats.encodings import UnknownEncoding


def undecodable(file: SourceFile, unknown: UnknownEncoding) -> DataError:
    """The error for a file of which :mod:`mldata.formats.encodings` found this."""
    if unknown.guess is not None:
        hint = f"it could be {unknown.guess}: if so, set `normalize: {{encoding: {unknown.guess}}}` in mldata.yaml"
    else:
        hint = "correct the file, or set `normalize: {encoding: ...}` in mldata.yaml"
    place: tuple[int, ...] = ()
    if unknown.line is not None:
        place = (unknown.line,)
    elif unknown.offset is not None:
        place = line_of(file.path, unknown.offset)
    return DataError(unknown.reason, where=Where(file.name, *place), hint=hint)
