"""DVC: an export is tracked as ``dvc add`` would track it, without its bytes being read again.

Beside the folder ``penguins`` stand ``penguins.dvc`` and a line in ``.gitignore``; DVC's cache has every file by its MD5, as a link to the
object of the store, and the ``.dir`` object that lists them. The MD5s are those that the store remembers, and that the manifest lists.
Or each file has a ``.dvc`` file of its own (:mod:`mldata.tracking.dvceach`).

Invariants: the cache is complete, and durable, before the ``.dvc`` file names it; an object of the cache that is right is not touched, one
that is wrong is not replaced without being asked; a ``.dvc`` file of somebody else's is not either.
"""

from __future__ import annotations

import shlex
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mldata.dvcdir import dir_object, object_path
from mldata.dvcfile import SUFFIX, Out, new_text, read_dvc, updated_text
from mldata.errors import MissingExtra, MldataError, UsageError
from mldata.tracking import dvceach
from mldata.tracking.base import Tracked
from mldata.tracking.dvccache import cached, fill, md5s
from mldata.tracking.dvcground import (
    Ground,
    check_untracked,
    git_files,
    git_status,
    own,
    shown,
    verify,
    write,
)
from mldata.tracking.dvcignores import GITIGNORE, check_visible, gitignore_text, taken

if TYPE_CHECKING:
    from pathlib import Path

    from mldata.tracking.base import Place, Published
    from store import Digest, HandedOver, Store

__all__ = ["Dvc"]


class Dvc:
    """The tracker."""

    def check(self, place: Place) -> None:
        """Whether DVC is there, and nothing is in the way. Raises as :class:`mldata.tracking.base.Tracker` says."""
        if place.settings["require"]:
            _require_program()
        ground = Ground.of(place)
        each = _each(place)
        if (ground.folder / ".dvc").is_dir():
            raise UsageError(
                "DVC cannot track the folder that its repository is in",
                where=str(ground.folder),
                hint="Export to a folder in it.",
            )
        if each:
            _check_free(ground.folder)
        else:
            own(ground.file, force=place.force)
            dvceach.check_none(ground)
        for above in ground.folder.parents:
            if ground.dvc is None or above == ground.dvc.root:
                break
            _check_free(above)
        if each:
            dvceach.check(ground, force=place.force)
        elif ground.git is not None:
            check_visible(ground.file, ground.git)
            check_untracked(ground.folder, git_files(ground.folder, ground.git), ground.folder)

    def lacking(self, place: Place, store: Store, tree: Digest) -> str | None:
        """Why it has to be done again: by the ``.dvc`` file, ``.gitignore``, and what is in DVC's cache."""
        try:
            ground = Ground.of(place)
            return (dvceach.lacking if _each(place) else _lacking)(ground, store, tree)
        except MldataError as error:
            return str(error)

    def track(self, published: Published) -> Tracked:
        """Fill the cache, then write the files. Raises ``MldataError``."""
        from store import seldom_collecting

        with seldom_collecting():
            return (dvceach.track if _each(published.place) else _track)(published)


def _each(place: Place) -> bool:
    return bool(place.settings.get("each"))


def _lacking(ground: Ground, store: Store, tree: Digest) -> str | None:
    file = read_dvc(ground.file)
    if file is None:
        return f"{ground.file.name} is missing"
    if file.tree != tree or len(file.outs) != 1:
        return f"{ground.file.name} is about something else"
    [out] = file.outs
    if ground.git is not None and gitignore_text(ground.folder, ground.git) is not None:
        return f"git does not ignore {ground.folder.name}"
    known = store.index.get_blob(_remembered(tree))
    if known is not None and known != str(out.md5).encode():
        return f"{ground.file.name} has another hash"
    if ground.dvc is None or ground.dvc.cache is None or known is None:
        return None if known is not None else "nothing is known of its hash"
    if not cached(ground.dvc, out):
        return f"DVC's cache in {ground.dvc.cache} lacks files"
    return None


def _track(published: Published) -> Tracked:
    place, store = published.place, published.store
    ground = Ground.of(place)
    file = own(ground.file, force=place.force)
    files, hidden = taken(dict(store.walk(published.tree)), ground.folder, ground.dvc)
    md5 = md5s(store, files)
    listed = dir_object({path: md5[entry.digest] for path, entry in files.items()})
    size = sum(entry.size for entry in files.values())
    out = Out(ground.folder.name, listed.md5, size, len(files), legacy=False)
    objects = {object_path(md5[it.digest]): it for it in files.values()}
    done = fill(store, ground.dvc, objects, [listed], force=place.force)
    ignored = _ignore(ground)
    text = new_text(out, published.tree) if file is None else updated_text(file, out, published.tree)
    written = write(ground.file, text.encode(), file.text.encode() if file is not None else None)
    verify(ground.file, out, published.tree, ground.dvc)
    store.index.put_blob(_remembered(published.tree), listed.md5.encode())
    return Tracked(
        _facts(ground, out, done, ignored=ignored, written=written),
        _lines(ground, out, done, ignored=ignored),
        tuple(ground.warnings(ground.file.name, hidden)),
    )


def _require_program() -> None:
    from shutil import which

    if which("dvc") is None and find_spec("dvc") is None:
        raise MissingExtra(
            "DVC is not installed",
            where="dvc",
            hint="Install it: pip install dvc (for a remote on S3: pip install 'dvc[s3]'), or write its files without it: --no-require-dvc, "
            "in mldata.yaml dvc: {require: false}.",
        )


def _check_free(folder: Path) -> None:
    """Raise ``UsageError`` where a ``.dvc`` file is about a folder in which others are to be."""
    if (file := folder.with_name(folder.name + SUFFIX)).is_file():
        raise UsageError(
            f"DVC tracks the folder {folder} already, and what lies in it with it",
            where=str(file),
            hint="Export to another folder, or stop tracking that one: dvc remove " + shlex.quote(str(file)),
        )


def _ignore(ground: Ground) -> bool:
    """Have git ignore the folder; whether a line had to be written."""
    text = gitignore_text(ground.folder, ground.git) if ground.git is not None else None
    if text is not None:
        write(ground.folder.parent / GITIGNORE, text, None)
    return text is not None


def _remembered(tree: Digest) -> str:
    return f"dvc-dir:{tree}"


def _facts(
    ground: Ground, out: Out, done: HandedOver | None, *, ignored: bool, written: bool
) -> dict[str, Any]:
    return {
        "file": str(ground.file),
        "md5": out.md5,
        "size": out.size,
        "nfiles": out.nfiles,
        "written": [str(ground.file)] * written + [str(ground.folder.parent / GITIGNORE)] * ignored,
        **ground.facts(done),
    }


def _lines(ground: Ground, out: Out, done: HandedOver | None, *, ignored: bool) -> tuple[str, ...]:
    from mldata.sizes import human_size

    file, gitignore = shown(ground.file), shown(ground.folder.parent / GITIGNORE)
    lines = [f"{file}  {out.nfiles or 0:,} files, {human_size(out.size or 0)}, md5 {out.md5}"]
    if ignored:
        lines.append(f"{gitignore}  /{ground.folder.name}")
    lines += ground.cache_lines(done)
    add = [shlex.quote(file)]
    if ground.git is not None:
        status = git_status(ground.git, (ground.file, ground.folder.parent / GITIGNORE))
        lines += [f"git status: {line}" for line in status]
        if any(line.endswith(GITIGNORE) for line in status):
            add.append(shlex.quote(gitignore))
        if status:
            lines.append(f"Next: git add {' '.join(add)} && git commit -m 'Update {ground.folder.name}'")
    return (*lines, *ground.push_lines(done))
