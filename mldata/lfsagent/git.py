"""Asks the program ``git`` about the repository that the working folder lies in."""

from __future__ import annotations

import subprocess

__all__ = ["git"]


def git(*args: str) -> str | None:
    """What ``git ARGS`` prints, without the last line end; None if it fails or is not installed."""
    try:
        done = subprocess.run(
            ["git", *args],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
        )
    except OSError:
        return None
    return done.stdout.removesuffix("\n") if done.returncode == 0 else None
