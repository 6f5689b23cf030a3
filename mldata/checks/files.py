"""The check ``files``: whether every media file is whole, down to the last pixel and sample.

Each is looked at by :mod:`mldata.integrity`, in a process that may hang or crash. Tables have no files of their own: each row of theirs was decoded when the
table was made, and a damaged file ended that (``mldata validate PATH`` looks at such files as they are).

What is kept is a verdict for each file that is not valid. A file that takes too long is an error of the build instead of a finding: how long a decoder takes is no
function of the data.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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
from mldata.errors import BuildError, Where
from mldata.integrity import KINDS
from mldata.integrity.base import CORRUPT, SKIPPED, SUSPECT, TIMEOUT
from mldata.integrity.shared import SharedChecking
from mldata.plural import counted

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FilesCheck"]

BLOB = "files"
FAMILIES = {"images": "image", "audio": "audio"}
SEED = b"mldata files "


class FilesCheck:
    """See :class:`mldata.checks.base.Check`. Parameters: ``max``, ``sample`` and ``timeout`` of :class:`mldata.checkspecs.files.Files`."""

    def plan(self, params: Mapping[str, Any], subject: Subject) -> Plan | str:
        """Never raises."""
        if subject.media is None or not {"path", "digest"} <= set(subject.schema.names):
            return "there are no media files: each row of a table is decoded when the table is made"
        return _Plan(subject, params["max"], params["sample"], SharedChecking(params["timeout"]))


@dataclass(frozen=True)
class _Plan:
    subject: Subject
    most: int | str
    share: float
    checking: SharedChecking = field(compare=False)

    @property
    def columns(self) -> Sequence[str]:
        return ["path", "digest"]

    @property
    def key(self) -> Mapping[str, Any]:
        family = FAMILIES.get(self.subject.kind)
        checkers = {name: it.version for name, it in KINDS.items() if it.family == family}
        return {"checkers": checkers, **({"sample": self.share} if self.share < 1 else {})}

    def sketch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Blob]:
        from mldata.integrity.checking import Target

        assert self.subject.media is not None
        rows: list[int] = []
        targets: list[Target] = []
        first = 0
        for batch in batches:
            paths, digests = (batch.column(name).to_pylist() for name in self.columns)
            for number, (path, digest) in enumerate(zip(paths, digests, strict=True), first):
                if digest is not None and self._chosen(path):
                    rows.append(number)
                    targets.append(Target(path, self.subject.media(digest), digest))
            first += len(batch)
        types: dict[str, Counter[str]] = {}
        found = []
        for row, result in zip(rows, self.checking.run(targets), strict=True):
            if result.verdict == TIMEOUT:
                raise BuildError(
                    f"expected a file that is decoded within {self.checking.timeout:g} s, found one that is not",
                    where=Where(result.path),
                    hint="give it longer (`validate: {files: {timeout: 60}}` in mldata.yaml), or leave the file out",
                )
            types.setdefault(result.file_type, Counter())[result.verdict] += 1
            if not result.is_valid or result.verdict == SUSPECT:
                told = result.details.get("error_class")
                found.append([row, result.file_type, result.verdict, told, result.error])
        yield Blob(BLOB, json.dumps({"types": types, "found": found}).encode())

    def _chosen(self, path: str) -> bool:
        from store import hash_bytes

        if self.share >= 1:
            return True
        return int(hash_bytes(SEED + path.encode()).digest[:16], 16) < self.share * 2**64

    def merge(self, sketches: Sequence[Sketch], rows: Rows) -> Mapping[str, Any]:
        import numpy as np

        types: dict[str, Counter[str]] = {}
        groups: dict[tuple[str, str, str], dict[str, Any]] = {}
        for sketch in sketches:
            for path in sketch.blobs[BLOB]:
                told = json.loads(path.read_bytes())
                for name, counts in told["types"].items():
                    types.setdefault(name, Counter()).update(counts)
                places = np.array([sketch.start + it[0] for it in told["found"]], np.int64)
                numbers = rows.parts_at(places).tolist()
                for place, number, (_, file_type, verdict, code, error) in zip(
                    places.tolist(), numbers, told["found"], strict=True
                ):
                    found = {"rows": 0, "parts": Counter[str](), "first": []}
                    group = groups.setdefault((file_type, verdict, code or ""), found)
                    part = rows.parts[number] if number < len(rows.parts) else None
                    group["rows"] += 1
                    if part is not None:
                        group["parts"][part] += 1
                    if len(group["first"]) < KEPT:
                        group["first"].append([place, part, error])
        return {
            "types": {name: dict(sorted(counts.items())) for name, counts in sorted(types.items())},
            "groups": [
                [list(what), {**it, "parts": dict(it["parts"])}] for what, it in sorted(groups.items())
            ],
        }

    def judge(self, merged: Mapping[str, Any]) -> list[Finding]:
        looked = sum(sum(counts.values()) for counts in merged["types"].values())
        corrupt = sum(counts.get(CORRUPT, 0) for counts in merged["types"].values())
        findings = []
        for (file_type, verdict, code), group in merged["groups"]:
            what = "" if file_type == "unknown" else f" of type {file_type}"
            severity = {CORRUPT: WARNING if allows(self.most, corrupt, looked) else ERROR, SUSPECT: WARNING}
            is_one = group["rows"] == 1
            said = {
                CORRUPT: f"{'is' if is_one else 'are'} corrupt",
                SUSPECT: f"{'decodes, but is' if is_one else 'decode, but are'} suspect",
                SKIPPED: f"{'was' if is_one else 'were'} not looked at",
            }[verdict]
            findings.append(
                Finding(
                    severity.get(verdict, WARNING),
                    code or verdict,
                    f"{counted(group['rows'], 'file')}{what} ({percent(group['rows'], looked)}) {said}"
                    + (f": {code}" if code else ""),
                    _SUGGESTIONS[verdict],
                    parts=self.subject.in_order(group["parts"]),
                    rows=group["rows"],
                    places=tuple(Place(row, part, error) for row, part, error in group["first"]),
                )
            )
        if self.share < 1:
            findings.append(
                Finding(
                    INFO,
                    "sampled",
                    f"{looked:,} of {counted(self.subject.rows, 'file')} were looked at",
                    "`validate: {files: {sample: 100%}}` looks at all; what is known of a file is kept",
                )
            )
        return findings


_SUGGESTIONS = {
    CORRUPT: "Get them again from their source, or leave them out: `mldata validate NAME --quarantine`",
    SUSPECT: "Look at them; `mldata validate NAME -o report.html` shows them",
    SKIPPED: "Install what decodes them, or leave them out under `normalize: {exclude: ...}`",
}
