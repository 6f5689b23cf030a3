"""Columns of the live display that tell what goes on from an earlier run."""

from __future__ import annotations

from rich.progress import BarColumn, MofNCompleteColumn, Task
from rich.progress_bar import ProgressBar
from rich.text import Text

__all__ = ["DoneColumn", "ResumedBarColumn"]

RESUMED = "magenta"


class ResumedBarColumn(BarColumn):
    """A bar, in another colour where the task has the field ``resumed``."""

    def render(self, task: Task) -> ProgressBar:
        """The bar of one task."""
        bar = super().render(task)
        if task.fields.get("resumed"):
            bar.complete_style = bar.finished_style = RESUMED
        return bar


class DoneColumn(MofNCompleteColumn):
    """The field ``done`` of a task; how many of its steps are done where it has none."""

    def render(self, task: Task) -> Text:
        """The text for one task."""
        done = task.fields.get("done")
        return Text(done, style="progress.download") if done is not None else super().render(task)
