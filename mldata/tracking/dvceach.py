"""DVC, file by file: each file of rows in an export has a ``.dvc`` file of its own beside it, as ``dvc add FILE`` would write it.

A folder of media files is tracked as one, and so is all that lies in it. The manifest, and what else is text that belongs in git, is not
tracked. What a ``.dvc`` file is marked with is the digest of its own file or folder, so that a new export changes those of changed files.

Invariants: those of :mod:`mldata.tracking.dvc`; a ``.dvc`` file is removed only if mldata wrote it and what it is about is gone.
"""

from __future__ import annotations

import json
import os
import shlex
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.dvcdir import DIR, dir_object, object_path
from mldata.dvcfile import SUFFIX, Out, is_own, new_text, read_dvc, updated_text
from mldata.errors import MldataError, UsageError
from mldata.exportfolder import MANIFEST
from mldata.manifest import read_manifest
from mldata.tracking.base import Tracked
from mldata.tracking.dvccache import cached, fill, md5s
from mldata.tracking.dvcground import (
    Ground,
    check_untracked,
    dvc_files,
    git_files,
    git_status,
    own,
    shown,
    verify,
    write,
)
from mldata.tracking.dvcignores import GITIGNORE, check_visible, gitignore_edited, taken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mldata.dvcdir import DirObject
    from mldata.manifest import Manifest
    from mldata.tracking.base import Published
    from store import Digest, HandedOver, Store, TreeEntry

__all__ = ["check", "check_none", "lacking", "track"]

_PROBE = "data"
"""Stands for the files that an export will have, before it is known how they are called."""


@dataclass(frozen=True)
class _Item:
    """What gets a ``.dvc`` file."""

    path: str
    """In the export, with ``/``."""
    mark: Digest
    files: Mapping[str, TreeEntry]
    """By path in it; of a file itself by the empty one."""

    @property
    def is_folder(self) -> bool:
        return "" not in self.files


def check(ground: Ground, *, force: bool) -> None:
    """Whether ``.dvc`` files may stand in the folder. Raises ``UsageError``."""
    for file in dvc_files(ground.folder):
        own(file, force=force)
    if ground.git is None:
        return
    check_visible(ground.folder / (_PROBE + SUFFIX), ground.git)
    earlier: set[str] = set()
    with suppress(MldataError):  # where there is none, what git has is known when the export is
        earlier = _names(read_manifest(ground.folder / MANIFEST))
    if earlier:
        _check_untracked(ground, earlier)


def check_none(ground: Ground) -> None:
    """Raise ``UsageError`` where files are tracked one by one already: then DVC cannot track their folder."""
    own_files = [file for file in dvc_files(ground.folder) if is_own(file)]
    if own_files:
        named = " ".join(shlex.quote(shown(file)) for file in own_files)
        raise UsageError(
            "DVC tracks files of this folder one by one already, so it cannot track the folder",
            where=str(ground.folder),
            hint=f"Stay with that: --dvc-each, in mldata.yaml dvc: {{each: true}}. Or stop tracking them: dvc remove {named}",
        )


def lacking(ground: Ground, store: Store, tree: Digest) -> str | None:
    """Why it has to be done again; None if nothing has to. Raises ``MldataError``."""
    known = store.index.get_blob(_remembered(tree))
    if known is None:
        return "nothing is known of the hashes of its files"
    remembered: dict[str, tuple[str, str]] = json.loads(known)
    for path, (mark, md5) in remembered.items():
        name = path + SUFFIX
        file = read_dvc(ground.folder / name)
        if file is None:
            return f"{name} is missing"
        if file.tree != mark or not file.is_own:
            return f"{name} is about something else"
        [out] = file.outs
        if out.md5 != md5:
            return f"{name} has another hash"
        if ground.dvc is not None and ground.dvc.cache is not None and not cached(ground.dvc, out):
            return f"DVC's cache in {ground.dvc.cache} lacks files"
    folders = {ground.folder, *((ground.folder / path).parent for path in remembered)}
    for left in _left(ground.folder, remembered, (it for folder in folders for it in folder.glob("?*.dvc"))):
        return f"{left}{SUFFIX} is about nothing"
    wanted = {path: md5.endswith(DIR) for path, (_, md5) in remembered.items()}
    for file_path, _ in _gitignores(ground, wanted, ()):
        return f"{file_path.relative_to(ground.folder)} does not have git ignore all of them"
    return None


def track(published: Published) -> Tracked:
    """Fill the cache, then write the files. Raises ``MldataError``."""
    place, store = published.place, published.store
    ground = Ground.of(place)
    items, hidden = _items(ground, store, published.tree)
    if ground.git is not None:
        for item in items:
            check_visible(_file(ground, item), ground.git)
        _check_untracked(ground, {item.path for item in items})
    before = {item.path: own(_file(ground, item), force=place.force) for item in items}
    files = {f"{it.path}/{path}".rstrip("/"): entry for it in items for path, entry in it.files.items()}
    md5 = md5s(store, files)
    told = [_out(item, md5) for item in items]
    objects = {object_path(md5[it.digest]): it for it in files.values()}
    lists = [listed for _, listed in told if listed is not None]
    done = fill(store, ground.dvc, objects, lists, force=place.force)
    outs = {item.path: out for item, (out, _) in zip(items, told, strict=True)}
    left = list(_left(ground.folder, outs, dvc_files(ground.folder)))
    written = _ignore(ground, {item.path: item.is_folder for item in items}, left)
    for item in items:
        file, out, path = before[item.path], outs[item.path], _file(ground, item)
        text = new_text(out, item.mark) if file is None else updated_text(file, out, item.mark)
        if write(path, text.encode(), file.text.encode() if file is not None else None):
            written.append(path)
        verify(path, out, item.mark, ground.dvc)
    removed = list(_remove(ground, left))
    remembered = {item.path: (item.mark, outs[item.path].md5) for item in items}
    store.index.put_blob(_remembered(published.tree), json.dumps(remembered).encode())
    name = shown(ground.folder)
    return Tracked(
        {
            "files": {
                str(_file(ground, it)): {"md5": outs[it.path].md5, "size": outs[it.path].size} for it in items
            },
            "written": [str(path) for path in written],
            "removed": [str(path) for path in removed],
            **ground.facts(done),
        },
        _lines(ground, outs, removed, done),
        tuple(ground.warnings(name, hidden, below=True)),
    )


def _file(ground: Ground, item: _Item) -> Path:
    return ground.folder / (item.path + SUFFIX)


def _remembered(tree: Digest) -> str:
    return f"dvc-each:{tree}"


def _names(manifest: Manifest) -> set[str]:
    """What gets a ``.dvc`` file, by its path in the export: files of rows, and the topmost folders of media."""
    media = {file.path for file in manifest.files if file.format == "media"}
    folders = {path.partition("/")[0] for path in media if "/" in path}
    rows = {file.path for file in manifest.files if file.rows is not None}
    return folders | {path for path in rows | media if path.partition("/")[0] not in folders}


def _items(ground: Ground, store: Store, tree: Digest) -> tuple[list[_Item], list[str]]:
    """What is to be tracked, in order, and the paths of what ``.dvcignore`` hides."""
    every = dict(store.walk(tree))
    names = _names(read_manifest(store.path(every[MANIFEST].digest)))
    tops = {entry.name: entry.digest for entry in store.tree(tree)}
    tracked = {}
    for path, entry in every.items():
        head = path.partition("/")[0]
        if path in names or head in names:
            tracked[path] = entry
    seen, hidden = taken(tracked, ground.folder, ground.dvc)
    found: dict[str, dict[str, TreeEntry]] = defaultdict(dict)
    for path, entry in seen.items():
        if path in names:
            found[path][""] = entry
        else:
            head, _, below = path.partition("/")
            found[head][below] = entry
    return [
        _Item(path, files[""].digest if "" in files else tops[path], files)
        for path, files in sorted(found.items())
    ], hidden


def _out(item: _Item, md5: Mapping[Digest, str]) -> tuple[Out, DirObject | None]:
    name = item.path.rpartition("/")[2]
    size = sum(entry.size for entry in item.files.values())
    if not item.is_folder:
        return Out(name, md5[item.files[""].digest], size, None, legacy=False), None
    listed = dir_object({path: md5[entry.digest] for path, entry in item.files.items()})
    return Out(name, listed.md5, size, len(item.files), legacy=False), listed


def _check_untracked(ground: Ground, names: Iterable[str]) -> None:
    """Raise ``UsageError`` where git has one of the files, or files of one of the folders."""
    wanted = set(names)
    assert ground.git is not None
    for path in git_files(ground.folder, ground.git):
        parts = path.split("/")
        for name in ("/".join(parts[:end]) for end in range(1, len(parts) + 1)):
            if name in wanted:
                check_untracked(ground.folder, [path], ground.folder / name)


def _left(folder: Path, names: Iterable[str], files: Iterable[Path]) -> Iterator[str]:
    """What mldata tracked and is gone, by its path in the export."""
    known = set(names)
    for file in files:
        data = file.with_name(file.name.removesuffix(SUFFIX))
        path = data.relative_to(folder).as_posix()
        if path not in known and not os.path.lexists(data) and is_own(file):
            yield path


def _gitignores(
    ground: Ground, wanted: Mapping[str, bool], left: Iterable[str]
) -> Iterator[tuple[Path, bytes]]:
    """Those that have to be written, and what they have to be.

    Args:
        wanted: what git is to ignore, by path in the export; whether it is a folder.
        left: what it need no longer ignore.
    """
    if ground.git is None:
        return
    named: dict[Path, dict[str, bool]] = defaultdict(dict)
    gone: dict[Path, list[str]] = defaultdict(list)
    for path, is_folder in wanted.items():
        named[(ground.folder / path).parent][path.rpartition("/")[2]] = is_folder
    for path in left:
        gone[(ground.folder / path).parent].append(path.rpartition("/")[2])
    for folder in sorted({*named, *gone}):
        text = gitignore_edited(folder, named.get(folder, {}), gone.get(folder, ()), ground.git)
        if text is not None:
            yield folder / GITIGNORE, text


def _ignore(ground: Ground, wanted: Mapping[str, bool], left: Iterable[str]) -> list[Path]:
    """Have git ignore what is tracked, and no more what is not; the files that had to be written."""
    edited = dict(_gitignores(ground, wanted, left))
    for path, text in edited.items():
        if text:
            write(path, text, None)
        else:
            path.unlink()
    return [path for path, text in edited.items() if text]


def _remove(ground: Ground, left: Iterable[str]) -> Iterator[Path]:
    """Remove the ``.dvc`` files of what is gone, and the folders that this empties."""
    for path in left:
        file = ground.folder / (path + SUFFIX)
        file.unlink()
        yield file
        for folder in file.parents:
            if folder == ground.folder:
                break
            with suppress(OSError):
                folder.rmdir()


def _lines(
    ground: Ground, outs: Mapping[str, Out], removed: Iterable[Path], done: HandedOver | None
) -> tuple[str, ...]:
    from mldata.sizes import human_size

    lines = []
    for path, out in outs.items():
        count = f"{out.nfiles:,} files, " if out.nfiles is not None else ""
        lines.append(
            f"{shown(ground.folder / (path + SUFFIX))}  {count}{human_size(out.size or 0)}, md5 {out.md5}"
        )
    lines += [f"{shown(path)}  removed" for path in removed]
    lines += ground.cache_lines(done)
    if git_status(ground.git, [ground.folder]):
        lines.append(
            f"Next: git add {shlex.quote(shown(ground.folder))} && git commit -m 'Update {ground.folder.name}'"
        )
    return (*lines, *ground.push_lines(done))
