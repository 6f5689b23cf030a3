"""A YAML text by its lines, for edits by machine: where a node ends, and how a value is written so that every YAML reader takes it for the same.

Invariant: lines are counted as YAML (and so :mod:`mldata.yamltree`) counts them, and every character of the text is in one of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mldata import yamltree
from mldata.yamltree import Node, Scalar

__all__ = ["FLOW_SAFE", "SAFE", "Lines", "end_of", "flow", "last_line", "scalar"]

SAFE = re.compile(r"[A-Za-z0-9_./*?\[][A-Za-z0-9_./*?\[\] -]*")
"""What needs no quotes on a line of its own."""
FLOW_SAFE = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./*? -]*")
"""What needs no quotes inside brackets."""


class Lines:
    """The text by lines, with the offset of each."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = re.findall("[^\r\n\x85\u2028\u2029]*(?:\r\n|[\r\n\x85\u2028\u2029]|$)", text)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))
        first = re.search("\r\n|\n|\r", text)
        self.newline = first.group() if first else "\n"

    def offset(self, line: int, column: int) -> int:
        """Of a position counted from 1."""
        return self.starts[min(line, len(self.starts)) - 1] + column - 1

    def comments_after(self, line: int, deeper_than: int) -> int:
        """The last of the comment lines that follow ``line`` at once and are indented more than so many columns."""
        while line < len(self.lines):
            stripped = self.lines[line].lstrip(" ")
            if not stripped.startswith("#") or len(self.lines[line]) - len(stripped) <= deeper_than:
                break
            line += 1
        return line

    def blank_before(self, line: int) -> bool:
        """Whether a blank line stands before ``line`` and the comments that belong to it."""
        line -= 1
        while line > 0 and self.lines[line - 1].lstrip(" ").startswith("#"):
            line -= 1
        return line > 0 and not self.lines[line - 1].strip()


def end_of(node: Node) -> tuple[int, int]:
    """Behind the last character of what stands inside a flow mapping, where the parser's end is exact."""
    return node.span.end_line, node.span.end_column


def last_line(lines: Lines, node: Node) -> int:
    """The line (from 1) on which a node's own text ends; the parser's end of a block is where the next thing begins."""
    if isinstance(node, yamltree.Mapping) and not node.flow and node.entries:
        return last_line(lines, node.entries[-1][1])
    if isinstance(node, yamltree.Sequence) and not node.flow and node.items:
        return last_line(lines, node.items[-1])
    if isinstance(node, Scalar) and node.style in ("|", ">"):
        line = node.span.end_line - (1 if node.span.end_column == 1 else 0)
        while line > node.span.line and not lines.lines[line - 1].strip():
            line -= 1
        return line
    return node.span.end_line


def flow(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value, FLOW_SAFE)


def scalar(value: Any, safe: re.Pattern[str]) -> str:
    """Plain where every YAML reader takes it for the same text or number, else in double quotes."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if safe.fullmatch(text) and not text.endswith(" ") and _is_text(text):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub(
        "[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda match: f"\\u{ord(match.group()):04x}", quoted
    )


def _is_text(text: str) -> bool:
    """Whether YAML 1.1 reads the plain scalar as text too."""
    import yaml

    resolver: Any = yaml.resolver.Resolver()
    tag = resolver.resolve(yaml.ScalarNode, text, (True, False))
    return bool(tag == "tag:yaml.org,2002:str") and not re.fullmatch(
        r"[-+.0-9eExXoO_]+|[yYnN]|~|\.\.\.|---.*", text
    )
