"""Rows as a map-style dataset of PyTorch.

Invariant: an item depends on its number alone, whatever was read before, in whichever process; the dtype of a column is the same in every
item and every part.
"""

from __future__ import annotations

import warnings
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from mldata.errors import UsageError
from mldata.handing import Rows
from mldata.handing.classes import indices
from mldata.handing.decoding import picture, recording
from mldata.rowpieces import Piece

__all__ = ["TorchRows"]

CACHED_BYTES = 256 << 20
"""Row groups that are held, in about so many bytes of memory: what does not fit is read again. At least one is."""
MISSING_TIME = -(2**63)
"""NumPy's NaT."""
MISSING_INDEX = -1

Block = Mapping[str, "torch.Tensor | list[Any] | pa.ChunkedArray"]
"""Columns of a row group: numbers as a tensor, text and bytes as a list, what has a structure as Arrow has it."""


class _Group(NamedTuple):
    """A row group, and which of its rows are of the part."""

    piece: Piece
    number: int
    places: Sequence[int] | NDArray[np.int64]


class TorchRows(Dataset[Any]):
    """The rows of a part by number, each a dict, given to ``transform`` if there is one.

    Can be pickled, to go to the workers of a ``DataLoader``, if ``transform`` can; it holds paths and no rows then.
    See :meth:`mldata.dataset.Dataset.to_torch` for what the values are.
    """

    def __init__(
        self,
        rows: Rows,
        nulls: frozenset[str],
        transform: Callable[[dict[str, Any]], Any] | None,
        media: bool,
        missing_text: str | None,
    ) -> None:
        """For :meth:`mldata.dataset.Dataset.to_torch`. ``nulls``: columns that miss values in some part."""
        self.classes = rows.classes
        """Values of the columns that are classes, by column: the index of a class is its place."""
        self.transform = transform
        self._rows = rows
        self._nulls = nulls
        self._text = missing_text
        self._media = _media_key(rows) if media and rows.kind != "tabular" else None
        self._groups = [
            _Group(piece, number, places)
            for piece in rows.pieces
            for number, places in enumerate(piece.places())
            if len(places)
        ]
        self._starts = list(accumulate((len(group.places) for group in self._groups), initial=0))
        self._blocks: OrderedDict[int, tuple[Block, int]] = OrderedDict()

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: int) -> Any:
        return self.__getitems__([index])[0]

    def __getitems__(self, indexes: Sequence[int]) -> list[Any]:
        """The items of a batch, which a ``DataLoader`` asks for at once: each row group is looked at once."""
        wanted: dict[int, list[tuple[int, int]]] = {}
        for position, index in enumerate(indexes):
            number, place = self._find(index)
            wanted.setdefault(number, []).append((position, place))
        items: list[Any] = [None] * len(indexes)
        for number, found in wanted.items():
            places = [place for _, place in found]
            columns = {name: _values(values, places) for name, values in self._block(number).items()}
            for row, (position, _) in enumerate(found):
                items[position] = self._item({name: values[row] for name, values in columns.items()})
        return items

    def _find(self, index: int) -> tuple[int, int]:
        """The row group of a row, and its place there."""
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f"expected a row from 0 to {count - 1:,}, found {index:,}")
        number = bisect_right(self._starts, index % count) - 1
        return number, int(self._groups[number].places[index % count - self._starts[number]])

    def _item(self, row: dict[str, Any]) -> Any:
        if self._media is not None:
            row[self._media] = self._decoded(row["path"])
        return self.transform(row) if self.transform is not None else row

    def _decoded(self, name: str) -> torch.Tensor:
        path = self._rows.media.path(name)
        return torch.from_numpy(picture(path) if self._rows.kind == "images" else recording(path))

    def _block(self, number: int) -> Block:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number][0]
        group = self._groups[number]
        table = group.piece.group(group.number, self._rows.schema)
        block = {name: self._column(name, table[name]) for name in table.column_names}
        self._blocks[number] = block, table.nbytes
        while len(self._blocks) > 1 and sum(size for _, size in self._blocks.values()) > CACHED_BYTES:
            self._blocks.popitem(last=False)
        return block

    def _column(self, name: str, column: pa.ChunkedArray) -> torch.Tensor | list[Any] | pa.ChunkedArray:
        kind = column.type
        if name in self.classes:
            return _tensor(indices(column, self.classes[name]), MISSING_INDEX)
        if pt.is_boolean(kind):
            return _tensor(column.cast(pa.int8()), -1) if name in self._nulls else _tensor(column)
        if pt.is_floating(kind):
            return _tensor(column, float("nan"))
        if pt.is_decimal(kind):
            return _tensor(column.cast(pa.float64()), float("nan"))
        if pt.is_integer(kind):
            if name not in self._nulls:
                return _tensor(column)
            return _tensor(column.cast(pa.float64(), safe=False), float("nan"))
        if pt.is_temporal(kind) and not pt.is_interval(kind):
            wide = column.cast(pa.int32()) if kind.bit_width == 32 else column
            return _tensor(wide.cast(pa.int64()), MISSING_TIME)
        if pt.is_null(kind):
            return torch.full((len(column),), float("nan"), dtype=torch.float64)
        if pt.is_nested(kind):
            return column
        values: list[Any] = column.to_pylist()
        if self._text is not None and _is_text(kind):
            return [self._text if value is None else value for value in values]
        return values

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_blocks": OrderedDict()}


def _values(values: Any, places: list[int]) -> Sequence[Any]:
    """Some values, which the caller may change: neither what is held nor a file that is mapped does with them."""
    if isinstance(values, torch.Tensor):
        if len(places) == 1:
            return [values[places[0]].clone()]
        return values[
            torch.tensor(places)
        ].unbind()  # a copy of these, and views of that: a quarter of the time
    if isinstance(values, list):
        return [values[place] for place in places]
    return [values[place].as_py() for place in places]


def _media_key(rows: Rows) -> str:
    key = "image" if rows.kind == "images" else "audio"
    if "path" not in rows.schema.names:
        raise UsageError(
            f"the {key} of a row is found by its column 'path', which is left out",
            hint="Take it in, or say media=False.",
        )
    if key in rows.schema.names:
        raise UsageError(
            f"the column '{key}' has the name of what is decoded", hint="Leave it out, or say media=False."
        )
    return key


def _tensor(column: pa.ChunkedArray | pa.Array, missing: float | None = None) -> torch.Tensor:
    """Without a copy where the column is one chunk of numbers that misses none."""
    if missing is not None and column.null_count:
        column = pc.fill_null(column, pa.scalar(missing, column.type))
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):  # no chunk at all
        whole = pa.array([], column.type)
    values = whole.to_numpy(zero_copy_only=False)
    with warnings.catch_warnings():
        # The memory is Arrow's, not to be written to: what is handed out is a copy of one value.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(values)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_dictionary(kind))
