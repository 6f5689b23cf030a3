"""Which files of a repository are the data of a subset, and in which split each stands.

What the repository says (``configs`` in the front matter of README.md) counts; where it says nothing, names do, by the rules that the
library ``datasets`` documents: ``data/SPLIT-00000-of-00003.*``, then folders named as a split, then files named so, then everything. All of it is
pure: the same paths and the same front matter give the same answer, whatever their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mldata.errors import SourceError, shown
from mldata.hub.pattern import has_magic, path_matcher
from mldata.litter import litter

__all__ = [
    "SPLITS",
    "Subset",
    "Undecided",
    "find_subset",
    "is_data",
    "named_splits",
    "said_subsets",
    "split_word",
]

SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""Words in names of files and folders that mean a split."""
MOST_NAMED = 10
_SPLIT_NAME = re.compile(r"\w+(\.\w+)*", re.ASCII)
_SHARD = re.compile(r"data/(?P<split>[^/]*?)-[0-9]{5}-of-[0-9]{5}[^/]*\.[^/]*")
_WORDS = {
    split: re.compile(rf"(?:.*[-._ 0-9])?(?:{'|'.join(words)})(?P<after>[-._ 0-9].*)?", re.DOTALL)
    for split, words in SPLITS.items()
}
_ANY_WORD = re.compile("|".join(word for words in SPLITS.values() for word in words))
_NO_DATA = re.compile(
    r"(readme|licen[cs]e|copying|notice|citation|changelog)(\.(md|txt|rst|cff|bib|html?))?|requirements.*\.txt"
    r"|config\.json|dataset_info\.json|dataset_infos\.json|dataset_dict\.json|dummy_data\.zip"
    r"|.*\.(md|rst|py|ipynb|sh|ya?ml|toml|cfg)",
    re.IGNORECASE,
)
"""Names of files about the data."""


class Undecided(SourceError):
    """There is data, and it has to be said which is meant."""


@dataclass(frozen=True)
class Subset:
    """One dataset of a repository, as its README.md says."""

    name: str
    files: Sequence[tuple[str, Sequence[str]]] | None
    """Patterns of each split; None: as names say, below :attr:`folder`."""
    folder: str = ""
    default: bool = False


def said_subsets(card: Mapping[str, Any], where: str) -> list[Subset]:
    """The subsets that the front matter of README.md has, in its order. Raises ``SourceError`` for what it cannot mean."""
    configs = card.get("configs") or []
    found: dict[str, Subset] = {}
    try:
        for config in configs:
            made = _subset(config)
            if made.name in found:
                raise ValueError(f"the subset {shown(made.name)} twice")
            found[made.name] = made
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        what = error if isinstance(error, ValueError) else shown(configs)
        raise SourceError(
            f"expected subsets with `config_name` and `data_files` under `configs` in the repository's README.md, found {what}",
            where=where,
            hint="Name the files or a pattern behind the repository's name instead.",
        ) from None
    return list(found.values())


def _subset(config: Mapping[str, Any]) -> Subset:
    name, folder, said = config["config_name"], config.get("data_dir") or "", config.get("data_files")
    folder = str(folder).strip("/").removeprefix("./")
    if not isinstance(name, str | int | float) or not str(name).isprintable():
        raise ValueError(f"a subset called {shown(name)}")
    if said is None:
        return Subset(str(name), None, folder, bool(config.get("default")))
    items: list[Any] = [said] if isinstance(said, str) else list(said)
    if any(isinstance(item, Mapping) for item in items):
        pairs: list[tuple[str, Any]] = [(str(item["split"]), item["path"]) for item in items]
    else:
        pairs = [("train", items)]
    files: list[tuple[str, list[str]]] = []
    for split, paths in pairs:
        if not _SPLIT_NAME.fullmatch(split):
            raise ValueError(f"a split called {shown(split)}")
        if split in (known for known, _ in files):
            raise ValueError(f"the split {shown(split)} twice")
        patterns = [paths] if isinstance(paths, str) else list(paths)
        files.append((split, [_inside(pattern, folder) for pattern in patterns]))
    return Subset(str(name), files, folder, bool(config.get("default")))


def _inside(pattern: Any, folder: str) -> str:
    if not isinstance(pattern, str) or "::" in pattern or "://" in pattern:
        raise ValueError(f"the path {shown(pattern)}, which is none in the repository")
    steps = [step for step in pattern.split("/") if step not in ("", ".")]
    if not steps or ".." in steps:
        raise ValueError(f"the path {shown(pattern)}")
    return "/".join([folder, *steps] if folder else steps)


def find_subset(subsets: Sequence[Subset], wanted: str | None, where: str) -> Subset | None:
    """The subset that is meant; None if the repository says nothing of any.

    Raises:
        Undecided: it has several, and one has to be chosen.
        SourceError: it has none of that name.
    """
    names = [it.name for it in subsets]
    if wanted is not None:
        for it in subsets:
            if it.name == wanted:
                return it
        has = f"has {_some(names)}" if names else "names no subset in its README.md"
        raise SourceError(
            f"expected the subset {wanted!r}, but the repository {has}",
            where=where,
            hint=f"Add one of these behind the source: ?subset={names[0]}"
            if names
            else "Name a folder or a pattern behind the repository's name instead.",
        )
    if len(subsets) < 2:
        return subsets[0] if subsets else None
    usual = [it for it in subsets if it.default] or [it for it in subsets if it.name == "default"]
    if len(usual) != 1:
        raise Undecided(
            f"expected the name of a subset, since the repository has {len(names):,}: {_some(names)}",
            where=where,
            hint=f"Add one behind the source: ?subset={names[0]}",
        )
    return usual[0]


def named_splits(paths: Sequence[str], subset: Subset | None, base: str = "") -> list[tuple[str | None, str]]:
    """Files and their splits, by what README.md says of a subset or by names.

    Args:
        paths: all files that there are.
        base: the folder below which names count, where README.md says nothing; empty for the repository itself.

    Returns:
        Pairs of split and path, each once; the split is None for all of them where no name says any.
    """
    if subset is not None and subset.files is not None:
        return [
            (split, path)
            for split, patterns in subset.files
            for path in sorted(_matching(paths, patterns), key=str.encode)
        ]
    folder = subset.folder if subset is not None else base
    below = f"{folder}/" if folder else ""
    inner = [path[len(below) :] for path in paths if path.startswith(below)]
    inner = sorted((path for path in inner if is_data(path)), key=str.encode)
    return [(split, below + path) for split, path in _by_names(inner)]


def _by_names(paths: Sequence[str]) -> list[tuple[str | None, str]]:
    shards = [(shard["split"], path) for path in paths if (shard := _SHARD.fullmatch(path))]
    if shards and all(_SPLIT_NAME.fullmatch(split) for split, _ in shards):
        return [*shards]
    for said in (_in_folders, _in_name):
        if found := [(split, path) for split in SPLITS for path in paths if said(split, path)]:
            return [*found]
    return [(None, path) for path in paths]


def _in_folders(split: str, path: str) -> bool:
    return split in _told_by(path.rpartition("/")[0])


@lru_cache(maxsize=1 << 16)
def _told_by(folders: str) -> frozenset[str]:
    """The splits that folders are named as; asked once for the files of a folder."""
    return frozenset(
        split for split in SPLITS if any(split_word(split, folder) for folder in folders.split("/"))
    )


def _in_name(split: str, path: str) -> bool:
    name = path.rpartition("/")[2]
    if _ANY_WORD.search(name) is None:  # most often
        return False
    found = _WORDS[split].fullmatch(name)
    return found is not None and found["after"] is not None


@lru_cache(maxsize=1 << 16)
def split_word(split: str, folder: str) -> bool:
    """Whether a folder is named as a split: has one of its words, set apart from others."""
    if split in SPLITS:
        return _WORDS[split].fullmatch(folder) is not None
    return folder == split


def _matching(paths: Iterable[str], patterns: Sequence[str]) -> set[str]:
    found = set()
    for pattern in patterns:
        matches = path_matcher(pattern)
        found |= {path for path in paths if matches(path) and is_data(path, pattern)}
    return found


def is_data(path: str, pattern: str = "") -> bool:
    """Whether a file is data and not about it, hidden, or in a folder such as ``__pycache__``; what ``pattern`` itself names is."""
    folders, _, name = path.rpartition("/")
    if not pattern:
        return _plain(folders) and not _NO_DATA.fullmatch(name) and not litter(name)
    said = pattern.rpartition("/")[2]
    if _NO_DATA.fullmatch(name) and (has_magic(said) or said != name):
        return False
    asked = pattern.split("/")
    if any(step[0] != "." and step not in asked and litter(step) for step in path.split("/")):
        return False
    return _odd(path, ".") == _odd(pattern, ".") and _odd(folders, "__") == _odd("/".join(asked[:-1]), "__")


@lru_cache(maxsize=1 << 16)
def _plain(folders: str) -> bool:
    """Whether no folder is hidden or one that programs leave behind; asked once for the files of a folder."""
    return not folders or not any(step.startswith("__") or litter(step) for step in folders.split("/"))


def _odd(path: str, start: str) -> int:
    return sum(step.startswith(start) for step in path.split("/"))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
