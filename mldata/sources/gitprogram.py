"""Running the git program on behalf of a source, so that nothing it reads can make it do more than read.

Invariant: it asks nobody anything, runs no hook, speaks only the protocol of the source's own address, and takes nothing for an option that is
not one.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress

from mldata.download.base import Transient
from mldata.errors import AuthError, MissingExtra, MldataError, NetworkError, SourceError, brief

__all__ = ["Git"]

_KEPT = frozenset({
    "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_CERT", "GIT_SSL_KEY",
    "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_PROXY_COMMAND", "GIT_EXEC_PATH",
})  # fmt: skip
"""What the user says about connections; any other variable of git's may belong to a repository that this runs in."""
_SETTINGS = (
    "core.askPass=", f"core.hooksPath={os.devnull}", f"core.attributesFile={os.devnull}", "core.fsmonitor=false", "credential.interactive=false",
    "fetch.recurseSubmodules=false", "submodule.recurse=false", "gc.auto=0", "maintenance.auto=false", "fetch.negotiationAlgorithm=noop",
    "http.lowSpeedLimit=1", "http.lowSpeedTime=30", "protocol.version=2", "advice.graftFileDeprecated=false",
)  # fmt: skip
_FAULTS = (
    (r"host key verification failed", "host"),
    (r"could not read (username|password)|authentication failed|permission denied|terminal prompts disabled|returned error: 40[13]|"
     r"access denied|invalid credentials", "denied"),
    (r"not our ref|unadvertised object|couldn't find remote ref|no such ref", "revision"),
    (r"does not support shallow|dumb http", "dumb"),
    (r"returned error: (404|410)|repository .*not (found|exist)|does not appear to be a git|no such file or directory|not found:", "missing"),
    (r"dubious ownership", "owner"),
)  # fmt: skip


class Git:
    """The program, for one address.

    Args:
        url: of the repository, as git has it.
        where: the source as the user wrote it.
    """

    def __init__(self, url: str, where: str) -> None:
        self.url, self.where = url, where
        self._protocol = url.partition("://")[0]
        self._ssh: bool | None = None
        self._running: set[subprocess.Popen[bytes]] = set()

    def command(self, *words: str) -> list[str]:
        """The command line. Raises ``MissingExtra`` where there is no git."""
        program = shutil.which("git")
        if program is None:
            raise MissingExtra("git+... needs the program git, which is not installed", where=self.where,
                               hint="Install it: https://git-scm.com/downloads")  # fmt: skip
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        return [program, *settings, *words]

    def environment(self) -> dict[str, str]:
        """What the program is to see of the environment."""
        kept = {
            key: value
            for key, value in os.environ.items()
            if (not key.startswith("GIT_") or key in _KEPT) and key != "SSH_ASKPASS"
        }
        if self._protocol == "ssh" and not self._own_ssh(kept):
            kept["GIT_SSH_COMMAND"] = "ssh -oBatchMode=yes -oConnectTimeout=15"
        allowed = {"http": "http:https"}.get(self._protocol, self._protocol)
        return kept | {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": allowed,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "LC_ALL": "C",
            "LANGUAGE": "",
        }

    def _own_ssh(self, environment: Mapping[str, str]) -> bool:
        """Whether the user says how ssh is to be run."""
        if "GIT_SSH" in environment or "GIT_SSH_COMMAND" in environment:
            return True
        if self._ssh is None:
            asked = self.command("config", "--global", "--get", "core.sshCommand")
            done = subprocess.run(
                asked, env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True, check=False
            )
            self._ssh = done.returncode == 0
        return self._ssh

    def run(
        self,
        *words: str,
        folder: str | None = None,
        given: bytes = b"",
        variables: Mapping[str, str] | None = None,
    ) -> bytes:
        """What it prints.

        Args:
            folder: of the repository.
            given: to its standard input.
            variables: of the environment, besides.

        Raises:
            SourceError, AuthError, Transient, NetworkError: it failed, as far as can be told.
        """
        command = self.command(*(("-C", folder) if folder else ()), *words)
        environment = {**self.environment(), **(variables or {})}
        pipe = subprocess.PIPE
        try:
            # A session of its own has no terminal that ssh could ask for a password, and can be ended as a whole.
            running = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True
            )
        except OSError as error:
            raise SourceError(
                f"git cannot be run: {error.strerror}", where=self.where, hint="Try: git --version"
            ) from None
        with running:
            self._running.add(running)
            try:
                out, err = running.communicate(given)
            except BaseException:
                _end(running)
                raise
            finally:
                self._running.discard(running)
        if running.returncode:
            raise self.fault(err)
        return out

    def stop(self) -> None:
        """End what runs; whoever waits for it gets an error."""
        for running in list(self._running):
            _end(running)

    def fault(self, stderr: bytes) -> MldataError:
        """The error for what it said. What the other side had it say (``remote:``) is not shown."""
        lines = [
            line for line in stderr.decode("utf-8", "replace").splitlines() if not line.startswith("remote:")
        ]
        text = re.sub(r"\?\S+|//[^/@\s]+@", "", " ".join(" ".join(lines).split()))
        said = brief("".join(c for c in text if c.isprintable()), 300) or "nothing was said"
        kind = next((kind for pattern, kind in _FAULTS if re.search(pattern, text, re.IGNORECASE)), "")
        where = self.where
        if kind == "host":
            return AuthError("the host is not known, or has another key than before", where=where,
                             hint="Compare its key, and take it into ~/.ssh/known_hosts: ssh HOST")  # fmt: skip
        if kind == "denied":
            return AuthError("the repository is private, or there is none of this name", where=where,
                             hint="Have a token in git's credential helper, or a key in the ssh agent: `git ls-remote` with this address must work.")  # fmt: skip
        if kind == "revision":
            return SourceError(f"the repository does not have this revision ({said})", where=where,
                               hint="Look at what it has: git ls-remote")  # fmt: skip
        if kind == "missing":
            return SourceError(f"there is no such repository ({said})", where=where,
                               hint="Look at how it is written, upper and lower case too.")  # fmt: skip
        if kind == "dumb":
            return NetworkError("the server does not speak git's own protocol, only files of a repository", where=where,
                                hint="Clone it yourself, and give the path of the files.")  # fmt: skip
        if kind == "owner":
            return SourceError("the repository belongs to somebody else on this machine", where=where,
                               hint="If you trust it: git config --global --add safe.directory FOLDER")  # fmt: skip
        if re.search(r"returned error: (408|429|5\d\d)|timed? ?out|could not resolve|refused|reset|early eof|hung up|disconnect|unable to access|RPC failed|SSL", text):  # fmt: skip
            return Transient(f"git got no good answer: {said}", where=where)
        return NetworkError(
            f"git failed: {said}", where=where, hint="Try the same with git itself: git ls-remote"
        )


def _end(running: subprocess.Popen[bytes]) -> None:
    """End a process with those that it began."""
    if sys.platform == "win32":
        running.kill()
    elif running.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
