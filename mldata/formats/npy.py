"""NumPy's arrays: ``.npy`` (one array) and ``.npz`` (several of equal length, each a column under its name), mapped and read piece by piece.

The first axis is the rows. An array is the column ``value``: of numbers, texts, times or booleans if it has one axis, of fixed-size lists (of
such lists...) if it has more. A structured array is a column for each field. What is in no column type is refused by name: pickled objects,
complex and extended numbers, raw bytes. Nothing is unpickled.

The format is numpy.lib.format's: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from shutil import copyfileobj
from tokenize import TokenError
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa

from mldata.archives.base import LIMITS
from mldata.errors import DataError, Where
from mldata.formats.base import SourceFile
from mldata.formats.streamed import Stream, StreamedFormat, damaged

ARRAY = b"\x93NUMPY"
KIND = "NumPy file"
COLUMN = "value"
BATCH_BYTES = 8 << 20
KNOWN = ("D", "s", "ms", "us", "ns")
POINTS = {"W": "D", "h": "s", "m": "s"}
SPANS = {"W": "s", "D": "s", "h": "s", "m": "s"}
"""Units of time that Arrow does not have (of dates and times, and of durations), and those that hold them."""
DAMAGE = (
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    EOFError,
    OSError,
    SyntaxError,
    RecursionError,
    MemoryError,
    TokenError,
)
"""What NumPy raises for a header, which is an expression of Python that it parses."""

Array = np.ndarray[Any, np.dtype[Any]]


class Npy(StreamedFormat):
    """The ``npy`` format. One fragment a file."""

    @contextmanager
    def opened(self, file: SourceFile) -> Iterator[Stream]:
        """See :class:`~mldata.formats.streamed.StreamedFormat`."""
        with ExitStack() as stack:
            yield _open(file, stack)


def _open(file: SourceFile, stack: ExitStack) -> Stream:
    with open(file.path, "rb") as handle:
        head = handle.read(len(ARRAY))
    if head == ARRAY:
        arrays = {COLUMN: _map(file, str(file.path), file.size, "the file")}
    elif head.startswith(b"PK"):
        arrays = _members(file, stack)
    else:
        raise DataError(
            "expected an array of NumPy (.npy) or several (.npz), found something else",
            where=Where(file.name),
            hint="write it with numpy.save or numpy.savez",
        )
    lengths = {name: _length(file, name, array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} with {rows:,}" for name, rows in lengths.items())
        raise DataError(
            f"expected arrays of one length, found {found}",
            where=Where(file.name),
            hint="write each to a file of its own, or those of one length to one file",
        )
    columns: dict[str, Array] = {}
    for name, array in arrays.items():
        fields = array.dtype.names or ()
        columns |= {field: array[field] for field in fields} if len(arrays) == 1 and fields else {name: array}
    rows = next(iter(lengths.values()), 0)
    schema = pa.schema([(name, _arrow(column[:0], file, name).type) for name, column in columns.items()])
    return Stream(schema, _batches(columns, rows, schema, file))


def _batches(
    columns: Mapping[str, Array], rows: int, schema: pa.Schema, file: SourceFile
) -> Iterator[pa.RecordBatch]:
    width = sum(column[:1].nbytes for column in columns.values())
    step = max(1, BATCH_BYTES // max(width, 1))
    for start in range(0, rows, step):
        parts = [_arrow(column[start : start + step], file, name) for name, column in columns.items()]
        yield pa.RecordBatch.from_arrays(parts, schema=schema)


def _members(file: SourceFile, stack: ExitStack) -> dict[str, Array]:
    """The arrays of an ``.npz``, each in a temporary file, since what is compressed cannot be mapped."""
    arrays: dict[str, Array] = {}
    try:
        archive = stack.enter_context(zipfile.ZipFile(file.path))
        members = archive.infolist()
        total = sum(member.file_size for member in members)
        if LIMITS.blown(total, file.size):
            raise DataError(
                f"expected at most {LIMITS.ratio} bytes out of each byte, found {total:,} out of {file.size:,}",
                where=Where(file.name),
                hint="if you trust the file, write it again with numpy.savez, which does not compress",
            )
        for member in members:
            name = member.filename.removesuffix(".npy")
            if name == member.filename or name in arrays:
                why = "is no array" if name == member.filename else "is there twice"
                raise damaged(file, KIND, f"its member {member.filename!r} {why}")
            target = stack.enter_context(
                tempfile.NamedTemporaryFile(prefix="mldata-")  # noqa: SIM115 (the stack closes it)
            )
            with archive.open(member) as source:
                copyfileobj(source, target, 1 << 20)
            target.flush()
            arrays[name] = _map(file, target.name, member.file_size, f"its member {member.filename!r}")
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise damaged(file, KIND, error) from error
    if not arrays:
        raise damaged(file, KIND, "there are no arrays in it")
    return arrays


def _map(file: SourceFile, path: str, size: int, what: str) -> Array:
    """The array in the file at ``path``, of ``size`` bytes, which is it and nothing more."""
    try:
        with open(path, "rb") as handle:
            version = np.lib.format.read_magic(handle)
            # Version 3 differs from 2 in how the names of fields are encoded, which the mapping takes care of.
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read(handle)
            start = handle.tell()
        if dtype.hasobject:
            _refuse(file, what, f"Python objects ({dtype})")
        need = start + dtype.itemsize * int(np.prod([int(length) for length in shape], dtype=object))
        if need != size:
            less = "is it truncated?" if need > size else "are there several arrays in it?"
            raise damaged(file, KIND, f"{what} has {size:,} bytes, and its array takes {need:,} ({less})")
        if need == start:
            return np.empty(shape, dtype)
        return np.lib.format.open_memmap(path, mode="r")
    except DAMAGE as error:
        raise damaged(file, KIND, error) from error


def _length(file: SourceFile, name: str, array: Array) -> int:
    if not array.ndim:
        _refuse(file, f"the array {name!r}", "a single value")
    if array.dtype.names and array.ndim > 1:
        _refuse(file, f"the array {name!r}", f"structured values on {array.ndim} axes")
    return len(array)


def _arrow(values: Array, file: SourceFile, name: str) -> pa.Array:
    """Some rows as a column."""
    if values.dtype.names:
        fields = [_arrow(values[field], file, f"{name}.{field}") for field in values.dtype.names]
        return pa.StructArray.from_arrays(fields, names=list(values.dtype.names))
    if values.ndim > 1:
        if not values.shape[-1]:
            _refuse(
                file, f"the column {name!r}", f"rows without values (its shape ends with {values.shape[1:]})"
            )
        made = _arrow(values.reshape(-1), file, name)
        for length in reversed(values.shape[1:]):
            made = pa.FixedSizeListArray.from_arrays(made, length)
        return made
    kind = values.dtype.kind
    if kind in "mM":
        values = _time(values, file, name)
    elif kind in "US":
        try:
            return pa.array(values.tolist(), pa.string() if kind == "U" else pa.binary())
        except (UnicodeEncodeError, SystemError):  # code points beyond Unicode
            _refuse(file, f"the column {name!r}", "characters that Unicode does not have")
    elif kind not in "biuf" or values.dtype.itemsize > 8:
        _refuse(file, f"the column {name!r}", f"values of the type {values.dtype}, which no column has")
    return pa.array(np.ascontiguousarray(values, values.dtype.newbyteorder("=")))


def _time(values: Array, file: SourceFile, name: str) -> Array:
    """Times in a unit that Arrow has."""
    kind, unit = values.dtype.kind, np.datetime_data(values.dtype)[0]
    unit = (POINTS if kind == "M" else SPANS).get(unit, unit)
    made = values.astype(f"{kind}8[{unit}]") if unit in KNOWN else values
    fits = (
        unit != "D"
        or not made.size
        or int(np.abs(made[~np.isnat(made)].view(np.int64)).max(initial=0)) < 2**31
    )
    if unit not in KNOWN or not fits or not np.array_equal(made.astype(values.dtype), values, equal_nan=True):
        _refuse(file, f"the column {name!r}", f"times that no column holds ({values.dtype})")
    return made


def _refuse(file: SourceFile, what: str, found: str) -> NoReturn:
    raise DataError(
        f"expected numbers, booleans, texts or times, found in {what} {found}",
        where=Where(file.name),
        hint="convert the array, for example with astype(), and save it again",
    )
