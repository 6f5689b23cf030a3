"""Whether the files of a place are whole: of a folder as it stands, or of a dataset as the store has it.

A folder is walked and each file is looked at where it is; nothing is copied. Of a dataset, the raw files are looked at (what the source gave), and those media
files that came out of archives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mldata.integrity.base import CORRUPT, SKIPPED, VALID
from mldata.integrity.checking import Checking, Options, Target
from mldata.integrity.memo import Memo, default_memo
from mldata.integrity.report import FilesReport, FilesReportBuilder, Sampled
from mldata.integrity.sample import choose, share_of
from mldata.integrity.walk import walk
from mldata.looking import TIMEOUT, Looking
from mldata.receipts import raw_tree
from mldata.reporter.files import FilesProgress
from mldata.snapshot import raw_files
from mldata.userfolders import cache_folder

if TYPE_CHECKING:
    from mldata.build import Session
    from mldata.reporter import Reporter
    from store import Digest

__all__ = ["Checked", "check_dataset", "check_folder", "has_members", "open_memo"]

HELD = 50_000
"""Files whose state is held between listing and looking: some 600 bytes each. Of more, the place is listed twice."""


class Checked(NamedTuple):
    """What was found in files."""

    report: FilesReport
    places: Mapping[str, Path]
    """Where the files are that are neither valid nor skipped, by their paths in the report."""


def open_memo() -> Memo:
    """What is known of contents. It is the user's, whatever the project: equal bytes are equally whole everywhere."""
    return default_memo(cache_folder())


def check_folder(path: str, place: str, looking: Looking, reporter: Reporter) -> Checked:
    """Look at the files of the folder at ``path``, or at one file; ``place`` is what the user calls it.

    Raises:
        UsageError: there is nothing at ``path``.
    """
    found = FilesReportBuilder()
    listed = _Listed(lambda: (it for it in walk(Path(path)) if isinstance(it, Target)))
    for it in walk(Path(path)):
        if isinstance(it, Target):
            listed.add(it)
        else:
            found.add(it)
    return _check(place, listed, found, looking, reporter)


def check_dataset(session: Session, dataset: str, looking: Looking, *, members: bool = False) -> Checked:
    """Look at the raw files of a dataset whose sources have been fetched.

    Args:
        members: at the media files that came out of archives, too; its table has been made.

    Raises a ``store`` error for objects that are lost.
    """
    listed = _Listed(lambda: _targets(session, dataset, members))
    for target in listed.again():
        listed.add(target)
    return _check(dataset, listed, FilesReportBuilder(), looking, session.reporter)


def has_members(session: Session, dataset: str) -> bool:
    """Whether a dataset whose sources have been fetched has archives, whose members only its table tells."""
    from mldata.archives import SUFFIXES

    tree = _raw(session, dataset)
    return tree is not None and any(
        path.lower().endswith(SUFFIXES) for path, _ in raw_files(session.store, tree, ())
    )


def _raw(session: Session, dataset: str) -> Digest | None:
    receipt = session.state.receipt(dataset, "fetch")
    return raw_tree(receipt.output, receipt.facts) if receipt is not None else None


def _targets(session: Session, dataset: str, members: bool) -> Iterator[Target]:
    from mldata.table import Table

    store = session.store
    tree = _raw(session, dataset)
    excluded = session.state.spec(dataset).normalize.get("exclude", {})
    seen = set()
    if tree is not None:
        for path, entry in raw_files(store, tree, ()):
            seen.add(entry.digest)
            if path in excluded and excluded[path] in (None, entry.digest):
                continue  # as no build reads it
            yield Target(path, store.path(entry.digest), entry.digest)
    made = session.state.receipt(dataset, "normalize") if members else None
    media = Table.open(store, made.output).media if made is not None else None
    if media is not None:
        for path, entry in store.walk(media):
            if entry.digest not in seen:
                yield Target(path, store.path(entry.digest), entry.digest)


class _Listed:
    """The files of a place: held up to :data:`HELD`, else only by their paths, and listed again.

    Args:
        again: lists them.
    """

    def __init__(self, again: Callable[[], Iterator[Target]]) -> None:
        self.again = again
        self.paths: list[str] = []
        self.size = 0
        """Bytes, as far as they are known."""
        self._held: list[Target] = []

    def add(self, target: Target) -> None:
        """One more."""
        self.paths.append(target.path)
        if target.stat is not None:
            self.size += target.stat.st_size
        if len(self.paths) <= HELD:
            self._held.append(target)
        else:
            self._held.clear()

    def chosen(self, share: Fraction, seed: int) -> tuple[int, Iterator[Target]]:
        """How many are looked at, and which."""
        targets = iter(self._held) if len(self.paths) <= HELD else self.again()
        if share >= 1:
            return len(self.paths), targets
        numbers = choose(self.paths, share, seed)
        paths = {self.paths[number] for number in numbers}
        return len(numbers), (target for target in targets if target.path in paths)


def _check(
    place: str, listed: _Listed, found: FilesReportBuilder, looking: Looking, reporter: Reporter
) -> Checked:
    """Look at what is listed; ``found`` has what there is to tell of the place already."""
    share = share_of(len(listed.paths), looking.share)
    count, chosen = listed.chosen(share, looking.seed)
    timeout = looking.timeout or TIMEOUT
    total = len(listed.paths) + found.count
    interrupted, places = False, dict[str, Path]()
    taken: deque[Target] = deque()

    def given() -> Iterator[Target]:
        for target in chosen:
            taken.append(target)
            yield target

    with (
        Checking(Options(looking.jobs, timeout), open_memo()) as checking,
        FilesProgress(reporter, place, count, int(listed.size * share)) as progress,
    ):
        try:
            for result in checking.run(given(), progress.done):
                target = taken.popleft()  # results come in the order of the targets
                found.add(result)
                progress.found(result.verdict == CORRUPT)
                if result.verdict not in (VALID, SKIPPED):
                    places[result.path] = Path(target.file)
        except KeyboardInterrupt:  # what is known by now is told
            interrupted = True
    report = found.report(
        place,
        total=total,
        sampled=Sampled(float(share), looking.seed, count, len(listed.paths)) if share < 1 else None,
        interrupted=interrupted,
        settings={"timeout": timeout},
        fail_on=looking.fail_on,
    )
    return Checked(report, places)
