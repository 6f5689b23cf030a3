"""What forms of columns have in common: a record of what is known of some rows, and a reader that makes one of each block of a leaf and folds them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

from mldata.profile.kinds import kind_of
from mldata.profile.numbers import LEAF_POINTS
from mldata.profile.summary import ColumnSummary

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.profile.batch import Batch, Block
    from mldata.profile.limits import Limits
    from mldata.profile.summary import Distinct, Frequent, Numbers, Texts

__all__ = ["ColumnReader", "ColumnRecord", "SketchForm"]


class SketchForm(Protocol):
    """A class of sketches that sections hold."""

    def from_plain(self, plain: Any) -> Any:
        """What ``to_plain`` of one gave."""
        ...


@dataclass(frozen=True, eq=False)
class ColumnRecord(ABC):
    """What is known of a column of some rows."""

    rows: int
    nulls: int

    sketches: ClassVar[Mapping[str, SketchForm]]
    """Fields that are sketches, or None."""

    def to_plain(self) -> dict[str, Any]:
        """For a section."""
        found = {name: getattr(self, name) for name in self.sketches}
        plain = {name: it.to_plain() if it is not None else None for name, it in found.items()}
        return {"rows": self.rows, "nulls": self.nulls, **plain}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """What :meth:`to_plain` gave."""
        return cls(**cls._fields(plain))

    @classmethod
    def _fields(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: (form, plain[name]) for name, form in cls.sketches.items()}
        made = {name: form.from_plain(it) if it is not None else None for name, (form, it) in found.items()}
        return {"rows": plain["rows"], "nulls": plain["nulls"], **made}

    @classmethod
    def fold(cls, some: Sequence[Self], *, exact: bool, most: int | None = None) -> Self:
        """Of all together (at least one); ``most``: points to keep of what is not complete."""
        if len(some) == 1:
            return some[0]
        rows, nulls = sum(each.rows for each in some), sum(each.nulls for each in some)
        return cls(rows, nulls, **cls._folded(some, exact, most))

    @classmethod
    @abstractmethod
    def _folded(cls, some: Sequence[Self], exact: bool, most: int | None) -> dict[str, Any]:
        """The other fields of several together."""

    @abstractmethod
    def told(self, field: pa.Field, limits: Limits) -> ColumnSummary:
        """The column, within limits."""

    def _summary(
        self,
        field: pa.Field,
        distinct: Distinct | None,
        *,
        frequent: Frequent | None = None,
        numbers: Numbers | None = None,
        texts: Texts | None = None,
    ) -> ColumnSummary:
        """The column with what was told of it."""
        known = field.name, str(field.type), kind_of(field.type), field.nullable, self.rows, self.nulls
        return ColumnSummary(*known, distinct, frequent, numbers, texts)


R = TypeVar("R", bound=ColumnRecord)


class ColumnReader(ABC, Generic[R]):
    """Reads a leaf's rows of a column."""

    def __init__(self, number: int, *, exact: bool) -> None:
        """For column ``number`` of a table; ``exact``: see :class:`mldata.profile.leaf.LeafSketcher`."""
        self._number, self._exact = number, exact
        self._made: list[R] = []

    @abstractmethod
    def add(self, column: pa.Array, batch: Batch) -> NDArray[np.uint64] | None:
        """The next rows; gives what the sample has of those that are drawn (None: nothing of this column)."""

    @abstractmethod
    def end_block(self, block: Block) -> None:
        """No more rows of the block."""

    def fold(self) -> None:
        """Make one of the blocks that there are, at least one."""
        self._made = [self._made[0].fold(self._made, exact=self._exact, most=LEAF_POINTS)]

    def finish(self) -> dict[str, Any]:
        """The column's section."""
        self.fold()
        return self._made[0].to_plain()
