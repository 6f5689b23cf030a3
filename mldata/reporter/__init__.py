"""Everything that is shown while work runs. Progress goes to standard error, so that results can be piped.

Three ways to show the same events: a live bar with rate and time left on a terminal, one plain line an event elsewhere (CI
logs), and nothing (``-q``, ``--json``, the Python API).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TextIO

from mldata.errors import harmless
from mldata.sizes import human_size

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from mldata.reporter.downloads import DownloadView, RichView
    from mldata.reporter.writing import WritingView


class StageProgress(Protocol):
    """What a running stage tells about itself."""

    def plan(self, actions: int, size: int) -> None:
        """``actions`` more actions of ``size`` bytes of input in all will run."""
        ...

    def advance(self, label: str, size: int, actions: int = 1) -> None:
        """``actions`` of the planned actions ended, having taken ``size`` bytes; ``label`` is the last one's name."""
        ...

    def warn(self, message: str) -> None:
        """Show a warning."""
        ...

    def note(self, message: str) -> None:
        """Show something to those who asked for more."""
        ...

    def downloads(self, warn: Callable[[str], None]) -> DownloadView:
        """What is told how the stage's downloads go; their warnings go to ``warn``."""
        ...

    def writing(self) -> WritingView:
        """What is told how far the stage's files are, by format."""
        ...

    def finish(self, text: str | None) -> None:
        """The stage ended; ``text`` sums it up, None when it failed."""
        ...


class Reporter(Protocol):
    """Where a build's events are shown."""

    def stage(self, dataset: str, stage: str) -> StageProgress:
        """A stage begins to run."""
        ...

    def message(self, text: str) -> None:
        """A line that is neither a result nor an error, such as what is being waited for."""
        ...

    def close(self) -> None:
        """Nothing more will come."""
        ...


class QuietReporter:
    """Shows nothing but keeps count of nothing either: warnings travel with the results."""

    def stage(self, dataset: str, stage: str) -> StageProgress:
        """See :class:`Reporter`."""
        return _Silent()

    def message(self, text: str) -> None:
        """See :class:`Reporter`."""

    def close(self) -> None:
        """See :class:`Reporter`."""


class _Silent:
    def plan(self, actions: int, size: int) -> None:
        pass

    def advance(self, label: str, size: int, actions: int = 1) -> None:
        pass

    def warn(self, message: str) -> None:
        pass

    def note(self, message: str) -> None:
        pass

    def downloads(self, warn: Callable[[str], None]) -> DownloadView:
        from mldata.reporter.downloads import SilentView

        return SilentView(warn)

    def writing(self) -> WritingView:
        from mldata.reporter.writing import WritingView

        return WritingView()

    def finish(self, text: str | None) -> None:
        pass


class PlainReporter:
    """One line an event; a long stage says how far it is every ten seconds."""

    def __init__(self, stream: TextIO | None = None, *, verbose: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._verbose = verbose

    def stage(self, dataset: str, stage: str) -> StageProgress:
        """See :class:`Reporter`."""
        return _PlainStage(f"{stage}:{dataset}", self._stream, self._verbose)

    def message(self, text: str) -> None:
        """See :class:`Reporter`."""
        print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """See :class:`Reporter`."""


class _PlainStage:
    EVERY = 10.0

    def __init__(self, title: str, stream: TextIO, verbose: bool) -> None:
        self._title, self._stream, self._verbose = title, stream, verbose
        self._begun = self._last = time.monotonic()
        self._total = self._done = self._size = self._total_size = 0

    def plan(self, actions: int, size: int) -> None:
        self._total += actions
        self._total_size += size

    def advance(self, label: str, size: int, actions: int = 1) -> None:
        self._done += actions
        self._size += size
        now = time.monotonic()
        if now - self._last < self.EVERY:
            return
        self._last = now
        rate = self._size / (now - self._begun)
        left = (self._total_size - self._size) / rate if rate else 0.0
        print(
            f"{self._title}  {self._done}/{self._total}  {human_size(int(rate))}/s  {left:.0f} s left  {label}",
            file=self._stream,
            flush=True,
        )

    def warn(self, message: str) -> None:
        print(f"{self._title}  warning: {harmless(message)}", file=self._stream, flush=True)

    def note(self, message: str) -> None:
        if self._verbose:
            print(f"{self._title}  {harmless(message)}", file=self._stream, flush=True)

    def downloads(self, warn: Callable[[str], None]) -> DownloadView:
        from mldata.reporter.downloads import PlainView

        return PlainView(self._say, warn, self.note)

    def writing(self) -> WritingView:
        from mldata.reporter.writing import PlainWriting

        return PlainWriting(self._say)

    def _say(self, message: str) -> None:
        print(f"{self._title}  {harmless(message)}", file=self._stream, flush=True)

    def finish(self, text: str | None) -> None:
        if text is not None:
            seconds = time.monotonic() - self._begun
            print(f"{self._title}  {text}  {seconds:.1f} s", file=self._stream, flush=True)


class RichReporter:
    """A live bar a stage, with rate and time left, on a terminal."""

    def __init__(self, *, color: bool = True, verbose: bool = False) -> None:
        self._color, self._verbose = color, verbose
        self._progress: Progress | None = None

    def _bars(self) -> Progress:
        if self._progress is None:
            from rich.console import Console
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

            from mldata.reporter.columns import DoneColumn, ResumedBarColumn

            console = Console(stderr=True, no_color=not self._color, highlight=False)
            self._progress = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                ResumedBarColumn(),
                DoneColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                TextColumn("[dim]{task.fields[label]}"),
                console=console,
                transient=True,
            )
            self._progress.start()
        return self._progress

    def stage(self, dataset: str, stage: str) -> StageProgress:
        """See :class:`Reporter`."""
        bars = self._bars()
        task = bars.add_task(f"{stage}:{dataset}", total=None, label="", rate="")
        return _RichStage(bars, task, f"{stage}:{dataset}", self._verbose)

    def message(self, text: str) -> None:
        """See :class:`Reporter`."""
        self._bars().console.print(text, markup=False)

    def close(self) -> None:
        """See :class:`Reporter`."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


class _RichStage:
    def __init__(self, bars: Progress, task: TaskID, title: str, verbose: bool) -> None:
        self._bars, self._task, self._title, self._verbose = bars, task, title, verbose
        self._begun = time.monotonic()
        self._total = self._size = 0
        self._view: RichView | None = None

    def plan(self, actions: int, size: int) -> None:
        self._total += actions
        self._bars.update(self._task, total=self._total)

    def advance(self, label: str, size: int, actions: int = 1) -> None:
        self._size += size
        seconds = time.monotonic() - self._begun
        rate = f"{human_size(int(self._size / seconds))}/s" if seconds > 0.2 else ""
        self._bars.update(self._task, advance=actions, label=label[-40:], rate=rate)

    def warn(self, message: str) -> None:
        self._bars.console.print(f"[yellow]warning:[/] {self._title}  ", end="")
        self._bars.console.print(harmless(message), markup=False)

    def note(self, message: str) -> None:
        if self._verbose:
            self._say(message)

    def downloads(self, warn: Callable[[str], None]) -> DownloadView:
        from mldata.reporter.downloads import RichView

        self._view = RichView(self._say, warn, self.note, self._bars, self._task)
        return self._view

    def writing(self) -> WritingView:
        from mldata.reporter.writing import RichWriting

        return RichWriting(self._bars)

    def _say(self, message: str) -> None:
        self._bars.console.print(f"{self._title}  {harmless(message)}", markup=False)

    def finish(self, text: str | None) -> None:
        if self._view is not None:
            self._view.close()
        self._bars.remove_task(self._task)
        if text is not None:
            seconds = time.monotonic() - self._begun
            self._bars.console.print(f"[green]✓[/] {self._title:<24} {text}  [dim]{seconds:.1f} s[/]")


def pick_reporter(*, quiet: bool, color: bool, verbose: bool = False) -> Reporter:
    """The reporter that suits where standard error goes."""
    if quiet:
        return QuietReporter()
    if sys.stderr.isatty():
        return RichReporter(color=color, verbose=verbose)
    return PlainReporter(verbose=verbose)
