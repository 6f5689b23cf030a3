"""Arrow arrays from Python's and NumPy's values, and NumPy's from Arrow's, without a look for pandas.

Where it is installed, Arrow imports it for any of these (``pa.array``, ``pa.scalar``, ``np.asarray``), which takes longer than a small build. What
usual builds come by is made here.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

__all__ = ["as_numpy", "filled", "null", "number_array", "text_array", "text_bytes", "text_scalar"]


def text_array(words: Iterable[str]) -> pa.StringArray:
    """``pa.array(words, pa.string())``."""
    data = [word.encode() for word in words]
    ends = np.array([0, *accumulate(map(len, data))], np.int32)
    return pa.StringArray.from_buffers(len(data), pa.py_buffer(ends), pa.py_buffer(b"".join(data)))


def text_bytes(array: pa.StringArray) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """The bytes of all values, one after another, and where each begins, and the last ends; not to be written to."""
    _, places, data = array.buffers()
    if not len(array) or data is None or not data.size:
        return np.empty(0, np.uint8), np.zeros(len(array) + 1, np.int32)
    ends = np.frombuffer(places, np.int32, len(array) + 1, array.offset * 4)
    return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]], ends - ends[0]


def text_scalar(word: str) -> pa.StringScalar:
    """``pa.scalar(word)``."""
    return text_array([word])[0]


def number_array(values: NDArray[Any]) -> pa.Array:
    """``pa.array(values)`` of a NumPy array of numbers, whose memory is used as it is, or of booleans."""
    kind = pa.from_numpy_dtype(values.dtype)
    data = np.packbits(values, bitorder="little") if pt.is_boolean(kind) else np.ascontiguousarray(values)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(data)])


def null(kind: pa.DataType) -> pa.Scalar:
    """``pa.scalar(None, kind)``."""
    return pa.nulls(1, kind)[0]


def as_numpy(array: pa.Array) -> NDArray[Any]:
    """``np.asarray(array)`` of booleans or numbers without nulls; not to be written to."""
    assert not array.null_count
    start, stop, data = array.offset, array.offset + len(array), array.buffers()[1]
    if pt.is_boolean(array.type):
        bits = np.frombuffer(data or b"", np.uint8, count=(stop + 7) // 8)
        return np.unpackbits(bits, count=stop, bitorder="little")[start:].astype(bool)
    width = np.dtype(array.type.to_pandas_dtype())
    return np.frombuffer(data or b"", width, count=stop)[start:]


def filled(array: pa.Array, value: int) -> NDArray[np.int64]:
    """An array of integers as NumPy's, ``value`` in place of null."""
    known = array.cast(pa.int64())
    made: NDArray[np.int64] = as_numpy(known.fill_null(number_array(np.array([value], np.int64))[0]))
    return made
