"""The inside of a worker process: opens files, tells what they are, has them checked, and answers.

It answers batches: as many files as it gets done in :data:`ENOUGH` seconds. On a page of memory that it shares with the process that started
it, it says which file it is at since when, so that this one can end it when a decoder hangs.

Memory: the address space may grow by ``Options.memory`` beyond what it is when a batch begins, and by the size of a file that is mapped (``RLIMIT_AS``,
where the system keeps that). What a decoder then cannot have is a ``MemoryError``, and the file is skipped as ``too-large``: that a content needs more memory than it
may have is no proof that it is damaged. A content whose own header promises absurd sizes is a problem that its checker finds before it decodes.

It ends when the process that started it does, also in the middle of a decoder: the kernel kills it when the other end of a pipe is closed (Linux); elsewhere a thread waits
for that.
"""

from __future__ import annotations

import errno
import fcntl
import marshal
import mmap
import os
import signal
import stat as stat_module
import sys
import threading
import time
from pathlib import Path
from typing import Any

from blake3 import blake3

from mldata.integrity import KINDS, KindInfo, load_checker
from mldata.integrity.base import CORRUPT, UNKNOWN, Checker, Unsupported
from mldata.integrity.content import MAPPED, Content
from mldata.integrity.kinds import BAD_SIGNATURE, described, kind_by_name, kind_of, unrecognized
from mldata.integrity.look import EMPTY, NO_KIND, Look, Seen, kind_text, special, state_of
from mldata.integrity.page import Page
from mldata.snapshot import is_racy
from store import FileStat, serve

__all__ = ["main"]

ENOUGH = 0.1
"""Seconds after which a batch is answered as far as it is done."""
RATE = 4 << 20
"""Bytes a second that every decoder manages: a file that is larger than that times the timeout may take longer."""
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def main() -> None:
    """Answer until the input ends: first the settings, then batches."""
    child: _Child | None = None

    def answer(request: Any) -> Any:
        nonlocal child
        if child is None:
            child = _Child(**request)
            return True
        return child.batch(request)

    serve(answer)


class _Child:
    def __init__(
        self,
        page: int,
        lifeline: int,
        kinds: list[tuple[Any, ...]],
        timeout: float,
        memory: int,
        memo: str | None,
    ) -> None:
        _end_with(lifeline)
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # others reserve address space far ahead
        self._page = Page(mmap.mmap(page, 0))
        KINDS.clear()
        KINDS.update((kind[0], KindInfo(*kind)) for kind in kinds)
        self._numbers = {name: number for number, name in enumerate(KINDS, 1)}
        self._timeout, self._memory = timeout, memory
        self._checkers: dict[str, Checker] = {}
        self._memo = None
        if memo is not None:
            from mldata.integrity.memo import Memo

            self._memo = Memo(Path(memo))
        _no_cores()

    def batch(self, jobs: list[tuple[bytes, str, bool, str | None]]) -> list[tuple[Any, ...]]:
        """What was seen of the first of these files, at least of one.

        A job is where the file is, its name, whether a link may be followed to it, and the digest where it is known.
        """
        _limit_memory(self._memory)
        enough = time.monotonic() + ENOUGH
        looks: list[tuple[Any, ...]] = []
        for number, job in enumerate(jobs, 1):
            if looks and (self._page.stopped or time.monotonic() > enough):
                break
            self._page.begin(number, self._timeout)
            looks.append(self._sendable(self._look(*job)))
        self._page.end()
        return looks

    @staticmethod
    def _sendable(look: Look) -> tuple[Any, ...]:
        plain = tuple(look)
        try:
            marshal.dumps(plain)
        except ValueError:
            return tuple(
                Look(
                    look.file_type, look.size, code="internal", reason="a checker gave what is no plain value"
                )
            )
        return plain

    def _look(self, file: bytes, name: str, follow: bool, digest: str | None) -> Look:
        try:
            for _ in range(2):
                look = self._read(file, name, follow, digest)
                if look is not None:
                    return look
        except OSError as error:
            return _unreadable(error)
        return Look(code="changed", reason="it changed while it was read, and again")

    def _read(self, file: bytes, name: str, follow: bool, digest: str | None) -> Look | None:
        """None: it changed meanwhile."""
        taken = time.time_ns()
        descriptor = os.open(file, _READ if follow else _READ | os.O_NOFOLLOW)
        try:
            before = os.fstat(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        if not stat_module.S_ISREG(before.st_mode):
            os.close(descriptor)
            there = special(before.st_mode)
            return Look(there, reason=f"expected a file, found a {there}", code=there)
        limit = max(self._timeout, before.st_size / RATE)
        self._page.allow(limit, before.st_size)
        with Content(descriptor) as content:
            look = self._content(content, name, digest)
            after = FileStat.of(os.fstat(descriptor))
        if after != FileStat.of(before):
            return None
        if look.seen is None and look.code:
            return look
        return (
            look
            if digest is not None or is_racy(after.mtime_ns, after.ctime_ns, taken)
            else look._replace(state=state_of(after))
        )

    def _content(self, content: Content, name: str, digest: str | None) -> Look:
        promised = kind_by_name(name)
        if not content.size:
            if promised is None:
                return Look(reason=EMPTY)
            return Look(
                promised.name,
                verdict=CORRUPT,
                code="empty",
                reason=f"expected {kind_text(promised.name)} by the name, found no byte",
            )
        kind = kind_of(name, content.head)
        wrong = unrecognized(name, content.head) if kind is None else None
        if wrong is not None and wrong.code == BAD_SIGNATURE:
            wrong = None  # the checker of what is promised says more, and may look for the first frame
        kind = kind or promised
        if kind is None:
            other = described(content.head)
            return Look(size=content.size, reason=f"{other}, which is not checked" if other else NO_KIND)
        self._page.at(self._numbers[kind.name])
        if digest is None:
            digest = blake3(content.data).hexdigest()
        known = self._memo.seen(digest, kind.name) if self._memo is not None else None
        named = None if promised is None or promised.name == kind.name else promised.name
        look = Look(kind.name, content.size, promised=named, digest=digest)
        if known is None:
            mapped = content.size if content.size >= MAPPED else 0
            if mapped:
                _limit_memory(self._memory + mapped)
            try:
                known = tuple(Seen("", [wrong.to_json()]) if wrong else self._check(kind.name, content))
            except MemoryError:
                return look._replace(
                    code="too-large", reason=f"takes more than {self._memory >> 20:,} MiB of memory to decode"
                )
            except OSError as error:
                if error.errno == errno.EIO:
                    raise
                return look._replace(code="internal", reason=_fault(error))
            except Exception as error:
                return look._replace(code="internal", reason=_fault(error))
            finally:
                if mapped:
                    _limit_memory(self._memory)
        return look._replace(seen=known)

    def _check(self, kind: str, content: Content) -> Seen:
        checker = self._checkers.get(kind)
        if checker is None:
            checker = self._checkers[kind] = load_checker(kind)
            _limit_memory(self._memory)  # what the libraries take is not the file's
            self._page.restart()
        try:
            found = checker.check(content)
        except Unsupported as error:
            return Seen(unsupported=str(error))
        return Seen(found.decoder, [problem.to_json() for problem in found.problems], dict(found.facts))


def _fault(error: Exception) -> str:
    return f"a fault of this program, not of the file: {type(error).__name__}: {error}"


def _unreadable(error: OSError) -> Look:
    why = error.strerror or str(error)
    if error.errno == errno.EIO:
        return Look(verdict=CORRUPT, code="io-error", reason=f"cannot be read: {why}")
    if error.errno == errno.ELOOP:
        return Look("link", code="changed", reason="it became a link while it was looked at")
    code = "gone" if error.errno in (errno.ENOENT, errno.ENOTDIR) else "unreadable"
    return Look(UNKNOWN, code=code, reason=f"cannot be read: {why}")


def _limit_memory(most: int) -> None:
    """Let the address space grow by ``most`` bytes from here."""
    if sys.platform == "win32":
        return
    import resource

    try:
        with open("/proc/self/statm", "rb") as file:
            now = int(file.read().split(None, 1)[0]) * resource.getpagesize()
    except OSError:
        return  # a limit that does not count from here could be below what there is already
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most += now
    resource.setrlimit(
        resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
    )


def _no_cores() -> None:
    """A decoder that crashes leaves no file behind."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _end_with(lifeline: int) -> None:
    """End when nobody has the other end of this pipe any more, into which nothing is ever written."""
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    threading.Thread(target=_wait_for_end, args=(lifeline,), daemon=True).start()


def _wait_for_end(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(1)
