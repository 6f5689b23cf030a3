"""Who holds a folder that one process at a time may write in: said by the folder's name, so that a rename is the whole claim.

A rename happens once, on network filesystems without locks too: of two processes that rename the same folder, one finds it gone.

Invariant: what :func:`alive` says is dead writes no more, if it ran on this machine; if it ran on another one it has been silent
for :data:`SILENT` seconds, and may only be asleep.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from store.digest import digest_bytes

__all__ = ["SILENT", "Owner", "alive", "this_process"]

SILENT = 60.0
"""Seconds after which an owner on another machine is taken for dead. One that lives touches its folder more often than this."""


class Owner(NamedTuple):
    """A process somewhere."""

    machine: str
    """12 characters that tell one from another: a host since its last start, a container in it."""
    pid: int
    start: int
    """When the process began, as its kernel counts; 0 where that cannot be known."""

    def __str__(self) -> str:
        return f"{self.machine}-{self.pid}-{self.start}"

    @property
    def here(self) -> bool:
        """Whether it runs, or ran, where this process does."""
        return self.machine == _machine()

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """The owner that :meth:`__str__` wrote, or None."""
        parts = text.split("-")
        if (
            len(parts) == 3
            and len(parts[0]) == 12
            and all(part.isascii() and part.isdigit() for part in parts[1:])
        ):
            return cls(parts[0], int(parts[1]), int(parts[2]))
        return None


def this_process() -> Owner:
    """The process that asks. After ``fork`` the child is another one."""
    pid = os.getpid()
    return Owner(_machine(), pid, _start(pid) or 0)


def alive(owner: Owner, silence: float) -> bool:
    """Whether an owner may still be at work.

    Args:
        silence: seconds since it last touched its folder, by the filesystem's own clock.
    """
    if not owner.here:
        return silence < SILENT
    start = _start(owner.pid)
    if start is not None:
        return start == owner.start
    return _exists(owner.pid) and silence < SILENT


@cache
def _machine() -> str:
    parts = [socket.gethostname()]
    for path in ("/proc/sys/kernel/random/boot_id", "/etc/machine-id"):
        try:
            parts.append(Path(path).read_text("ascii").strip())
        except (OSError, ValueError):
            continue
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))  # a pid means something within it only
    return digest_bytes("\n".join(parts).encode())[:12]


def _start(pid: int) -> int | None:
    """When a process began, in ticks since the machine did; 0 if there is none (one that is only waited for is none), None where nobody knows."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0 if os.path.exists("/proc/self/stat") else None
    fields = stat[stat.rfind(b")") + 2 :].split()  # the name before may hold anything
    return 0 if fields[0] in (b"Z", b"X") else int(fields[19])


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
