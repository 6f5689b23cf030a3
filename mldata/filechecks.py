"""Whether the files of a place are whole: of a folder as it stands, or of a dataset as the store has it.

A folder is walked and each file is looked at where it is; nothing is copied. Of a dataset, the raw files are looked at (what the source gave), and those media
files that came out of archives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mldata.integrity.base import CORRUPT, SKIPPED, VALID, FileCheckResult
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

__all__ = ["check_dataset", "check_folder", "has_members", "open_memo"]


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
    targets: list[Target] = []
    odd: list[FileCheckResult] = []
    for found in walk(Path(path)):
        if isinstance(found, Target):
            targets.append(found)
        else:
            odd.append(found)
    return _check(place, targets, odd, looking, reporter)


def check_dataset(session: Session, dataset: str, looking: Looking, *, members: bool = False) -> Checked:
    """Look at the raw files of a dataset whose sources have been fetched.

    Args:
        members: at the media files that came out of archives, too; its table has been made.

    Raises a ``store`` error for objects that are lost.
    """
    targets = list(_targets(session, dataset, members))
    return _check(dataset, targets, (), looking, session.reporter)


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


def _check(
    place: str,
    targets: Sequence[Target],
    odd: Iterable[FileCheckResult],
    looking: Looking,
    reporter: Reporter,
) -> Checked:
    share = share_of(len(targets), looking.share)
    chosen = (
        [targets[n] for n in choose([it.path for it in targets], share, looking.seed)]
        if share < 1
        else targets
    )
    timeout = looking.timeout or TIMEOUT
    found = FilesReportBuilder()
    total = len(targets)
    for result in odd:
        found.add(result)
        total += 1
    interrupted, places = False, dict[str, Path]()
    size = sum(target.stat.st_size for target in chosen if target.stat is not None)
    with (
        Checking(Options(looking.jobs, timeout), open_memo()) as checking,
        FilesProgress(reporter, place, len(chosen), size) as progress,
    ):
        try:
            for target, result in zip(chosen, checking.run(chosen, progress.done), strict=True):
                found.add(result)
                progress.found(result.verdict == CORRUPT)
                if result.verdict not in (VALID, SKIPPED):
                    places[result.path] = Path(target.file)
        except KeyboardInterrupt:  # what is known by now is told
            interrupted = True
    report = found.report(
        place,
        total=total,
        sampled=Sampled(float(share), looking.seed, len(chosen), len(targets)) if share < 1 else None,
        interrupted=interrupted,
        settings={"timeout": timeout},
        fail_on=looking.fail_on,
    )
    return Checked(report, places)
