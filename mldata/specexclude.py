"""Edits of ``normalize: {exclude: ...}`` in ``mldata.yaml``: files are added to it and taken out again.

As :mod:`mldata.specedit`: text is put in or taken out at the places that it concerns, and every other character stays as it was. Invariant: the text that comes
back parses to the old spec with these files more or less, or nothing comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mldata import yamltree
from mldata.errors import SpecError, UnknownDataset, UsageError, Where
from mldata.spec import InvalidSpec, parse_spec
from mldata.speclines import FLOW_SAFE, Lines, end_of, flow, last_line, scalar
from mldata.yamltree import Node, Scalar

__all__ = ["exclude", "exclude_files", "include", "include_files"]

NORMALIZE, EXCLUDE = "normalize", "exclude"


class _Edit(NamedTuple):
    """``text[start:end]`` gives way to ``new``."""

    start: int
    end: int
    new: str = ""


def exclude(spec: Path, dataset: str, files: Mapping[str, str | None]) -> bool:
    """:func:`exclude_files` of the file ``spec``, which is replaced as a whole; whether it had to be."""
    return _rewrite(spec, lambda text: exclude_files(text, dataset, files, spec.name))


def include(spec: Path, dataset: str, paths: Collection[str] = ()) -> bool:
    """:func:`include_files` of the file ``spec``, which is replaced as a whole; whether it had to be."""
    return _rewrite(spec, lambda text: include_files(text, dataset, paths, spec.name))


def exclude_files(text: str, dataset: str, files: Mapping[str, str | None], file: str = "mldata.yaml") -> str:
    """The spec ``text`` with more files excluded from a dataset, after those that are.

    Args:
        text: a valid spec.
        files: digest by path, as raw files are named; None: whatever the content is. A digest that is there gives way. Where the spec has a list, which
            has no digests, paths alone are added.
        file: the spec's name, for messages.

    Raises:
        InvalidSpec: the text is not valid, or would not be. UnknownDataset. SpecError: it is laid out in a way that cannot be edited safely.
    """
    lines, node, old = _read(text, dataset, file)
    plain = dict(_plain(old, dataset).get(EXCLUDE, {}))
    found = _find(node)
    listed = found is not None and not isinstance(found, yamltree.Mapping) and not _is_empty(found)
    wanted = {
        path: None if listed else digest
        for path, digest in files.items()
        if path not in plain or (not listed and plain[path] != digest)
    }
    if not wanted:
        return text
    new = _apply(text, _adding(lines, node, wanted))
    hint = "add by hand, under normalize:\n  exclude:\n" + "".join(
        f"    {line}\n" for line in _entries(wanted, listed)
    )
    return _checked(new, old, dataset, plain | wanted, hint.rstrip(), file)


def include_files(text: str, dataset: str, paths: Collection[str] = (), file: str = "mldata.yaml") -> str:
    """The spec ``text`` with files of a dataset excluded no longer; ``paths``: none: all of them.

    Raises:
        UsageError: a path is not excluded. Others as :func:`exclude_files`.
    """
    lines, node, old = _read(text, dataset, file)
    plain = dict(_plain(old, dataset).get(EXCLUDE, {}))
    for path in paths:
        if path not in plain:
            raise UsageError(
                f"expected a file that {dataset!r} excludes, found {path!r}",
                where=file,
                hint=f"It excludes {', '.join(plain) or 'none'}",
            )
    gone = set(paths) or set(plain)
    if not gone:
        return text
    new = _apply(text, _removing(lines, node, gone))
    rest = {path: digest for path, digest in plain.items() if path not in gone}
    return _checked(
        new, old, dataset, rest, f"take them out of `exclude` by hand: {', '.join(sorted(gone))}", file
    )


def _rewrite(spec: Path, edit: Callable[[str], str]) -> bool:
    from store import publish_bytes

    try:
        text = spec.read_bytes().decode()  # keeps the line ends as they are
    except UnicodeDecodeError:
        raise UsageError("expected UTF-8 text", where=str(spec)) from None
    new = edit(text)
    if new != text:
        publish_bytes(spec, new.encode())
    return new != text


def _read(text: str, dataset: str, file: str) -> tuple[Lines, yamltree.Mapping, dict[str, Any]]:
    old = parse_spec(text, file).to_plain()
    root = yamltree.compose(text, file).root
    assert isinstance(root, yamltree.Mapping)
    found = root.find("datasets")
    datasets = found[1] if found is not None else None
    entry = datasets.find(dataset) if isinstance(datasets, yamltree.Mapping) else None
    if entry is None:
        raise UnknownDataset(
            f"expected a dataset of {file}, found {dataset!r}",
            hint=f"It has {', '.join(old['datasets']) or 'none'}",
        )
    assert isinstance(entry[1], yamltree.Mapping)  # the spec is valid
    return Lines(text), entry[1], old


def _plain(spec: Mapping[str, Any], dataset: str) -> Mapping[str, Any]:
    plain: Mapping[str, Any] = spec["datasets"][dataset][NORMALIZE]
    return plain


def _checked(
    text: str, old: dict[str, Any], dataset: str, excluded: Mapping[str, str | None], hint: str, file: str
) -> str:
    normalize = {**_plain(old, dataset), EXCLUDE: dict(excluded)}
    if not excluded:
        del normalize[EXCLUDE]
    section = {**old["datasets"][dataset], NORMALIZE: normalize}
    want = {**old, "datasets": {**old["datasets"], dataset: section}}
    try:
        if parse_spec(text, file).to_plain() == want:
            return text
    except InvalidSpec:
        pass
    raise SpecError(
        "the layout of this file does not let it be edited safely, or a name in it is none that can be excluded",
        where=Where(file),
        hint=hint,
    )


def _apply(text: str, edits: Iterator[_Edit]) -> str:
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.new + text[edit.end :]
    return text


def _find(dataset: yamltree.Mapping) -> Node | None:
    """What the dataset excludes, if it says so."""
    normalize = dataset.find(NORMALIZE)
    found = normalize[1].find(EXCLUDE) if normalize and isinstance(normalize[1], yamltree.Mapping) else None
    return found[1] if found else None


def _is_empty(node: Node) -> bool:
    if isinstance(node, Scalar):
        return node.value is None
    return not (node.entries if isinstance(node, yamltree.Mapping) else node.items)


# -- adding ----------------------------------------------------------------------------------------------------------


def _adding(lines: Lines, dataset: yamltree.Mapping, files: Mapping[str, str | None]) -> Iterator[_Edit]:
    found = _find(dataset)
    normalize = dataset.find(NORMALIZE)
    if isinstance(found, yamltree.Mapping) and found.entries:
        there = {key.text: value for key, value in found.entries}
        for path in files.keys() & there:
            yield _Edit(*_span(lines, there[path]), scalar(files[path], FLOW_SAFE))
        yield from _append(
            lines, found, {path: digest for path, digest in files.items() if path not in there}
        )
    elif isinstance(found, yamltree.Sequence) and found.items:
        yield from _append(lines, found, files)
    elif isinstance(found, Scalar) and not _is_empty(found):
        start, end = _span(lines, found)
        yield _Edit(start, end, f"[{lines.text[start:end]}, {flow(list(files))[1:]}")
    elif found is not None:  # {} or []
        yield _in_place(lines, found, flow(files))
    elif normalize is None:
        yield from _beside(lines, dataset, {NORMALIZE: {EXCLUDE: files}})
    elif isinstance(normalize[1], yamltree.Mapping) and normalize[1].entries:
        yield from _append(lines, normalize[1], {EXCLUDE: files})
    else:
        yield _in_place(lines, normalize[1], flow({EXCLUDE: files}))


def _append(
    lines: Lines, node: yamltree.Mapping | yamltree.Sequence, entries: Mapping[str, Any]
) -> Iterator[_Edit]:
    """More entries at the end of a mapping, or of a list, that has some."""
    if not entries:
        return
    last = node.entries[-1][1] if isinstance(node, yamltree.Mapping) else node.items[-1]
    listed = isinstance(node, yamltree.Sequence)
    if node.flow:
        at = lines.offset(*end_of(last))
        yield _Edit(at, at, f", {flow(list(entries) if listed else entries)[1:-1]}")
        return
    column = node.span.column - 1
    yield _lines_after(lines, last_line(lines, last), _entries(entries, listed), column)


def _beside(lines: Lines, dataset: yamltree.Mapping, entries: Mapping[str, Any]) -> Iterator[_Edit]:
    """An entry behind the sources of a dataset."""
    if dataset.flow:
        yield from _append(lines, dataset, entries)
        return
    source = dataset.find("source")
    assert source is not None  # the spec is valid
    column = source[0].span.column - 1
    yield _lines_after(lines, last_line(lines, source[1]), _entries(entries, False), column)


def _lines_after(lines: Lines, line: int, new: list[str], column: int) -> _Edit:
    at = lines.starts[line]
    text = "".join(f"{' ' * column}{it}{lines.newline}" for it in new)
    cut_short = at > 0 and lines.text[at - 1] not in "\r\n\x85\u2028\u2029"
    return _Edit(at, at, lines.newline + text if cut_short else text)


def _in_place(lines: Lines, node: Node, new: str) -> _Edit:
    """In place of nothing, or of an empty mapping or list."""
    start, end = _span(lines, node)
    return _Edit(start, end, new if start < end else f" {new}")


def _entries(entries: Mapping[str, Any], listed: bool) -> list[str]:
    """A line for each, deeper ones indented."""
    made = []
    for key, value in entries.items():
        name = scalar(key, FLOW_SAFE)
        if listed:
            made.append(f"- {name}")
        elif isinstance(value, Mapping):
            made += [f"{name}:", *(f"  {line}" for line in _entries(value, False))]
        else:
            made.append(f"{name}: {scalar(value, FLOW_SAFE)}")
    return made


def _span(lines: Lines, node: Node) -> tuple[int, int]:
    span = node.span
    return lines.offset(span.line, span.column), lines.offset(span.end_line, span.end_column)


# -- removing --------------------------------------------------------------------------------------------------------


def _removing(lines: Lines, dataset: yamltree.Mapping, gone: Collection[str]) -> Iterator[_Edit]:
    """With the last file goes the key, and with the last setting of normalize that as well."""
    normalize = dataset.find(NORMALIZE)
    assert normalize is not None and isinstance(normalize[1], yamltree.Mapping)
    excluded = _find(dataset)
    if isinstance(excluded, yamltree.Mapping | yamltree.Sequence):
        texts = (
            [key.text for key, _ in excluded.entries]
            if isinstance(excluded, yamltree.Mapping)
            else [item.text for item in excluded.items if isinstance(item, Scalar)]
        )
        if not set(texts) <= set(gone):
            yield from _take_out(lines, excluded, [text in gone for text in texts])
            return
    for node, name in ((normalize[1], EXCLUDE), (dataset, NORMALIZE)):
        if len(node.entries) > 1:
            yield from _take_out(lines, node, [key.text == name for key, _ in node.entries])
            return


def _take_out(
    lines: Lines, node: yamltree.Mapping | yamltree.Sequence, gone: Collection[bool]
) -> Iterator[_Edit]:
    """Some of the entries, not all."""
    if isinstance(node, yamltree.Mapping):
        pairs: list[tuple[Node, Node]] = list(node.entries)
    else:
        pairs = [(item, item) for item in node.items]
    marked = list(gone)
    kept = marked.index(False)
    if not node.flow:
        for (first, last), out in zip(pairs, marked, strict=True):
            if out:
                yield _Edit(lines.starts[first.span.line - 1], lines.starts[last_line(lines, last)])
        return
    starts = [_span(lines, first)[0] for first, _ in pairs]
    ends = [lines.offset(*end_of(last)) for _, last in pairs]
    if kept:
        yield _Edit(starts[0], starts[kept])
    for number in range(kept + 1, len(pairs)):
        if marked[number]:
            yield _Edit(ends[number - 1], ends[number])
