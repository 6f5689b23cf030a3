"""``validate.schema``: what is declared of columns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from mldata import specvalues as values
from mldata import stepvalues as reads
from mldata.checkspecs.limits import Value
from mldata.specsection import Section
from mldata.specvalues import Fault
from mldata.timecuts import parse_cut

__all__ = ["Column", "Schema"]

_PAIRS = (("min", "max"), ("min_length", "max_length"))


def _bound(raw: Any) -> int | float | str:
    """A number, or a time in the one way that times are written."""
    value = raw.isoformat() if isinstance(raw, date) else reads.scalar(raw)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    cut = parse_cut(value) if isinstance(value, str) else None
    if cut is None:
        expected = "expected a number, a date such as 2024-01-31 or a time such as 2024-01-31T12:30"
        values.refuse(Fault(f"{expected}; found {values.shown(raw)}"))
    return cut if isinstance(cut, int) else cut.isoformat()


def _pattern(raw: Any) -> str:
    """A regular expression as RE2 has it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = values.as_text(raw)
    # Alone first: what it is put into for matching might repair it.
    for pattern in (text, rf"\A(?:{text})\z"):
        try:
            pc.match_substring_regex(pa.array([""]), pattern)
        except pa.ArrowInvalid as error:
            why = str(error).removeprefix("Invalid regular expression: ")
            hint = "patterns are in the syntax of RE2, which has no look-around and no backreferences"
            values.refuse(Fault(f"expected a regular expression, found {values.shown(raw)}: {why}", hint))
    return text


def _length(raw: Any) -> int:
    number = values.as_whole_number(raw)
    if not 0 <= number < 2**63:
        values.refuse(Fault(f"expected a length of at least 0, found {values.shown(raw)}"))
    return number


Bound = Annotated[int | float | str, BeforeValidator(_bound)]
Length = Annotated[int, BeforeValidator(_length)]


class Column(Section):
    """What is declared of a column."""

    example: ClassVar[str] = "{type: int64, min: 0}"

    type: values.ColumnType | None = None
    nullable: values.Flag | None = None
    unique: values.Flag | None = None
    min: Bound | None = None
    max: Bound | None = None
    min_length: Length | None = None
    max_length: Length | None = None
    allowed: (
        Annotated[
            list[Value],
            AfterValidator(values.distinct),
            BeforeValidator(values.as_list),
        ]
        | None
    ) = None
    pattern: Annotated[str, BeforeValidator(_pattern)] | None = None

    def faults(self) -> Iterator[Fault]:
        """Bounds that nothing is between."""
        for low, high in _PAIRS:
            least, most = getattr(self, low), getattr(self, high)
            if least is None or most is None:
                continue
            if isinstance(least, str) != isinstance(most, str):
                yield Fault(f"{low!r} and {high!r} are a number and a time", "write both alike", (high,))
            elif _after(least, most):
                yield Fault(f"expected {high!r} of at least {least}, found {most}", at=(high,))
        if self.allowed == []:
            yield Fault("expected at least one value, found an empty list", at=("allowed",))

    def to_plain(self) -> dict[str, Any]:
        """What is said; that which says nothing is left out, and values are sorted."""
        plain = {name: getattr(self, name) for name in type(self).model_fields}
        plain["nullable"] = False if self.nullable is False else None
        plain["unique"] = self.unique or None
        plain["allowed"] = sorted(self.allowed) if self.allowed else None
        return {name: value for name, value in plain.items() if value is not None}


def _after(least: Any, most: Any) -> bool:
    if isinstance(least, str):
        least, most = parse_cut(least), parse_cut(most)
        if (least.tzinfo is None) != (most.tzinfo is None):
            return False  # which is later depends on the column
    return bool(least > most)


class Schema(Section):
    """Columns, their types and values."""

    example: ClassVar[str] = "{columns: {NAME: {type: int64, min: 0}}}"

    columns: dict[str, Column] = Field(default_factory=dict)
    """What is declared, by name."""
    extra: Annotated[str, values.one_of("allow", "error")] = "allow"
    """Whether there may be columns that are not declared: they may, as most specs declare a few."""
    unseen: values.Most | None = None
    """Rows of other parts that may have a category (a text of few distinct ones) which the part ``train`` lacks. None: none, as a warning: a model was
    never shown it."""

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check; the order of columns has no meaning."""
        return {
            "columns": {name: column.to_plain() for name, column in sorted(self.columns.items())},
            "extra": self.extra,
            "unseen": self.unseen,
        }
