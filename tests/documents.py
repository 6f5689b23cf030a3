"""Takes the fenced examples out of a Markdown page and compares what they print with what the page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

SECONDS = re.compile(r"\b\d+\.\d s\b")


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    text: str
    line: int
    """Where its text starts, counted from 1."""


@dataclass(frozen=True)
class Step:
    """One command of a ``console`` block, and the output shown under it (None: not shown)."""

    command: str
    expected: str | None
    line: int


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page, in order."""
    return [Block(m[1], m[2], page.count("\n", 0, m.start(2)) + 1) for m in FENCE.finditer(page)]


def steps(block: Block) -> Iterator[Step]:
    """The commands of a ``console`` block: lines that start with ``$``, continued after a backslash."""
    command, shown, start, more = "", list[str](), 0, False
    for number, line in enumerate(block.text.splitlines(), block.line):
        if more:
            command += "\n" + line
        elif line.startswith("$ "):
            if command:
                yield Step(command, "\n".join(shown) if shown else None, start)
            command, shown, start = line[2:], [], number
        else:
            if not command:
                raise ValueError(f"line {number}: output before the first command")
            shown.append(line)
            continue
        more = line.endswith("\\")
    if command:
        yield Step(command, "\n".join(shown) if shown else None, start)


def matches(expected: str, got: str) -> bool:
    """Whether ``got`` is ``expected``: a line ``...`` stands for any lines, ``...`` in a line for any characters.

    Runs of spaces count as one, since columns are padded to the longest name or path; how many seconds something took
    is not compared.
    """
    expected, got = SECONDS.sub("S s", expected), SECONDS.sub("S s", got)
    pattern = ""
    for line in expected.strip().splitlines():
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            words = [r".*?".join(re.escape(part) for part in word.split("...")) for word in line.split()]
            pattern += r"[ ]*" + r"[ ]+".join(words) + r"[ ]*\n"
    return re.fullmatch(pattern, got.strip() + "\n") is not None
