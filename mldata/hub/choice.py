"""Which files of a repository a source means, asked for in as few requests as that takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mldata.errors import SourceError, brief
from mldata.hub.pattern import base_folder, path_matcher
from mldata.hub.subsets import Subset, Undecided, find_subset, is_data, named_splits, said_subsets

if TYPE_CHECKING:
    from mldata.hub.api import Entry, Hub, Repo
    from mldata.hub.place import Place

__all__ = ["Choice", "choose"]

PARTIAL = "partial-"
"""Before the name of a split of which the Hub has converted the beginning only."""
OWN_YAML = ".huggingface.yaml"
"""What it says counts before the front matter of README.md."""
NAMED = 3


@dataclass(frozen=True)
class Choice:
    """Files of a repository."""

    files: Sequence[tuple[str | None, str]]
    """Split and path of each; the split is None for all of them where none is told."""
    entries: Mapping[str, Entry]
    """By path, these and maybe others."""
    base: str = ""
    """The folder that their names begin below."""
    subset: str | None = None
    warnings: Sequence[str] = ()

    @property
    def splits(self) -> list[str]:
        """In the order of the repository."""
        return list(dict.fromkeys(split for split, _ in self.files if split is not None))


def choose(hub: Hub, repo: Repo, place: Place) -> Choice:
    """The files that a place means.

    Raises:
        Undecided: there are several ways to choose, which the message has.
        SourceError: there are none.
        AuthError, NetworkError: as the Hub's answers are.
    """
    if place.pattern:
        made = _by_pattern(hub, repo, place.path)
    elif place.path:
        made = _by_path(hub, repo, place)
    elif place.converted:
        made = _converted(hub, repo, place)
    else:
        made = _as_said(hub, repo, place)
    if not made.files:
        raise _nothing(hub, repo, place, made)
    return _one_split(hub, made, place.split) if place.split is not None else _told_twice(made)


def _by_pattern(hub: Hub, repo: Repo, pattern: str) -> Choice:
    base, matches = base_folder(pattern), path_matcher(pattern)
    rest = pattern[len(base) + 1 if base else 0 :]
    entries = _entries(hub.tree(repo, base, deep="/" in rest or "**" in rest))
    files = [(None, path) for path in entries if matches(path) and is_data(path, pattern)]
    return Choice(files, entries, base)


def _by_path(hub: Hub, repo: Repo, place: Place) -> Choice:
    found = hub.at(repo, place.path)
    if found is None:
        raise hub.says.no_such_path(repo.id, place.path)
    if place.subset is not None:
        raise SourceError(
            "expected either a path or a subset, which are two ways to choose files; found both",
            where=hub.where,
            hint=f"Leave out the path, or subset={place.subset}.",
        )
    if not found.folder:
        if place.split is not None:
            raise SourceError(
                f"expected a folder, of whose files one split is taken, found the file {place.path}",
                where=hub.where,
                hint="Leave out split=, or name the folder.",
            )
        return Choice([(None, found.path)], {found.path: found}, place.path.rpartition("/")[0])
    entries = _entries(hub.tree(repo, place.path))
    files = named_splits(sorted(entries), None, place.path)
    return Choice(files, entries, place.path, warnings=_without_split(files, entries, place.path))


def _as_said(hub: Hub, repo: Repo, place: Place) -> Choice:
    entries = _entries(hub.tree(repo))
    card = repo.card
    if (own := entries.get(OWN_YAML)) is not None:
        card = {**card, **hub.yaml(repo, own)}
    subset = find_subset(said_subsets(card, hub.where), place.subset, hub.where)
    script = f"{repo.id.rpartition('/')[2]}.py"
    if script in entries and subset is None:
        raise Undecided(
            f"expected files of data; what {repo.id} gives is made by its program {script}, which is not run",
            where=hub.where,
            hint=f"Take what the Hub has made of it, hf://{repo.id}?files=parquet, or name files: hf://{repo.id}/PATH",
        )
    files = named_splits(sorted(entries), subset)
    if subset is not None and subset.files is not None:
        return Choice(files, entries, subset=subset.name)
    below, name = (subset.folder, subset.name) if subset is not None else ("", None)
    return Choice(files, entries, subset=name, warnings=_without_split(files, entries, below))


def _converted(hub: Hub, repo: Repo, place: Place) -> Choice:
    """What the Hub has converted: ``SUBSET/SPLIT/0000.parquet``."""
    entries = _entries(entry for entry in hub.tree(repo) if entry.path.endswith(".parquet"))
    names = sorted({path.partition("/")[0] for path in entries if "/" in path})
    subset = find_subset([Subset(name, None, name) for name in names], place.subset, hub.where)
    if subset is None:
        return Choice([], entries)
    files: list[tuple[str | None, str]] = []
    partial = set()
    for path in sorted(entries):
        top, _, rest = path.partition("/")
        if top == subset.name and "/" in rest:
            split = rest.partition("/")[0]
            if split.startswith(PARTIAL):
                split = split.removeprefix(PARTIAL)
                partial.add(split)
            files.append((split, path))
    warnings = []
    if partial:
        warnings.append(
            f"the Hub has converted only the beginning of {', '.join(sorted(partial))}: some rows of {repo.id} are not in it"
        )
    return Choice(files or named_splits(sorted(entries), subset), entries, subset.name, subset.name, warnings)


def _without_split(
    files: Sequence[tuple[str | None, str]], entries: Mapping[str, Entry], below: str
) -> list[str]:
    """A warning of data that is left out because its name says no split where that of other data does."""
    taken = {path for _, path in files}
    start = f"{below}/" if below else ""
    left = [path for path in entries if path.startswith(start) and path not in taken and is_data(path)]
    if not taken or not left:
        return []
    return [f"files whose names tell no split are left out, since those of others do: {_some(left)}"]


def _some(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - NAMED:,} more" if len(paths) > NAMED else ""
    return ", ".join(map(brief, paths[:NAMED])) + more


def _one_split(hub: Hub, made: Choice, split: str) -> Choice:
    files = [(found, path) for found, path in made.files if found == split]
    if not files:
        has = f"has {', '.join(made.splits)}" if made.splits else "names none"
        raise SourceError(
            f"expected the split {split!r}, but the repository {has}",
            where=hub.where,
            hint=f"Add one of these behind the source: ?split={made.splits[0]}"
            if made.splits
            else "Name files or a folder behind the repository's name instead.",
        )
    return Choice(files, made.entries, made.base, made.subset, made.warnings)


def _told_twice(made: Choice) -> Choice:
    """With a warning of files that are in several splits: their rows are, too."""
    times = Counter(path for _, path in made.files)
    twice = sorted(path for path, count in times.items() if count > 1)
    if not twice:
        return made
    said = f"the repository has the same files in several splits, and so their rows: {_some(twice)}"
    return Choice(made.files, made.entries, made.base, made.subset, [*made.warnings, said])


def _nothing(hub: Hub, repo: Repo, place: Place, made: Choice) -> SourceError:
    if place.path:
        return hub.says.no_such_path(repo.id, place.path)
    if not made.entries:
        return hub.says.empty(repo.id)
    some = ", ".join(map(brief, sorted(made.entries)[:NAMED]))
    return SourceError(
        f"expected files of data in {repo.id}, found none among its {len(made.entries):,} files ({some}, ...)",
        where=hub.where,
        hint=f"Name those that are behind the repository's name: hf://{repo.id}/PATH",
    )


def _entries(found: Iterable[Entry]) -> dict[str, Entry]:
    return {entry.path: entry for entry in sorted(found, key=lambda entry: entry.path.encode())}
