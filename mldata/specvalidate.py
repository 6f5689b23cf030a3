"""The ``validate`` section of ``mldata.yaml``: which checks there are, what each allows, and when a build fails.

It is a mapping, or a list of checks that stands for ``{checks: [...]}``. Beside ``checks`` and ``fail_on`` there is a section a check, named like it; that of
a plug-in (entry point group ``mldata.checks``) is for the plug-in to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from mldata import specvalues as values
from mldata import stepvalues as reads
from mldata.checkspecs.duplicates import Duplicates
from mldata.checkspecs.files import Files
from mldata.checkspecs.labels import Labels
from mldata.checkspecs.leakage import Leakage
from mldata.checkspecs.missing import Missing
from mldata.checkspecs.near import Near
from mldata.checkspecs.outliers import Outliers
from mldata.checkspecs.schema import Column, Schema
from mldata.specsection import Section
from mldata.specvalues import Fault
from mldata.yamltree import Scalar

__all__ = ["CHECKS", "Validate", "check_section", "default_validate"]

CHECKS = ("schema", "missing", "duplicates", "labels", "leakage", "outliers", "files")
"""In the order in which they are reported."""
ALL = "all"
"""Stands for every check that is built in."""
GROUP = "mldata.checks"


SECTIONS: dict[str, type[Section]] = {
    "schema": Schema,
    "missing": Missing,
    "duplicates": Duplicates,
    "labels": Labels,
    "leakage": Leakage,
    "outliers": Outliers,
    "files": Files,
}
_CHECK = values.one_of(*CHECKS, ALL, group=GROUP)


class Validate(Section):
    """What is checked of a dataset before it is exported."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    example: ClassVar[str] = (
        "{checks: [schema, missing, duplicates]}, or {} for all checks with their defaults"
    )

    checks: Annotated[
        list[Annotated[str, _CHECK]], AfterValidator(values.distinct), BeforeValidator(values.as_list)
    ] = Field(default_factory=lambda: list(CHECKS))
    fail_on: Annotated[str, values.one_of("error", "warning", "never")] = "error"
    schema_: Schema = Field(default_factory=Schema, alias="schema")
    missing: Missing = Field(default_factory=Missing)
    duplicates: Duplicates = Field(default_factory=Duplicates)
    labels: Labels = Field(default_factory=Labels)
    leakage: Leakage = Field(default_factory=Leakage)
    outliers: Outliers = Field(default_factory=Outliers)
    files: Files = Field(default_factory=Files)

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

    @property
    def _asked(self) -> set[str]:
        """The checks that are made, ``all`` spelled out."""
        return {*self.checks, *CHECKS} - {ALL} if ALL in self.checks else set(self.checks)

    def faults(self) -> Iterator[Fault]:
        """No check, settings of a check that is not made, keys that are none."""
        if not self.checks:
            yield Fault(f"expected at least one of {', '.join(CHECKS)}; found an empty list", at=("checks",))
        said = {"schema" if name == "schema_" else name for name in self.model_fields_set}
        for name in CHECKS:
            if name in said and name not in self._asked:
                hint = f"add {name!r} to 'checks', or remove this"
                yield Fault(f"{name!r} is not among the checks", hint, (name, "[key]"))
        for name, raw in (self.__pydantic_extra__ or {}).items():
            if name not in self.checks:
                keys = ("checks", "fail_on", *CHECKS)
                hint = values.did_you_mean(name, keys) or f"keys here are {', '.join(keys)}"
                yield Fault(f"unknown key {name!r}", hint, (name, "[key]"))
            elif not isinstance(raw, dict) or reads.too_large(raw):
                yield Fault(f"expected a mapping of settings, found {values.shown(raw)}", at=(name,))

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the stage; the order of checks has no meaning."""
        own: dict[str, Any] = {
            name: getattr(self, "schema_" if name == "schema" else name) for name in CHECKS
        }
        checks = [name for name in CHECKS if name in self._asked] + sorted(self._asked - set(CHECKS))
        others = self.__pydantic_extra__ or {}
        plain = {
            name: own[name].to_plain() if name in own else reads.plain(others.get(name, {}))
            for name in checks
        }
        if "duplicates" in plain and "leakage" in plain:
            # What parts share is told once.
            if self.duplicates.owns_across:
                plain["leakage"]["rows"] = None
            else:
                plain["duplicates"]["across"] = None
        return {"checks": checks, "fail_on": self.fail_on, **plain}


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
    if len(keys) == 2 and found in (Duplicates, Leakage) and keys[1] == "near":
        return Near
    return Column if len(keys) == 3 and found is Schema and keys[1] == "columns" else None


def default_validate(checks: Sequence[str] = ()) -> dict[str, Any]:
    """The parameters of a validation of which the spec says nothing: of these checks, or of all.

    Raises ``pydantic.ValidationError``.
    """
    return Validate.model_validate({"checks": list(checks)} if checks else {}).to_plain()
