"""The ``validate`` section of ``mldata.yaml``: which checks there are, what each allows, and when a build fails.

It is a mapping, or a list of checks that stands for ``{checks: [...]}``. Beside ``checks`` and ``fail_on`` there is a section a check, named like it; that of
a plug-in (entry point group ``mldata.checks``) is for the plug-in to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from mldata import specvalues as values
from mldata import stepvalues as reads
from mldata.specsection import Section
from mldata.specvalues import Fault
from mldata.timecuts import parse_cut
from mldata.yamltree import Scalar

__all__ = ["CHECKS", "Validate", "check_section", "default_validate"]

CHECKS = ("schema", "missing", "duplicates")
"""In the order in which they are reported."""
LATER = frozenset({"labels", "leakage", "outliers", "files"})
GROUP = "mldata.checks"
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


def _allowed(raw: Any) -> str:
    """A value as it is written."""
    if isinstance(raw, bool):
        return str(raw).lower()
    return str(raw) if isinstance(raw, int | float | date) else values.as_text(raw)


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
            list[Annotated[str, BeforeValidator(_allowed)]],
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
    extra: Annotated[str, values.one_of("allow", "error")] = "allow"

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check; the order of columns has no meaning."""
        return {
            "columns": {name: column.to_plain() for name, column in sorted(self.columns.items())},
            "extra": self.extra,
        }


class Missing(Section):
    """How many values may be missing."""

    example: ClassVar[str] = "{max: 5%, columns: {NAME: 0}}"

    max: values.Most | None = None
    columns: dict[str, values.Most] = Field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check."""
        return {"max": self.max, "columns": dict(sorted(self.columns.items()))}


class Duplicates(Section):
    """How many rows may be there more than once."""

    example: ClassVar[str] = "{within: 1%, across: 0}"

    within: values.Most | None = None
    across: values.Most = 0
    columns: values.Columns = Field(default_factory=list)

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check; the order of columns has no meaning."""
        return {"within": self.within, "across": self.across, "columns": sorted(self.columns)}


SECTIONS: dict[str, type[Section]] = {
    "schema": Schema,
    "missing": Missing,
    "duplicates": Duplicates,
}
_CHECK = values.one_of(*CHECKS, later=LATER, group=GROUP)


class Validate(Section):
    """What is checked of a dataset before it is exported."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    example: ClassVar[str] = "{checks: [schema, missing, duplicates]}, or {} for all defaults"

    checks: Annotated[
        list[Annotated[str, _CHECK]], AfterValidator(values.distinct), BeforeValidator(values.as_list)
    ] = Field(default_factory=lambda: list(CHECKS))
    fail_on: Annotated[str, values.one_of("error", "warning", "never")] = "error"
    schema_: Schema = Field(default_factory=Schema, alias="schema")
    missing: Missing = Field(default_factory=Missing)
    duplicates: Duplicates = Field(default_factory=Duplicates)

    @model_validator(mode="before")
    @classmethod
    def _list(cls, raw: Any) -> Any:
        """A list of checks is all that is said."""
        if not isinstance(raw, list | tuple | str) and not (isinstance(raw, Scalar) and raw.text):
            return raw
        items = list(raw) if isinstance(raw, list | tuple) else [raw]
        places = [(str(number),) for number in range(len(items))] if isinstance(raw, list | tuple) else [()]
        faults = [fault for item, at in zip(items, places, strict=True) for fault in _check_faults(item, at)]
        if faults:
            values.refuse(*faults)
        return {"checks": items}

    def faults(self) -> Iterator[Fault]:
        """No check, settings of a check that is not made, keys that are none."""
        if not self.checks:
            yield Fault(f"expected at least one of {', '.join(CHECKS)}; found an empty list", at=("checks",))
        said = {"schema" if name == "schema_" else name for name in self.model_fields_set}
        for name in CHECKS:
            if name in said and name not in self.checks:
                hint = f"add {name!r} to 'checks', or remove this"
                yield Fault(f"{name!r} is not among the checks", hint, (name, "[key]"))
        for name, raw in (self.__pydantic_extra__ or {}).items():
            if name in LATER:
                yield Fault(
                    f"this version of mldata does not have {name!r} yet", "remove it", (name, "[key]")
                )
            elif name not in self.checks:
                keys = ("checks", "fail_on", *CHECKS)
                hint = values.nearest(name, keys) or f"keys here are {', '.join(keys)}"
                yield Fault(f"unknown key {name!r}", hint, (name, "[key]"))
            elif not isinstance(raw, dict) or reads.too_large(raw):
                yield Fault(f"expected a mapping of settings, found {values.shown(raw)}", at=(name,))

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the stage; the order of checks has no meaning."""
        own: dict[str, Schema | Missing | Duplicates] = {
            "schema": self.schema_,
            "missing": self.missing,
            "duplicates": self.duplicates,
        }
        checks = [name for name in CHECKS if name in self.checks] + sorted(set(self.checks) - set(CHECKS))
        others = self.__pydantic_extra__ or {}
        return {
            "checks": checks,
            "fail_on": self.fail_on,
            **{
                name: own[name].to_plain() if name in own else reads.plain(others.get(name, {}))
                for name in checks
            },
        }


def _check_faults(raw: Any, at: tuple[str, ...]) -> list[Fault]:
    """What is wrong with the name of a check, by its place in a list."""
    try:
        check: Any = _CHECK.func
        check(raw)
    except PydanticCustomError as error:
        return [fault._replace(at=at + fault.at) for fault in (error.context or {})["faults"]]
    return []


def check_section(keys: Sequence[str]) -> type[Section] | None:
    """The section below ``validate`` that ``keys`` lead to; None: none."""
    if not keys:
        return Validate
    found = SECTIONS.get(keys[0])
    if len(keys) == 1:
        return found
    return Column if len(keys) == 3 and found is Schema and keys[1] == "columns" else None


def default_validate(checks: Sequence[str] = ()) -> dict[str, Any]:
    """The parameters of a validation of which the spec says nothing: of these checks, or of all.

    Raises ``pydantic.ValidationError``.
    """
    return Validate.model_validate({"checks": list(checks)} if checks else {}).to_plain()
