"""The ``split`` section of ``mldata.yaml``.

Parts with their shares stand beside the settings, so the names of settings cannot be names of parts. Which settings go
with which method is one table (:data:`METHODS`); a method that is not said follows from the settings.

Where the parts do not come from shares, they come from ``cuts`` (:data:`USUAL_PARTS`, or ``parts``), from ``folds`` or
from the values of a column; then they have no share, and the last kind is not known before the table is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from mldata.partnames import MAX_PARTS, part_order
from mldata.speccuts import USUAL_PARTS, CutText, cut_faults, name_faults
from mldata.specsection import Section
from mldata.specvalues import (
    AsWritten,
    Columns,
    Fault,
    Share,
    Text,
    WholeNumber,
    as_list,
    distinct,
    one_of,
)

__all__ = ["Split"]

MAX_SEED = 2**64 - 1


class Method(NamedTuple):
    """What may be said to a method."""

    settings: frozenset[str]
    """Beside ``method``, the shares and the seed."""
    needs: str | None = None
    """The setting that it cannot do without."""
    seed: bool = True
    """Whether it has anything to do with chance."""


METHODS = {
    "random": Method(frozenset()),
    "hash": Method(frozenset({"by"})),
    "stratify": Method(frozenset({"stratify", "small_classes"}), "stratify"),
    "group": Method(frozenset({"group"}), "group"),
    "time": Method(frozenset({"time", "cuts", "parts"}), "time", seed=False),
    "column": Method(frozenset({"column", "values"}), "column", seed=False),
    "folder": Method(frozenset({"values"}), seed=False),
    "kfold": Method(frozenset({"folds", "stratify", "small_classes", "group"}), "folds"),
}
"""In the order in which one is looked for that takes all settings."""
PREDEFINED = "predefined"
"""Another name of the method ``column``, and without a column of ``folder``: as the source itself is divided."""
NEEDED = dict.fromkeys(("stratify", "group", "time", "column"), ("a column", "COLUMN")) | {
    "folds": ("a number of folds", "5")
}
"""What to write after a setting that is missing."""
TWO = {
    ("stratify", "group"): "a group is in one part, whatever the classes of its rows",
    ("stratify", "by"): "rows go either by counts or by hash",
    ("by", "group"): "'by' keeps groups whole too, by hash; 'group' comes nearer to the shares",
}
"""Why two settings exclude each other, where it is not plain."""


class Split(Section):
    """Named parts, each with its share of the rows, beside the reserved keys."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, Share]
    example: ClassVar[str] = "{train: 0.8, val: 0.1, test: 0.1}"

    method: Annotated[str, one_of(*METHODS, PREDEFINED)] | None = None
    seed: WholeNumber = 42
    stratify: Text | None = None
    small_classes: Annotated[str, one_of("error", "warn")] | None = None
    by: Columns = Field(default_factory=list)
    group: Columns = Field(default_factory=list)
    time: Text | None = None
    cuts: Annotated[list[CutText], BeforeValidator(as_list)] = Field(default_factory=list)
    parts: Annotated[list[AsWritten], AfterValidator(distinct), BeforeValidator(as_list)] = Field(
        default_factory=list
    )
    column: Text | None = None
    values: dict[str, Text] = Field(default_factory=dict)
    folds: WholeNumber | None = None

    @property
    def shares(self) -> dict[str, float]:
        """Share of each part that has one, in :func:`part_order`."""
        return dict(sorted((self.__pydantic_extra__ or {}).items(), key=lambda part: part_order(part[0])))

    def _settings(self) -> dict[str, str]:
        """The settings that are given, as text for messages, in the order of the class."""
        names = [name for name in type(self).model_fields if name not in ("method", "seed")]
        given = {name: getattr(self, name) for name in names if getattr(self, name) not in (None, [], {})}
        return {
            name: f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
            for name, value in given.items()
        }

    def _method(self) -> str | None:
        """The method that is said or implied; None where settings contradict each other."""
        given = self._settings().keys()
        said = self.method
        if said == PREDEFINED:
            said = "column" if self.column is not None else "folder"
        for name, method in METHODS.items():
            if given <= method.settings and said in (None, name):
                return name
        return None

    def faults(self) -> Iterator[Fault]:
        """Bad part names, shares that do not add up, settings that contradict each other."""
        if not 0 <= self.seed <= MAX_SEED:
            yield Fault(f"expected a seed from 0 to {MAX_SEED}, found {self.seed}", at=("seed",))
        method = self._method()
        if method is None or (self.stratify is not None and self.group):
            yield self._contradiction()
            if self.shares:
                yield from _share_faults(self.shares)
            return
        if self.small_classes is not None and self.stratify is None:
            yield Fault(
                "'small_classes' is about the classes of 'stratify'",
                "add 'stratify: COLUMN'",
                ("small_classes",),
            )
        needs = METHODS[method].needs
        if needs is not None and needs not in self._settings():
            what, example = NEEDED[needs]
            yield Fault(f"'method: {method}' needs {what}", f"add '{needs}: {example}'", ("method",))
        if "seed" in self.model_fields_set and not METHODS[method].seed:
            yield Fault(
                f"'seed' means nothing to 'method: {method}': no chance is in it", "remove it", ("seed",)
            )
        if self.cuts:
            yield from cut_faults(self.cuts, self.parts, self.shares)
        elif method in ("column", "folder"):
            yield from self._column_faults(method)
        elif method == "kfold":
            yield from self._fold_faults()
        elif self.parts:
            yield Fault("'parts' names the parts before, between and after 'cuts'", "add 'cuts'", ("parts",))
        else:
            yield from _share_faults(self.shares)

    def _fold_faults(self) -> Iterator[Fault]:
        if self.folds is not None and not 2 <= self.folds <= MAX_PARTS:
            yield Fault(f"expected 2 to {MAX_PARTS} folds, found {self.folds}", at=("folds",))
        for share in list(self.shares)[:1]:
            hint = "remove the shares: folds are of equal size, and are called fold_0, fold_1, ..."
            yield Fault(f"'method: kfold' takes no shares, found {share!r}", hint, (share, "[key]"))

    def _column_faults(self, method: str) -> Iterator[Fault]:
        for share in list(self.shares)[:1]:
            where = (
                f"the parts are the values of '{self.column}'" if self.column else "the values are the parts"
            )
            if method == "folder":
                where = "the parts are the folders of the source"
            hint = "remove the shares; 'values: {VALUE: PART}' renames parts"
            yield Fault(
                f"'method: {self.method or method}' takes no shares, found {share!r}: {where}",
                hint,
                (share, "[key]"),
            )
        parts = list(dict.fromkeys(self.values.values()))
        places = {part: ("values", value) for value, part in reversed(self.values.items())}
        yield from name_faults(parts, [places[part] for part in parts])

    def _contradiction(self) -> Fault:
        given = self._settings()
        for first, second in combinations(given, 2):
            if (first, second) in TWO or not any({first, second} <= it.settings for it in METHODS.values()):
                hint = TWO.get((first, second), "remove one of them")
                return Fault(f"'{first}' and '{second}' exclude each other", hint, (second,))
        assert self.method is not None
        wrong = next(name for name in given if name not in METHODS[self.method].settings)
        return Fault(
            f"'{given[wrong]}' contradicts 'method: {self.method}'", "remove one of them", ("method",)
        )

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the stage."""
        method = self._method()
        assert method is not None
        plain: dict[str, Any] = {"parts": self._parts(), "method": method}
        if METHODS[method].seed:
            plain["seed"] = self.seed
        if self.small_classes == "warn":
            plain["small_classes"] = "warn"
        if method in ("random", "stratify", "hash"):
            return plain | {"stratify": self.stratify, "by": list(self.by)}
        if method == "folder":
            return plain | {"values": dict(sorted(self.values.items()))}
        if method == "column":
            return plain | {"column": self.column, "values": dict(sorted(self.values.items()))}
        return plain | {
            name: getattr(self, name)
            for name in sorted(METHODS[method].settings - {"parts", "folds", "small_classes"})
        }

    def _parts(self) -> list[list[Any]]:
        """Name and share of each part, in order."""
        if self.folds is not None:
            return [[f"fold_{number}", None] for number in range(self.folds)]
        if self.cuts:
            return [[name, None] for name in self.parts or USUAL_PARTS[len(self.cuts)]]
        return [[name, share] for name, share in self.shares.items()]


def _share_faults(shares: dict[str, float]) -> Iterator[Fault]:
    yield from name_faults(list(shares), [(name, "[key]") for name in shares])
    total = math.fsum(shares.values())
    if not shares:
        yield Fault("expected at least one part", f"for example {Split.example}")
    elif len(shares) > MAX_PARTS:
        yield Fault(f"expected at most {MAX_PARTS} parts, found {len(shares)}")
    elif abs(total - 1) > 1e-9:
        terms = " + ".join(map(repr, shares.values())) if len(shares) <= 10 else f"{len(shares)} shares"
        yield Fault(f"expected shares that sum to 1, found {terms} = {total:.12g}")
