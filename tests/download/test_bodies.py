"""Bodies that say nothing are given up, whatever kind of place they come from."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping

import pytest

from mldata.download.base import Transient, Validator
from mldata.download.bodies import Bodies
from mldata.download.retries import Stopped


class Silent:
    """A body of some library: one piece, and then nothing until it is closed."""

    start, ranges, reason = 0, True, None
    validator = Validator()
    digests: Mapping[str, str] = {}

    def __init__(self) -> None:
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield b"one"
        self.closed.wait(20)
        raise OSError("closed under a reader")

    def close(self) -> None:
        self.closed.set()

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def test_silence_is_a_passing_failure() -> None:
    """After so many seconds without a byte a body is closed, and its reader told why."""
    bodies = Bodies(0.2, threading.Event())
    begun = time.monotonic()
    with pytest.raises(Transient, match=r"no byte came for 0\.2 s"):
        list(bodies.read(Silent(), "here"))
    assert time.monotonic() - begun < 30
    bodies.close()


@pytest.mark.parametrize("own", [True, False])
def test_readers_are_stopped(own: bool) -> None:
    """Those of one file, or all, are ended at once though nothing comes."""
    stop, halt = threading.Event(), threading.Event()
    bodies = Bodies(60, stop)
    ended: list[BaseException] = []

    def read() -> None:
        try:
            list(bodies.read(Silent(), "here", halt))
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    (halt if own else stop).set()
    end = time.monotonic() + 60
    while thread.is_alive() and time.monotonic() < end:
        bodies.interrupt(halt if own else None)
        thread.join(0.02)
    assert [type(error) for error in ended] == [Stopped]
    bodies.close()


def test_who_computes_is_not_silent() -> None:
    """The time that the reader himself takes does not count."""
    bodies = Bodies(0.2, threading.Event())
    body = Silent()
    found = bodies.read(body, "here")
    assert next(found) == b"one"
    time.sleep(0.6)
    assert not body.closed.is_set()
    found.close()
    bodies.close()
