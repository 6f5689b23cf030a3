"""What has to be written into which ``.gitattributes`` for the files of an export to go to Git LFS.

A line goes to the file of the repository's root, where ``git lfs track`` run there would put it and where people look for it; the export's
folder holds nothing but the export. Where a nested file has the last word on a path, the line goes to that one, at its end, since there it
counts.

Invariant: nothing is written here. What is planned was tried: files are tracked by what git would then find.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mldata.errors import UsageError, shown
from mldata.tracking.gitattributes import ATTRIBUTES, LONGEST, Finding, Stack, read_regular
from mldata.tracking.gitlfspatterns import Kind, append_lines, line_of, lines_for
from mldata.tracking.gitlfsplace import LFS, Settings, folders_of, number_of_files, stack_of
from mldata.tracking.gitrepository import Repository
from mldata.tracking.wildmatch import matcher

__all__ = ["Edit", "Plan", "make_plan"]


@dataclass(frozen=True)
class Edit:
    """Lines for the end of one file."""

    path: Path
    name: str
    """Below the root."""
    patterns: tuple[str, ...]
    before: bytes | None
    """What the file had; None: there is none."""
    after: bytes

    def write(self) -> None:
        """Publish it. Raises ``UsageError`` if the file was changed meanwhile, and ``StoreError``."""
        from store import publish_bytes

        if read_regular(self.path) != self.before:
            raise UsageError(
                "the file was changed while mldata wrote lines for it",
                where=str(self.path),
                hint="Run the same command again.",
            )
        mode = self.path.stat().st_mode & 0o777 if self.before is not None else 0o644
        publish_bytes(self.path, self.after, mode=mode)
        if self.before is not None:
            os.chmod(self.path, mode)

    def check(self) -> None:
        """Raise ``UsageError`` where it cannot be written."""
        where = str(self.path)
        lines = "\n  ".join(os.fsdecode(line_of(pattern)) for pattern in self.patterns)
        if self.before is None and os.path.lexists(self.path):
            raise UsageError(
                f"expected a file, found {'a link, which git does not follow' if self.path.is_symlink() else 'something else'}",
                where=where,
                hint=f"Put a file there, with these lines at its end:\n  {lines}",
            )
        locked = self.before is not None and not self.path.stat().st_mode & 0o222
        if locked or not os.access(self.path if self.before is not None else self.path.parent, os.W_OK):
            raise UsageError(
                f"expected to add {len(self.patterns)} lines for Git LFS, found a file that is read-only",
                where=where,
                hint=f"Let it be written (chmod u+w {where}), or add these lines at its end yourself:\n  {lines}",
            )


@dataclass(frozen=True)
class Plan:
    """What to do."""

    edits: tuple[Edit, ...]
    tracked: tuple[str, ...]
    """The files of the export that LFS keeps with this, by their path in it."""
    warnings: tuple[str, ...]


def make_plan(
    repository: Repository,
    settings: Settings,
    prefix: str,
    wanted: Mapping[str, Kind],
    paths: Collection[str],
    known: Callable[[], Iterable[str]],
) -> Plan:
    """Plan the lines for an export.

    Args:
        prefix: of the export below the root: empty, or with ``/`` at its end.
        wanted: what is to go to LFS, by path in the export.
        paths: all its files.
        known: the paths below the root that git has.
    """
    folders = folders_of(prefix, paths)
    try:
        stack = stack_of(repository, settings, folders)
        found = {path: stack.find(os.fsencode(prefix + path)) for path in wanted}
        missing: dict[str, dict[str, Kind]] = {}
        for path, finding in found.items():
            if finding.state != LFS and finding.file not in stack.first:  # no line could overrule that
                missing.setdefault(_nested(finding), {})[path] = wanted[path]
        others = [path for path in paths if path not in wanted]
        free = _Free(stack, prefix, frozenset(paths), known)
        edits = [
            _edit(repository, folder, patterns)
            for folder in sorted(missing)
            if (patterns := _lines(folder, prefix, missing[folder], others, free))
        ]
        if edits:
            stack = stack_of(
                repository,
                settings,
                folders,
                {edit.name.removesuffix(ATTRIBUTES): edit.after for edit in edits},
            )
    except OSError as error:
        raise UsageError(
            f"expected to read it, found: {error.strerror}", where=str(error.filename)
        ) from error
    same = found if not edits else {}
    then = {path: same.get(path) or stack.find(os.fsencode(prefix + path)) for path in paths}
    tracked = tuple(path for path in paths if then[path].state == LFS)
    return Plan(tuple(edits), tracked, tuple(_warnings(found, then)))


def _nested(finding: Finding) -> str:
    """The folder whose file has the last word, if it is not the root's or one outside the repository."""
    file = finding.file
    return os.fsdecode(file.base) if file is not None and file.shared else ""


def _lines(
    folder: str, prefix: str, missing: Mapping[str, Kind], others: Iterable[str], free: _Free
) -> list[str]:
    """The patterns of the file in ``folder``, which is above the export or in it."""
    below = folder.removeprefix(prefix) if len(folder) > len(prefix) else ""
    patterns = lines_for(
        {path.removeprefix(below): kind for path, kind in missing.items()},
        [path.removeprefix(below) for path in others if path.startswith(below)],
        prefix[len(folder) :],
        lambda pattern: free.of(folder, pattern),
    )
    return [pattern for pattern in patterns if len(line_of(pattern)) < LONGEST]  # git skips others


def _edit(repository: Repository, folder: str, patterns: list[str]) -> Edit:
    path = repository.root / folder / ATTRIBUTES
    before = read_regular(path)
    return Edit(path, folder + ATTRIBUTES, tuple(patterns), before, append_lines(before or b"", patterns))


class _Free:
    """Which patterns, bound to no folder, would make no file of the repository a file of LFS that is not of the export."""

    def __init__(
        self, stack: Stack, prefix: str, own: Collection[str], known: Callable[[], Iterable[str]]
    ) -> None:
        self._stack, self._prefix, self._own, self._known = stack, prefix, own, known

    def of(self, folder: str, pattern: str) -> bool:
        """Whether ``pattern`` may stand in the file of ``folder``."""
        made = matcher(os.fsencode(pattern), ignore_case=self._stack.ignore_case)
        assert made is not None
        for path in self._known():
            if not path.startswith(folder) or not made.expression.fullmatch(
                os.fsencode(path.rpartition("/")[2])
            ):
                continue
            mine = path.startswith(self._prefix) and path.removeprefix(self._prefix) in self._own
            if not mine and self._stack.find(os.fsencode(path)).state != LFS:
                return False
        return True


def _warnings(found: Mapping[str, Finding], then: Mapping[str, Finding]) -> Iterable[str]:
    said = Counter(
        (finding.file.name, finding.line.number, finding.line.pattern)
        for path, finding in found.items()
        if finding.state != LFS and finding.file and finding.line and then[path].state == LFS
    )
    for (name, number, pattern), count in said.items():
        yield (
            f"line {number} of {name} ({shown(os.fsdecode(pattern))}) keeps {number_of_files(count)} out of Git LFS; "
            "the lines added after it overrule that"
        )
    left = Counter(
        _where(finding) for path, finding in then.items() if path in found and finding.state != LFS
    )
    for where, count in left.items():
        yield f"{where} keeps {number_of_files(count)} out of Git LFS; change that, then run the same command again"
    outside = Counter(
        finding.file.name
        for finding in then.values()
        if finding.state == LFS and finding.file and not finding.file.shared
    )
    for name, count in outside.items():
        yield (
            f"{name} alone gives {number_of_files(count)} to Git LFS, which a clone of the repository does not have; "
            "to share it, add its lines to .gitattributes"
        )


def _where(finding: Finding) -> str:
    if finding.file is None or finding.line is None:
        return f"the length of the name, of which a line of .gitattributes has to be below {LONGEST:,} bytes,"
    return f"line {finding.line.number} of {finding.file.name}"
