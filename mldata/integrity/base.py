"""What it is to check a file: the content that is looked at, what a checker finds in it, and the verdict.

A checker looks at the bytes alone, never at the name: what it finds is kept by the digest of the content. It reads the structure of the
container, and decodes every frame and every sample. A problem of severity ``error`` makes a file corrupt, a ``warning`` makes it suspect: it decodes, but
something is off.

Invariant: a checker never takes a valid file for a corrupt one. What it cannot read for want of a decoder is :class:`Unsupported`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from mldata.integrity.content import Content

__all__ = [
    "CORRUPT",
    "ERROR",
    "SKIPPED",
    "SUSPECT",
    "TIMEOUT",
    "VALID",
    "VERDICTS",
    "WARNING",
    "Checker",
    "FileCheckResult",
    "Found",
    "Problem",
    "Unsupported",
]

VALID, SUSPECT, CORRUPT, SKIPPED, TIMEOUT = "valid", "suspect", "corrupt", "skipped", "timeout"
VERDICTS = (VALID, SUSPECT, CORRUPT, SKIPPED, TIMEOUT)
WARNING, ERROR = "warning", "error"
UNKNOWN = "unknown"
"""The type of a file whose content is none that is checked."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or off, in a file."""

    code: str
    """For programs, and the same for ever: ``missing-eoi``, ``bad-crc``, ``truncated``."""
    message: str
    """A sentence without the full stop: what was expected, what was found. No path, no time; the same for the same bytes."""
    severity: str = ERROR
    """``error`` or ``warning``."""
    offset: int | None = None
    """Bytes from the beginning of the file."""
    line: int | None = None
    """Of text, from 1; :attr:`column` too."""
    column: int | None = None
    frame: int | None = None
    """Of an animation, a document of several pages or compressed audio, from 0."""
    row_group: int | None = None
    """Of Parquet, or record batch or stripe of Arrow and ORC, from 0."""

    def to_json(self) -> dict[str, Any]:
        """As a report has it; what is not known is left out."""
        return {key: value for key, value in vars(self).items() if value is not None}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Problem:
        """What :meth:`to_json` gave."""
        return cls(**plain)

    @property
    def place(self) -> str:
        """Where it is, for people: ``byte 1,234``, ``line 3, column 5``, or nothing."""
        told = []
        if self.line is not None:
            told.append(
                f"line {self.line:,}" + (f", column {self.column:,}" if self.column is not None else "")
            )
        if self.frame is not None:
            told.append(f"frame {self.frame:,}")
        if self.row_group is not None:
            told.append(f"row group {self.row_group:,}")
        if self.offset is not None:
            told.append(f"byte {self.offset:,}")
        return ", ".join(told)


@dataclass(frozen=True)
class Found:
    """What a checker found in a content."""

    decoder: str
    """What decoded it: ``Pillow 12.0``, ``libsndfile 1.2.2``."""
    problems: Sequence[Problem] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Small and JSON: ``width``, ``height``, ``frames``, ``duration`` (seconds), ``sample_rate``, ``rows``..."""

    @property
    def verdict(self) -> str:
        """``valid``, ``suspect`` or ``corrupt``."""
        if any(problem.severity == ERROR for problem in self.problems):
            return CORRUPT
        return SUSPECT if self.problems else VALID


class Unsupported(Exception):
    """No decoder here reads this content, which may be sound. The message says what would be needed."""


class Checker(Protocol):
    """One kind of content. Made once in a worker process, used for many files, never by two threads at a time."""

    def check(self, content: Content) -> Found:
        """Look at all of it.

        Memory stays within a small multiple of the content and of what it decodes to, or the file is refused as a problem
        (``too-large``) before it is decoded. Whatever a decoder raises for bad bytes is a :class:`Problem`; an exception that gets out of here is told as
        a fault of this program.

        Raises:
            Unsupported: it cannot be told.
        """
        ...


@dataclass(frozen=True)
class FileCheckResult:
    """The verdict on one file."""

    path: str
    """As it was given, with ``/``; what is no Unicode in it as ``\\xNN``."""
    file_type: str
    """What the content is: a name of ``KINDS``, ``unknown``, or what stands there instead of a file (``fifo``)."""
    is_valid: bool
    """Whether it may be used: valid or suspect. Of what was not looked at, nothing is known: false."""
    error: str | None = None
    """The worst of it in a sentence; of a file that was skipped, why. None for a valid one."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """``decoder``; ``error_class``, ``offset``, ``line``, ``column``, ``frame``, ``row_group`` of the worst problem; ``problems``: all of them; ``digest``, ``size``, and the
    checker's facts."""
    verdict: str = VALID

    def to_json(self) -> dict[str, Any]:
        """As a report has it."""
        return {
            "path": self.path,
            "file_type": self.file_type,
            "verdict": self.verdict,
            "is_valid": self.is_valid,
            "error": self.error,
            "details": dict(self.details),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> FileCheckResult:
        """What :meth:`to_json` gave."""
        return cls(**plain)

    @property
    def problems(self) -> list[Problem]:
        """All that was found, the worst first."""
        return [Problem.from_json(problem) for problem in self.details.get("problems", ())]


def result_of(path: str, file_type: str, found: Found, **details: Any) -> FileCheckResult:
    """The verdict on a file in which this was found. Errors come before warnings, else the checker's order stays."""
    problems = sorted(found.problems, key=lambda problem: problem.severity != ERROR)
    worst = problems[0] if problems else None
    told: dict[str, Any] = {"decoder": found.decoder, **details, **found.facts}
    if worst is not None:
        place = worst.to_json()
        told["error_class"] = place.pop("code")
        told |= {key: value for key, value in place.items() if key not in ("message", "severity")}
        told["problems"] = [problem.to_json() for problem in problems]
    error = f"{worst.message} ({worst.place})" if worst and worst.place else worst.message if worst else None
    return FileCheckResult(path, file_type, found.verdict != CORRUPT, error, told, found.verdict)


def skipped(path: str, file_type: str, reason: str, **details: Any) -> FileCheckResult:
    """A file that was not looked at, and why."""
    return FileCheckResult(path, file_type, False, reason, details, SKIPPED)
