"""Kinds of content for tests whose checkers hang, crash, or do what their content says. Workers import this module by name."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from mldata.integrity import KINDS, KindInfo
from mldata.integrity.base import Found, Problem, Unsupported
from mldata.integrity.content import Content

PATIENCE = 60.0
"""Seconds after which whoever waits for a condition gives up."""


def register(monkeypatch: pytest.MonkeyPatch, version: int = 1, libraries: tuple[str, ...] = ()) -> None:
    """Make ``.obey`` a kind, and ``.also``."""
    for suffix in ("obey", "also"):
        info = KindInfo(
            suffix, "table", (f".{suffix}",), "tests.integrity.decoders", "Obey", version, libraries
        )
        monkeypatch.setitem(KINDS, suffix, info)


def wait_for(path: Path) -> None:
    """Wait until there is something at ``path``."""
    until = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < until, f"{path} never came"
        time.sleep(0.01)


def running(pid: int) -> bool:
    """Whether a process is there, and no mere zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Obey:
    """Does what the content says: a word, and what that takes."""

    def check(self, content: Content) -> Found:
        """See ``Checker``."""
        word, _, rest = bytes(content.data).decode().partition(" ")
        what: Any = getattr(self, word)(rest)
        return what if isinstance(what, Found) else Found("Obey 1", (), {"pid": os.getpid()})

    def fine(self, rest: str) -> Found:
        return Found("Obey 1", (), {"text": rest})

    def bad(self, rest: str) -> Found:
        return Found(
            "Obey 1", [Problem("odd", "it is odd", "warning"), Problem("bad", "it is bad", offset=3)]
        )

    def odd(self, rest: str) -> Found:
        return Found("Obey 1", [Problem("odd", "it is odd", "warning", line=2, column=1)])

    def pid(self, rest: str) -> None:
        pass

    def log(self, rest: str) -> Found:
        with open(rest.split(" ")[0], "a") as file:
            file.write("looked\n")
        return Found("Obey 1", (), {"rest": rest})

    def sleep(self, rest: str) -> None:
        if rest:
            Path(rest).with_suffix(".new").write_text(str(os.getpid()))
            Path(rest).with_suffix(".new").rename(rest)
        time.sleep(600)

    def spin(self, rest: str) -> None:
        re.match("(a+)+$", "a" * 60 + "b")  # in C, and with the GIL

    def abort(self, rest: str) -> None:
        os.abort()

    def abort_once(self, rest: str) -> None:
        if not os.path.exists(rest):
            Path(rest).touch()
            os.abort()

    def abort_until(self, rest: str) -> None:
        if not os.path.exists(rest):
            os.abort()

    def fault_until(self, rest: str) -> None:
        if not os.path.exists(rest):
            raise ValueError("not yet")

    def wait(self, rest: str) -> None:
        wait_for(Path(rest))

    def touch(self, rest: str) -> None:
        Path(rest).touch()

    def allocate(self, rest: str) -> None:
        bytearray(int(rest))

    def fault(self, rest: str) -> None:
        raise KeyError("what a checker forgot")

    def numbers(self, rest: str) -> Found:
        return Found("Obey 1", (), {"object": object()})

    def cannot(self, rest: str) -> None:
        raise Unsupported("no decoder for it: pip install it")

    def grow(self, rest: str) -> None:
        with open(rest.strip(), "a") as file:
            file.write(" ")


class Anything:
    """Takes every content for sound."""

    def check(self, content: Content) -> Found:
        """See ``Checker``."""
        return Found("Anything 1")
