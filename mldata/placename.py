"""What the made-up dataset is called that stands for a place, and how errors and progress name the place itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mldata.errors import MldataError, brief, harmless

if TYPE_CHECKING:
    from mldata.reporter import Reporter, StageProgress

__all__ = ["NAME", "PlaceReporter", "errors_of"]

NAME = "place"


@contextmanager
def errors_of(place: str) -> Iterator[None]:
    """Errors about the made-up dataset are about ``place``, as the user typed it."""
    try:
        yield
    except MldataError as error:
        if error.where == NAME:
            error.where = place
        raise


class PlaceReporter:
    """A :class:`mldata.reporter.Reporter` that passes on what happens, under the place as the user typed it."""

    def __init__(self, reporter: Reporter, place: str) -> None:
        self._reporter = reporter
        self._place = brief(harmless(place).replace("\n", " "), 40)

    def stage(self, dataset: str, stage: str) -> StageProgress:
        """See :class:`mldata.reporter.Reporter`."""
        return self._reporter.stage(self._place if dataset == NAME else dataset, stage)

    def message(self, text: str) -> None:
        """See :class:`mldata.reporter.Reporter`."""
        self._reporter.message(text)

    def close(self) -> None:
        """See :class:`mldata.reporter.Reporter`."""
        self._reporter.close()
