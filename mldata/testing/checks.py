"""What every check promises."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import accumulate, count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from mldata.checks import CheckInfo
from mldata.checks.base import SEVERITIES, Check, Finding, Look, Plan, Sketch, Subject, looks_of, shown
from store import Digest, decode, encode

__all__ = ["CheckContract", "MemoryRows", "check_pieces"]


@dataclass(frozen=True)
class MemoryRows:
    """A table in memory as checks see it (:class:`mldata.checks.base.Rows`)."""

    table: pa.Table
    parts: Sequence[str]
    numbers: Any
    """Part of each row, as a number."""

    def part_of(self, start: int, stop: int) -> Any:
        """Part numbers of neighbouring rows."""
        return self.numbers[start:stop]

    def parts_at(self, rows: Any) -> Any:
        """Part numbers of any rows."""
        return self.numbers[rows]

    def text(self, row: int, columns: Sequence[str]) -> str:
        """Some values of a row."""
        return ", ".join(shown(self.table[name][row]) for name in columns)


def check_pieces(
    info: CheckInfo,
    params: Mapping[str, Any],
    pieces: Sequence[pa.Table],
    *,
    parts: Mapping[str, Sequence[int]] | None = None,
    kind: str = "tabular",
    batch_rows: int = 1000,
    encoded: bool = False,
    media: Callable[[Digest], Path] | None = None,
) -> list[Finding] | str:
    """What the check ``info`` finds in a table, or why there is nothing to check.

    Args:
        pieces: the table's fragments, of one schema.
        parts: numbers of the rows of each part; None: the table is not split.
        encoded: text comes as dictionary arrays.
        media: see :attr:`mldata.checks.base.Subject.media`.

    Raises ``SpecError`` when the parameters do not fit the table.
    """
    whole = pa.concat_tables(pieces)
    numbers = np.full(whole.num_rows, 0 if parts is None else 255, np.uint8)
    for number, rows in enumerate((parts or {}).values()):
        numbers[list(rows)] = number
    counts = {name: len(rows) for name, rows in parts.items()} if parts else {"data": whole.num_rows}
    subject = Subject(kind, whole.schema, whole.num_rows, counts, parts is not None, media)
    check: Check = getattr(import_module(info.module), info.factory)()
    plan = check.plan(params, subject)
    if isinstance(plan, str):
        return plan
    with TemporaryDirectory() as folder:
        sketches = list(_sketches(plan, pieces, Path(folder), batch_rows, encoded))
        merged: Any = decode(encode(plan.merge(sketches, MemoryRows(whole, list(counts), numbers))))
    json.dumps([dict(plan.key), *(dict(look.key) for look in looks_of(plan))])
    found = plan.judge(merged)
    assert found == plan.judge(merged), "judging has no memory"
    return found


def _sketches(
    plan: Plan, pieces: Sequence[pa.Table], folder: Path, batch_rows: int, encoded: bool
) -> Iterator[Sketch]:
    starts = accumulate((piece.num_rows for piece in pieces), initial=0)
    names = count()
    for start, piece in zip(starts, pieces, strict=False):
        blobs: dict[str, list[Path]] = {}
        makers: list[Plan | Look] = [plan, *looks_of(plan)]
        for maker in makers:
            chosen = piece.select(list(maker.columns))
            batches = iter(_encoded(chosen) if encoded else chosen.to_batches(max_chunksize=batch_rows))
            for blob in maker.sketch(batches) if maker.columns else ():
                path = folder / str(next(names))
                path.write_bytes(blob.data)
                blobs.setdefault(blob.kind, []).append(path)
        yield Sketch(start, piece.num_rows, blobs)


def _encoded(table: pa.Table) -> list[pa.RecordBatch]:
    columns = [
        column.dictionary_encode() if pa.types.is_string(column.type) else column for column in table.columns
    ]
    batches: list[pa.RecordBatch] = pa.table(columns, names=table.column_names).to_batches()
    return batches


class CheckContract:
    """A check. Set :attr:`info`, and write :meth:`table`, :meth:`strict` and :meth:`lenient`."""

    info: ClassVar[CheckInfo]
    """The check, as its entry point gives it."""

    def table(self) -> pa.Table:
        """At least ten rows, with something to find."""
        raise NotImplementedError

    def strict(self) -> Mapping[str, Any]:
        """Parameters with which an error is found in :meth:`table`, split or not."""
        raise NotImplementedError

    def lenient(self) -> Mapping[str, Any]:
        """Parameters with which none is."""
        raise NotImplementedError

    def parts(self) -> dict[str, list[int]]:
        """Every third row is in part ``test``, the others in ``train``."""
        rows = range(self.table().num_rows)
        return {"train": [n for n in rows if n % 3], "test": [n for n in rows if not n % 3]}

    def check(self, pieces: Sequence[pa.Table] | None = None, **more: Any) -> list[Finding]:
        """Findings of the strict check; see :func:`check_pieces`."""
        found = check_pieces(self.info, self.strict(), pieces or [self.table()], **more)
        assert not isinstance(found, str), found
        return found

    def test_finds(self) -> None:
        """What is wrong is found, with a sentence, what to do, and some of the rows; an error only if it is forbidden."""
        for parts in (None, self.parts()):
            found = self.check(parts=parts)
            assert any(finding.severity == "error" for finding in found)
            for finding in found:
                assert finding.severity in SEVERITIES and finding.code
                assert finding.message and not finding.message.endswith(".")
                assert finding.suggestion
                assert len(finding.places) <= finding.rows or not finding.places
                rows = [place.row for place in finding.places]
                assert rows == sorted(set(rows)), "rows are told once, in order"
                known = {*(parts if parts is not None else ("data",)), None}
                assert {finding.part, *finding.parts, *(place.part for place in finding.places)} <= known
                assert parts is not None or not finding.parts
            lenient = check_pieces(self.info, self.lenient(), [self.table()], parts=parts)
            assert isinstance(lenient, str) or all(finding.severity != "error" for finding in lenient)

    def test_cuts_do_not_matter(self) -> None:
        """Findings are the same however the rows are cut into fragments and batches, and however text comes."""
        table, parts = self.table(), self.parts()
        middle = table.num_rows // 2
        whole = self.check(parts=parts)
        assert whole == self.check(parts=parts, batch_rows=1) == self.check(parts=parts, encoded=True)
        assert whole == self.check([table.slice(0, middle), table.slice(middle)], parts=parts)
        ones = [table.slice(n, 1) for n in range(table.num_rows)]
        assert whole == self.check([table.slice(0, 0), *ones], parts=parts)

    def test_only_rows_of_parts(self) -> None:
        """What the findings say of parts adds up to no more than there is."""
        parts = self.parts()
        for finding in self.check(parts=parts):
            assert sum(finding.parts.values()) <= sum(map(len, parts.values()))
            assert finding.rows <= self.table().num_rows

    def test_no_rows(self) -> None:
        """A table without rows can be checked."""
        empty = self.table().slice(0, 0)
        for finding in self.check([empty]):
            assert not finding.rows and not finding.places

    def test_findings_are_plain(self) -> None:
        """Findings come back from JSON as they were."""
        for finding in self.check(parts=self.parts()):
            plain = finding.to_json()
            read = json.loads(json.dumps(plain))
            assert Finding.from_json(read).to_json() == read == plain
