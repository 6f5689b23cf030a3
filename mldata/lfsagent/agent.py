"""The agent: reads requests of git lfs, answers them one after the other, and goes on after one that fails.

Invariant: nothing but replies is written, each whole, and each ``upload`` and ``download`` gets one ``complete``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from mldata.lfsagent.handover import Handover
from mldata.lfsagent.place import Place
from mldata.lfsagent.protocol import LONGEST, Request, TransferError, complete, failure, parse, progress
from store import ObjectMissing, StoreError, StoreFull, StoreReadOnly

__all__ = ["Agent"]

FORBIDDEN, NO_ROOM, FAILED = 403, 507, 500

Opener = Callable[[bool], AbstractContextManager[Place]]
"""Opens the place of objects; called with whether something will be written there."""


class Agent:
    """One process that git lfs has started."""

    def __init__(self, requests: BinaryIO, replies: BinaryIO, opener: Opener) -> None:
        self._requests = requests
        self._replies = replies
        self._opener = opener
        self._place: Place | None = None

    def run(self) -> None:
        """Serve until git lfs says ``terminate`` or goes away.

        Raises:
            BrokenPipeError: git lfs no longer reads.
        """
        with ExitStack() as stack, Handover() as handover:
            while line := self._requests.readline(LONGEST + 1):
                try:
                    request = _request(line)
                    if request.event == "terminate":
                        return
                    if request.event == "init":
                        self._reply(self._init(request, stack))
                        continue
                except TransferError as error:
                    self._reply(failure(error, error.oid))
                    if len(line) > LONGEST:
                        return  # where the next line begins is unknown
                    continue
                self._reply(self._transfer(request, handover))

    def _init(self, request: Request, stack: ExitStack) -> dict[str, Any]:
        stack.close()  # said twice, the last holds
        try:
            self._place = stack.enter_context(self._opener(request.operation == "upload"))
        except Exception as error:
            self._place = None
            told = _told(error)
            return {"error": {"code": told.code, "message": str(told)}}
        return {}

    def _transfer(self, request: Request, handover: Handover) -> dict[str, Any]:
        last = 0

        def report(done: int) -> None:
            nonlocal last
            self._reply(progress(request.oid, done, done - last))
            last = done

        try:
            if self._place is None:
                raise TransferError(f"expected init before {request.event}, found none that succeeded")
            if request.event == "upload":
                self._place.keep(request.oid, request.size, Path(request.path), report)
                fetched = None
            else:
                fetched = self._place.fetch(request.oid, request.size, handover.folder(), report)
        except BrokenPipeError:
            raise
        except Exception as error:  # one transfer ends, the others go on
            return failure(_told(error), request.oid)
        return complete(request.oid, str(fetched) if fetched is not None else None)

    def _reply(self, message: dict[str, Any]) -> None:
        self._replies.write(json.dumps(message).encode() + b"\n")
        self._replies.flush()


def _request(line: bytes) -> Request:
    if len(line) > LONGEST:
        raise TransferError(f"expected a line of at most {LONGEST:,} bytes, found a longer one")
    return parse(line)


def _told(error: Exception) -> TransferError:
    """What git lfs shows for an error."""
    if isinstance(error, TransferError):
        return error
    if isinstance(error, ObjectMissing):
        return TransferError(str(error), 404)
    if isinstance(error, StoreReadOnly):
        return TransferError(str(error), FORBIDDEN)
    if isinstance(error, StoreFull):
        return TransferError(str(error), NO_ROOM)
    if isinstance(error, StoreError | OSError):
        return TransferError(str(error), FAILED)
    return TransferError(
        f"internal error of mldata: {type(error).__name__}: {error}; please report it", FAILED
    )
