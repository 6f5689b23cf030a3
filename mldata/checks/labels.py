"""The check ``labels``: classes that are there in fair numbers, in every part, under one name each, and equal inputs that have equal labels.

Labels are the column that the spec names, else the first that is called as labels are (:mod:`mldata.checks.labelled`). Text, truth values and whole numbers are classes;
floating-point numbers, dates and lists are not, and a column that was only found, not named, is taken for classes only if its values come again:
one of many distinct values is an id or a quantity.

Limits that the spec does not give are those of suspicion below, and what is beyond them is a warning; one that it gives is held to.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.checks.base import (
    ERROR,
    INFO,
    KEPT,
    WARNING,
    Blob,
    Finding,
    Place,
    Plan,
    Rows,
    Sketch,
    Subject,
    allows,
    percent,
)
from mldata.checks.blocks import blocks
from mldata.checks.categories import Category, CategoryBlock, categories, merge_categories
from mldata.checks.columnroles import LABELS, label_column
from mldata.checks.columns import check_names, in_code
from mldata.checks.conflicts import Conflicts, codes_blob
from mldata.checks.equalrows import RunBlock
from mldata.checks.labelled import inputs_of, no_classes
from mldata.errors import SpecError
from mldata.plural import counted
from mldata.yamlkey import yaml_key

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LabelsCheck"]

MOST_CLASSES = 10_000
"""More distinct values are no classes."""
RATIO, ENTROPY, LEAST, LEAST_IN_PART = 20.0, 0.3, 10, 1
"""Limits of suspicion; :mod:`mldata.checkspecs.labels` has the reasons."""
_FEW_NUMBERS = 50
"""So many distinct whole numbers are classes even if each is rare."""
_SHOWN = 3
"""Columns of a row that is named, and classes of a finding beside the first few."""


class LabelsCheck:
    """See :class:`mldata.checks.base.Check`. Parameters: see ``Labels.to_plain`` of :mod:`mldata.checkspecs.labels`."""

    def plan(self, params: Mapping[str, Any], subject: Subject) -> Plan | str:
        """Raises ``SpecError`` for a name that is no column."""
        given = params["column"]
        check_names("column", [given] if given is not None else [], subject.schema)
        check_names("inputs", params["inputs"], subject.schema)
        column = given if given is not None else label_column(subject)
        if column is None:
            if params["inputs"]:
                raise SpecError(
                    "expected a column of labels to go with them, found none", where="inputs", hint=_NAME_IT
                )
            return f"no column of labels: none is called {', '.join(LABELS[:-1])} or {LABELS[-1]}"
        if why := no_classes(column, subject.schema.field(column).type):
            return f"the labels in {column!r} {why}"
        sure = given is not None or subject.kind != "tabular"
        return _Plan(subject, column, sure, inputs_of(params["inputs"], column, subject), params)


_NAME_IT = "name it: `labels: {column: NAME}`"


@dataclass(frozen=True)
class _Plan:
    subject: Subject
    column: str
    sure: bool
    """Whether the spec, or how the table came about, says that these are labels."""
    inputs: tuple[str, ...]
    """Empty: inputs are not compared."""
    params: Mapping[str, Any]

    @property
    def columns(self) -> Sequence[str]:
        return [self.column, *self.inputs]

    @property
    def key(self) -> Mapping[str, Any]:
        return {"column": self.column, "inputs": list(self.inputs)}

    def sketch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Blob]:
        for block in blocks(batches):
            seen, run = CategoryBlock([self.column], MOST_CLASSES), RunBlock()
            for batch in block:
                seen.add(batch.select([self.column]))
                if self.inputs:
                    labelled = np.asarray(batch.column(self.column).is_valid())
                    run.add([batch.column(name) for name in self.inputs], labelled)
            yield seen.blob()
            if self.inputs:
                yield codes_blob(seen.codes(self.column))
                yield run.blob()

    def merge(self, sketches: Sequence[Sketch], rows: Rows) -> Mapping[str, Any]:
        values = merge_categories(sketches, rows, [self.column], MOST_CLASSES)[self.column]
        shown = [self.column, *self.inputs[: _SHOWN - 1]]
        compared = self.inputs and values is not None
        conflicts = Conflicts(sketches, rows, shown).to_json() if compared else None
        return {"values": values, "conflicts": conflicts}

    def judge(self, merged: Mapping[str, Any]) -> list[Finding]:
        if merged["values"] is None:
            return [self._unlike_classes(f"more than {MOST_CLASSES:,} distinct values")]
        found = categories(merged["values"])
        classes = sorted(
            (it for it in found if it.value is not None and it.value.strip()),
            key=lambda it: (-it.rows, it.value),
        )
        rows = sum(it.rows for it in classes)
        if not classes and self.params["column"] is None:
            return self._unlabelled()
        if not self.sure and self._scattered(len(classes), rows):
            return [self._unlike_classes(f"{len(classes):,} distinct values in {counted(rows)}")]
        findings = [
            *self._missing([it for it in found if it.value is None or not it.value.strip()]),
            *self._spread(classes, rows),
            *self._small(classes),
            *self._in_parts(classes),
            *self._alike(classes),
        ]
        if merged["conflicts"] is not None:
            findings += self._conflicts(merged["conflicts"], rows)
        return findings

    def _scattered(self, classes: int, rows: int) -> bool:
        """Whether values that are only supposed to be labels come too seldom for it."""
        import pyarrow.types as pt

        if 2 * classes > rows:
            return True
        numbers = pt.is_integer(self.subject.schema.field(self.column).type)
        return bool(numbers) and classes > _FEW_NUMBERS and 2 * LEAST * classes > rows

    def _unlabelled(self) -> list[Finding]:
        """A column that was only found, and has no label at all: most often files that are not in folders by class."""
        if not self.subject.rows:
            return []
        said = f"{self.column!r} has no label in any row"
        hint = f"If labels are elsewhere, {_NAME_IT}; of files they are the folders that these are in, or a column of `metadata.csv`"
        return [Finding(INFO, "no-labels", said, hint, column=self.column)]

    def _unlike_classes(self, why: str) -> Finding:
        return Finding(
            WARNING if self.sure else INFO,
            "not-classes",
            f"{self.column!r} has {why}: taken for an id or a quantity, and not looked at as classes",
            f"If the labels are in another column, {_NAME_IT}; if there are none, leave `labels` out of `checks:`",
            column=self.column,
        )

    def _missing(self, blank: Sequence[Category]) -> Iterator[Finding]:
        rows, total = sum(it.rows for it in blank), self.subject.rows
        limit = self.params["missing"]
        if allows(limit if limit is not None else 0, rows, total):
            return
        parts = {part: sum(it.parts.get(part, 0) for it in blank) for part in self.subject.parts}
        yield Finding(
            WARNING if limit is None else ERROR,
            "missing-label",
            f"{counted(rows)} of {total:,} ({percent(rows, total)}) {'has' if rows == 1 else 'have'} no label in {self.column!r}"
            + (f", where at most {limit} may have none" if limit is not None else ""),
            f'Label them, or leave these rows out: `transform: [{{filter: "{in_code(self.column)} is not null"}}]`',
            column=self.column,
            rows=rows,
            parts=self.subject.in_order({part: count for part, count in parts.items() if count}),
            places=_places(it.place() for it in blank),
        )

    def _spread(self, classes: Sequence[Category], rows: int) -> Iterator[Finding]:
        if len(classes) == 1:
            yield Finding(
                WARNING,
                "one-class",
                f"{self.column!r} has one class only, {_named(classes[0])}",
                "See where rows of other classes were lost; there is nothing to tell apart",
                column=self.column,
            )
        if len(classes) < 2:
            return
        ratio, entropy = classes[0].rows / classes[-1].rows, _entropy(classes, rows)
        ratios, entropies = self.params["max_ratio"], self.params["min_entropy"]
        broken = []
        if ratio > (ratios if ratios is not None else RATIO):
            broken.append(ratios is not None)
        if entropy < (entropies if entropies is not None else ENTROPY):
            broken.append(entropies is not None)
        if broken:
            yield Finding(
                ERROR if any(broken) else WARNING,
                "imbalance",
                f"classes of {self.column!r} are uneven: {_named(classes[0])} is {_times(ratio)} as frequent as {_named(classes[-1])}, "
                f"entropy {entropy:.2f} of 1",
                "Weigh or sample classes when training, measure by class, gather more of the rare ones, or allow it: "
                "`labels: {max_ratio: N, min_entropy: N}` under `validate:`",
                column=self.column,
            )

    def _small(self, classes: Sequence[Category]) -> Iterator[Finding]:
        limit = self.params["min_rows"]
        least = LEAST if limit is None else limit
        small = [it for it in reversed(classes) if it.rows < least]
        if not small or len(classes) < 2:
            return
        yield Finding(
            WARNING if limit is None else ERROR,
            "small-class",
            f"{self.column!r} has {len(small):,} class{'es' if len(small) > 1 else ''} with fewer than {counted(least)}: {_list(small)}",
            "Gather more rows of these, join classes (`transform: [{map: ...}]`), leave them out, or allow it: "
            "`labels: {min_rows: N}` under `validate:`",
            column=self.column,
            rows=sum(it.rows for it in small),
            places=_places(it.place() for it in small),
        )

    def _in_parts(self, classes: Sequence[Category]) -> Iterator[Finding]:
        limit = self.params["min_part_rows"]
        least = LEAST_IN_PART if limit is None else limit
        for part, rows in self.subject.parts.items() if self.subject.split else ():
            few = [it for it in reversed(classes) if it.parts.get(part, 0) < least]
            if not rows or not few or not any(it.parts.get(part) for it in classes):
                continue  # of a part without any label the rows that lack one are told
            names = _list(few, part) if least > 1 else _list(few)
            what = "no row" if least <= 1 else f"fewer than {counted(least)}"
            yield Finding(
                WARNING if limit is None else ERROR,
                "class-missing-in-part",
                f"part '{part}' has {what} of {len(few):,} of the {len(classes):,} classes of {self.column!r}: {names}",
                f"Split so that parts have classes in proportion (`split: {{stratify: {yaml_key(self.column)}}}`), or gather more of these",
                column=self.column,
                part=part,
            )

    def _alike(self, classes: Sequence[Category]) -> Iterator[Finding]:
        kinds: dict[str, list[Category]] = {}
        for it in classes:
            kinds.setdefault(_folded(it.value or ""), []).append(it)
        for group in kinds.values():
            if len(group) > 1:
                yield Finding(
                    WARNING,
                    "similar-labels",
                    f"classes of {self.column!r} that differ only in case, spaces or width: {_list(group)}",
                    f"Make them one: `transform: [{{map: {{{yaml_key(self.column)}: {{OLD: NEW}}}}}}]`",
                    column=self.column,
                    rows=sum(it.rows for it in group[1:]),
                    places=_places(it.place() for it in group[1:]),
                )

    def _conflicts(self, found: Mapping[str, Any], total: int) -> Iterator[Finding]:
        rows, limit = found["rows"], self.params["conflicts"]
        if allows(limit if limit is not None else 0, rows, total):
            return
        first = next((f": {_text(a)} and {_text(b)} for one" for b, a in found["labels"][:1]), "")
        by = "" if self.subject.kind == "tabular" else ", by the content of files"
        yield Finding(
            WARNING if limit is None else ERROR,
            "conflicting-labels",
            f"{counted(rows)} ({percent(rows, total)}) {'has' if rows == 1 else 'have'} an input that has another label in "
            f"{self.column!r} elsewhere{by}{first}",
            "See which label is right and correct the others, leave these rows out, add what tells the inputs apart, or allow it: "
            "`labels: {conflicts: N}` under `validate:`",
            column=self.column,
            rows=rows,
            parts=self.subject.in_order(found["parts"]),
            places=tuple(Place.from_json(place) for place in found["places"]),
        )


def _entropy(classes: Sequence[Category], rows: int) -> float:
    """Shannon's entropy of the shares of at least two classes over its greatest value, the logarithm of their number."""
    shares = [it.rows / rows for it in classes]
    return -math.fsum(share * math.log(share) for share in shares) / math.log(len(classes))


def _folded(text: str) -> str:
    """Equal for labels that are meant alike. A single letter stays: in tables of letters A and a are two classes."""
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    return plain if len(plain) == 1 else plain.casefold()


def _times(ratio: float) -> str:
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.1f} times"


def _text(value: str | None) -> str:
    from mldata.checks.wording import SHOWN_CHARACTERS

    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."


def _named(it: Category, part: str | None = None) -> str:
    return f"{_text(it.value)} ({counted(it.rows if part is None else it.parts.get(part, 0))})"


def _list(found: Sequence[Category], part: str | None = None) -> str:
    more = f" and {len(found) - KEPT} more" if len(found) > KEPT else ""
    return ", ".join(_named(it, part) for it in found[:KEPT]) + more


def _places(found: Iterator[Place]) -> tuple[Place, ...]:
    return tuple(sorted(found, key=lambda it: it.row)[:KEPT])
