"""Hands the rows of a dataset to other libraries, as lazily and with as few copies as each of them allows.

One module a library: ``arrow``, ``pandas``, ``polars``, ``torch``, ``hf`` (Hugging Face ``datasets``). They are given :class:`Rows` to hand
over, which name files and need neither the dataset nor its store. :func:`library` imports a library or says how to install it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mldata.errors import MissingExtra

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.mediafiles import MediaFiles
    from mldata.rowpieces import Piece

__all__ = ["Rows", "library"]

_INSTALL = {"torch": "torch", "polars": "polars", "pandas": "pandas", "datasets": "datasets"}


@dataclass(frozen=True)
class Rows:
    """Some rows to hand over. Can be pickled."""

    dataset: str
    kind: str
    """``tabular``, ``images`` or ``audio``."""
    schema: pa.Schema
    """The columns that are wanted, in order."""
    pieces: tuple[Piece, ...]
    media: MediaFiles
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Values of the columns that are classes, ascending, whatever part the rows are of."""

    @property
    def count(self) -> int:
        """How many rows."""
        return sum(piece.rows for piece in self.pieces)


def library(name: str, what: str) -> Any:
    """The module of an optional library. Raises :class:`MissingExtra` with how to install it, for ``what``."""
    try:
        return import_module(name)
    except ImportError as error:
        if error.name is not None and error.name.split(".")[0] != name.split(".")[0]:
            raise  # it is there, and something that it needs is not
        raise MissingExtra(
            f"{what} needs the package {name}, which is not installed",
            hint=f"Install it: pip install {_INSTALL.get(name, name)}",
        ) from error
