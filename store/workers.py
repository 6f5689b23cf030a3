"""Worker processes for work that is many small system calls, where threads would spend their time handing over the GIL.

A worker is a fresh interpreter that answers requests, one at a time, until its input ends: so it shares no lock and no
file with this process but the descriptors it is given, and it ends when this process does, however that comes about.

Invariant: a request gets its whole answer, or :class:`WorkerLost` says that it has to be done in another way. Requests
and answers are whatever ``marshal`` takes: both ends are the same Python.
"""

from __future__ import annotations

import marshal
import os
import signal
import struct
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, BinaryIO, cast

_START = (
    "import sys; sys.path[:] = {path!r}; import importlib; importlib.import_module({module!r}).{function}()"
)
_LENGTH = struct.Struct("!Q")
PATIENCE = 10.0
"""Seconds."""


class WorkerLost(Exception):
    """The worker could not start, failed or was killed. What it was asked to do may be half done."""


def worker_count(most: int) -> int:
    """How many workers are worth it here, up to ``most``: 0 for one processor, or where no interpreter can be started."""
    if not sys.executable or getattr(sys, "frozen", False) or sys.platform == "win32":
        return 0  # Windows hands descriptors over in another way
    count = min(most, _processors())
    return count if count > 1 else 0


def _processors() -> int:
    own: Callable[[int], Collection[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(own(0)) if own is not None else os.cpu_count() or 1


class Worker:
    """One worker process. For one thread at a time."""

    def __init__(self, module: str, function: str, fds: Collection[int] = ()) -> None:
        """Start it, without waiting until it is up.

        Args:
            module, function: what the worker calls; it should end in :func:`serve`.
            fds: descriptors that the worker has under the same numbers.

        Raises:
            WorkerLost: no process could be started.
        """
        import subprocess

        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START.format(path=sys.path, module=module, function=function)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=tuple(fds),
                start_new_session=True,  # Ctrl-C is for this process, which then closes the worker's input
            )
        except OSError as error:
            raise WorkerLost(str(error)) from error

    @property
    def pid(self) -> int:
        """The process, for a test that kills it."""
        return self._process.pid

    def ask(self, request: Any) -> Any:
        """The worker's answer. Raises :class:`WorkerLost`."""
        try:
            _send(cast(BinaryIO, self._process.stdin), request)
            return _receive(cast(BinaryIO, self._process.stdout))
        except (EOFError, OSError) as error:
            raise WorkerLost(str(error)) from error

    def kill(self) -> None:
        """End the worker from another thread than that which asks it, and that one's :meth:`ask` with it."""
        self._process.kill()

    def end(self) -> None:
        """Let an idle worker come to its end, which lets go of what it holds; it is made to if it does not within :data:`PATIENCE`."""
        from subprocess import TimeoutExpired

        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(TimeoutExpired):
            self._process.wait(PATIENCE)
        self.close()

    def close(self) -> str:
        """End the worker, and wait until it has. What it is doing is given up.

        Returns:
            How it ended, for a message: by itself if it was lost, else by this call.
        """
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        code = self._process.wait()
        return f"exit code {code}" if code >= 0 else signal.strsignal(-code) or f"signal {-code}"


def serve(answer: Callable[[Any], Any]) -> None:  # pragma: no cover  # runs in the worker
    """Answer requests until there are no more."""
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not end up among the answers
    with suppress(EOFError):
        while True:
            _send(sink, answer(_receive(source)))


# Whole messages at once: marshal.load would read a pipe value by value.


def _send(sink: BinaryIO, message: Any) -> None:
    data = marshal.dumps(message)
    sink.write(_LENGTH.pack(len(data)) + data)
    sink.flush()


def _receive(source: BinaryIO) -> Any:
    """Raises ``EOFError`` where the stream ends, also in the middle of a message."""
    head = source.read(_LENGTH.size)
    if len(head) == _LENGTH.size:
        length = _LENGTH.unpack(head)[0]
        data = source.read(length)
        if len(data) == length:
            return marshal.loads(data)
    raise EOFError("the other end was closed")
