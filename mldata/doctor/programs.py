"""Programs that some sources and exports use."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mldata.doctor.base import Finding

__all__ = ["look"]

PROGRAMS = {
    "git": (("git", "--version"), "sources git+https://…", "https://git-scm.com"),
    "git-lfs": (
        ("git-lfs", "version"),
        "files of Git LFS in such sources",
        "https://git-lfs.com",
    ),
    "dvc": (("dvc", "--version"), "data that DVC keeps; mldata itself does without", "pip install dvc"),
}
"""How each tells its version, what it is for, and where it is from."""
TIMEOUT = 20.0
"""Seconds."""


def look(folder: Path, offline: bool) -> Iterator[Finding]:
    """Versions, asked side by side."""
    with ThreadPoolExecutor(len(PROGRAMS)) as pool:
        yield from pool.map(_program, PROGRAMS)


def _program(name: str) -> Finding:
    command, use, home = PROGRAMS[name]
    path = shutil.which(command[0])
    if path is None:
        return Finding("programs", name, "note", f"not installed; it is for {use}", f"Install it: {home}")
    again = f"Look at what it says: {' '.join(command)}"
    try:
        done = subprocess.run(
            [path, *command[1:]], capture_output=True, text=True, errors="replace", timeout=TIMEOUT,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("programs", name, "warn", f"{path} does not run: {error}", again)
    found = re.search(r"\d+(\.\d+)+\S*", done.stdout)
    if done.returncode != 0 or found is None:
        return Finding(
            "programs", name, "warn", f"{path} tells no version (exit code {done.returncode})", again
        )
    return Finding("programs", name, "ok", f"{found[0]}, {path}")
