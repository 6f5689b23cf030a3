"""Cells that a spreadsheet would run as a formula when it opens a text file, and how they are kept from it.

A cell is taken for one that begins with ``=``, ``+``, ``-`` or ``@``, or one of these in full width (which some take for the same), or with a
tab, a line end or a NUL (which some skip first): the list of OWASP (https://owasp.org/www-community/attacks/CSV_Injection) and of its ASVS 5.0,
1.2.10. A ``'`` in front makes it text to a spreadsheet. To every other program the ``'`` is a part of the text, which is why it is not done unasked.

Invariant: whether a text gets the ``'`` depends on that text alone. Numbers and dates are no text: ``-1`` in a column of numbers stays.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mldata.arrays import number_array
from mldata.exports.cells import byte_view, literal

__all__ = ["FORMULA_STARTS", "escaped"]

FORMULA_STARTS = "=+-@\t\r\n\0＝＋－＠"
_NARROW = np.isin(np.arange(256), [ord(start) for start in FORMULA_STARTS if start.isascii()])
_WIDE = [start.encode() for start in FORMULA_STARTS if not start.isascii()]


def escaped(column: pa.Array) -> pa.Array:
    """Texts with ``'`` in front of those that a spreadsheet would run; null stays null."""
    offsets, data = byte_view(column)
    sizes = np.diff(offsets)
    starts = offsets[:-1]
    risky = np.zeros(len(column), np.bool_)
    filled = sizes > 0
    risky[filled] = _NARROW[data[starts[filled]]]
    long = sizes >= 3
    for wide in _WIDE:
        same = np.ones(np.count_nonzero(long), np.bool_)
        for place, byte in enumerate(wide):
            same &= data[starts[long] + place] == byte
        risky[long] |= same
    if not risky.any():
        return column
    return pc.if_else(
        number_array(risky), pc.binary_join_element_wise(literal("'"), column, literal("")), column
    )
