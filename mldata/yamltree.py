"""A YAML text as a tree that knows where everything stands, for files that people write.

Invariants: nothing is resolved behind the reader's back, so a scalar keeps its text as written and its
:attr:`Scalar.value` follows the YAML 1.2 core schema (``NO``, ``1:30`` and ``0123`` stay text). Every mapping key is a
scalar and occurs once. Anchors, aliases, tags and further documents are refused, so the tree is never larger than the
text; nesting is bounded, so walking it never exhausts the stack. No input text makes :func:`compose` raise.

References: https://yaml.org/spec/1.2.2/#103-core-schema and https://yaml.org/spec/1.2.2/#51-character-set
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import yaml

from mldata.errors import Where

__all__ = ["Document", "Mapping", "Node", "Problem", "Scalar", "Sequence", "compose"]

MAX_DEPTH = 40
"""Mappings and lists inside each other; a spec needs five."""
MAX_CHARACTERS = 8 * 1024 * 1024

_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
# Core schema, less one thing: a leading zero ("0123") is 83 in YAML 1.1 and 123 in 1.2, so it is no number here.
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,39})")
_INT_BASE = re.compile(r"0o[0-7]{1,40}|0x[0-9a-fA-F]{1,40}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Problem(NamedTuple):
    """One thing that is wrong in a file: where, what was expected and found, and what to do about it."""

    where: Where
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}"
        return f"{text}\n  {self.hint}" if self.hint else text


@dataclass(frozen=True, slots=True)
class Span:
    """From the first character to behind the last; lines and columns count from 1, columns in characters."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value."""

    text: str
    """As written, after unquoting and unfolding."""
    style: str | None
    """None for a plain scalar, else one of ``' " | >``."""
    span: Span

    @property
    def value(self) -> bool | int | float | str | None:
        """By the core schema when plain, else the text. ``.inf`` and ``.nan`` stay text: no setting takes them."""
        text = self.text
        if self.style is not None:
            return text
        if text in _NULL:
            return None
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        if _INT.fullmatch(text):
            return int(text)
        if _INT_BASE.fullmatch(text):
            return int(text, 0)
        return float(text) if _FLOAT.fullmatch(text) else text


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    flow: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order of the file."""

    entries: tuple[tuple[Scalar, Node], ...]
    flow: bool
    span: Span

    def find(self, key: str) -> tuple[Scalar, Node] | None:
        """The entry called ``key``."""
        return next((entry for entry in self.entries if entry[0].text == key), None)


Node: TypeAlias = Scalar | Sequence | Mapping


class Document(NamedTuple):
    """What :func:`compose` found."""

    root: Node | None
    """None if the text is empty or not YAML."""
    problems: tuple[Problem, ...]


class _Open:
    """A list or mapping whose end has not been read yet."""

    __slots__ = ("flow", "is_mapping", "key", "keys", "nodes", "start")

    def __init__(self, is_mapping: bool, flow: bool, start: Any) -> None:
        self.is_mapping = is_mapping
        self.flow = flow
        self.start = start
        self.key: Scalar | None = None
        self.keys: dict[str, Scalar] = {}
        self.nodes: list[Any] = []


class _Refused(Exception):
    def __init__(self, mark: Any, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.mark = mark
        self.hint = hint


def compose(text: str | bytes, file: str) -> Document:
    """Read one YAML document. ``file`` is only for messages. Reports duplicate keys together, other faults singly."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode("utf-8")
            found = f"byte 0x{error.object[error.start]:02x}"
            return _fault(file, before, f"expected UTF-8 text, found {found}", "save the file as UTF-8")
    if text.startswith("\ufeff"):
        return _fault(
            file, "", "expected text, found a byte order mark", "save the file as UTF-8 without BOM"
        )
    if bad := _NOT_YAML.search(text):
        found = f"the control character U+{ord(bad.group()):04X}"
        return _fault(
            file, text[: bad.start()], f"expected text, found {found}", "remove it, or write it as an escape"
        )
    if len(text) > MAX_CHARACTERS:
        return _fault(file, "", f"expected at most {MAX_CHARACTERS} characters, found {len(text)}", None)
    problems: list[Problem] = []
    try:
        root = _compose(_events(text), file, problems)
    except _Refused as refused:
        where = Where(file, refused.mark.line + 1, refused.mark.column + 1)
        return Document(None, (Problem(where, str(refused), refused.hint),))
    except yaml.MarkedYAMLError as error:
        return Document(None, (_syntax(error, text, file),))
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # ValueError: PyYAML's own scanner lets chr() and int() fail on absurd escapes and %YAML directives.
        return _fault(file, "", f"not YAML: {error}", None)
    return Document(root, tuple(problems))


def _events(text: str) -> Iterator[Any]:
    loader = _Loader(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


def _compose(events: Iterator[Any], file: str, problems: list[Problem]) -> Node | None:
    root: Node | None = None
    stack: list[_Open] = []
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent) and root is not None:
            raise _Refused(event.start_mark, "expected one YAML document, found a second one")
        _refuse_extras(event)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            style = None if event.implicit[0] else event.style
            if any("\ud800" <= character <= "\udfff" for character in event.value):
                raise _Refused(event.start_mark, "expected text, found an escape of half a surrogate pair")
            node = Scalar(event.value, style, _span(event.start_mark, event.end_mark))
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(stack) == MAX_DEPTH:
                raise _Refused(event.start_mark, f"expected at most {MAX_DEPTH} levels of nesting")
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            if stack and stack[-1].is_mapping and stack[-1].key is None:
                raise _Refused(
                    event.start_mark, f"expected a name as key, found a {'mapping' if is_mapping else 'list'}"
                )
            stack.append(_Open(is_mapping, bool(event.flow_style), event.start_mark))
            continue
        elif isinstance(event, yaml.CollectionEndEvent):
            done = stack.pop()
            span = _span(done.start, event.end_mark)
            kind: Any = Mapping if done.is_mapping else Sequence
            node = kind(tuple(done.nodes), done.flow, span)
        else:
            continue
        if stack:
            _attach(stack[-1], node, file, problems)
        else:
            root = node
    return root


def _attach(parent: _Open, node: Node, file: str, problems: list[Problem]) -> None:
    if not parent.is_mapping:
        parent.nodes.append(node)
    elif parent.key is None:
        assert isinstance(node, Scalar)  # a collection as key was refused at its start
        parent.key = node
        first = parent.keys.setdefault(node.text, node)
        if first is not node:
            where = Where(file, node.span.line, node.span.column)
            at = f"line {first.span.line}, column {first.span.column}"
            problems.append(
                Problem(where, f"{node.text!r} is given twice, first at {at}", "remove or rename one of them")
            )
    else:
        if (
            parent.keys[parent.key.text] is parent.key
        ):  # the second of two equal keys is reported and left out
            parent.nodes.append((parent.key, node))
        parent.key = None


def _refuse_extras(event: Any) -> None:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
        mark = "*" if isinstance(event, yaml.AliasEvent) else "&"
        raise _Refused(
            event.start_mark,
            f"anchors and aliases are not supported, found {mark + str(event.anchor)!r}",
            "write the value out, or put the text in quotes if it begins with & or *",
        )
    if getattr(event, "tag", None) is not None:
        raise _Refused(
            event.start_mark,
            f"YAML tags are not supported, found {event.tag!r}",
            "leave the tag out; to have text, put it in quotes",
        )


def _span(start: Any, end: Any) -> Span:
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    mark: Any = error.problem_mark or error.context_mark
    where = Where(file, mark.line + 1, mark.column + 1) if mark else Where(file)
    lines = text.splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    message = f"not YAML: {error.problem or 'cannot be read'}"
    if error.context:
        message += f" ({error.context})"
    before = line[: mark.column + 1] if mark else ""
    if "\t" in before and before.strip(" \t-") == "":
        return Problem(where, "expected spaces as indentation, found a tab", "replace tabs by spaces")
    quote = "alias" in message or "anchor" in message or "start any token" in message
    return Problem(where, message, "put the value in quotes if it is meant as text" if quote else None)


def _fault(file: str, before: str, message: str, hint: str | None) -> Document:
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return Document(None, (Problem(Where(file, line, column), message, hint),))
