"""Where the files of a repository stand in the tree of a source.

As in the repository, below the folder that they were asked for by; but where there are several splits, each has a folder at the top: what is
in ``data/train-00000-of-00002.parquet`` or ``data/train/cat/1.png`` there stands in ``train/`` here. Invariant: no two files get one name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mldata.hub.subsets import split_word

__all__ = ["laid_out"]


def laid_out(chosen: Sequence[tuple[str | None, str]], base: str = "") -> list[tuple[str, str]]:
    """Names in the tree, sorted, with the path in the repository of each.

    Args:
        chosen: split and path of each file; with several splits, none of them is None.
        base: the folder that names begin below where there is at most one split.
    """
    if len({split for split, _ in chosen}) < 2:
        skip = len(base) + 1 if base else 0
        return _sorted((path[skip:], path) for path in {path for _, path in chosen})
    parts = [(split or "", *_apart(split or "", path)) for split, path in chosen]
    shared = _shared([above for _, above, _ in parts])
    named = [
        ("/".join([split, *above[shared:], *rest]), path)
        for (split, above, rest), (_, path) in zip(parts, chosen, strict=True)
    ]
    if len({name for name, _ in named}) < len(named):
        named = [(f"{split}/{path}", path) for split, path in chosen]
    return _sorted(named)


def _apart(split: str, path: str) -> tuple[list[str], list[str]]:
    """The folders above the one that is named as the split, and what is below it; all folders and the file's name if none is."""
    *folders, name = path.split("/")
    for number, folder in enumerate(folders):
        if split_word(split, folder):
            return folders[:number], [*folders[number + 1 :], name]
    return folders, [name]


def _shared(paths: Sequence[list[str]]) -> int:
    """How many steps all of them begin with."""
    first, last = min(paths), max(paths)
    return next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )


def _sorted(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(pairs, key=lambda pair: pair[0].encode())
