"""An owner is told from others by machine, number and start, and is dead when it cannot be at work any more."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from store import claims
from store.claims import SILENT, Owner, alive, this_process


def test_an_owner_is_read_back() -> None:
    """What stands in a name says who it is."""
    owner = this_process()
    assert Owner.parse(str(owner)) == owner and owner.here and owner.pid == os.getpid()


@pytest.mark.parametrize(
    "text", ["", "a-1-2", "0123456789ab-x-2", "0123456789ab-1", "0123456789ab-1-2-3", "0123456789ab-１-2"]
)
def test_other_text_is_no_owner(text: str) -> None:
    """Names that nobody wrote are not taken for one."""
    assert Owner.parse(text) is None


def test_this_process_lives_however_silent() -> None:
    """On its own machine a process is asked after, not its clock."""
    assert alive(this_process(), 1e9)


def test_a_number_that_is_used_again_is_another_process() -> None:
    """A process that began at another time is not the owner."""
    owner = this_process()
    assert owner.start == 0 or not alive(owner._replace(start=owner.start + 1), 0)


def test_one_that_ended_is_dead() -> None:
    """Also while nobody has asked how it ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        owner = Owner(this_process().machine, child.pid, claims._start(child.pid) or 0)
        assert alive(owner, 0)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not alive(owner, 0) or owner.start == 0
    assert not alive(owner, 0)


def test_another_machine_is_believed_for_a_while() -> None:
    """Of a process elsewhere only its silence is known."""
    owner = Owner("0123456789ab", os.getpid(), 5)
    assert not owner.here and alive(owner, SILENT - 1) and not alive(owner, SILENT + 1)


def test_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody knows when a process began, one that is there and not silent is alive."""
    monkeypatch.setattr(claims, "_start", lambda _: None)
    owner = this_process()
    assert owner.start == 0 and alive(owner, 1) and not alive(owner, SILENT + 1)
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert not alive(owner._replace(pid=child.pid), 1)
