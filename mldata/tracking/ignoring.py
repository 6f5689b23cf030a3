r"""What ``.gitignore`` and ``.dvcignore`` say of a path, as git and DVC read them.

Format (gitignore(5)): a line is a pattern; ``#`` begins a comment, ``!`` a pattern that takes back what an earlier one said, ``/`` at
the end makes it one for folders only, and spaces at the end count only behind ``\``. Of the patterns that match, the last one of the
deepest file counts; what is in an ignored folder is ignored, whatever is said of it.

Invariant: only files from a repository's root down to a path's own folder are read; what a user ignores everywhere
(``core.excludesFile``) is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mldata.errors import Where
from mldata.tracking.wildmatch import Matcher, matcher

__all__ = ["Rules"]


class _Rule(NamedTuple):
    matcher: Matcher
    base: bytes
    """The folder of its file below the root, with ``/`` at its end unless it is the root."""
    ignores: bool
    folders_only: bool
    where: Where
    text: str


class Rules:
    """The rules of one repository for what lies in one of its folders.

    Args:
        root: of the repository.
        folder: in it, or the root itself.
        name: of the files, ``.gitignore`` or ``.dvcignore``.
        first: a file whose patterns count before all others, as if it stood in the root.
    """

    def __init__(self, root: Path, folder: Path, name: str, first: Path | None = None) -> None:
        self._root = root
        self._rules: list[_Rule] = list(_read(first, b"")) if first is not None else []
        base = b""
        for part in (None, *folder.relative_to(root).parts):
            if part is not None:
                root = root / part
                base += part.encode("utf-8", "surrogateescape") + b"/"
            self._rules += _read(root / name, base)

    def __bool__(self) -> bool:
        return any(rule.ignores for rule in self._rules)

    def ignored(self, path: Path, *, folder: bool = False) -> tuple[Where, str] | None:
        """Where it is said that a path is ignored, and the pattern; None if it is not.

        Args:
            path: absolute, below the root.
            folder: the path is one.
        """
        parts = path.relative_to(self._root).parts
        for end in range(1, len(parts) + 1):
            below = "/".join(parts[:end]).encode("utf-8", "surrogateescape")
            rule = self._last(below, folder or end < len(parts))
            if rule is not None and rule.ignores:
                return rule.where, rule.text
        return None

    def _last(self, path: bytes, folder: bool) -> _Rule | None:
        for rule in reversed(self._rules):
            if rule.folders_only and not folder:
                continue
            if not path.startswith(rule.base):
                continue
            below = path[len(rule.base) :]
            asked = below.rpartition(b"/")[2] if rule.matcher.by_name else below
            if rule.matcher.expression.fullmatch(asked):
                return rule
        return None


def _read(path: Path, base: bytes) -> Iterator[_Rule]:
    try:
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
    except OSError:
        return
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        text = line.removesuffix(b"\r")
        while text.endswith(b" ") and not text.endswith(b"\\ "):
            text = text[:-1]
        if not text or text.startswith(b"#"):
            continue
        pattern = text.removeprefix(b"!")
        found = matcher(pattern.removesuffix(b"/"))
        if found is not None:
            where = Where(str(path), number)
            yield _Rule(
                found, base, pattern == text, pattern.endswith(b"/"), where, text.decode("utf-8", "replace")
            )
