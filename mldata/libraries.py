"""Versions of the libraries that write outputs, which are in the keys of actions."""

from __future__ import annotations

import os
import re
import sys
from functools import cache
from itertools import takewhile

__all__ = ["library_version"]

INFO = ".dist-info"
"""What the folder ends with that an installer leaves of a distribution, next to its modules."""


@cache
def library_version(name: str) -> str:
    """The version of a distribution, or ``absent``; of ``zlib`` and ``zstd``, the version of the library that runs inside of Python."""
    if name == "zlib":
        import zlib

        return zlib.ZLIB_RUNTIME_VERSION
    try:
        if name == "zstd":
            from mldata.zstd import zstd_version

            return zstd_version
        return _listed(name) or _looked_up(name)
    except ImportError:
        return "absent"


def _listed(name: str) -> str | None:
    """The version of a distribution that is installed as usual; None: it is not, and Python is to say.

    Python itself loads ``email`` and ``zipfile`` to say it, which takes longer than most commands that have nothing to do.
    """
    wanted = _normal(name)
    for place in sys.path:
        try:
            entries = os.listdir(place or ".")
        except FileNotFoundError:
            continue
        except OSError:
            return None  # an archive of modules
        infos = (it for it in entries if it.endswith((INFO, ".egg-info")))
        found = [it for it in infos if _normal(it.partition("-")[0]) == wanted]
        if found:
            usual = len(found) == 1 and found[0].endswith(INFO)
            return _told(os.path.join(place, found[0])) if usual else None
    return None


def _normal(name: str) -> str:
    """Names of distributions are equal without regard to case, and to which of ``-``, ``_`` and ``.`` they have."""
    return re.sub(r"[-_.]+", "_", name).lower()


def _told(folder: str) -> str | None:
    """The version in what an installer has left."""
    try:
        with open(os.path.join(folder, "METADATA"), encoding="utf-8") as file:
            head = takewhile(str.strip, file)
            return next((line.split(":", 1)[1].strip() for line in head if line.startswith("Version:")), None)
    except (OSError, UnicodeDecodeError):
        return None


def _looked_up(name: str) -> str:
    from importlib.metadata import version

    return version(name)
