"""The bodies that are being read: given up when nothing comes from them, and when nobody wants them any more.

A thread that waits for bytes cannot look at a clock or a flag; so one more thread does, and breaks the connection under it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from mldata.download.base import Body, Transient
from mldata.download.retries import Stopped

__all__ = ["Bodies"]

TICK = 0.5
"""Seconds between two looks, at most."""


class _Open:
    """A body that is being read."""

    def __init__(self, body: Body, halt: threading.Event | None) -> None:
        self.body = body
        self.halt = halt
        self.heard = time.monotonic()
        """When the last bytes came; infinite while nobody waits for any."""
        self.silent = False

    def interrupt(self) -> None:
        """Make its reader fail soon."""
        with suppress(Exception):  # it is given up whatever it says
            getattr(self.body, "interrupt", self.body.close)()


class Bodies:
    """Those of one download, and the thread that watches them.

    Args:
        stall: seconds without a byte after which a body is given up.
        stop: set when nobody wants the bytes any more.
    """

    def __init__(self, stall: float, stop: threading.Event) -> None:
        self._stall = stall
        self._stop = stop
        self._lock = threading.Lock()
        self._open: dict[int, _Open] = {}
        self._looks: dict[int, Callable[[], None]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="download-watch", daemon=True)
        self._thread.start()

    def read(self, body: Body, where: str, halt: threading.Event | None = None) -> Iterator[bytes]:
        """What comes from a body.

        Args:
            halt: set when this very body is not wanted any more.

        Raises:
            Stopped: ``halt`` or ``stop`` is set.
            Transient: nothing came for too long, or as the body says.
        """
        here = _Open(body, halt)
        with self._lock:
            self._open[id(here)] = here
        try:
            for data in body:
                if self._unwanted(halt):
                    raise Stopped
                here.heard = float("inf")
                yield data
                here.heard = time.monotonic()
        except Stopped:
            raise
        except Exception as error:
            if self._unwanted(halt):
                raise Stopped from None
            if here.silent:
                raise Transient(f"no byte came for {self._stall:g} s", where=where) from None
            raise error
        finally:
            with self._lock:
                del self._open[id(here)]

    def _unwanted(self, halt: threading.Event | None) -> bool:
        return self._stop.is_set() or (halt is not None and halt.is_set())

    def interrupt(self, halt: threading.Event | None = None) -> None:
        """Give up those that are read with this ``halt``; None: all."""
        with self._lock:
            found = [it for it in self._open.values() if halt is None or it.halt is halt]
        for here in found:
            here.interrupt()

    def looking_after(self, look: Callable[[], None]) -> Callable[[], None]:
        """Call ``look`` every :data:`TICK` seconds, until what this returns is called."""
        with self._lock:
            self._looks[id(look)] = look

        def end() -> None:
            with self._lock:
                self._looks.pop(id(look), None)

        return end

    def close(self) -> None:
        """End the watching thread."""
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(min(TICK, self._stall / 4)):
            now = time.monotonic()
            with self._lock:
                silent = [it for it in self._open.values() if now - it.heard > self._stall]
                looks = list(self._looks.values())
            for here in silent:
                here.silent = True
                here.interrupt()
            for look in looks:
                with suppress(Exception):  # the one whose it is finds out himself
                    look()
