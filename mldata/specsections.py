"""The sections of ``mldata.yaml`` below a dataset: their keys, defaults and what may go together.

Each gives its plain form: the parameters of a stage, every default filled in, with nothing in it that has no meaning (so
lists that are sets are sorted, and parts of a split are ordered by :func:`part_order`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from mldata import specdialect as dialect
from mldata import specvalues as values
from mldata.formats import FORMATS as SOURCE_FORMATS
from mldata.partnames import part_order
from mldata.reference import is_reference
from mldata.specexpect import EXPECT, Expect
from mldata.specexport import FORMATS, Export
from mldata.specfetch import Fetch
from mldata.specprofile import ProfileSection
from mldata.specsection import Section
from mldata.specsplit import Split
from mldata.specsteps import Transform
from mldata.specvalidate import Validate
from mldata.specvalues import Fault

__all__ = ["FORMATS", "Dataset", "Export", "Normalize", "Section", "Split", "part_order"]

SAID = ("encoding", "delimiter", "quote", "header", "comment", "decimal", "thousands", "sheet", "table")
OF_TABLES = frozenset({"columns", "types", "nulls", "drop", "rename"})
"""Settings of normalize that a source may have which is a table already; all others say how files are read."""
DEFAULT_MOST = "1%"
"""Of the rows may be bad where ``on_bad_row: reject`` is all that the spec says."""


class Normalize(Section):
    """How raw files become one table."""

    example: ClassVar[str] = "{columns: snake_case}"

    format: Annotated[
        str,
        values.one_of("auto", *SOURCE_FORMATS, group="mldata.formats"),
    ] = "auto"
    columns: Annotated[str, values.one_of("keep", "snake_case")] = "keep"
    types: dict[str, values.ColumnType] = Field(default_factory=dict)
    nulls: Annotated[
        list[values.AsWritten], AfterValidator(values.distinct), BeforeValidator(values.as_list)
    ] = Field(default_factory=lambda: ["", "NA"])
    drop: values.Columns = Field(default_factory=list)
    rename: dict[str, values.Text] = Field(default_factory=dict)
    encoding: dialect.Encoding | None = None
    delimiter: dialect.Delimiter | None = None
    quote: dialect.Quote | None = None
    header: values.Flag | None = None
    comment: dialect.Comment | None = None
    decimal: dialect.Decimal | None = None
    thousands: dialect.Thousands | None = None
    on_bad_row: Annotated[str, values.one_of("error", "reject")] = "error"
    max_rejects: values.Most | None = None
    records: values.Text = "auto"
    sheet: values.Name | None = None
    table: values.Name | None = None
    exclude: values.Excluded = Field(default_factory=dict)

    def faults(self) -> Iterator[Fault]:
        """New names that clash, columns that are both dropped and renamed, records that are nowhere."""
        if not self.records:
            yield Fault("expected auto, row, values, a key or a JSON Pointer; found ''", at=("records",))
        seen: dict[str, str] = {}
        for old, new in self.rename.items():
            at = ("rename", old)
            if not new:
                yield Fault("expected a column name, found ''", at=at)
            elif first := seen.get(new):
                yield Fault(f"{first!r} and {old!r} would both be called {new!r}", at=at)
            seen.setdefault(new, old)
            if old in self.drop:
                yield Fault(f"{old!r} is both dropped and renamed", "remove it from one of them", at)
        if self.max_rejects is not None and self.on_bad_row != "reject":
            yield Fault(
                "'max_rejects' needs 'on_bad_row: reject'", "add it, or remove this", ("max_rejects",)
            )
        yield from self._clashes()

    @property
    def _most(self) -> int | str:
        return DEFAULT_MOST if self.max_rejects is None else self.max_rejects

    def _clashes(self) -> Iterator[Fault]:
        """Marks of the files that mean two things."""
        if self.thousands and self.thousands == (self.decimal or "."):
            yield Fault(f"{self.thousands!r} is also the decimal mark", "say both marks", ("thousands",))
        marks = {"delimiter": self.delimiter, "quote": self.quote, "comment": self.comment}
        seen: dict[str, str] = {}
        for name, mark in marks.items():
            if mark and mark in seen:
                yield Fault(f"{seen[mark]!r} and {name!r} are the same character", "change one", (name,))
            seen.setdefault(mark or "", name)

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the stage; the order of ``nulls`` and ``drop`` has no meaning, so they are sorted.

        How files are written, and where in them the rows are, is in them only where the spec says it.
        """
        said = {name: getattr(self, name) for name in SAID}
        return {
            **{name: value for name, value in said.items() if value is not None},
            **({"on_bad_row": "reject", "max_rejects": self._most} if self.on_bad_row == "reject" else {}),
            "format": self.format,
            "columns": self.columns,
            "types": dict(sorted(self.types.items())),
            "nulls": sorted(self.nulls),
            "drop": sorted(self.drop),
            "rename": dict(sorted(self.rename.items())),
            **({"records": self.records} if self.records != "auto" else {}),
            **({"exclude": dict(sorted(self.exclude.items()))} if self.exclude else {}),
        }


class Dataset(Section):
    """One dataset: where it comes from and what becomes of it."""

    example: ClassVar[str] = "{source: data/*.csv}"

    source: values.Sources
    fetch: Fetch | None = None
    normalize: Normalize = Field(default_factory=Normalize)
    transform: Transform | None = None
    split: Split | None = None
    validate_: Validate | None = Field(default=None, alias="validate")
    expect: Expect | None = None
    profile: ProfileSection = None
    export: Export | None = None

    def faults(self) -> Iterator[Fault]:
        """An empty list of sources; ways to read files, of sources that have none; summaries of parts that there are not."""
        if self.profile is not None and self.profile.parts and self.split is None:
            hint = "add 'split:', or leave 'parts' out"
            yield Fault("expected a split dataset, found one without parts", hint, ("profile", "parts"))
        if not self.source:
            yield Fault("expected at least one source, found an empty list", at=("source",))
        elif all(map(is_reference, self.source)):
            given = self.normalize.model_fields_set - OF_TABLES
            for name in (name for name in Normalize.model_fields if name in given):
                yield Fault(
                    f"{name!r} says how files are read, and the sources are datasets, which are tables already",
                    "remove it, or set it where the files are read",
                    ("normalize", name, "[key]"),
                )

    def to_plain(self, name: str) -> dict[str, Any]:
        """The sources, and the parameters of each stage; None for a stage that the dataset does without."""
        return {
            "source": list(self.source),
            "fetch": self.fetch.to_plain() if self.fetch is not None else {},
            "normalize": self.normalize.to_plain(),
            "transform": self.transform,
            "split": self.split.to_plain() if self.split is not None else None,
            "validate": self._checked(name),
            "profile": self.profile.to_plain() if self.profile is not None else None,
            "export": self.export.to_plain(name) if self.export is not None else None,
        }

    def _checked(self, name: str) -> dict[str, Any] | None:
        """Parameters of the validate stage, which also holds the data to what is expected."""
        checked = self.validate_.to_plain() if self.validate_ is not None else None
        if self.expect is None:
            return checked
        checked = checked or {"checks": [], "fail_on": "error"}
        return {**checked, "checks": [*checked["checks"], EXPECT], EXPECT: self.expect.to_plain(name)}
