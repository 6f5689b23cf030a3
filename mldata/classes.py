"""The classes of a column: a number a row, for splits that keep the proportions of a label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt

from mldata.arrays import as_numpy, filled

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Codes = NDArray[np.unsignedinteger]

__all__ = ["TooManyClasses", "class_codes", "encoded_column"]

BATCH_ROWS = 1 << 18


class TooManyClasses(Exception):
    """There were more classes than the limit allows: not a class column."""


def class_codes(columns: Iterable[pa.Array], limit: int) -> tuple[Codes, list[Any]]:
    """The class number of every row, in row order, and the value of each class.

    Class 0 is that of nulls (``None``), whether there are any or not. The others are numbered as they come, so that a
    class number means nothing by itself.

    Args:
        columns: the column in pieces; faster when they are dictionary-encoded.
        limit: the largest number of distinct values. Checked as pieces come, so that an id column of a large table
            costs neither the time nor the memory of reading it all.

    Raises:
        TooManyClasses: there are more.
    """
    known: pa.Array | None = None
    pieces: list[Codes] = []
    for column in columns:
        if pt.is_null(column.type):
            pieces.append(np.zeros(len(column), np.uint8))
            continue
        if not pt.is_dictionary(column.type):
            column = column.dictionary_encode()
        codes, known = _encode(column, known)
        pieces.append(codes)
        if len(known) > limit:
            raise TooManyClasses
    names = [None] + (known.to_pylist() if known is not None else [])
    width = np.min_scalar_type(len(names))
    return np.concatenate([np.empty(0, width), *pieces], dtype=width), names


def encoded_column(files: Iterable[Path], column: str) -> Iterator[pa.Array]:
    """One column of Parquet files, in pieces; text comes dictionary-encoded, as Parquet stores it."""
    for path in files:
        with pq.ParquetFile(path, read_dictionary=[column]) as file:
            for batch in file.iter_batches(BATCH_ROWS, columns=[column]):
                yield batch.column(0)


def _encode(column: Any, known: pa.Array | None) -> tuple[Codes, pa.Array]:
    """Class numbers of a dictionary-encoded piece, and the known values with those that are new in it."""
    used = pc.unique(column.indices).drop_null()  # a Parquet dictionary may list values that no row has
    values = column.dictionary.take(used)
    if known is None:
        known = values[:0]
    places = pc.index_in(values, value_set=known)
    new = places.is_null()
    known = pa.concat_arrays([known, values.filter(new)])
    places = filled(places, 0).copy()
    fresh = as_numpy(new)
    places[fresh] = np.arange(len(known) - int(fresh.sum()), len(known))
    width = np.min_scalar_type(len(known) + 1)
    numbers = np.zeros(len(column.dictionary) + 1, width)
    numbers[as_numpy(used)] = places + 1
    codes: Codes = numbers[filled(column.indices, len(column.dictionary))]
    return codes, known
