"""How long parts of a stage's work take, over all threads. What is done in another process is not seen."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mldata.stages.base import Outputs, Work

__all__ = ["Stopwatch"]


class Stopwatch:
    """Seconds by the names of parts."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._lock = Lock()

    def timed(self, name: str, work: Work) -> Work:
        """The same work, which is counted for the part."""

        def run(out: Outputs) -> Mapping[str, Any]:
            begun = time.perf_counter()
            try:
                return work.run(out)
            finally:
                with self._lock:
                    self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begun

        return replace(work, run=run)

    def __reduce__(self) -> tuple[type[Stopwatch], tuple[()]]:
        return Stopwatch, ()
