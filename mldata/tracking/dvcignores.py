"""``.gitignore`` and ``.dvcignore`` around an export that DVC tracks.

What DVC tracks, git is to ignore: ``dvc add data`` writes ``/data`` into the ``.gitignore`` beside it, unless git ignores it already. And
what ``.dvcignore`` names is not there for DVC.

Invariant: lines are added at the end, with the file's own line ends, and no others removed than those of what DVC no longer tracks; a file
that says enough already is not touched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mldata.errors import UsageError
from mldata.tracking.gitattributes import read_regular
from mldata.tracking.ignoring import Rules

if TYPE_CHECKING:
    from mldata.dvcrepo import DvcRepository
    from mldata.tracking.gitrepository import Repository

__all__ = ["DVCIGNORE", "GITIGNORE", "check_visible", "gitignore_edited", "gitignore_text", "taken"]

GITIGNORE, DVCIGNORE = ".gitignore", ".dvcignore"
_SPECIAL = re.compile(r"[\[\]!*#?\\]| $")

Value = TypeVar("Value")


def git_rules(git: Repository, folder: Path) -> Rules:
    """What git ignores in a folder."""
    return Rules(git.root, folder, GITIGNORE, git.common_dir / "info" / "exclude")


def check_visible(dvc_file: Path, git: Repository) -> None:
    """Raise ``UsageError`` where git ignores the ``.dvc`` file: DVC refuses to read such a one, and it would never be committed."""
    if said := git_rules(git, dvc_file.parent).ignored(dvc_file):
        where, pattern = said
        raise UsageError(
            f"git ignores {dvc_file.name} by the pattern {pattern!r}, and DVC reads no .dvc file that git ignores",
            where=where,
            hint="Take the pattern out, or add a line below it that takes the file back: !*.dvc (git needs its folder not to be ignored).",
        )


def gitignore_text(folder: Path, git: Repository) -> bytes | None:
    """What the ``.gitignore`` beside ``folder`` has to be so that git ignores the folder; None if it does already.

    Raises:
        UsageError: it is a link or a folder, or cannot be read.
    """
    return gitignore_edited(folder.parent, {folder.name: True}, (), git)


def gitignore_edited(
    folder: Path, wanted: Mapping[str, bool], gone: Iterable[str], git: Repository
) -> bytes | None:
    """What the ``.gitignore`` in ``folder`` has to be so that git ignores what is wanted; None if it is that already.

    Args:
        wanted: names in the folder; whether each is one of a folder.
        gone: names whose lines are taken out.

    Raises:
        UsageError: it is a link or a folder, or cannot be read.
    """
    rules = git_rules(git, folder)
    lines = [_line(name) for name, below in wanted.items() if not rules.ignored(folder / name, folder=below)]
    old = {_line(name) for name in gone}
    if not lines and not old:
        return None
    path = folder / GITIGNORE
    try:
        there = read_regular(path)
        if there is None and os.path.lexists(path):
            raise OSError
    except OSError:
        raise UsageError(
            "expected a regular file that can be read, found something else",
            where=str(path),
            hint="Look at it: git heeds no link there.",
        ) from None
    there = there or b""
    newline = b"\r\n" if there.partition(b"\n")[0].endswith(b"\r") else b"\n"
    kept = b"".join(line for line in there.splitlines(keepends=True) if line.rstrip(b"\r\n") not in old)
    between = newline if lines and kept and not kept.endswith(b"\n") else b""
    text = kept + between + b"".join(line + newline for line in lines)
    return text if text != there else None


def _line(name: str) -> bytes:
    return b"/" + _SPECIAL.sub(r"\\\g<0>", name).encode("utf-8")


def taken(
    files: Mapping[str, Value], folder: Path, dvc: DvcRepository | None
) -> tuple[dict[str, Value], list[str]]:
    """The files of an export that DVC sees, and the paths of those that ``.dvcignore`` hides from it.

    Raises:
        UsageError: it hides the folder itself.
    """
    rules = Rules(dvc.root, folder.parent, DVCIGNORE) if dvc is not None else None
    if not rules:
        return dict(files), []
    if said := rules.ignored(folder, folder=True):
        raise UsageError(
            f"DVC is told to ignore {folder.name} by the pattern {said[1]!r}",
            where=said[0],
            hint="Take the pattern out, or export to another folder.",
        )
    seen: dict[str, Value] = {}
    hidden = []
    for path, value in files.items():
        if rules.ignored(folder / path):
            hidden.append(path)
        else:
            seen[path] = value
    return seen, hidden
