"""A folder of a git repository as a source: ``git+https://HOST/REPO.git@REVISION#PATH``.

The revision is a branch, a tag or a whole commit hash, by default the server's own; it is pinned as a commit. The path is a file, a folder or a
pattern in the repository. Only that commit is fetched, and of its files only those that are read (:mod:`mldata.sources.gitclone`); of what Git
LFS keeps, the data and not the pointer. The git program does it, under :mod:`mldata.sources.gitprogram`.
"""

from __future__ import annotations

import posixpath
import re
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from mldata.errors import SourceError
from mldata.lfspointer import Pointer, parse_pointer
from mldata.sources.again import again
from mldata.sources.base import About, RemoteFile, Resolved
from mldata.sources.gitblob import BlobOrigin
from mldata.sources.gitclone import Clone
from mldata.sources.gitlfs import LfsOrigin
from mldata.sources.gitprogram import Git
from mldata.sources.patterns import EVERYTHING, split_pattern, take

__all__ = ["GitSource"]

FORM = "git+https://HOST/REPOSITORY[@REVISION][#PATH]"
_SCHEMES = ("git+https", "git+http", "git+ssh", "git+file")
_HOST = re.compile(r"(?:([A-Za-z0-9._-]+)@)?([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_OPTION = re.compile(r"\?revision=([^?#&]*)$")
"""Another way to say the revision, which ``mldata pull -r`` writes."""
_NO_REVISION = re.compile(r"^[-/.]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|[/.]$|\.lock$")
"""What no name of a branch or tag has (git-check-ref-format)."""
_LINK, _FILE, _PROGRAM, _SUBMODULE = "120000", "100644", "100755", "160000"


@dataclass(frozen=True)
class Address:
    """A source text, taken apart."""

    scheme: str
    host: str
    """Empty for ``git+file``."""
    repository: str
    """From the server's root, with its slash."""
    revision: str | None
    path: str
    """In the repository, without slashes at its ends."""

    @property
    def url(self) -> str:
        """As git has it."""
        return f"{self.scheme.removeprefix('git+')}://{self.host}{self.repository}"

    def __str__(self) -> str:
        at = f"@{self.revision}" if self.revision else ""
        return f"git+{self.url}{at}" + (f"#{quote(self.path, safe='/*?[]!')}" if self.path else "")


@dataclass(frozen=True)
class _Entry:
    """A file of a commit."""

    mode: str
    blob: str


class GitSource:
    """Files of one commit.

    Args:
        text: see :data:`FORM`.
        root: not needed: there are no relative ones.
    """

    def __init__(self, text: str, root: Path) -> None:
        self.text = text
        self._address = _parse(text)
        self.key = str(self._address)
        self._git = Git(self._address.url, text)
        self._clone = Clone(self._git)
        self._pointers: dict[str, Pointer] = {}
        weakref.finalize(self, self._clone.leave)

    def resolve(self, revision: str | None = None) -> Resolved:
        """See :meth:`mldata.sources.base.RemoteSource.resolve`. The revision is a commit."""
        if revision is not None and not _COMMIT.fullmatch(revision):
            raise SourceError(f"expected the hash of a commit, found {revision!r}", where=self.text,
                              hint="Take what is there now: mldata update")  # fmt: skip
        commit, ref = (revision, self._ref()) if revision is not None else self._look()
        self._clone.commit(commit, ref)
        entries = dict(_entries(self._clone.tree(commit), self.text))
        base, names, ignored = self._names(entries)
        links = {name: entries[base + name] for name in names if entries[base + name].mode == _LINK}
        lfs = self._lfs(commit, entries, [base + name for name in names])
        small = [entry.blob for entry in links.values()] + [entries[path].blob for path in lfs]
        self._clone.fetch(small, commit)
        files = []
        for name in names:
            path = self._followed(base, name, links, entries) if name in links else base + name
            if path is not None:
                files.append(self._file(name, entries[path].blob, path in lfs, commit))
        if not files:
            left = " but what is left out (hidden files and the like)" if ignored else ""
            raise SourceError(f"expected at least one file in commit {commit[:12]}, found none{left}", where=self.text,
                              hint="Look at how the path behind # is written, upper and lower case too.")  # fmt: skip
        warnings = [
            f"{path} is a submodule, whose files are not taken; name its repository as a source of its own"
            for path, entry in entries.items()
            if entry.mode == _SUBMODULE and path.startswith(base)
        ]
        return Resolved(commit, files, {"ignored": ignored} if ignored else {}, warnings)

    def about(self) -> About:
        """See :meth:`mldata.sources.base.RemoteSource.about`. A repository says nothing of itself without being read."""
        self._look()
        web = self._address.url.removesuffix(".git")
        return About(homepage=web if web.startswith("https://") else None)

    def origin(self, file: RemoteFile) -> BlobOrigin | LfsOrigin:
        """See :meth:`mldata.sources.base.RemoteSource.origin`."""
        commit, _, blob = file.place.partition(":")
        self._clone.want(blob, commit)
        if "sha256" in file.digests:
            pointer = Pointer(file.digests["sha256"], file.size or 0)
            return LfsOrigin(
                self, self._clone, self._git, file.place, pointer, f"{self._git.url} {file.name}"
            )
        return BlobOrigin(self, self._clone, blob, f"{self._git.url} {file.name}")

    def _file(self, name: str, blob: str, lfs: bool, commit: str) -> RemoteFile:
        place = f"{commit}:{blob}"
        pointer = parse_pointer(self._clone.read(blob)) if lfs else None
        if pointer is not None:
            return RemoteFile(name, place, pointer.size, {"sha256": pointer.sha256}, blob)
        return RemoteFile(name, place, None, {"git-sha1": blob} if len(blob) == 40 else {}, blob)

    # What the server has.

    def _ref(self) -> str | None:
        """What may lead to a pinned commit, where the server does not give out commits by their hash."""
        return self._address.revision if not _COMMIT.fullmatch(self._address.revision or "") else None

    def _look(self) -> tuple[str, str | None]:
        """The commit that the text means now, and the ref that it is of."""
        said = self._address.revision
        if said is not None and _COMMIT.fullmatch(said):
            return said, None
        asked = ["HEAD"] if said is None else [said, f"refs/tags/{said}", f"refs/tags/{said}^{{}}", f"refs/heads/{said}"]  # fmt: skip
        told = again(lambda: self._git.run("ls-remote", "--quiet", "--", self._git.url, *asked)).decode(
            "utf-8", "replace"
        )
        refs = {ref: commit for commit, _, ref in (line.partition("\t") for line in told.splitlines())}
        order = asked if said is None else [f"refs/tags/{said}^{{}}", f"refs/tags/{said}", f"refs/heads/{said}", said]  # fmt: skip
        for ref in order:
            if _COMMIT.fullmatch(refs.get(ref, "")):
                return refs[ref], ref.removesuffix("^{}")
        what = "a commit that HEAD is of" if said is None else f"a branch, a tag or a whole commit hash, found {said!r}"  # fmt: skip
        raise SourceError(f"the repository has nothing of this kind: expected {what}", where=self.text,
                          hint=f"Look at what it has: git ls-remote {self._git.url}")  # fmt: skip

    def _names(self, entries: Mapping[str, _Entry]) -> tuple[str, list[str], dict[str, int]]:
        """The folder that names begin at, the names that are meant, and what is left out."""
        path = self._address.path
        files = [name for name, entry in entries.items() if entry.mode != _SUBMODULE]
        if path in entries and entries[path].mode != _SUBMODULE:
            folder = path.rpartition("/")[0]
            return f"{folder}/" if folder else "", [path.rpartition("/")[2]], {}
        folder, pattern = split_pattern(path)
        base = f"{folder}/" if folder else ""
        below = [name.removeprefix(base) for name in files if name.startswith(base)]
        taken = take(sorted(below), pattern or EVERYTHING)
        return base, taken.names, taken.ignored

    def _lfs(self, commit: str, entries: Mapping[str, _Entry], paths: list[str]) -> set[str]:
        """Those of the paths that the repository keeps with Git LFS."""
        rules = [entry.blob for path, entry in entries.items() if path.rpartition("/")[2] == ".gitattributes"]
        if not rules:
            return set()
        self._clone.fetch(rules, commit)
        plain = [path for path in paths if entries[path].mode in (_FILE, _PROGRAM)]
        told = self._clone.attribute("filter", commit, plain) if plain else {}
        return {path for path in plain if told.get(path) == "lfs"}

    def _followed(
        self, base: str, name: str, links: Mapping[str, _Entry], entries: Mapping[str, _Entry]
    ) -> str | None:
        """The file that a symbolic link is; None for a folder, whose files are there under their own names."""
        path = name
        for _ in range(len(links) + 1):
            target = self._clone.read(links[path].blob).decode("utf-8", "surrogateescape")
            path = posixpath.normpath(posixpath.join("/" + posixpath.dirname(path), target)).lstrip("/")
            inside = not target.startswith("/") and not _leaves(name, target)
            if not inside or not any(it == base + path or it.startswith(f"{base}{path}/") for it in entries):
                break
            if path not in links:
                return base + path if base + path in entries else None
        raise SourceError(f"the symbolic link {name} leads to no file of this source", where=self.text,
                          hint="Name the link's target itself as a source.")  # fmt: skip


def _leaves(name: str, target: str) -> bool:
    """Whether a link leads out of the folder that names begin at."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    return path == ".." or path.startswith("../")


def _entries(listed: bytes, where: str) -> Iterator[tuple[str, _Entry]]:
    for line in listed.split(b"\0"):
        if not line:
            continue
        head, _, path = line.partition(b"\t")
        mode, _, blob = head.decode().split(" ")
        try:
            yield path.decode(), _Entry(mode, blob)
        except UnicodeDecodeError:
            raise SourceError(f"expected UTF-8 file names, found {path!r}", where=where,
                              hint="Rename the file in the repository.") from None  # fmt: skip


def _parse(text: str) -> Address:
    said = _OPTION.search(text)
    scheme, _, rest = text[: said.start() if said is not None else None].partition("://")
    rest, mark, path = rest.partition("#")
    host, _, place = rest.partition("/")
    found = _HOST.fullmatch(host)
    user = found[1] if found is not None else None
    scheme = scheme.lower()
    if "@" in host and (found is None or (user and scheme != "git+ssh")):
        raise SourceError(
            f"expected {FORM} without a name or password before the host",
            hint="A source is kept in mldata.yaml. Let git's credential helper have them: git config --global credential.helper",
        )

    def refuse(found: str) -> SourceError:
        return SourceError(f"expected {FORM}; found {found}", where=text)

    if scheme not in _SCHEMES:
        raise refuse(f"the scheme {scheme}")
    if (found is None) != (scheme == "git+file") or (scheme == "git+file" and host):
        raise refuse("no host" if scheme != "git+file" else "a host before a path of this machine")
    place, at, revision = place.rpartition("@") if "@" in place else (place, "", "")
    if said is not None:
        if at:
            raise refuse("a revision twice")
        at, revision = "@", unquote(said[1])
    repository = "/" + place.strip("/")
    if repository == "/" or re.search(r"[\x00-\x20\x7f]", repository):
        raise refuse("no repository")
    if at and (not revision or _NO_REVISION.search(revision)):
        raise refuse(f"the revision {revision!r}")
    path = unquote(path).strip("/")
    if mark and (not path or path.startswith("-") or {"", ".", ".."} & set(path.split("/")) or "\0" in path):
        raise refuse(f"the path {path!r}")
    return Address(scheme, host.lower() if not user else host, repository, revision or None, path)
