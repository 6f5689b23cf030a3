"""What goes beside the modules of all frameworks of an export: ``README.md`` and ``labels.json``.

``labels.json``, for programs in other languages and for what a model predicts::

    {"label": "species",
     "columns": {"species": {"classes": ["Adelie", …], "index": {"Adelie": 0, …}, "counts": {"train": [121, …]}}}}

``classes`` leads from an index to the label, ``index`` from a label (as text) to the index. Both files depend on the dataset alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mldata.frameworks.naming import in_markdown
from mldata.frameworks.reading import media_of, readings
from mldata.frameworks.skeleton import counts_text
from mldata.sizes import human_size

if TYPE_CHECKING:
    from mldata.frameworks.base import Column, Described

__all__ = ["LABELS", "README", "Section", "labels_text", "readme_text"]

README = "README.md"
LABELS = "labels.json"
SHOWN = 30
"""Classes that the README lists; ``labels.json`` has all of them."""

Section = tuple[str, str]
"""Snippet and notes of a framework."""


def labels_text(described: Described) -> str | None:
    """The text of ``labels.json``; None if there is no category."""
    lines = []
    for column in described.of_role("category"):
        told = {
            "classes": list(column.classes),
            "index": {_text(value): number for number, value in enumerate(column.classes)},
            "counts": {part: list(counts) for part, counts in column.counts.items()},
        }
        lines.append(f"    {_json(column.name)}: {_json(told)}")
    if not lines:
        return None
    label, columns = _json(described.label), ",\n".join(lines)
    return f'{{\n  "label": {label},\n  "columns": {{\n{columns}\n  }}\n}}\n'


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text(value: str | int | bool) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def readme_text(described: Described, sections: Mapping[str, Section], head: str | None = None) -> str:
    """The text of ``README.md``.

    Args:
        sections: by framework, in order.
        head: a README that the folder has already, as a dataset card of the Hugging Face Hub is (with YAML at its start): it stays first.
    """
    title = f"# {described.dataset}\n" if head is None else f"{head.rstrip()}\n"
    blocks = [
        title,
        f"{counts_text(described)}. `manifest.yaml` says what every file is and where it came from.\n",
    ]
    for name, (snippet, notes) in sections.items():
        blocks.append(f"## {name}\n\n```python\n{snippet.strip()}\n```\n")
        blocks.append(notes.strip() + "\n" if notes.strip() else "")
    blocks += ["## Parts\n", _table(("part", "rows", "files"), _parts(described))]
    blocks += ["## Columns\n", _table(("column", "type", "role", "read as", "missing"), _columns(described))]
    label = described.column(described.label)
    if label is not None and label.classes:
        blocks += [f"## Label: {in_markdown(label.name)}\n", *_label(described, label)]
    blocks += [f"## Memory\n\n{_memory(described)}\n"]
    return "\n".join(block for block in blocks if block)


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _parts(described: Described) -> Iterator[tuple[str, ...]]:
    for part, rows in described.parts.items():
        files = [in_markdown(file.path) for file in described.files if file.part == part]
        more = f" and {len(files) - 6:,} more" if len(files) > 6 else ""
        yield in_markdown(part), f"{rows:,}", ", ".join(files[:6]) + more


def _columns(described: Described) -> Iterator[tuple[str, ...]]:
    for it in readings(described):
        column = it.column
        count = len(column.classes)
        classes = f"{count:,} class{'es' if count != 1 else ''}"
        role = classes if column.role == "category" else column.role
        missing = f"{column.nulls:,}, read as {it.missing}" if column.nulls else "none"
        yield in_markdown(column.name), in_markdown(str(column.type)), role, it.dtype, missing
    media = media_of(described)
    if media is not None:
        height, width = media.size or ("height", "width")
        channels = media.channels or "channels"
        shape = f"({height}, {width}, {channels})" if media.kind == "images" else f"(frames, {channels})"
        rate = f", {media.rate:,} Hz" if media.rate else ""
        said = f"the file itself{rate}"
        yield in_markdown(media.key), f"{media.dtype} {shape}", said, "see above", "none"


def _label(described: Described, label: Column) -> Iterator[str]:
    counted = {part: label.counts.get(part, (0,) * len(label.classes)) for part in described.parts}
    rows = (
        (str(index), in_markdown(_text(value)), *(f"{counts[index]:,}" for counts in counted.values()))
        for index, value in enumerate(label.classes[:SHOWN])
    )
    yield _table(("index", "class", *map(in_markdown, counted)), iter(rows))
    if len(label.classes) > SHOWN:
        yield f"And {len(label.classes) - SHOWN:,} more, which `{LABELS}` lists.\n"
    sums = [sum(counts[index] for counts in counted.values()) for index in range(len(label.classes))]
    if max(sums) > 1.5 * min(sums):
        yield (
            f"The largest class has {max(sums):,} rows, the smallest {min(sums):,}: class weights or balanced sampling may help.\n"
        )


def _memory(described: Described) -> str:
    size = f"about {human_size(described.size)}"
    media = " Media files are read when their row is." if media_of(described) else ""
    if described.streams:
        return f"The rows take {size} in memory: loaders stream them, a block at a time, unless they are told otherwise.{media}"
    return f"The rows take {size} in memory, of which loaders hold what they read last.{media}"
