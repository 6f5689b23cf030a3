"""How ``mldata info`` shows a source that was only glanced at."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mldata.cli.text import cut_cells, one_line, table
from mldata.sizes import human_size
from mldata.ways import way_text

if TYPE_CHECKING:
    from mldata.glance import Glance, Seen
    from mldata.sources.base import About

__all__ = ["glance_json", "glance_text", "sample_text"]

NAMED = 3
"""Files, subsets and the like that are named."""
DESCRIPTION = 300
"""Characters of a description that are shown."""


def glance_text(made: Glance, name: str) -> str:
    """For people. ``name``: the source as it was asked for."""
    lines = [_line("source", name)]
    if made.about is not None:
        lines += _about(made.about, made.seen is not None)
    if made.revision is not None:
        lines.append(_line("revision", f"{made.revision}{', as mldata.lock pins it' if made.pinned else ''}"))
    size = f", {human_size(made.size)}" if made.size is not None else ""
    lines.append(_line("files", f"{len(made.files):,}{size}: {_some([name for name, _ in made.files])}"))
    if made.seen is not None:
        lines += _seen(made.seen)
        if made.received:
            whole = f" of {human_size(made.size)}" if made.size is not None else ""
            lines.append(_line("read", f"{human_size(made.received)}{whole}"))
    return "\n".join(lines)


def glance_json(made: Glance, name: str) -> dict[str, Any]:
    """For programs."""
    told: dict[str, Any] = {
        "source": name,
        "files": len(made.files),
        "bytes": made.size,
        "first_files": [{"name": name, "size": size} for name, size in made.files[:20]],
    }
    if made.about is not None:
        about = made.about
        told |= {
            "revision": made.revision,
            "pinned": made.pinned,
            "facts": dict(made.facts),
            "title": about.title,
            "description": about.description,
            "homepage": about.homepage,
            "license": about.license,
            "download_size": about.size,
            "rows": about.rows,
            "splits": dict(about.splits),
            "subsets": list(about.subsets),
            "features": _columns(about.features),
            "target": about.target,
            "tags": list(about.tags),
            "bytes_read": made.received,
        }
    if (seen := made.seen) is not None:
        told |= {
            "kind": seen.kind,
            "data_files": seen.files,
            "read": [dict(way) for way in seen.ways],
            "read_files": list(seen.read),
            "metadata": list(seen.metadata),
            "columns": _columns(seen.columns),
            "types_from_rows": seen.looked or None,
            "sample": [dict(row) for row in seen.rows],
        }
    return told


def _columns(pairs: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in pairs]


def _line(label: str, text: str) -> str:
    return f"{label:<8} {one_line(text)}"


def _about(about: About, columns_follow: bool) -> Iterator[str]:
    """What the place tells. ``columns_follow``: columns as the files have them are shown below."""
    splits = [name if rows is None else f"{name} {rows:,}" for name, rows in about.splits.items()]
    told = {
        "title": about.title,
        "license": about.license,
        "homepage": about.homepage,
        "size": None if about.size is None else human_size(about.size),
        "rows": None if about.rows is None else f"{about.rows:,}",
        "splits": _some(splits, 10),
        "subsets": _some(about.subsets, 10),
        "target": about.target,
        "tags": _some(about.tags, 10),
        "about": one_line(about.description.strip(), DESCRIPTION) if about.description else None,
    }
    yield from (_line(label, text) for label, text in told.items() if text)
    if about.features and not columns_follow:
        yield _line("features", f"{len(about.features):,}")
        yield _indented(about.features)


def _seen(seen: Seen) -> Iterator[str]:
    yield _line("kind", f"{seen.kind}, {seen.files:,} file{'s'[: seen.files != 1]} of data")
    yield from (_line("read as", way_text(way)) for way in seen.ways)
    if seen.metadata:
        yield _line("metadata", _some(seen.metadata))
    told = f", types as told by the first {_rows_text(seen.looked)}" if seen.looked else ""
    yield _line("columns", f"{len(seen.columns):,}{told}")
    yield _indented(seen.columns)
    if seen.rows:
        yield sample_text(seen.rows)


def sample_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The first rows of a table, at least one."""
    return f"{_line('sample', f'the first {_rows_text(len(rows))}')}\n{_rows(rows)}"


def _rows_text(count: int) -> str:
    return "row" if count == 1 else f"{count:,} rows"


def _indented(pairs: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"  {line}" for line in table(pairs).splitlines())


def _rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """As a table where that fits; else a block a row, a line a value."""
    names = list(rows[0])
    cells = cut_cells([names, *([_text(row[name]) for name in names] for row in rows)])
    numbers = {at for at, name in enumerate(names) if all(_is_number(row[name]) for row in rows)}
    lines = table(cells, numbers).splitlines()
    if max(map(len, lines)) + 2 <= shutil.get_terminal_size().columns:
        return "\n".join(f"  {line}" for line in lines)
    blocks = (table(list(zip(cells[0], row, strict=True))) for row in cells[1:])
    return "\n".join(
        "\n".join(f"  {'-' if at == 0 else ' '} {line}" for at, line in enumerate(block.splitlines()))
        for block in blocks
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _some(names: Sequence[str], most: int = NAMED) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(one_line(name, 100) for name in names[:most]) + more
