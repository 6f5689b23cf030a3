"""Quarantine: files that are corrupt are moved into a folder below that of the dataset, and back again.

The folder is a hidden one (``.quarantine``), which builds and later checks leave out (:mod:`mldata.litter`); files keep their relative paths in it, and its journal
(:mod:`mldata.integrity.journal`) says where each was. A path that is taken there gets a number: ``a.jpg.1``.

Invariants: nothing is deleted or written over, and nothing leaves the dataset's folder or is moved in it that links lead out of. A file that has changed since it was judged
stays where it is. A process that is killed at any moment loses nothing: the next call puts in order what it left.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.errors import UsageError, shown
from mldata.integrity.freepaths import free_path, make_folders, remove_empty
from mldata.integrity.journal import JOURNAL, Move, alone, read_journal, remove_leftovers, write_journal
from mldata.integrity.moving import move, same_file, sync_folder
from mldata.litter import litter

if TYPE_CHECKING:
    from mldata.integrity.base import FileCheckResult

__all__ = ["QUARANTINE", "Left", "Move", "Outcome", "check_quarantine", "quarantine", "restore"]

QUARANTINE = ".quarantine"
"""The usual name of the folder."""


@dataclass(frozen=True)
class Left:
    """A file that was not moved."""

    path: str
    """Below the dataset's folder."""
    why: str


@dataclass
class Outcome:
    """What a call has moved, and what it has not."""

    folder: Path
    moved: list[Move] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        """As ``--json`` shows it."""
        return {"moved": [move.to_json() for move in self.moved], "left": [vars(left) for left in self.left]}


def check_quarantine(root: Path, folder: Path) -> Path:
    """The quarantine's folder, absolute and without links; to be called before files are checked.

    Raises:
        UsageError: it does not lie below the dataset's folder ``root``, or builds would read it.
    """
    real_root, real = Path(os.path.realpath(root)), Path(os.path.realpath(folder))
    hint = f"For example: --quarantine {root / QUARANTINE}"
    if not real_root.is_dir():
        raise UsageError("expected a folder whose files are put into quarantine", where=str(root), hint=hint)
    if real == real_root or not real.is_relative_to(real_root):
        raise UsageError(
            f"expected a folder inside {root} for the quarantine, so that no file leaves the dataset; found {folder}",
            hint=hint,
        )
    if not any(litter(part) for part in real.relative_to(real_root).parts):
        raise UsageError(
            f"expected a hidden folder for the quarantine, which builds and checks leave out; found {folder}",
            hint=f"For example: --quarantine {folder.parent / ('.' + folder.name)}",
        )
    if real.exists() and not real.is_dir():
        raise UsageError("expected a folder for the quarantine, found a file", where=str(folder), hint=hint)
    return real


def quarantine(root: Path, folder: Path, files: Iterable[tuple[Path, FileCheckResult]]) -> Outcome:
    """Move files into quarantine.

    Args:
        root: the dataset's folder.
        folder: where to; made if it is not there.
        files: where each file is, and what was found in it; its ``digest`` is among the details.

    Raises:
        UsageError: as :func:`check_quarantine`; another process is at it; the folder or its journal cannot be written. Nothing was moved then.
    """
    real = check_quarantine(root, folder)
    base = os.path.realpath(root)
    outcome = Outcome(real)
    planned = list(_judged(base, real, files, outcome))
    if not planned:
        return outcome
    try:
        real.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot make a folder for the quarantine: {error.strerror or error}", where=str(folder)
        ) from None
    up = "/".join([".."] * len(real.relative_to(base).parts))
    with _opened(real, up) as kept:
        names = {JOURNAL}
        moves = [(it, replace(it.move, target=free_path(real, it.move.source, names))) for it in planned]
        write_journal(real, up, [*kept, *(move for _, move in moves)])
        for seen, entry in moves:
            try:
                if not seen.stands():
                    raise OSError("it has changed since it was checked")
                make_folders(real, entry.target)
                move(seen.path, os.path.join(real, entry.target))
            except OSError as error:
                outcome.left.append(Left(entry.source, _why(error)))
            else:
                outcome.moved.append(entry)
        _sync([os.path.dirname(seen.path) for seen, _ in moves])
        if outcome.left:
            done = [*kept, *outcome.moved]
            write_journal(real, up, done)
            _clean(real, done, [entry.target for _, entry in moves])
    outcome.left.sort(key=lambda left: left.path.encode(errors="surrogateescape"))
    return outcome


def restore(folder: Path, paths: Sequence[str] = ()) -> Outcome:
    """Move files out of quarantine, to where they were.

    Args:
        paths: these only, by where they were below the dataset's folder or where they are below the quarantine's; none: all.

    Raises:
        UsageError: the folder is no quarantine; it has no such path; another process is at it.
    """
    real = Path(os.path.realpath(folder))
    found = read_journal(real) if real.is_dir() else None
    if found is None:
        raise UsageError(
            f"expected a quarantine, found no {JOURNAL} there",
            where=str(folder),
            hint="Name the folder that was given to --quarantine.",
        )
    outcome = Outcome(real)
    up = found[0]
    depth = len(up.split("/"))
    if depth >= len(real.parts):
        raise UsageError("the journal of the quarantine names no folder above it", where=str(folder))
    base = os.fspath(real.parents[depth - 1])
    with _opened(real, up) as kept:
        chosen = _chosen(kept, paths, folder)
        for entry in reversed(chosen):  # of several at one place, that which was there last
            why = _move_back(base, real, entry)
            if why is None:
                outcome.moved.insert(0, entry)
            else:
                outcome.left.insert(0, Left(entry.source, why))
        _sync([os.path.dirname(os.path.join(base, entry.source)) for entry in outcome.moved])
        gone = {entry.target for entry in outcome.moved}
        rest = [entry for entry in kept if entry.target not in gone]
        if gone:
            write_journal(real, up, rest)
        _clean(real, rest, sorted(gone))
    return outcome


@dataclass(frozen=True)
class _Seen:
    """A file as it was when its content was compared with what was judged."""

    path: str
    move: Move
    state: tuple[int, ...]

    def stands(self) -> bool:
        """Whether nobody wrote to it since."""
        return _state(os.lstat(self.path)) == self.state


def _judged(
    base: str, real: Path, files: Iterable[tuple[Path, FileCheckResult]], outcome: Outcome
) -> Iterator[_Seen]:
    """The files that are still what they were when they were judged, each once."""
    known = set[str]()
    for file, result in files:
        path = os.path.join(os.path.realpath(file.parent), file.name)
        inside = os.path.relpath(path, base)
        if not path.startswith(os.path.join(base, "")):
            outcome.left.append(Left(result.path, "a link leads to it, out of the dataset's folder"))
        elif Path(path).is_relative_to(real):
            outcome.left.append(Left(result.path, "it is in the quarantine"))
        elif inside not in known:
            known.add(inside)
            try:
                yield _look(path, inside.replace(os.sep, "/"), result)
            except OSError as error:
                outcome.left.append(Left(inside, _why(error)))


def _look(path: str, inside: str, result: FileCheckResult) -> _Seen:
    """Raises ``OSError`` for a file that is not what was judged."""
    from store import hash_file

    before = os.lstat(path)
    if not (stat.S_ISREG(before.st_mode) or stat.S_ISLNK(before.st_mode)) or not os.path.isfile(path):
        raise OSError("it is no file any more")
    link = os.readlink(path) if stat.S_ISLNK(before.st_mode) else None
    found = hash_file(path)
    if "digest" not in result.details:
        raise OSError("it is not known which content was checked")
    if found.digest != result.details["digest"]:
        raise OSError("it has changed since it was checked")
    return _Seen(path, Move(inside, "", found.digest, found.size, result.error or "", link), _state(before))


def _state(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def _opened(real: Path, up: str) -> Iterator[list[Move]]:
    """The files in quarantine, with what an earlier call left put in order, while nobody else is at it."""
    with alone(real):
        remove_leftovers(real)
        found = read_journal(real)
        if found is not None and found[0] != up:
            raise UsageError(
                f"expected a quarantine of files of {os.path.normpath(real / up)}, found one of {os.path.normpath(real / found[0])}",
                where=str(real),
                hint="Choose another folder, or restore those first: --restore " + str(real),
            )
        base = os.path.normpath(real / up)
        entries = found[1] if found is not None else []
        kept = [entry for entry in entries if _is_kept(base, real, entry)]
        if len(kept) < len(entries):
            write_journal(real, up, kept)
            remove_empty(real, {entry.target for entry in entries})
        yield kept


def _is_kept(base: str, real: Path, entry: Move) -> bool:
    """Whether a file is in quarantine. One that a move which was cut off left under both names is taken out: it is where it was."""
    here, there = os.path.join(real, entry.target), os.path.join(base, entry.source)
    if not os.path.lexists(here):
        # Of a file that is at neither place the entry stays, so that it can be told.
        return not os.path.lexists(there)
    if same_file(here, there):
        os.unlink(here)
        return False
    return True


def _chosen(kept: Sequence[Move], paths: Sequence[str], folder: Path) -> list[Move]:
    if not paths:
        return list(kept)
    wanted = {path.removeprefix("./") for path in paths}
    for path in sorted(wanted - {name for entry in kept for name in (entry.source, entry.target)}):
        raise UsageError(
            f"expected the path of a file that is in quarantine, found {shown(path)}",
            where=str(folder),
            hint=f"{os.path.join(folder, JOURNAL)} has them all.",
        )
    return [entry for entry in kept if entry.source in wanted or entry.target in wanted]


def _move_back(base: str, real: Path, entry: Move) -> str | None:
    """Why a file cannot be moved back; None when it was."""
    from store import hash_file

    here, there = os.path.join(real, entry.target), os.path.join(base, entry.source)
    try:
        if not os.path.lexists(here):
            return "it is not in the quarantine any more"
        if os.path.lexists(there):
            return "something else is there now"
        folder = os.path.dirname(os.path.join(real, entry.target))
        if os.path.realpath(folder) != folder:
            return "a link leads to it, out of the quarantine"
        if entry.link is not None:
            changed = not os.path.islink(here) or os.readlink(here) != entry.link
        else:
            changed = not stat.S_ISREG(os.lstat(here).st_mode) or hash_file(here).digest != entry.digest
        if changed:
            return "it has changed in the quarantine"
        make_folders(base, entry.source)
        move(here, there)
    except OSError as error:
        return _why(error)
    return None


def _clean(real: Path, rest: Sequence[Move], targets: Iterable[str]) -> None:
    """Remove the folders that have become empty; the journal, and the quarantine itself, when nothing is left in it."""
    remove_empty(real, targets)
    if not rest:
        with suppress(OSError):
            os.unlink(real / JOURNAL)
            os.rmdir(real)


def _sync(folders: Iterable[str]) -> None:
    for folder in sorted(set(folders)):
        with suppress(OSError):
            sync_folder(folder)


def _why(error: OSError) -> str:
    return error.strerror or str(error)
