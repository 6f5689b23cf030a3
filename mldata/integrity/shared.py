"""Workers that many actions share: started when the first asks, ended when nobody refers to them any more."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator, Iterable
from threading import Lock
from typing import TYPE_CHECKING, Any

from mldata.integrity.checking import Checking, Options, Target
from mldata.integrity.memo import default_memo
from mldata.userfolders import cache_folder

if TYPE_CHECKING:
    from mldata.integrity.base import FileCheckResult

__all__ = ["SharedChecking"]


class SharedChecking:
    """A :class:`mldata.integrity.checking.Checking` with the user's memo, which can be sent to another process: that one starts its own workers.

    Args:
        timeout: seconds for one file.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._lock = Lock()
        self._checking: Checking | None = None

    def run(self, targets: Iterable[Target]) -> Generator[FileCheckResult, None, None]:
        """See :meth:`mldata.integrity.checking.Checking.run`."""
        with self._lock:
            if self._checking is None:
                self._checking = Checking(Options(timeout=self.timeout), default_memo(cache_folder()))
                weakref.finalize(self, self._checking.close)
        return self._checking.run(targets)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[float]]:
        return SharedChecking, (self.timeout,)
