"""The beginning of a JSON file that is elsewhere: the first elements of its array, or its first lines."""

from __future__ import annotations

import json
from typing import BinaryIO

import numpy as np

from mldata.formats.heads import FIRST_BYTES, LINE, LONGEST, STEP, Uncut, copy, take_records
from mldata.formats.jsoncut import State
from mldata.formats.jsonshape import BOM

__all__ = ["cut_values"]


def cut_values(data: BinaryIO, out: BinaryIO, records: str, rows: int) -> None:
    """Copy the beginning of ``data`` to ``out``, with at least ``rows`` records as far as there are so many.

    Args:
        records: where the spec says that they are.

    Raises:
        Uncut: they are inside of an object, or may be.
    """
    size = copy(data, out, FIRST_BYTES)
    out.seek(0)
    head = out.read()
    text = head.removeprefix(BOM).lstrip()
    if size < FIRST_BYTES:
        return
    if text.startswith(b"[") and records == "auto":
        _elements(data, out, head, rows)
    elif _are_lines(text) and records in ("auto", "row"):
        take_records(data, out, 0, LINE, lambda line: not line.isspace(), rows)
    else:
        raise Uncut


def _elements(data: BinaryIO, out: BinaryIO, piece: bytes, rows: int) -> None:
    """Cut behind an element that is an object or array; ``out`` has ``piece``, the beginning, and stands behind it."""
    state, depth, at, last, found = State(), 0, 0, 0, 0
    while piece:
        places, depths = state.places(piece)
        if len(depths):
            before = np.concatenate([[depth], depths[:-1]])
            ends = places[(depths == 1) & (before == 2)]
            depth, found = int(depths[-1]), found + len(ends)
            last = at + int(ends[-1]) + 1 if len(ends) else last
            if (depths <= 0).any():  # the array ends, or this is no JSON: reading tells
                copy(data, out, LONGEST)
                return
        at += len(piece)
        if last and found >= rows:
            out.truncate(last)
            out.seek(last)
            out.write(b"]")
            return
        if at - last > LONGEST:
            return
        piece = data.read(STEP)
        out.write(piece)


def _are_lines(text: bytes) -> bool:
    """Whether an object stands on a line of its own, and another follows."""
    line, _, rest = text.partition(b"\n")
    try:
        return isinstance(json.loads(line), dict) and rest.lstrip().startswith(b"{")
    except (ValueError, RecursionError):
        return False
