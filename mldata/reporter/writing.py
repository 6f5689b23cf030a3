"""What is shown of files that are written in several formats at once: rows and bytes of each, how fast, and a word when it is done.

Invariant: safe among threads; a view that is told nothing shows nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mldata.errors import harmless
from mldata.sizes import human_size

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["PlainWriting", "RichWriting", "WritingView", "Wrote"]


@dataclass
class Wrote:
    """How far a format is."""

    begun: float
    """By the monotonic clock."""
    rows: int = 0
    size: int = 0
    """Bytes."""
    seconds: float | None = None
    """How long it took; None as long as it is not done."""


class WritingView:
    """Counts, and shows nothing."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self.wrote: dict[str, Wrote] = {}
        """By format, as far as it was written here and now."""

    def begin(self, name: str) -> None:
        """A format is going to be written."""
        with self._mutex:
            self.wrote[name] = Wrote(time.monotonic())
            self._began(name)

    def move(self, name: str, rows: int, size: int) -> None:
        """It has so many rows, and bytes, now."""
        with self._mutex:
            wrote = self.wrote[name]
            wrote.rows, wrote.size = rows, size
            self._moved(name, wrote)

    def end(self, name: str, *, failed: bool = False) -> None:
        """It is done, or given up."""
        with self._mutex:
            wrote = self.wrote[name]
            wrote.seconds = time.monotonic() - wrote.begun
            self._ended(name, wrote, failed)

    def _began(self, name: str) -> None:
        pass

    def _moved(self, name: str, wrote: Wrote) -> None:
        pass

    def _ended(self, name: str, wrote: Wrote, failed: bool) -> None:
        pass


class PlainWriting(WritingView):
    """A line for each format that took long enough to be waited for."""

    LONG = 5.0

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def _ended(self, name: str, wrote: Wrote, failed: bool) -> None:
        if not failed and (wrote.seconds or 0.0) >= self.LONG:
            self._say(f"{name}: {_text(wrote)}")


class RichWriting(WritingView):
    """A line each in a live display that is there already, with a spinner."""

    REFRESH = 0.1

    def __init__(self, bars: Progress) -> None:
        super().__init__()
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._last: dict[str, float] = {}

    def _began(self, name: str) -> None:
        from rich.markup import escape

        shown = f"  {escape(harmless(name))}"
        self._tasks[name] = self._bars.add_task(shown, total=None, label="", rate="", done="")

    def _moved(self, name: str, wrote: Wrote) -> None:
        now = time.monotonic()
        if now - self._last.get(name, 0.0) < self.REFRESH:
            return
        self._last[name] = now
        rate = f"{human_size(int(wrote.size / max(now - wrote.begun, 0.001)))}/s"
        self._bars.update(
            self._tasks[name], done=f"{wrote.rows:,} rows", label=human_size(wrote.size), rate=rate
        )

    def _ended(self, name: str, wrote: Wrote, failed: bool) -> None:
        self._bars.remove_task(self._tasks.pop(name))


def _text(wrote: Wrote) -> str:
    seconds = wrote.seconds or 0.0
    rate = human_size(int(wrote.size / max(seconds, 0.001)))
    return f"{wrote.rows:,} rows, {human_size(wrote.size)}, {seconds:.1f} s, {rate}/s"
