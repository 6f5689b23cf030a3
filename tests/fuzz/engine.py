"""Runs examples made from numbers, a fixed few or as many as there is time for, and makes smaller what fails."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from types import FrameType
from typing import Any

MINUTES = float(os.environ.get("MLDATA_FUZZ", "0"))
SEED = os.environ.get("MLDATA_FUZZ_SEED")
CPU_SECONDS = 20.0
"""Of the processor, not of the clock, so that a busy machine is no failure: examples take some thousandths of this."""
TRIES = 400
"""How many smaller examples are tried."""


@dataclass(frozen=True)
class Example:
    """A file to be read."""

    name: str
    data: bytes
    params: dict[str, Any] = field(default_factory=dict)
    """Of normalize; those that are left out have their defaults."""
    piece: int | None = None
    """Bytes of a piece, if not as many as usual."""


class TooSlow(BaseException):
    """An example took more than its share of the processor. Not an ``Exception``, which what is tested could take."""


def fuzz(make: Callable[[Random], Example], check: Callable[[Example], object], quick: int) -> None:
    """Check examples; raise ``AssertionError`` with the number and a smaller form of the first that fails.

    Args:
        check: raises whatever it likes for a failure.
        quick: how many, where no time is given.
    """
    count = 0
    for seed in _seeds(quick):
        example = make(Random(seed))
        failure = _failure(check, example)
        if failure is not None:
            small, again = example, failure
            if not isinstance(failure, TooSlow):
                small = _smaller(check, example, _kind(failure))
                again = _failure(check, small) or failure
            raise AssertionError(
                f"MLDATA_FUZZ_SEED={seed} ({count} before it): {type(again).__name__}: {again}\n  {small!r}"
            ) from again
        count += 1
    if MINUTES:
        print(f"{count:,} examples of {getattr(make, '__module__', '')}.{make.__qualname__}")


def _seeds(quick: int) -> Iterator[int]:
    if SEED is not None:
        yield int(SEED)
    elif not MINUTES:
        yield from range(quick)
    else:
        end, seed = time.monotonic() + 60 * MINUTES, time.time_ns()
        while time.monotonic() < end:
            seed += 1
            yield seed


def _failure(check: Callable[[Example], object], example: Example) -> BaseException | None:
    try:
        with limited():
            check(example)
    except (Exception, TooSlow) as failure:
        return failure
    return None


@contextmanager
def limited(seconds: float = CPU_SECONDS) -> Iterator[None]:
    """Raise :class:`TooSlow` in here once so much time of the processor is used."""

    def stop(_: int, __: FrameType | None) -> None:
        raise TooSlow(f"more than {seconds:.0f} s of the processor")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _smaller(check: Callable[[Example], object], example: Example, kind: tuple[str, str] | None) -> Example:
    """The example without the bytes that it fails without, in the same way."""
    tries, size = 0, len(example.data) // 2
    while size and tries < TRIES:
        at = 0
        while at < len(example.data) and tries < TRIES:
            tries += 1
            less = replace(example, data=example.data[:at] + example.data[at + size :])
            if _kind(_failure(check, less)) == kind:
                example = less
            else:
                at += size
        size = min(size // 2, len(example.data) // 2) if size > 1 else 0
    return example


def _kind(failure: BaseException | None) -> tuple[str, str] | None:
    """What tells failures apart: the values in a message may become smaller with the example."""
    return None if failure is None else (type(failure).__name__, str(failure)[:20])
