"""What a repository says of itself, in the front matter of its README.md, or the Hub's dataset viewer of it.

Both have subsets with columns and splits, in two forms: ``dataset_info`` of README.md has lists of named things, the viewer has mappings. What is in neither form is passed
over: people write it by hand, and nothing is built from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mldata.errors import brief

__all__ = ["Info", "infos_of", "license_of", "subsets_of", "texts_of", "title_of"]


@dataclass(frozen=True)
class Info:
    """Of one subset."""

    splits: Mapping[str, int | None] = field(default_factory=dict)
    features: Sequence[tuple[str, str]] = ()


def license_of(card: Mapping[str, Any]) -> str | None:
    """The licence, or several."""
    said = card.get("license")
    names = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    named = [card["license_name"] if name == "other" and isinstance(card.get("license_name"), str) else name
             for name in names]  # fmt: skip
    return brief(", ".join(name for name in named if isinstance(name, str)), 200) or None


def title_of(card: Mapping[str, Any]) -> str | None:
    """The name for people."""
    said = card.get("pretty_name")
    return brief(said, 200) if isinstance(said, str) and said else None


def subsets_of(card: Mapping[str, Any]) -> list[str]:
    """The names of subsets."""
    configs = card.get("configs")
    named = (
        [it.get("config_name") for it in configs if isinstance(it, Mapping)]
        if isinstance(configs, list)
        else []
    )
    return texts_of(named)


def texts_of(said: Any) -> list[str]:
    """What is text in a list; tags, say."""
    return [brief(it, 200) for it in said if isinstance(it, str)] if isinstance(said, list) else []


def infos_of(said: Any) -> dict[str, Info]:
    """What is said of each subset; by the name ``default`` if it has none."""
    found = {}
    for name, info in _named(said, "config_name"):
        if not isinstance(info, Mapping):
            continue
        splits = {}
        for split, counts in _named(info.get("splits"), "name"):
            rows = counts.get("num_examples") if isinstance(counts, Mapping) else None
            splits[split] = rows if isinstance(rows, int) and not isinstance(rows, bool) else None
        features = [(column, _type(kind)) for column, kind in _named(info.get("features"), "name")]
        found[name] = Info(splits, features)
    return found


def _named(said: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Names and what they stand for, of a list of mappings that have their name at ``key``, of one of these, or of a mapping by name."""
    if isinstance(said, Mapping) and not ({"features", "splits"} & set(said)):
        yield from ((str(name), value) for name, value in said.items())
        return
    for item in said if isinstance(said, list) else [said]:
        if isinstance(item, Mapping):
            yield str(item.get(key, "default")), {k: v for k, v in item.items() if k != key}


def _type(kind: Any, depth: int = 0) -> str:
    """A column's type in a word or two."""
    if isinstance(kind, str):
        return brief(kind)
    if depth > 8:
        return "…"
    if isinstance(kind, list):  # the viewer's way to say a list of something, or of named columns
        return f"list<{_type(kind[0], depth + 1)}>" if len(kind) == 1 else "struct"
    if not isinstance(kind, Mapping):
        return "?"
    word = kind.get("_type")
    if "class_label" in kind or word == "ClassLabel" or "ClassLabel" in str(kind.get("dtype"))[:20]:
        return "class label"
    for key in ("sequence", "list", "feature"):
        if key in kind:
            return f"list<{_type(kind[key], depth + 1)}>"
    if "struct" in kind:
        return "struct"
    if "dtype" in kind:
        return _type(kind["dtype"], depth + 1)
    return word.lower() if isinstance(word, str) else "struct"
