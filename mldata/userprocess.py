"""Runs a user's functions in a process of its own, and ends it with everything that it started.

The process is a fresh interpreter in a session of its own: Ctrl-C is for this one, which then ends it; and it ends by itself when this one
dies. It gets a folder with the request, a copy of the code, and room for its output, and is ended by a time limit. It is kept from
accidents, not from malice: the code is the user's own and has the user's rights.

The memory limit is of address space beyond what the interpreter with Arrow has (``RLIMIT_AS``), for each process that the code starts;
where a system has no such limit (macOS, Windows) it is not kept.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from mldata.userfailure import UserCodeError, answer
from mldata.userrequest import Limits, Request, own_path, prepare

__all__ = ["Limits", "Request", "UserCodeError", "run_request"]

POLL = 0.1
"""Seconds between looks at whether the build is being stopped."""
MOST_PRINTED = 256 << 20
LONGEST_FOLDER = 60
"""The path of a socket has at most some 100 bytes, and multiprocessing puts its own in ``TMPDIR``."""
_START = "import sys; sys.path[:] = {path!r}; from mldata.userchild import main; main({folder!r})"


def run_request(
    request: Request,
    limits: Limits,
    folder: Path,
    root: Path,
    checkpoint: Callable[[], None],
    printed: Callable[[str], None],
) -> dict[str, Any]:
    """Run the steps in a process of its own.

    Args:
        folder: an empty folder for all that it needs; outputs are in ``out/00000000``, ``out/00000001``, ... of it afterwards.
        root: the project's folder, which the code does not see.
        checkpoint: raises when the build is being stopped; called every tenth of a second.
        printed: takes what the code has printed, when it ended well.

    Returns:
        ``rows`` before each step and after the last, ``fragments`` (rows of each), ``schema`` and ``wide`` (columns with integers
        beyond ±2**53).

    Raises:
        UserCodeError: with the traceback of the code, and the end of what it printed.
    """
    prepare(request, limits, folder, root)
    with open(folder / "printed", "wb") as output:
        process = _start(folder, root, output.fileno())
        try:
            late = _wait(process, limits.seconds, folder / "printed", checkpoint)
        finally:
            _end(process)
    return answer(request, limits, folder, process.returncode, late, printed)


def _start(folder: Path, root: Path, output: int) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    if len(str(folder)) <= LONGEST_FOLDER:
        kept["TMPDIR"] = str(folder / "tmp")
    environment = kept | {
        "PYTHONHASHSEED": "0",
        # Arrow's other allocators reserve address space far ahead, which the memory limit would count.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
    # This module's own folder may be on the path by the working folder only.
    home = str(Path(__file__).resolve().parent.parent)
    start = _START.format(path=[*own_path(root), home], folder=str(folder))
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-u", "-c", start],  # -u: what it printed is there even if it crashes
            cwd=folder / "work",
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except OSError as error:
        raise UserCodeError(
            f"no process could be started for the code: {error.strerror}", where=sys.executable
        ) from None


def _wait(
    process: subprocess.Popen[bytes], seconds: float | None, printed: Path, checkpoint: Callable[[], None]
) -> str | None:
    """Wait until it ended or has to be; why it has to be."""
    begun = time.monotonic()
    while True:
        checkpoint()
        left = POLL if seconds is None else min(POLL, begun + seconds - time.monotonic())
        if left <= 0:
            return f"it did not end within {seconds:g} s"
        with suppress(subprocess.TimeoutExpired):
            process.wait(left)
            return None
        if printed.stat().st_size > MOST_PRINTED:
            return f"it printed more than {MOST_PRINTED >> 20} MiB"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and those that it started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()  # Windows has no groups of processes
    process.wait()
    if process.stdin is not None:
        process.stdin.close()
