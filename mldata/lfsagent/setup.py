"""Tells a git repository to use the agent, in its own settings (``.git/config``): git lfs takes no program's name from a file that is cloned.

Invariant: an agent that the user has chosen himself stays, and nothing is set unless all can be.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from mldata.errors import UsageError
from mldata.lfsagent.git import git

__all__ = ["AGENT", "Setup", "plan"]

AGENT = "mldata"
"""What the agent is called in git's settings."""
_CHOSEN = "lfs.standalonetransferagent"


@dataclass(frozen=True)
class Setup:
    """What is to be set."""

    repository: Path
    """Its outermost folder."""
    settings: dict[str, str]
    """Git's settings, in order."""

    @property
    def commands(self) -> list[str]:
        """The same as commands for a shell."""
        return [
            shlex.join(["git", "config", "--local", name, value]) for name, value in self.settings.items()
        ]

    def apply(self) -> None:
        """Set them. Raises :class:`UsageError` where git cannot."""
        for (name, value), command in zip(self.settings.items(), self.commands, strict=True):
            if git("config", "--local", "--replace-all", name, value) is None:
                raise UsageError(
                    "git could not change the repository's settings",
                    where=str(self.repository),
                    hint=f"See why: {command}",
                )


def plan(store: Path) -> Setup:
    """What to set in the repository that the working folder lies in, so that git lfs uses the store in ``store`` (absolute).

    Raises:
        UsageError: git or git lfs is not installed, there is no repository, or it uses another agent.
    """
    if shutil.which("git") is None:
        raise UsageError("expected the program git, found none", hint="Install it: https://git-scm.com")
    top = git("rev-parse", "--show-toplevel") or git("rev-parse", "--absolute-git-dir")
    if top is None:
        raise UsageError(
            "expected a git repository, found none", where=os.getcwd(), hint="Make one: git init"
        )
    if git("lfs", "version") is None:
        raise UsageError(
            "expected git lfs to be installed, found no such command of git",
            hint="Install it (https://git-lfs.com; on Debian: apt install git-lfs), then: git lfs install",
        )
    chosen = git("config", "--local", "--get", _CHOSEN)
    if chosen not in (None, "", AGENT):
        raise UsageError(
            f"expected no transfer agent for git lfs, found '{chosen}'",
            where=top,
            hint=f"To use mldata in its place: git config --local --unset-all {_CHOSEN}, then run this again.",
        )
    program, first = _program()
    return Setup(
        Path(top),
        {
            f"lfs.customtransfer.{AGENT}.path": program,
            # Git lfs gives the arguments to a shell.
            f"lfs.customtransfer.{AGENT}.args": shlex.join([*first, "lfs-agent", "--store", str(store)]),
            f"lfs.customtransfer.{AGENT}.concurrent": "true",
            _CHOSEN: AGENT,
        },
    )


def _program() -> tuple[str, list[str]]:
    """How this very mldata is started from anywhere, whatever is on the search path of who runs git."""
    own = os.path.join(os.path.dirname(sys.executable), "mldata")
    if os.access(own, os.X_OK):
        return own, []
    # -P: a module of the repository that git runs in is never taken for one of mldata
    return sys.executable, ["-P", "-m", "mldata"]
