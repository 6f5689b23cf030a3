"""Keys that are given twice in an object of records, told over all pieces of the file by their hashes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from mldata.errors import DataError, Where, shown
from mldata.formats.base import SourceFile
from mldata.formats.jsoncut import Form
from mldata.formats.jsonrecords import EVERY, KEY, Records
from mldata.formats.jsonrejects import Aside, decoded, encoded
from mldata.formats.pieces import line_of


def twins(keys: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Hashes that are there twice: of a key that is, or of two keys by chance."""
    hashes, counts = np.unique(np.concatenate(keys), return_counts=True)
    return hashes[counts > 1]


def refuse_twin(
    file: SourceFile, handle: BinaryIO, spans: Sequence[tuple[int, int]], hashes: NDArray[np.int64]
) -> None:
    """Raises ``DataError`` for the first key of an object of records that is there a second time."""
    wanted, seen = set(hashes.tolist()), set[str]()
    for start, stop in spans:
        handle.seek(start)
        text = decoded(handle.read(stop - start))
        for at, row in Records(text, Form.ENTRIES, EVERY, aside=Aside(text, Form.ENTRIES)):
            key = str(json.loads(row[KEY]))
            if key in seen:
                raise DataError(
                    f"the key {shown(key)} is given twice in the object of records",
                    where=Where(file.name, *line_of(file.path, start + len(encoded(text[:at])))),
                    hint="keep one of the two records",
                )
            if hash(key) in wanted:
                seen.add(key)
