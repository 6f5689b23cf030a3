"""Rows as a ``pandas.DataFrame``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mldata.errors import UsageError
from mldata.handing import Rows, library
from mldata.handing.arrow import to_arrow

if TYPE_CHECKING:
    import pandas

__all__ = ["BACKENDS", "to_pandas"]

BACKENDS = ("numpy", "pyarrow")


def to_pandas(rows: Rows, dtype_backend: str) -> pandas.DataFrame:
    """See :meth:`mldata.dataset.Dataset.to_pandas`."""
    pd = library("pandas", "to_pandas")
    if dtype_backend not in BACKENDS:
        raise UsageError(
            f"expected the dtype_backend {' or '.join(BACKENDS)}, found {dtype_backend!r}", where="to_pandas"
        )
    mapper = pd.ArrowDtype if dtype_backend == "pyarrow" else None
    frame: pandas.DataFrame = to_arrow(rows).to_pandas(types_mapper=mapper)
    return frame
