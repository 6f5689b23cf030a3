"""The ``expect`` section of a dataset in ``mldata.yaml``: a contract with a build that the store keeps.

It stands beside ``validate``, not in it: it compares builds, has nothing to go by of its own, and so is none of the checks that are made of any data. The
validate stage holds the data to it, as a check called ``expect``: the section alone gives a dataset that stage. When a breach stops a build is for
``fail_on`` of ``validate`` to say.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from mldata import specvalues as values
from mldata import stepvalues as reads
from mldata.checks import EXPECT
from mldata.checkspecs.limits import Count
from mldata.drift.report import BINS, EPSILON, MODERATE, SEVERITIES, Thresholds
from mldata.evolution.schemadiff import KINDS
from mldata.specsection import Section
from mldata.specvalues import Fault

__all__ = ["EXPECT", "Expect", "ExpectedDrift", "ExpectedRows", "ExpectedThresholds", "expect_section"]

_BUILD = re.compile(r"([^@#]+@)?([1-9][0-9]{0,9})", re.ASCII)


def _against(raw: Any) -> str:
    text = str(raw) if type(raw) is int else values.as_text(raw)
    if not _BUILD.fullmatch(text):
        hint = "'mldata log' lists the builds of a dataset"
        values.refuse(
            Fault(f"expected the number of a build, or NAME@NUMBER; found {values.shown(raw)}", hint)
        )
    return text


def _number(raw: Any, what: str, least: float, most: float) -> float:
    value = reads.plain(raw)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        values.refuse(Fault(f"expected {what}, found {values.shown(raw)}"))
    return float(value)


def _psi(raw: Any) -> float:
    return _number(raw, "a PSI above 0, at most 100", sys.float_info.min, 100)


def _epsilon(raw: Any) -> float:
    return _number(raw, "a share from 1e-9 to 0.1", *EPSILON)


def _bins(raw: Any) -> int:
    number = values.as_whole_number(raw)
    least, most = BINS
    if not least <= number <= most:
        values.refuse(Fault(f"expected from {least} to {most} bins, found {values.shown(raw)}"))
    return number


def _share(raw: Any) -> float:
    value = reads.plain(raw)
    if isinstance(value, str) and re.fullmatch(r"\d{1,3}(\.\d{1,6})?%", value):
        value = float(value[:-1]) / 100
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        values.refuse(Fault(f"expected a share such as 20% or 0.2, found {values.shown(raw)}"))
    return float(value)


Psi = Annotated[float, BeforeValidator(_psi)]
Severity = Annotated[str, values.one_of(*SEVERITIES)]
Kinds = Annotated[
    list[Annotated[str, values.one_of(*KINDS)]],
    AfterValidator(values.distinct),
    BeforeValidator(values.as_list),
]


class ExpectedThresholds(Section):
    """What is called moderate and major, see ``mldata/drift/DRIFT.md``."""

    example: ClassVar[str] = "{moderate: 0.1, major: 0.25}"

    moderate: Psi = Thresholds.moderate
    major: Psi = Thresholds.major
    epsilon: Annotated[float, BeforeValidator(_epsilon)] = Thresholds.epsilon
    bins: Annotated[int, BeforeValidator(_bins)] = Thresholds.bins

    def faults(self) -> Iterator[Fault]:
        """Thresholds in the wrong order."""
        if self.major < self.moderate:
            yield Fault(f"expected 'major' of at least {self.moderate}, found {self.major}", at=("major",))

    def to_plain(self) -> dict[str, Any]:
        """As :class:`mldata.drift.report.Thresholds` has them."""
        return {"moderate": self.moderate, "major": self.major, "epsilon": self.epsilon, "bins": self.bins}


class ExpectedDrift(Section):
    """How far columns may have moved."""

    example: ClassVar[str] = "{max: moderate, columns: {NAME: major}, share: 20%}"

    max: Severity = MODERATE
    """The worst that each column may be."""
    columns: dict[str, Severity] = Field(default_factory=dict)
    """The same by name."""
    share: Annotated[float, BeforeValidator(_share)] | None = None
    """Of the columns may have moved at all. None: any."""
    thresholds: ExpectedThresholds = Field(default_factory=ExpectedThresholds)

    def to_plain(self) -> dict[str, Any]:
        """Parameters; the order of columns has no meaning."""
        return {
            "max": self.max,
            "columns": dict(sorted(self.columns.items())),
            "share": self.share,
            "thresholds": self.thresholds.to_plain(),
        }


class ExpectedRows(Section):
    """How many rows there may be."""

    example: ClassVar[str] = "{min: 1000, max_change: 20%}"

    min: Count | None = None
    max: Count | None = None
    max_change: values.Most | None = None
    """Rows more or fewer than the build has, as a number or a share of its rows."""

    def faults(self) -> Iterator[Fault]:
        """Bounds that nothing is between."""
        if self.min is not None and self.max is not None and self.max < self.min:
            yield Fault(f"expected 'max' of at least {self.min}, found {self.max}", at=("max",))

    def to_plain(self) -> dict[str, Any]:
        """Parameters."""
        return {"min": self.min, "max": self.max, "max_change": self.max_change}


class Expect(Section):
    """What may have changed since a build."""

    example: ClassVar[str] = "{against: 3, schema: compatible, drift: {max: moderate}}"

    against: Annotated[str, BeforeValidator(_against)]
    """A build that the store keeps: its number, or ``NAME@NUMBER``."""
    schema_: Annotated[str, values.one_of("compatible", "same", "any")] = Field(
        default="compatible", alias="schema"
    )
    """Which changes of the schema are within the contract: those that break no reader (``mldata/evolution/SCHEMAS.md``), none, or all."""
    allow: Kinds = Field(default_factory=list)
    """Kinds of changes that are within it all the same."""
    drift: ExpectedDrift | None = None
    """None: rows may be any others, and none is looked at for it."""
    rows: ExpectedRows = Field(default_factory=ExpectedRows)

    def faults(self) -> Iterator[Fault]:
        """Exceptions from what forbids nothing."""
        if self.schema_ == "any" and self.allow:
            yield Fault(
                "'schema: any' allows all changes", "remove 'allow', or say 'schema: compatible'", ("allow",)
            )

    def to_plain(self, dataset: str) -> dict[str, Any]:
        """Parameters of the check; the order of what is allowed has no meaning."""
        return {
            "against": self.against if "@" in self.against else f"{dataset}@{self.against}",
            "schema": self.schema_,
            "allow": [kind for kind in KINDS if kind in self.allow],
            "drift": self.drift.to_plain() if self.drift is not None else None,
            "rows": self.rows.to_plain(),
        }


def expect_section(keys: Sequence[str]) -> type[Section] | None:
    """The section below ``expect`` that ``keys`` lead to; None: none."""
    sections: dict[tuple[str, ...], type[Section]] = {
        (): Expect,
        ("drift",): ExpectedDrift,
        ("drift", "thresholds"): ExpectedThresholds,
        ("rows",): ExpectedRows,
    }
    return sections.get(tuple(keys))
