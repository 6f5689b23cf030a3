"""The report of a check of files: counts, what is wrong with which, how it was sampled; as JSON, Markdown and text.

As JSON it is one object, keys as :meth:`FilesReport.to_json` has them, two-space indent. :mod:`mldata.integrity.html` makes the page of it. All of them are
functions of the files and the settings: no time, host or place on the machine is in them but :attr:`FilesReport.place`, as the user wrote it.

Invariant: every file that is corrupt, suspect or timed out is in the report. Valid ones are counted; of those that were skipped a bounded number is named.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mldata.errors import brief, harmless
from mldata.integrity.base import CORRUPT, SKIPPED, SUSPECT, TIMEOUT, VALID, VERDICTS, FileCheckResult
from mldata.markdown import code, escaped
from mldata.skipped import OTHERS, suffix_of

__all__ = ["BAD", "KEPT_SKIPPED", "FilesReport", "FilesReportBuilder", "Sampled"]

FORMAT = 1
KEPT_SKIPPED = 1000
"""How many of the files that were skipped a report names."""
KEPT_SUFFIXES = 1000
"""How many suffixes of skipped files are told apart."""
NAMED = 10
"""Files of a verdict that the text for a terminal names."""
NAMED_SUFFIXES = 5
BAD = (CORRUPT, TIMEOUT, SUSPECT)
"""What is told of, the worst first."""
WORDS = {VALID: "valid", SUSPECT: "suspect", CORRUPT: "corrupt", SKIPPED: "skipped", TIMEOUT: "timed out"}
COLOURS = {VALID: "green", SUSPECT: "yellow", TIMEOUT: "yellow", CORRUPT: "red", SKIPPED: "yellow"}
NEVER = "never"
_FAILING: Mapping[str, tuple[str, ...]] = {
    "error": (CORRUPT,),
    "warning": BAD,
    NEVER: (),
}
"""Verdicts that let a check of files fail. That a file took too long is no error: a slow machine is no fault of the data."""


@dataclass(frozen=True)
class Sampled:
    """How files were chosen where not all were looked at."""

    share: float
    seed: int
    chosen: int
    of: int

    @property
    def text(self) -> str:
        """``1,000 of 10,000 files (10%, seed 0)``."""
        return f"{self.chosen:,} of {self.of:,} files ({100 * self.share:.6g}%, seed {self.seed})"


@dataclass(frozen=True)
class FilesReport:
    """What checking the files of one place has found."""

    place: str
    """The folder, file or dataset."""
    total: int
    """Files there."""
    counts: Mapping[str, int]
    """By verdict, every verdict named."""
    types: Mapping[str, Mapping[str, int]]
    """By type, then by verdict."""
    files: Sequence[FileCheckResult]
    """Those that are not valid, by path; at most :data:`KEPT_SKIPPED` of those that were skipped."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Files that were skipped, by suffix (``without suffix``)."""
    sampled: Sampled | None = None
    interrupted: bool = False
    """Whether it was stopped before all were looked at."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """``timeout`` and what else the verdicts depend on."""
    fail_on: str = "error"
    """``error``: corrupt files fail it; ``warning``: also suspect ones, and those that took too long; ``never``."""

    @property
    def looked_at(self) -> int:
        """Files with a verdict other than skipped."""
        return sum(self.counts.values()) - self.counts[SKIPPED]

    @property
    def whole(self) -> int:
        """Files that may be used: valid and suspect ones."""
        return self.counts[VALID] + self.counts[SUSPECT]

    @property
    def percentage(self) -> float | None:
        """Whole files in a hundred that were looked at, rounded down to hundredths, so that 100 means all; None if none was."""
        return self.whole * 10_000 // self.looked_at / 100 if self.looked_at else None

    @property
    def verdict(self) -> str:
        """The worst of the files' verdicts; ``skipped`` where no file was looked at."""
        found = next((verdict for verdict in BAD if self.counts[verdict]), None)
        return found or (VALID if self.looked_at else SKIPPED)

    @property
    def colour(self) -> str:
        """``green``, ``yellow`` or ``red``."""
        colour = COLOURS[self.verdict]
        return "yellow" if colour == "green" and self.interrupted else colour

    @property
    def passed(self) -> bool:
        """Whether nothing that :attr:`fail_on` names was found. A check that was stopped has not passed."""
        if self.fail_on == NEVER:
            return True
        return not self.interrupted and not any(self.counts[it] for it in _FAILING[self.fail_on])

    @property
    def headline(self) -> str:
        """``99.85% of 10,000 files are whole``."""
        if self.percentage is None:
            return "no file was looked at"
        files = "1 file is" if self.looked_at == 1 else f"{self.looked_at:,} files are"
        return f"{self.percentage:g}% of {files} whole"

    @property
    def remarks(self) -> list[str]:
        """What has to be known beside the counts: stopped, sampled, not finished."""
        told = []
        if self.interrupted:
            told.append("stopped before all files were looked at: this is what was found so far")
        if self.sampled is not None:
            told.append(f"a sample: {self.sampled.text}; --full looks at all")
        if self.counts[TIMEOUT]:
            files = "1 file" if self.counts[TIMEOUT] == 1 else f"{self.counts[TIMEOUT]:,} files"
            told.append(f"{files} took too long, and may be whole or not; --timeout gives them longer")
        return told

    def of(self, verdict: str) -> list[FileCheckResult]:
        """The files with a verdict that the report names, by path."""
        return [file for file in self.files if file.verdict == verdict]

    def to_json(self) -> dict[str, Any]:
        """As ``--json`` and the file of the report have it."""
        return {
            "report": FORMAT,
            "place": self.place,
            "passed": self.passed,
            "fail_on": self.fail_on,
            "verdict": self.verdict,
            "percentage": self.percentage,
            "total": self.total,
            "counts": {verdict: self.counts[verdict] for verdict in VERDICTS},
            "types": {name: dict(counts) for name, counts in self.types.items()},
            "skipped": dict(self.skipped),
            "sampled": vars(self.sampled) if self.sampled is not None else None,
            "interrupted": self.interrupted,
            "settings": dict(self.settings),
            "files": [file.to_json() for file in self.files],
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> FilesReport:
        """What :meth:`to_json` gave."""
        kept = ("place", "total", "counts", "types", "skipped", "interrupted", "settings", "fail_on")
        return cls(
            **{key: plain[key] for key in kept},
            files=[FileCheckResult.from_json(file) for file in plain["files"]],
            sampled=Sampled(**plain["sampled"]) if plain["sampled"] is not None else None,
        )

    def to_text(self) -> str:
        """The report as JSON text."""
        text = json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n"
        return text.encode(
            errors="backslashreplace"
        ).decode()  # half a surrogate pair: JSON's own escape of it

    def to_markdown(self) -> str:
        """The report for a pull request."""
        return "\n".join(self._markdown()) + "\n"

    def to_terminal(self) -> str:
        """A short text for people: percentage, counts, the first files that are not whole. Without colours; :attr:`colour` says which."""
        return "\n".join(self._terminal())

    def _markdown(self) -> Iterator[str]:
        yield f"# Files of {escaped(self.place)}: {'passed' if self.passed else 'failed'}\n"
        yield f"{self.headline}\n"
        for remark in self.remarks:
            yield f"> {escaped(remark)}\n"
        yield "| verdict | files |"
        yield "|---|---|"
        for verdict in VERDICTS:
            yield f"| {WORDS[verdict]} | {self.counts[verdict]:,} |"
        if self.types:
            yield ""
            yield f"| type | {' | '.join(WORDS[verdict] for verdict in VERDICTS)} |"
            yield "|---" * (len(VERDICTS) + 1) + "|"
            for name, counts in self.types.items():
                told = " | ".join(f"{counts.get(verdict, 0):,}" for verdict in VERDICTS)
                yield f"| {escaped(name)} | {told} |"
        for verdict in (*BAD, SKIPPED):
            files = self.of(verdict)
            if files:
                yield f"\n## {WORDS[verdict].capitalize()}\n"
            for file in files:
                yield f"- {code(file.path)} ({escaped(file.file_type)}): {escaped(file.error or '')}"
            if rest := self.counts[verdict] - len(files):
                yield f"- and {rest:,} more"
        if self.skipped:
            yield f"\nSkipped, by suffix: {escaped(self.suffixes())}"

    def _terminal(self) -> Iterator[str]:
        yield self.headline
        told = [
            f"{WORDS[it]} {self.counts[it]:,}" for it in VERDICTS if self.counts[it] or it in (VALID, CORRUPT)
        ]
        yield ", ".join(told)
        if self.skipped:
            yield f"skipped: {harmless(self.suffixes(NAMED_SUFFIXES))}"
        yield from self.remarks
        more = False
        for verdict in BAD:
            files = self.of(verdict)
            if files:
                yield f"{WORDS[verdict]}:"
            for file in files[:NAMED]:
                yield f"  {_line(file.path)}: {_line(brief(file.error or '', 300))}"
            if len(files) > NAMED:
                more = True
                yield f"  and {len(files) - NAMED:,} more"
        if more:
            yield "all of them are in the report: -o report.html, report.md or report.json"

    def suffixes(self, most: int | None = None) -> str:
        """``3 .txt, 1 .md``: the suffixes of skipped files, the most frequent first."""
        ordered = sorted(self.skipped.items(), key=lambda item: (item[0] == OTHERS, -item[1], item[0]))
        rest = sum(count for _, count in ordered[most:]) if most is not None else 0
        told = [f"{count:,} {suffix}" for suffix, count in ordered[:most]]
        return ", ".join([*told, *([f"{rest:,} more"] if rest else [])])


class FilesReportBuilder:
    """Takes results one by one. Memory goes with the files that are not valid."""

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._types: dict[str, Counter[str]] = {}
        self._files: list[FileCheckResult] = []
        self._skipped = Counter[str]()

    @property
    def count(self) -> int:
        """Results so far."""
        return self._counts.total()

    def add(self, result: FileCheckResult) -> None:
        """Count a result, and keep it if the report is to name it."""
        verdict = result.verdict
        self._counts[verdict] += 1
        self._types.setdefault(result.file_type, Counter())[verdict] += 1
        if verdict == SKIPPED:
            suffix = suffix_of(result.path)
            known = suffix in self._skipped or len(self._skipped) < KEPT_SUFFIXES
            self._skipped[suffix if known else OTHERS] += 1
            if self._counts[SKIPPED] > KEPT_SKIPPED:
                return
        if verdict != VALID:
            self._files.append(result)

    def report(
        self,
        place: str,
        *,
        total: int | None = None,
        sampled: Sampled | None = None,
        interrupted: bool = False,
        settings: Mapping[str, Any] | None = None,
        fail_on: str = "error",
    ) -> FilesReport:
        """What was found so far. ``total``: files that are there, where not all were given."""
        return FilesReport(
            place,
            sum(self._counts.values()) if total is None else total,
            {verdict: self._counts[verdict] for verdict in VERDICTS},
            {
                name: {verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]}
                for name, counts in sorted(self._types.items())
            },
            sorted(self._files, key=lambda file: file.path.encode(errors="surrogatepass")),
            dict(sorted(self._skipped.items(), key=lambda item: (-item[1], item[0]))),
            sampled,
            interrupted,
            dict(settings or {}),
            fail_on,
        )


def _line(text: str) -> str:
    """Text from a file's name on one line of a terminal."""
    return harmless(text.replace("\n", "\N{REPLACEMENT CHARACTER}"))
