"""The problems of one recording while they are being found: no kind of them more often than anybody would read."""

from __future__ import annotations

from collections import Counter

from mldata.integrity.base import ERROR, WARNING, Problem

__all__ = ["Faults"]

MOST = 20
"""Problems of one code that are told one by one."""


class Faults:
    """Problems in the order in which they are found. What is beyond :data:`MOST` of a code is counted."""

    def __init__(self) -> None:
        self._told: list[Problem] = []
        self._counts: Counter[tuple[str, str]] = Counter()

    def error(self, code: str, message: str, *, offset: int | None = None, frame: int | None = None) -> None:
        """Something because of which samples are lost or wrong."""
        self._add(Problem(code, message, ERROR, offset, frame=frame))

    def warning(
        self, code: str, message: str, *, offset: int | None = None, frame: int | None = None
    ) -> None:
        """Something that is off, where no sample is known to be lost."""
        self._add(Problem(code, message, WARNING, offset, frame=frame))

    def _add(self, problem: Problem) -> None:
        kind = (problem.code, problem.severity)
        self._counts[kind] += 1
        if self._counts[kind] <= MOST:
            self._told.append(problem)

    @property
    def broken(self) -> bool:
        """Whether there is an error among them."""
        return any(severity == ERROR for _, severity in self._counts)

    def __contains__(self, code: str) -> bool:
        return any(found == code for found, _ in self._counts)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All of them, and for each code that there are more of, how many."""
        more = [
            Problem(code, f"{count - MOST:,} more of the same kind", severity)
            for (code, severity), count in sorted(self._counts.items())
            if count > MOST
        ]
        return (*self._told, *more)
