"""What is shown of downloads: what is begun or gone on with, how far it is, how fast, how long it will take.

Bytes of an earlier run and of this one are told apart. On a terminal there is a bar for all files together and one for each of the few
largest in flight, in another colour where it goes on from an earlier run; elsewhere there are plain lines.

Invariant: safe among threads; a view that is told nothing shows nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mldata.download.base import Watch
from mldata.errors import harmless
from mldata.sizes import human_size

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["DownloadView", "PlainView", "RichView", "SilentView"]

WORTH_A_LINE = 8 * 1024 * 1024
"""Bytes from which on a file's beginning is told when there are many."""
IN_FLIGHT = 4
"""Bars of single files at a time."""
REFRESH = 0.1


class DownloadView(Watch, Protocol):
    """Shows downloads; see :class:`mldata.download.base.Watch`."""

    def plan(self, files: int, size: int | None) -> None:
        """``files`` more will be downloaded, of ``size`` bytes in all; None: nobody knows."""
        ...


class SilentView:
    """Shows nothing but hands warnings on.

    Args:
        warn: takes them.
    """

    def __init__(self, warn: Callable[[str], None] | None = None) -> None:
        self._warn = warn

    def plan(self, files: int, size: int | None) -> None:
        """See :class:`DownloadView`."""

    def begin(self, name: str, size: int | None, resumed_from: int) -> None:
        """See :class:`mldata.download.base.Watch`."""

    def advance(self, name: str, size: int) -> None:
        """See :class:`mldata.download.base.Watch`."""

    def end(self, name: str) -> None:
        """See :class:`mldata.download.base.Watch`."""

    def warn(self, message: str) -> None:
        """See :class:`mldata.download.base.Watch`."""
        if self._warn is not None:
            self._warn(message)

    def note(self, message: str) -> None:
        """See :class:`mldata.download.base.Watch`."""


@dataclass
class _File:
    size: int | None
    resumed_from: int
    received: int = 0


class _Counted:
    """How far everything is.

    Args:
        say: shows a line.
        warn: shows a warning, and keeps it for the results.
        note: shows something to those who asked for more.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        warn: Callable[[str], None],
        note: Callable[[str], None],
    ) -> None:
        self._say, self._warn, self._note = say, warn, note
        self._mutex = threading.Lock()
        self._files: dict[str, _File] = {}
        self._begun = time.monotonic()
        self._planned = self._ended = 0
        self._total: int | None = 0
        self._received = self._earlier = 0

    def plan(self, files: int, size: int | None) -> None:
        """See :class:`DownloadView`."""
        with self._mutex:
            self._planned += files
            self._total = None if size is None or self._total is None else self._total + size
            if files > 1:
                of = f", {human_size(size)}" if size is not None else ""
                self._say(f"downloading {files:,} files{of}")
            self._show()

    def begin(self, name: str, size: int | None, resumed_from: int) -> None:
        """See :class:`mldata.download.base.Watch`."""
        with self._mutex:
            file = self._files[name] = _File(size, resumed_from)
            self._earlier += resumed_from
            if resumed_from and size:
                share = 100 * resumed_from // size
                self._say(
                    f"Resuming {name} from {share} %"
                    f" ({human_size(resumed_from)} of {human_size(size)} are here)"
                )
            elif resumed_from:
                self._say(f"Resuming {name} from {human_size(resumed_from)}")
            elif self._planned == 1 or (size or 0) >= WORTH_A_LINE:
                self._say(f"Starting download of {name}" + (f", {human_size(size)}" if size else ""))
            self._began(name, file)

    def advance(self, name: str, size: int) -> None:
        """See :class:`mldata.download.base.Watch`."""
        with self._mutex:
            file = self._files.get(name)
            if file is None:
                return
            file.received += size
            self._received += size
            self._moved(name, file)

    def end(self, name: str) -> None:
        """See :class:`mldata.download.base.Watch`."""
        with self._mutex:
            self._ended += 1
            if self._files.pop(name, None) is not None:
                self._gone(name)
            self._show()

    def warn(self, message: str) -> None:
        """See :class:`mldata.download.base.Watch`."""
        self._warn(message)

    def note(self, message: str) -> None:
        """See :class:`mldata.download.base.Watch`."""
        self._note(message)

    def _rate(self) -> float:
        """Bytes a second of this run; 0 as long as nobody can tell."""
        seconds = time.monotonic() - self._begun
        return max(self._received, 0) / seconds if seconds > 0.2 else 0.0

    def _left(self) -> float | None:
        """Seconds until all is here, if it goes on like this."""
        rate = self._rate()
        if self._total is None or not rate:
            return None
        return max(self._total - self._earlier - self._received, 0) / rate

    def _began(self, name: str, file: _File) -> None:
        pass

    def _moved(self, name: str, file: _File) -> None:
        self._show()

    def _gone(self, name: str) -> None:
        pass

    def _show(self) -> None:
        """Show how far everything is, if it is time for that."""


class PlainView(_Counted):
    """One line an event, and one every ten seconds."""

    EVERY = 10.0
    _last = 0.0

    def _show(self) -> None:
        now = time.monotonic()
        self._last = self._last or self._begun
        if now - self._last < self.EVERY:
            return
        self._last = now
        here = self._earlier + self._received
        parts = [human_size(here)]
        if self._total:
            parts = [f"{human_size(here)} of {human_size(self._total)} ({100 * here // self._total} %)"]
        if self._earlier:
            parts.append(f"{human_size(self._received)} of it now")
        parts.append(f"{human_size(int(self._rate()))}/s")
        left = self._left()
        if left is not None:
            parts.append(f"{left:.0f} s left")
        if self._planned > 1:
            parts.append(f"{self._ended:,} of {self._planned:,} files")
        self._say(", ".join(parts))


class RichView(_Counted):
    """Bars in a live display that is there already.

    Args:
        bars: the display; its columns know the fields ``done``, ``rate``, ``label`` and ``resumed``.
        task: the bar for everything.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        warn: Callable[[str], None],
        note: Callable[[str], None],
        bars: Progress,
        task: TaskID,
    ) -> None:
        super().__init__(say, warn, note)
        self._bars, self._task = bars, task
        self._rows: dict[str, TaskID] = {}
        self._last = 0.0

    def _began(self, name: str, file: _File) -> None:
        from rich.markup import escape

        if (
            self._planned > 1
            and len(self._rows) < IN_FLIGHT
            and (file.size is None or file.size >= WORTH_A_LINE)
        ):
            self._rows[name] = self._bars.add_task(
                f"  {escape(harmless(name[-30:]))}",
                total=file.size,
                label="",
                rate="",
                done="",
                resumed=file.resumed_from > 0,
            )
        self._moved(name, file)

    def _moved(self, name: str, file: _File) -> None:
        now = time.monotonic()
        if now - self._last < REFRESH:
            return
        self._last = now
        row = self._rows.get(name)
        if row is not None:
            here = file.resumed_from + file.received
            self._bars.update(row, completed=here, done=_of(here, file.size))
        self._draw()

    def _gone(self, name: str) -> None:
        row = self._rows.pop(name, None)
        if row is not None:
            self._bars.remove_task(row)

    def close(self) -> None:
        """Take away the bars of single files; those of a download that failed are still there."""
        with self._mutex:
            for name in list(self._rows):
                self._gone(name)

    def _show(self) -> None:
        self._draw()

    def _draw(self) -> None:
        here = self._earlier + self._received
        now = f"{human_size(self._received)} now" if self._earlier else ""
        files = f"{self._ended:,}/{self._planned:,} files" if self._planned > 1 else ""
        self._bars.update(
            self._task,
            total=self._total,
            completed=here,
            done=_of(here, self._total),
            rate=f"{human_size(int(rate))}/s" if (rate := self._rate()) else "",
            label="  ".join(filter(None, (files, now))),
            resumed=self._earlier > 0,
        )


def _of(here: int, size: int | None) -> str:
    return f"{human_size(here)}/{human_size(size)}" if size is not None else human_size(here)
