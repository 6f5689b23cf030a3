"""Raw files that the spec excludes by name: taken out before anything looks at them, members of archives too.

A file that is excluded with its digest is left out only while it has that content, so that one which was mended comes back by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mldata.errors import SpecError, brief
from mldata.skipped import skipped_facts

if TYPE_CHECKING:
    from mldata.stages.archives import Entry
    from mldata.stages.base import Job

__all__ = ["Excluding"]

WHERE = "normalize.exclude"
NAMED = 3
"""Files that a warning names."""


class Excluding:
    """What one build leaves out."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._wanted: dict[str, str | None] = dict(job.params.get("exclude", {}))
        self.names: list[str] = []
        """The files that were left out."""
        self._other: list[str] = []

    def without(self, entries: Sequence[Entry]) -> list[Entry]:
        """The files that stay. May be called again, for those that come out of others."""
        if not self._wanted:
            return list(entries)
        return [entry for entry in entries if not self._takes(*entry)]

    def _takes(self, name: str, entry: Any) -> bool:
        if name not in self._wanted:
            return False
        digest = self._wanted[name]
        if digest is not None and digest != entry.digest:
            if name not in self._other:
                self._other.append(name)
            return False
        self.names.append(name)
        return True

    def facts(self, left: int) -> dict[str, Any]:
        """What was left out, for the receipt; warns of what the spec excludes in vain.

        Args:
            left: files that there are beside it.

        Raises:
            SpecError: there are none.
        """
        self.names.sort(key=str.encode)
        if self.names and not left:
            raise SpecError(
                f"expected a file that is not excluded, found none: {_some(self.names)}",
                where=WHERE,
                hint="Take files out of `exclude` under normalize in mldata.yaml, or add some to the source.",
            )
        gone = sorted(self._wanted.keys() - {*self.names, *self._other}, key=str.encode)
        if self._other:
            self._job.warn(
                f"{_files(self._other)} that `exclude` names had another content then, and {_are(self._other)} read: {_some(self._other)}"
            )
        if gone:
            self._job.warn(
                f"{_files(gone)} that `exclude` names {_are(gone)} not there (any more): {_some(gone)}"
            )
        return {"excluded": skipped_facts(self.names)} if self.names else {}


def _files(names: Sequence[str]) -> str:
    return f"{len(names):,} file{'s'[: len(names) != 1]}"


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(brief(name, 200) for name in names[:NAMED]) + more
