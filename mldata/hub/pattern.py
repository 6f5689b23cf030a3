"""Patterns of paths in a repository: ``*``, ``?`` and ``[…]`` within a name, and ``**`` for any number of folders.

As the Hub's own library reads them in the front matter of README.md. Invariant: matching takes time that grows with the length of pattern times path,
since both may be made by somebody who means harm.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from functools import lru_cache

__all__ = ["base_folder", "has_magic", "path_matcher"]

_MAGIC = re.compile(r"[*?\[]")


def has_magic(path: str) -> bool:
    """Whether it is a pattern."""
    return _MAGIC.search(path) is not None


def base_folder(pattern: str) -> str:
    """The folder that all that matches is below; empty for the repository itself."""
    steps = pattern.split("/")
    first = next((i for i, step in enumerate(steps) if has_magic(step)), len(steps) - 1)
    return "/".join(steps[:first])


@lru_cache(maxsize=256)
def path_matcher(pattern: str) -> Callable[[str], bool]:
    """What tells whether a pattern means the file at a path."""
    steps: list[Callable[[str], object] | None] = []
    for step in pattern.split("/"):
        if step != "**":
            steps.append(re.compile(fnmatch.translate(step)).match)
        elif not steps or steps[-1] is not None:
            steps.append(None)
    if steps[-1] is None:  # a folder is no file: one name at least
        steps.append(lambda name: True)

    def matches(path: str) -> bool:
        names = path.split("/")
        at = step = 0
        again: tuple[int, int] | None = None  # the last ** and what it has taken
        while at < len(names):
            if step < len(steps) and (test := steps[step]) is None:
                again, step = (step, at), step + 1
            elif step < len(steps) and test is not None and test(names[at]):
                at, step = at + 1, step + 1
            elif again is not None:
                again = (again[0], again[1] + 1)
                step, at = again[0] + 1, again[1]
            else:
                return False
        return step == len(steps)

    return matches
