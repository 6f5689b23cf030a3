"""What is nearly equal in a table, its texts, pictures and recordings, for the checks that tell of it: ``duplicates`` within parts, ``leakage`` across them.

Both ask for the same sketches, so that a text is taken apart and a file decoded once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from mldata.checks.base import (
    ERROR,
    INFO,
    KEPT,
    WARNING,
    Finding,
    Look,
    Place,
    Rows,
    Sketch,
    Subject,
    allows,
    percent,
)
from mldata.checks.columns import check_names
from mldata.errors import SpecError
from mldata.plural import counted
from mldata.yamlkey import yaml_key

if TYPE_CHECKING:
    from mldata.checks.nearmedia import Medium, NearMedia
    from mldata.checks.neartext import NearText

__all__ = ["Nearness", "nearness"]

_FILES = ("path", "digest")
"""Columns of a table of media that are text and tell nothing but names."""


class _Words(NamedTuple):
    what: str
    """In messages."""
    code: str
    """In codes of findings."""


_MEDIA = {"images": _Words("a picture", "image"), "audio": _Words("a recording", "audio")}
"""By the kind of the table, which the setting is named after."""


def nearness(params: Mapping[str, Any] | None, subject: Subject, by: Sequence[str], check: str) -> Nearness:
    """What is compared of a table.

    Args:
        params: ``text``, ``images``, ``audio``, ``columns`` and ``most``; None: nothing is.
        by: columns by which whole rows are equal: copies are told elsewhere.
        check: its name, for suggestions.

    Raises ``SpecError`` for a name that is no column of text.
    """
    if params is None:
        return Nearness(subject, check, None, None, None)
    from mldata.checks.neartext import NearText, is_text

    schema, named = subject.schema, tuple(params["columns"])
    check_names("near.columns", named, schema)
    for name in named:
        if not is_text(schema.field(name).type):
            found = f"expected a column of text, found {name!r} of type {schema.field(name).type}"
            raise SpecError(found, where="near.columns")
    skipped = () if subject.kind == "tabular" else _FILES
    columns = named or tuple(
        name for name in schema.names if is_text(schema.field(name).type) and name not in skipped
    )
    texts = None
    if params["text"] is not None and columns:
        texts = NearText(columns, tuple(by), params["text"], bool(named))
    return Nearness(subject, check, texts, _compared(params, subject), params["most"])


def _compared(params: Mapping[str, Any], subject: Subject) -> NearMedia | None:
    if subject.kind not in _MEDIA or subject.media is None or "digest" not in subject.schema.names:
        return None
    bits = params[subject.kind]
    if bits is None:
        return None
    from mldata.checks.nearmedia import NearMedia

    return NearMedia(_medium(subject.kind), bits, subject.media)


def _medium(kind: str) -> Medium:
    """Each with libraries of its own, which are loaded only where there are such files."""
    if kind == "images":
        from mldata.checks.nearimages import IMAGES

        return IMAGES
    from mldata.checks.nearsounds import SOUNDS

    return SOUNDS


@dataclass(frozen=True)
class Nearness:
    """See the module."""

    subject: Subject
    check: str
    texts: NearText | None
    files: NearMedia | None
    most: int | str | None

    @property
    def looks(self) -> Sequence[Look]:
        """What has to be sketched."""
        return [it.look for it in (self.texts, self.files) if it is not None]

    @property
    def key(self) -> dict[str, Any]:
        """What changes the merge, beside the looks."""
        texts = self.texts.threshold if self.texts is not None else None
        bits = self.files.bits if self.files is not None else None
        return {"text": texts, "files": bits}

    def merge(self, sketches: Sequence[Sketch], rows: Rows) -> dict[str, Any]:
        """What there is to tell: :meth:`within` and :meth:`across` read it."""
        shown = "path" if "path" in self.subject.schema.names else "digest"
        return {
            "texts": self.texts.merge(sketches, rows) if self.texts is not None else {},
            "files": self.files.merge(sketches, rows, shown) if self.files is not None else None,
        }

    def within(self, merged: Mapping[str, Any]) -> list[Finding]:
        """What is nearly equal to an earlier row of its part, and what could not be compared."""
        found = []
        for column, told in merged["texts"].items():
            if told["category"]:
                found.append(self._category(column, told))
            elif told["within"]:
                found.append(self._within(told, f"a text in {column!r}", "near-duplicate-text", column))
        files = merged["files"]
        if files is not None:
            words = _MEDIA[self.subject.kind]
            if files["within"]:
                found.append(self._within(files, words.what, f"near-duplicate-{words.code}", None))
            found += _unseen(files, words)
        return found

    def across(self, merged: Mapping[str, Any]) -> list[Finding]:
        """What is nearly equal to a row of an earlier part."""
        found: list[Finding] = []
        for column, told in merged["texts"].items():
            if not told["category"]:
                found += self._across(told, f"a text in {column!r}", "near-text-across", column)
        if merged["files"] is not None:
            words = _MEDIA[self.subject.kind]
            found += self._across(merged["files"], words.what, f"near-{words.code}-across", None)
        return found

    def _within(self, told: Mapping[str, Any], what: str, code: str, column: str | None) -> Finding:
        parts = {part: it["rows"] for part, it in told["within"].items()}
        rows, total = sum(parts.values()), self.subject.rows
        size, first = told["largest"][0]
        where = " of its part" if self.subject.split else ""
        over = self.most is not None and not allows(self.most, rows, total)
        return Finding(
            ERROR if over else WARNING if self.most is None else INFO,
            code,
            f"{counted(rows)} ({percent(rows, total)}) {'has' if rows == 1 else 'have'} {what} that is nearly that of an earlier row{where}"
            f"; {_clusters(told)} of rows that are alike, the largest of {size:,} from row {first:,} on",
            "Look at a few of them, and keep one of each where they are copies; or say how many may be: "
            f"`{self.check}: {{near: {{most: N}}}}` under `validate:`",
            column=column,
            rows=rows,
            parts=self.subject.in_order(parts),
            places=_places(place for it in told["within"].values() for place in it["places"]),
        )

    def _across(self, told: Mapping[str, Any], what: str, code: str, column: str | None) -> Iterator[Finding]:
        for part in self.subject.parts:
            if part not in told["across"]:
                continue
            it = told["across"][part]
            parts, total = self.subject.in_order(it["parts"]), self.subject.parts[part]
            rows = sum(parts.values())
            over = self.most is not None and not allows(self.most, rows, total)
            others = " and ".join(f"'{name}'" for name in parts)
            yield Finding(
                ERROR if over else WARNING if self.most is None else INFO,
                code,
                f"{counted(rows)} of part '{part}' ({percent(rows, total)}) {'has' if rows == 1 else 'have'} {what} that is nearly "
                f"that of a row in {others}",
                "Split by what such rows have in common (`split: {group: NAME}`), keep one of each, or say how many may be: "
                f"`{self.check}: {{near: {{most: N}}}}` under `validate:`",
                column=column,
                part=part,
                rows=rows,
                parts=parts,
                places=_places(it["places"]),
            )

    def _category(self, column: str, told: Mapping[str, Any]) -> Finding:
        return Finding(
            INFO,
            "repeated-text",
            f"{column!r} has {told['distinct']:,} different texts in {counted(told['texts'])}, so it is taken for a category, and texts that are "
            "nearly equal were not looked for",
            f"If it is text to learn from, name it: `{self.check}: {{near: {{columns: [{yaml_key(column)}]}}}}` under `validate:`",
            column=column,
        )


def _clusters(told: Mapping[str, Any]) -> str:
    return counted(told["clusters"], "group")


def _unseen(files: Mapping[str, Any], words: _Words) -> Iterator[Finding]:
    if files["unseen"]:
        yield Finding(
            INFO,
            f"unseen-{words.code}",
            f"{counted(files['unseen'])} {'has' if files['unseen'] == 1 else 'have'} {words.what} that could not be decoded, and was not compared",
            "See what the check `files` says of it",
        )


def _places(plain: Any) -> tuple[Place, ...]:
    found = sorted((Place.from_json(place) for place in plain), key=lambda it: it.row)
    return tuple(found[:KEPT])
