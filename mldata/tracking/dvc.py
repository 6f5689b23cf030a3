"""DVC: an export is tracked as ``dvc add`` would track it, without its bytes being read again.

Beside the folder ``penguins`` stand ``penguins.dvc`` and a line in ``.gitignore``; DVC's cache has every file by its MD5, as a link to the
object of the store, and the ``.dir`` object that lists them. The MD5s are those that the store remembers, and that the manifest lists.

Invariants: the cache is complete, and durable, before the ``.dvc`` file names it; an object of the cache that is right is not touched, one
that is wrong is not replaced without being asked; a ``.dvc`` file of somebody else's is not either.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.dvcdir import dir_object, object_path, parse_dir
from mldata.dvcfile import SUFFIX, Out, new_text, read_dvc, updated_text
from mldata.dvcrepo import FILES, find_dvc
from mldata.errors import BuildError, MissingExtra, MldataError, UsageError
from mldata.tracking.base import Tracked
from mldata.tracking.dvcignores import GITIGNORE, check_visible, gitignore_text, taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mldata.dvcdir import DirObject
    from mldata.dvcfile import DvcFile
    from mldata.dvcrepo import DvcRepository
    from mldata.tracking.base import Place, Published
    from mldata.tracking.gitrepository import Repository
    from store import Digest, HandedOver, ObjectId, Store, TreeEntry

__all__ = ["Dvc"]

LOOKED_AT = 1000
"""Of folders with at most so many files, every build looks for each of them in the cache."""
NAMED = 3
"""So many files are named where more are meant."""


@dataclass(frozen=True)
class Ground:
    """Where an export lies."""

    folder: Path
    """Absolute, without links but the folder itself."""
    file: Path
    """The ``.dvc`` file."""
    dvc: DvcRepository | None
    git: Repository | None

    @classmethod
    def of(cls, place: Place) -> Ground:
        """Look around. Raises ``UsageError``."""
        from mldata.tracking.gitrepository import find_repository

        parent = Path(os.path.realpath(place.folder.parent))
        folder = parent / place.folder.name
        dvc = find_dvc(parent)
        git = None if dvc is not None and dvc.no_scm else find_repository(dvc.root if dvc else parent)
        return cls(folder, parent / (folder.name + SUFFIX), dvc, git)


class Dvc:
    """The tracker."""

    def check(self, place: Place) -> None:
        """Whether DVC is there, and nothing is in the way. Raises as :class:`mldata.tracking.base.Tracker` says."""
        if place.settings["require"]:
            _require_program()
        ground = Ground.of(place)
        if (ground.folder / ".dvc").is_dir():
            raise UsageError(
                "DVC cannot track the folder that its repository is in",
                where=str(ground.folder),
                hint="Export to a folder in it.",
            )
        _own(ground, force=place.force)
        for above in ground.folder.parents:
            if ground.dvc is None or above == ground.dvc.root:
                break
            if (file := above.with_name(above.name + SUFFIX)).is_file():
                raise UsageError(
                    f"DVC tracks the folder {above} already, and what lies in it with it",
                    where=str(file),
                    hint="Export to another folder, or stop tracking that one: dvc remove " + shlex.quote(str(file)),
                )  # fmt: skip
        if ground.git is not None:
            check_visible(ground.file, ground.git)
            _check_untracked(ground.folder, ground.git)

    def lacking(self, place: Place, store: Store, tree: Digest) -> str | None:
        """Why it has to be done again: by the ``.dvc`` file, ``.gitignore``, and what is in DVC's cache."""
        try:
            ground = Ground.of(place)
            file = read_dvc(ground.file)
            if file is None:
                return f"{ground.file.name} is missing"
            if file.tree != tree or len(file.outs) != 1:
                return f"{ground.file.name} is about something else"
            [out] = file.outs
            if ground.git is not None and gitignore_text(ground.folder, ground.git) is not None:
                return f"git does not ignore {ground.folder.name}"
        except MldataError as error:
            return str(error)
        known = store.index.get_blob(_remembered(tree))
        if known is not None and known != str(out.md5).encode():
            return f"{ground.file.name} has another hash"
        if ground.dvc is None or ground.dvc.cache is None or known is None:
            return None if known is not None else "nothing is known of its hash"
        if not _cached(ground.dvc, out):
            return f"DVC's cache in {ground.dvc.cache} lacks files"
        return None

    def track(self, published: Published) -> Tracked:
        """Fill the cache, then write the files. Raises ``MldataError``."""
        from store import seldom_collecting

        with seldom_collecting():
            return _track(published)


def _track(published: Published) -> Tracked:
    place, store = published.place, published.store
    ground = Ground.of(place)
    file = _own(ground, force=place.force)
    files, hidden = taken(dict(store.walk(published.tree)), ground.folder, ground.dvc)
    md5 = _md5s(store, files)
    listed = dir_object({path: md5[entry.digest] for path, entry in files.items()})
    size = sum(entry.size for entry in files.values())
    out = Out(ground.folder.name, listed.md5, size, len(files), legacy=False)
    objects = {object_path(md5[it.digest]): it for it in files.values()}
    done = _fill(store, ground, objects, listed, force=place.force)
    ignored = _ignore(ground)
    text = new_text(out, published.tree) if file is None else updated_text(file, out, published.tree)
    written = _write(ground.file, text.encode(), file.text.encode() if file is not None else None)
    _verify(ground, out, published.tree)
    store.index.put_blob(_remembered(published.tree), listed.md5.encode())
    return Tracked(
        _facts(ground, out, done, ignored=ignored, written=written),
        _lines(ground, out, done, ignored=ignored),
        tuple(_warnings(ground, hidden)),
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


def _own(ground: Ground, *, force: bool) -> DvcFile | None:
    """The ``.dvc`` file as mldata left it; None: it is to be written anew. Raises ``UsageError`` for somebody else's."""
    try:
        file = read_dvc(ground.file)
    except MldataError:
        if not force or ground.file.is_symlink() or not ground.file.is_file():
            raise
        return None
    if file is None:
        return None
    if file.tree is None or len(file.outs) != 1 or file.outs[0].path != ground.folder.name:
        if not force:
            raise UsageError(
                "expected no file, or one that mldata wrote; found one of somebody else's",
                where=str(ground.file),
                hint=f"Export to another folder, or stop tracking what it names: dvc remove {shlex.quote(_shown(ground.file))}. "
                "`mldata export` replaces it with --force.",
            )
        return None
    return file


def _check_untracked(folder: Path, git: Repository) -> None:
    """Raise ``UsageError`` where git has files of the folder: DVC would refuse to track them."""
    from shutil import which

    if which("git") is None or not folder.is_dir():
        return
    from mldata.tracking.gitrepository import Git

    if Git(git).run("ls-files", "-z", "--", git.name(folder)):
        path = shlex.quote(_shown(folder))
        raise UsageError(
            "git tracks files of this folder, so DVC cannot",
            where=str(folder),
            hint=f"Take them out of git, which leaves them on disk: git rm -r --cached {path} && git commit -m 'Stop tracking {folder.name}'",
        )


def _md5s(store: Store, files: Mapping[str, TreeEntry]) -> dict[Digest, str]:
    """MD5 by digest. Raises ``BuildError`` where two files have the same, which DVC would take for one."""
    found = store.hashes([entry.digest for entry in files.values()], ("md5",))
    known: dict[Digest, str] = {}
    digests: dict[str, Digest] = {}
    for path, entry in files.items():
        digest = entry.digest
        md5 = known[digest] = str(found[digest].md5)
        if digests.setdefault(md5, digest) != digest:
            raise BuildError(
                f"two different files have the MD5 {md5}, and DVC would keep one of them only", where=path
            )
    return known


def _fill(
    store: Store, ground: Ground, objects: Mapping[str, TreeEntry], listed: DirObject, *, force: bool
) -> HandedOver | None:
    """Make the cache hold all objects, then their list; None where there is no cache on this machine."""
    from store import ObjectId, publish_bytes

    if ground.dvc is None or ground.dvc.cache is None:
        return None
    where = ground.dvc.cache / FILES
    wanted: list[tuple[str, ObjectId]] = [
        (path, ObjectId(entry.digest, entry.size)) for path, entry in objects.items()
    ]
    done = store.hand_over(wanted, where, force=force)
    wrong = list(done.wrong)
    own = where / object_path(listed.md5)
    right = own.is_file() and not own.is_symlink() and own.read_bytes() == listed.data
    if os.path.lexists(own) and not right:
        wrong.append(object_path(listed.md5))
    if wrong and not force:
        more = f" and {len(wrong) - NAMED:,} more" if len(wrong) > NAMED else ""
        raise BuildError(
            f"expected DVC's cache to hold what its names say; found other bytes in {', '.join(wrong[:NAMED])}{more}",
            where=str(where),
            hint="Remove these files and build again; `mldata export` replaces them with --force.",
        )
    if not right:
        publish_bytes(own, listed.data, mode=0o444)
    return done


def _ignore(ground: Ground) -> bool:
    """Have git ignore the folder; whether a line had to be written."""
    text = gitignore_text(ground.folder, ground.git) if ground.git is not None else None
    if text is not None:
        _write(ground.folder.parent / GITIGNORE, text, None)
    return text is not None


def _write(path: Path, data: bytes, before: bytes | None) -> bool:
    """Write a file, keeping its permission bits; whether it had to be."""
    from store import publish_bytes

    if data == before:
        return False
    try:
        mode = path.stat().st_mode & 0o777
    except OSError:
        mode = 0o644
    publish_bytes(path, data, mode=mode)
    return True


def _verify(ground: Ground, out: Out, tree: Digest) -> None:
    """Read again what was written. Raises ``BuildError``."""
    file = read_dvc(ground.file)
    if file is None or file.outs != (out,) or file.tree != tree:
        raise BuildError(
            "the file does not say what was written to it", where=str(ground.file), hint="Build again."
        )
    # The objects were verified when they were linked: here it is about what `dvc gc` may have done meanwhile.
    if ground.dvc is not None and ground.dvc.cache is not None and not _cached(ground.dvc, out):
        raise BuildError("DVC's cache lost what was put into it", where=str(ground.dvc.cache),
                         hint="Is `dvc gc` running? Build again when it is done.")  # fmt: skip


def _cached(dvc: DvcRepository, out: Out) -> bool:
    """Whether the cache has what a folder's hash stands for: its list and, where they are few, the files."""
    path = dvc.object_file(str(out.md5))
    assert path is not None and dvc.cache is not None
    try:
        if (out.nfiles or 0) > LOOKED_AT:
            return path.is_file()
        listed = set(parse_dir(path.read_bytes()).values())
        return all(os.path.exists(f"{dvc.cache}/{FILES}/{object_path(md5)}") for md5 in listed)
    except (OSError, ValueError):
        return False


def _remembered(tree: Digest) -> str:
    return f"dvc-dir:{tree}"


def _facts(
    ground: Ground, out: Out, done: HandedOver | None, *, ignored: bool, written: bool
) -> dict[str, Any]:
    cache = ground.dvc.cache if ground.dvc is not None else None
    return {
        "file": str(ground.file),
        "md5": out.md5,
        "size": out.size,
        "nfiles": out.nfiles,
        "written": [str(ground.file)] * written + [str(ground.folder.parent / GITIGNORE)] * ignored,
        "repository": str(ground.dvc.root) if ground.dvc is not None else None,
        "remote": ground.dvc.remote if ground.dvc is not None else None,
        "cache": None
        if done is None
        else {"folder": str(cache), "linked": done.linked, "copied": done.copied, "kept": done.kept},
    }


def _lines(ground: Ground, out: Out, done: HandedOver | None, *, ignored: bool) -> tuple[str, ...]:
    from mldata.sizes import human_size

    file, gitignore = _shown(ground.file), _shown(ground.folder.parent / GITIGNORE)
    lines = [f"{file}  {out.nfiles or 0:,} files, {human_size(out.size or 0)}, md5 {out.md5}"]
    if ignored:
        lines.append(f"{gitignore}  /{ground.folder.name}")
    if done is not None:
        lines.append(
            f"DVC's cache: {done.linked:,} linked, {done.copied:,} copied, {done.kept:,} there already"
        )
    add = [shlex.quote(file)]
    if ground.git is not None:
        status = _git_status(ground)
        lines += [f"git status: {line}" for line in status]
        if any(line.endswith(GITIGNORE) for line in status):
            add.append(shlex.quote(gitignore))
        if status:
            lines.append(f"Next: git add {' '.join(add)} && git commit -m 'Update {ground.folder.name}'")
    if ground.dvc is not None and done is not None:
        lines.append(
            "Then: dvc push" if ground.dvc.remote else "Then: dvc remote add -d NAME URL && dvc push"
        )
    return tuple(lines)


def _git_status(ground: Ground) -> list[str]:
    """What git says of the two files, as ``git status --short`` shows it; nothing where there is no git, or all is committed."""
    from shutil import which

    if ground.git is None or which("git") is None:
        return []
    from mldata.errors import harmless
    from mldata.tracking.gitrepository import Git

    names = [ground.git.name(path) for path in (ground.file, ground.folder.parent / GITIGNORE)]
    told = Git(ground.git).run("status", "--porcelain=v1", "-z", "--untracked-files=all", "--", *names)
    return [harmless(os.fsdecode(line)) for line in told.split(b"\0") if line]


def _warnings(ground: Ground, hidden: list[str]) -> list[str]:
    name = ground.file.name
    found = []
    if hidden:
        more = f" and {len(hidden) - NAMED:,} more" if len(hidden) > NAMED else ""
        found.append(f"{name} leaves out what .dvcignore names: {', '.join(hidden[:NAMED])}{more}")
    if ground.dvc is None:
        init = "dvc init" if ground.git is not None else "git init && dvc init, or dvc init --no-scm"
        found.append(
            f"{name} is in no DVC repository, so no cache was filled: run {init}, then `mldata build` or the export again"
        )
    elif ground.dvc.cache is None:
        found.append(
            f"DVC's cache is at {ground.dvc.cache_url}, which is not filled from here: run `dvc commit {name}`"
        )
    if ground.git is None and not (ground.dvc is not None and ground.dvc.no_scm):
        found.append(f"{name} is in no git repository, so no version of it is kept: run `git init`")
    if ground.dvc is not None and ground.dvc.remote is None:
        found.append("DVC has no default remote, so `dvc push` has nowhere to go: dvc remote add -d NAME URL")
    return found


def _shown(path: Path) -> str:
    """A path as it can be typed here."""
    return os.path.relpath(path)
