"""What tells the ``datasets`` library which files are which split: the ``configs`` of a dataset card's YAML head.

It is in the file ``.huggingface.yaml`` beside the files of the ``huggingface`` export, and may head a ``README.md``, which the Hub shows, too.
A split without rows must not be listed: ``load_dataset`` refuses it. Source: "Data files Configuration" and "Manual Configuration" of the Hub's documentation. Features are in the files themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

__all__ = ["card_configs", "card_head"]


def card_configs(paths: Iterable[str], content: str | None = None) -> str:
    """YAML for files ``SPLIT/data-….arrow``, in the order of the splits.

    ``content`` stands for what is in the files. ``load_dataset`` keeps what it made of a folder by what is said here and by the path as
    it was typed, and looks at no file: without it, another export in the same place would be given the rows of the one before.
    """
    splits = dict.fromkeys(path.rsplit("/", 1)[0] for path in paths)
    lines = ["configs:", "- config_name: default"]
    if content is not None:
        lines.append(f"  description: {json.dumps(f'content {content}')}")
    lines.append("  data_files:")
    for split in splits:  # JSON's strings are YAML's, and never a number or a flag
        lines += [f"  - split: {json.dumps(split)}", f"    path: {json.dumps(f'{split}/data-*.arrow')}"]
    return "\n".join(lines) + "\n"


def card_head(paths: Iterable[str], content: str | None = None) -> str:
    """The same as the head of a ``README.md``."""
    return f"---\n{card_configs(paths, content)}---\n"
