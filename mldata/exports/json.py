"""JSON: one array of objects (RFC 8259), an object a line, so that it is read as a whole and still compared line by line.

Values are written as in :mod:`mldata.exports.jsonl`: ``[``, a line for each row, ``]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from mldata.exports.jsonl import JsonLines, objects
from mldata.exports.lines import LineFile

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.exports.base import Compression

__all__ = ["Json"]


class Json(JsonLines):
    """The ``json`` export. It holds the types that ``jsonl`` does."""

    def open(self, sink: BinaryIO, schema: pa.Schema, compression: Compression, threads: int = 1) -> _Array:
        """Start a file."""
        return _Array(sink, threads)


class _Array(LineFile):
    """An array that is being written. The comma that ends a line is written with the next one."""

    def __init__(self, sink: BinaryIO, threads: int) -> None:
        super().__init__(sink, partial(objects, before=",\n", after=""), threads)
        self._empty = True

    def close(self) -> Mapping[str, Any]:
        """Write what is held back, and the array's end."""
        facts = super().close()
        self._sink.write(b"[]\n" if self._empty else b"\n]\n")
        return facts

    def _append(self, data: memoryview) -> None:
        if self._empty and len(data):
            self._sink.write(b"[")
            data, self._empty = data[1:], False
        super()._append(data)
