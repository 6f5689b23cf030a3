"""Edits of ``mldata.yaml`` by machine, and the text that ``mldata init`` begins with.

An edit inserts text at one place and leaves every other character as it was: comments, order, quotes, indentation and
line ends are the user's. Invariant: the text that comes back parses to the old spec plus what was added, or nothing
comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mldata import yamltree
from mldata.errors import SpecError, UsageError, Where
from mldata.spec import InvalidSpec, export_faults, parse_dataset, parse_spec
from mldata.specgraph import graph_faults
from mldata.speclines import SAFE, Lines, end_of, flow, last_line, scalar
from mldata.yamltree import Node, Problem, Scalar

__all__ = ["TEMPLATE", "add_dataset"]

TEMPLATE = """\
# What to build; 'mldata build' builds it. A wrong key or value is reported with its line and column.
version: 1

# store: .mldata/store   # where built data is kept; several projects may share one folder
# link: auto             # how exports are made of it: auto, reflink, hardlink or copy

datasets:
  # 'mldata add NAME SOURCE' adds a dataset here; or write one:
  #
  # penguins:
  #   source: data/penguins/*.csv    # a file, a folder, a glob, dataset://NAME, or a list of these
  #   normalize: {columns: snake_case, types: {year: int16}, nulls: ["", NA]}
  #   transform: [{filter: "year > 2007"}, clean.py:clean]    # steps, and functions of your own
  #   split: {train: 0.8, val: 0.1, test: 0.1, seed: 42, stratify: species}
  #   export: {to: artifacts/penguins, formats: [parquet]}
"""

_WIDTH = 110


class _Place(NamedTuple):
    """Where the new text goes: ``text[start:end]`` is replaced by ``before + entry + after``."""

    start: int
    end: int
    indent: int
    """Columns before the new entry's name; -1: it goes into ``{...}``."""
    before: str = ""
    after: str = ""
    step: int = 2
    """Columns that a setting is indented more than the name."""


def add_dataset(text: str, name: str, dataset: Mapping[str, Any], file: str = "mldata.yaml") -> str:
    """The spec ``text`` with one more dataset at its end.

    Args:
        text: a valid spec.
        name: of the new dataset.
        dataset: its section, as Python values: source, normalize, split, export. Defaults may be left out.
        file: the spec's name, for messages.

    Raises:
        InvalidSpec: the text, or the new dataset, is not valid.
        UsageError: a dataset of that name exists; the error names its line.
        SpecError: the text is laid out in a way that cannot be edited safely.
    """
    old = parse_spec(text, file).to_plain()
    root = yamltree.compose(text, file).root
    assert isinstance(root, yamltree.Mapping)
    found = root.find("datasets")
    datasets = found[1] if found else None
    if isinstance(datasets, yamltree.Mapping) and (there := datasets.find(name)):
        where = Where(file, there[0].span.line, there[0].span.column)
        raise UsageError(
            f"dataset {name!r} is there already", where=where, hint="choose another name, or edit it there"
        )
    plain = parse_dataset(name, dataset, name)
    datasets_then = {**old["datasets"], name: plain}
    clashes = [
        Problem(Where(f"{file}: {name}"), fault.message, fault.hint)
        for fault in (*export_faults(datasets_then), *graph_faults(datasets_then))
    ]
    if clashes:
        raise InvalidSpec(clashes)
    place = _place(lines := Lines(text), root, found)
    new = _insert(lines, place, name, dataset)
    if not _says(new, {**old, "datasets": datasets_then}):
        raise SpecError(
            "the layout of this file does not let a dataset be added safely",
            where=Where(file),
            hint="add by hand:\n" + "\n".join(_block(name, dataset, 2, 2)),
        )
    return new


def _says(text: str, plain: Mapping[str, Any]) -> bool:
    try:
        return parse_spec(text, "").to_plain() == plain
    except InvalidSpec:
        return False


def _place(lines: Lines, root: yamltree.Mapping, found: tuple[Scalar, Node] | None) -> _Place:
    if found is None:
        return _beside(lines, root)
    key, datasets = found
    if isinstance(datasets, yamltree.Mapping) and datasets.entries:
        return _in_flow(lines, datasets) if datasets.flow else _after_last(lines, datasets)
    return _in_empty(lines, root, key, datasets)


def _in_flow(lines: Lines, mapping: yamltree.Mapping) -> _Place:
    offset = lines.offset(*end_of(mapping.entries[-1][1]))
    return _Place(offset, offset, -1, before=", ")


def _after_last(lines: Lines, datasets: yamltree.Mapping) -> _Place:
    column = datasets.entries[0][0].span.column - 1
    line = lines.comments_after(last_line(lines, datasets), column)
    blank = len(datasets.entries) > 1 and lines.blank_before(datasets.entries[-1][0].span.line)
    offset = lines.starts[line]
    last = datasets.entries[-1][1]
    step = 2
    if isinstance(last, yamltree.Mapping) and not last.flow:
        step = last.entries[0][0].span.column - 1 - column
    return _Place(offset, offset, column, before=lines.newline if blank else "", step=step)


def _in_empty(lines: Lines, root: yamltree.Mapping, key: Scalar, value: Node) -> _Place:
    """``datasets:`` with nothing, null or ``{}``, which goes away."""
    start = lines.offset(value.span.line, value.span.column)
    end = lines.offset(value.span.end_line, value.span.end_column)
    if root.flow:
        return _Place(start, end, -1, before=" {" if start == end else "{", after="}")
    indent = key.span.column + 1
    comment_end = lines.comments_after(key.span.line, key.span.column - 1)
    if start == end:
        return _Place(lines.starts[comment_end], lines.starts[comment_end], indent)
    if value.span.line != key.span.line or value.span.end_line != key.span.line:
        return _Place(start, end, -1, before="{", after="}")
    # Take "{}" out of its line, keep a comment behind it, and go on below.
    behind = lines.text[end : lines.starts[comment_end]]
    return _Place(start, lines.starts[comment_end], indent, before=behind)


def _beside(lines: Lines, root: yamltree.Mapping) -> _Place:
    """No ``datasets`` yet: it goes to the end of the file's mapping."""
    if root.flow:
        offset = lines.offset(*end_of(root.entries[-1][1]))
        return _Place(offset, offset, -1, before=", datasets: {", after="}")
    column = root.entries[0][0].span.column - 1
    offset = lines.starts[last_line(lines, root)]
    return _Place(offset, offset, column + 2, before=f"{lines.newline}{' ' * column}datasets:{lines.newline}")


def _insert(lines: Lines, place: _Place, name: str, dataset: Mapping[str, Any]) -> str:
    text = lines.text
    if place.indent < 0:
        entry = f"{flow(name)}: {flow(dataset)}"
    else:
        entry = "".join(line + lines.newline for line in _block(name, dataset, place.indent, place.step))
        head = text[: place.start] + place.before
        if head and head[-1] not in "\r\n":
            entry = lines.newline + entry
    before = (
        text[: place.start].rstrip(" ")
        if place.start < place.end and place.indent >= 0
        else text[: place.start]
    )
    return before + place.before + entry + place.after + text[place.end :]


def _block(name: str, dataset: Mapping[str, Any], indent: int, step: int) -> list[str]:
    """The entry in lines: one a setting, and one a source if they do not fit on a line."""
    outer, inner = " " * indent, " " * (indent + step)
    result = [f"{outer}{scalar(name, SAFE)}:"]
    for key, value in dataset.items():
        if isinstance(value, list | tuple) and len(inner) + len(flow(value)) > _WIDTH - 10:
            result.append(f"{inner}{key}:")
            result += [f"{inner}  - {scalar(item, SAFE)}" for item in value]
        elif isinstance(value, Mapping | list | tuple):
            result.append(f"{inner}{key}: {flow(value)}")
        else:
            result.append(f"{inner}{key}: {scalar(value, SAFE)}")
    return result
