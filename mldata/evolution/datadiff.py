"""What comparing the rows of two tables has found, and the files that go with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mldata.markdown import escaped, one_line
from mldata.plural import counted

__all__ = ["KEPT", "ChangedRow", "DataDiff", "FileChange", "FilesDiff", "Row", "all_equal"]

KEPT = 5
"""How many rows or files of a kind are named."""
NAMED_COLUMNS = 12
"""Of those that were not compared for one reason."""


@dataclass(frozen=True)
class Row:
    """A row that only one of the two has."""

    row: int
    """Its number in its table, from 0."""
    values: Mapping[str, str]
    """As people read them, shortened."""

    def to_json(self) -> dict[str, Any]:
        """As the command has it."""
        return {"row": self.row, "values": dict(self.values)}


@dataclass(frozen=True)
class ChangedRow:
    """A row that both have, by its key, with other values."""

    key: Mapping[str, str]
    old_row: int
    new_row: int
    changes: Mapping[str, tuple[str, str]]
    """Old and new value by column, of the first few columns."""
    more: int = 0
    """Columns that have changed beside these."""

    def to_json(self) -> dict[str, Any]:
        """As the command has it."""
        return {
            "key": dict(self.key),
            "rows": [self.old_row, self.new_row],
            "changes": {name: {"old": old, "new": new} for name, (old, new) in self.changes.items()},
            "more": self.more,
        }


@dataclass(frozen=True)
class FileChange:
    """A file that is not what, or not where, it was."""

    path: str
    digest: str
    """Of the new content; of a removed file of the old."""
    before: str | None = None
    """Of a changed file the old digest, of a moved one the old path."""

    def to_json(self) -> dict[str, Any]:
        """As the command has it."""
        plain: dict[str, Any] = {"path": self.path, "digest": self.digest}
        return plain if self.before is None else {**plain, "before": self.before}


@dataclass(frozen=True)
class FilesDiff:
    """How two trees of files differ. A moved file, which has its content and another path, is neither added nor removed."""

    added: Sequence[FileChange] = ()
    removed: Sequence[FileChange] = ()
    changed: Sequence[FileChange] = ()
    moved: Sequence[FileChange] = ()
    unchanged: int = 0

    @property
    def differs(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.changed or self.moved)

    def to_json(self) -> dict[str, Any]:
        """All of it: a list of files is what scripts want."""
        kinds = {"added": self.added, "removed": self.removed, "changed": self.changed, "moved": self.moved}
        return {
            **{kind: [it.to_json() for it in files] for kind, files in kinds.items()},
            "unchanged": self.unchanged,
        }


@dataclass(frozen=True)
class DataDiff:
    """How the rows of two tables differ, in the columns that both have."""

    old_rows: int
    new_rows: int
    added: int
    removed: int
    changed: int | None
    """Rows of one key that have other values; None: there is no key, so a changed row is one removed and one added."""
    unchanged: int
    key: Sequence[str] = ()
    columns: Mapping[str, int] = field(default_factory=dict)
    """Of the changed rows, how many differ in each column; columns without a change are left out."""
    reordered: bool | None = False
    """Whether equal rows come in another order; None: it is not known, since rows differ or only some were read."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Columns that were not compared, and why."""
    equal_fragments: int = 0
    """Fragments that both have, and that were not read."""
    read_fragments: tuple[int, int] = (0, 0)
    added_rows: Sequence[Row] = ()
    removed_rows: Sequence[Row] = ()
    changed_rows: Sequence[ChangedRow] = ()
    """The first few of each, by their place in the table."""
    files: FilesDiff | None = None
    """Of the media; None: the tables have none."""

    @property
    def differs(self) -> bool:
        """Whether a row or a file is another one. Order is none of this."""
        return bool(
            self.added or self.removed or self.changed or (self.files is not None and self.files.differs)
        )

    def to_json(self) -> dict[str, Any]:
        """As ``mldata diff --json`` has it."""
        return {
            "rows": [self.old_rows, self.new_rows],
            "added": self.added,
            "removed": self.removed,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "key": list(self.key),
            "columns": dict(self.columns),
            "reordered": self.reordered,
            "left_out": dict(self.left_out),
            "fragments": {"equal": self.equal_fragments, "read": list(self.read_fragments)},
            "samples": {
                "added": [row.to_json() for row in self.added_rows],
                "removed": [row.to_json() for row in self.removed_rows],
                "changed": [row.to_json() for row in self.changed_rows],
            },
            "files": self.files.to_json() if self.files is not None else None,
        }

    def to_text(self) -> list[str]:
        """Lines for a terminal."""
        lines = [self._summary()]
        if self.columns:
            told = ", ".join(f"{one_line(name)} {count:,}" for name, count in self._most_changed())
            lines.append(f"  changed in: {told}")
        for row in self.removed_rows:
            lines.append(f"  - row {row.row:,}: {_values(row.values)}")
        for row in self.added_rows:
            lines.append(f"  + row {row.row:,}: {_values(row.values)}")
        for changed in self.changed_rows:
            lines.append(f"  ~ {_values(changed.key)}: {_changes(changed, '->')}")
        lines += [f"  {note}" for note in self._notes()]
        if self.files is not None:
            lines += self._file_lines(self.files)
        return lines

    def to_markdown(self) -> str:
        """The same for a pull request."""
        summary = self._summary()
        lines = ["## Data", "", f"{summary[0].upper()}{escaped(summary[1:])}.", ""]
        if self.columns:
            lines += ["| column | rows changed |", "|---|---:|"]
            lines += [f"| {escaped(name)} | {count:,} |" for name, count in self._most_changed()]
            lines.append("")
        sides = (("Removed", self.removed_rows, self.removed), ("Added", self.added_rows, self.added))
        for title, rows, many in sides:
            if rows:
                lines += [_title(title, len(rows), many), ""]
                lines += [f"- row {row.row:,}: {escaped(_values(row.values))}" for row in rows]
                lines.append("")
        if self.changed_rows:
            lines += [_title("Changed", len(self.changed_rows), self.changed or 0), ""]
            for changed in self.changed_rows:
                told = _changes(changed, "→")
                lines.append(f"- {escaped(_values(changed.key))}: {escaped(told)}")
            lines.append("")
        lines += [f"- {escaped(note)}" for note in self._notes()]
        if self.files is not None:
            lines += ["", "```diff", *(line.strip() for line in self._file_lines(self.files)), "```"]
        return "\n".join(lines).rstrip() + "\n"

    def _summary(self) -> str:
        if not (self.added or self.removed or self.changed):
            order = ", in another order" if self.reordered else ""
            some = " in the columns that were compared" if self.left_out else ""
            return f"rows: {all_equal(self.new_rows)}{some}{order}"
        told = [f"{self.added:,} added", f"{self.removed:,} removed"]
        if self.changed is not None:
            told.append(f"{self.changed:,} changed")
        by = f" (by {', '.join(self.key)})" if self.key else " (by content)"
        return f"rows: {', '.join(told)}, {self.unchanged:,} unchanged{by}; {counted(self.old_rows, 'row')} before, {self.new_rows:,} now"

    def _most_changed(self) -> list[tuple[str, int]]:
        return sorted(self.columns.items(), key=lambda it: (-it[1], it[0]))

    def _notes(self) -> Iterator[str]:
        by_reason: dict[str, list[str]] = {}
        for name, why in self.left_out.items():
            by_reason.setdefault(why, []).append(one_line(name))
        for why, names in by_reason.items():
            more = f" and {len(names) - NAMED_COLUMNS:,} more" if len(names) > NAMED_COLUMNS else ""
            were = "was" if len(names) == 1 else "were"
            yield f"{', '.join(names[:NAMED_COLUMNS])}{more} {were} not compared: {why}"
        if self.equal_fragments:
            yield self._fragments(self.equal_fragments, *self.read_fragments)

    def _fragments(self, equal: int, old: int, new: int) -> str:
        are = "is" if equal == 1 else "are"
        if not old and not new:
            return f"not read: {counted(equal, 'fragment')}, which {are} the same in both"
        others = "other" if equal == 1 else f"other {equal:,}"
        read = f"{old:,} of {counted(old + equal, 'fragment')} before, {new:,} of {new + equal:,} now"
        return f"read: {read}; the {others} {are} the same in both"

    def _file_lines(self, files: FilesDiff) -> Iterator[str]:
        yield (
            f"files: {len(files.added):,} added, {len(files.removed):,} removed, {len(files.changed):,} changed, "
            f"{len(files.moved):,} moved, {files.unchanged:,} unchanged"
        )
        for mark, changes in (("-", files.removed), ("+", files.added), ("!", files.changed)):
            for change in changes[:KEPT]:
                yield f"  {mark} {one_line(change.path)}"
        for change in files.moved[:KEPT]:
            yield f"  ! {one_line(change.before or '')} -> {one_line(change.path)}"


def _values(values: Mapping[str, str]) -> str:
    text = one_line(", ".join(f"{name}={value}" for name, value in values.items()))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."


_WIDEST = 200


def _changes(row: ChangedRow, arrow: str) -> str:
    more = f", and {counted(row.more, 'more column')}" if row.more else ""
    return (
        one_line(", ".join(f"{name}: {old} {arrow} {new}" for name, (old, new) in row.changes.items())) + more
    )


def _title(what: str, shown: int, many: int) -> str:
    return f"{what}:" if shown == many else f"{what}, the first {shown} of {many:,}:"


def all_equal(rows: int) -> str:
    """``all 3 rows are equal``."""
    if rows < 2:
        return "the only row is equal" if rows else "none on either side"
    return f"all {rows:,} rows are equal"
