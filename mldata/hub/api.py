"""Requests to the Hub: what it is asked, and what its refusals mean.

Invariant: names, sizes and digests that it gives are checked for their form before anything is made of them; a token goes to the Hub's own hosts only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from mldata.config import load_config
from mldata.credentials import Credential, find_credential
from mldata.download.addresses import insecure
from mldata.download.base import HttpError
from mldata.download.web import Auth, Reply, Web
from mldata.errors import AuthError, NetworkError, SourceError, brief, shown
from mldata.hub.card import Info, infos_of, texts_of
from mldata.hub.refusals import Refusals

__all__ = ["Entry", "Hub", "Repo"]

MOST_PAGES = 20_000
"""Of one list."""
MOST_FILES = 1_000_000
"""Of one source: what is known of them is in memory."""
MOST_YAML = 1 << 17
"""Bytes of a file of settings."""
_ID = re.compile(r"[A-Za-z0-9._-]{1,96}(/[A-Za-z0-9._-]{1,96})?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NEXT = re.compile(r'<([^<>]*)>\s*;\s*rel="?next"?')


@dataclass(frozen=True)
class Repo:
    """A repository at one commit."""

    id: str
    """As the Hub calls it now."""
    commit: str
    card: Mapping[str, Any] = field(default_factory=dict)
    """The front matter of its README.md."""
    tags: Sequence[str] = ()
    gated: bool = False


@dataclass(frozen=True)
class Entry:
    """A file of a repository."""

    path: str
    size: int
    digests: Mapping[str, str]
    folder: bool = False

    @property
    def content(self) -> str:
        """Names the content: SHA-256 for what is in LFS, else the name of git's blob."""
        return self.digests.get("sha256") or self.digests.get("git-sha1", "")


class Hub:
    """The Hub, asked in the name of one source.

    Args:
        where: the source, for messages.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.endpoint = load_config().endpoint("hf")
        self.warning = insecure(self.endpoint)
        """What is wrong with how it is asked."""
        self.web = Web()
        self._tree: tuple[tuple[str, str, str, bool], list[Entry]] | None = None
        """The last tree that was asked for: a commit stays as it is."""

    @cached_property
    def _credential(self) -> Credential | None:
        return find_credential("hf")

    @cached_property
    def auth(self) -> Auth | None:
        """The user's token for it, if there is one; none goes over plain http to another machine."""
        credential, host = self._credential, urlsplit(self.endpoint).netloc
        if credential is None or self.warning is not None:
            return None
        return Auth(credential.authorization, frozenset({host, f"datasets-server.{host}"}))

    @cached_property
    def says(self) -> Refusals:
        """What its refusals mean."""
        token = self._credential.origin if self._credential is not None else None
        return Refusals(self.where, self.endpoint, token, sent=self.auth is not None)

    def page(self, repo: str) -> str:
        """The address of a repository for people."""
        return self.says.page(repo)

    def repo(self, name: str, revision: str | None) -> Repo:
        """What a repository is at a branch, tag or commit; None: at its default branch.

        Raises:
            SourceError, AuthError: there is none, no such revision, or it is not for this user.
            NetworkError: nothing can be said of it now.
        """
        url = f"{self.endpoint}/api/datasets/{name}"
        if revision is not None:
            url += f"/revision/{quote(revision, safe='')}"
        said = self._ask(url, name, revision).json()
        if not isinstance(said, dict) or not isinstance(said.get("id"), str):
            raise self.says.odd("a repository", said)
        if said.get("disabled"):
            raise self.says.disabled(name)
        commit = said.get("sha")
        if commit is None:
            raise self.says.empty(name)
        if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
            raise self.says.odd("a commit of 40 digits", commit)
        if not _ID.fullmatch(said["id"]):
            raise self.says.odd("the name of a repository", said["id"])
        card = said.get("cardData")
        return Repo(
            id=said["id"],
            commit=commit,
            card=card if isinstance(card, dict) else {},
            tags=texts_of(said.get("tags")),
            gated=bool(said.get("gated")),
        )

    def check_access(self, repo: Repo) -> None:
        """Raise ``AuthError`` unless this user may read the files of a gated repository."""
        self._ask(f"{self.endpoint}/api/datasets/{repo.id}/auth-check", repo.id)

    def tree(self, repo: Repo, folder: str = "", deep: bool = True) -> list[Entry]:
        """The files below a folder, in no special order. ``deep``: also those in folders of it."""
        asked = (repo.id, repo.commit, folder, deep)
        if self._tree is not None and self._tree[0] == asked:
            return self._tree[1]
        url = f"{self.endpoint}/api/datasets/{repo.id}/tree/{repo.commit}"
        if folder:
            url += f"/{quote(folder)}"
        query = urlencode({"recursive": str(deep).lower(), "expand": "false"})
        found: list[Entry] = []
        for page in self._pages(f"{url}?{query}", repo.id, folder):
            found += [entry for entry in map(self._entry, page) if not entry.folder]
            if len(found) > MOST_FILES:
                raise SourceError(
                    f"expected at most {MOST_FILES:,} files, found more in {repo.id}",
                    where=self.where,
                    hint="Name a folder of it, or a pattern within one, behind the repository's name.",
                )
        self._tree = asked, found
        return found

    def at(self, repo: Repo, path: str) -> Entry | None:
        """The file or folder at a path, if there is one."""
        url = f"{self.endpoint}/api/datasets/{repo.id}/paths-info/{repo.commit}"
        body = urlencode({"paths": path, "expand": "false"}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        said = self._ask(url, repo.id, path=path, method="POST", content=body, headers=headers).json()
        if not isinstance(said, list):
            raise self.says.odd("a list of files", said)
        return next((entry for entry in map(self._entry, said) if entry.path == path), None)

    def yaml(self, repo: Repo, entry: Entry) -> Mapping[str, Any]:
        """The mapping that a small file of YAML holds. Raises ``SourceError`` where it holds none."""
        import yaml

        try:
            if entry.size > MOST_YAML:
                raise ValueError(f"{entry.size:,} bytes")
            said = yaml.safe_load(self._ask(self.file_url(repo, entry.path), repo.id).body)
            if not isinstance(said, Mapping | None):
                raise ValueError(shown(said))
        except (ValueError, RecursionError, yaml.YAMLError) as error:
            what = str(error) if isinstance(error, ValueError) else "what is no YAML"
            raise SourceError(
                f"expected settings of the repository in {entry.path}, found {what}",
                where=self.where,
                hint="Name the files or a pattern behind the repository's name instead.",
            ) from None
        return said or {}

    def listed(self, query: Sequence[tuple[str, str]]) -> Iterator[Mapping[str, Any]]:
        """Repositories that a search finds, best first, asked for as they are used."""
        for page in self._pages(f"{self.endpoint}/api/datasets?{urlencode(query)}", ""):
            for said in page:
                if isinstance(said, dict) and _ID.fullmatch(str(said.get("id"))):
                    yield said

    def viewer_infos(self, repo: Repo) -> dict[str, Info]:
        """What the dataset viewer says of each subset; nothing where this Hub has none, or it knows nothing of this commit (yet)."""
        parts = urlsplit(self.endpoint)
        if re.fullmatch(r"[\d.]+|localhost|.*:.*", parts.hostname or ""):
            return {}
        url = f"{parts.scheme}://datasets-server.{parts.netloc}/info?{urlencode({'dataset': repo.id})}"
        try:
            reply = self.web.get(url, auth=self.auth)
            said = reply.json()
        except (NetworkError, AuthError):
            # It only adds to what the Hub itself said, and often has nothing of private, new or huge datasets.
            return {}
        if not isinstance(said, dict) or reply.headers.get("x-revision", repo.commit) != repo.commit:
            return {}
        found = infos_of(said.get("dataset_info"))
        if said.get("partial"):  # of a huge dataset it has read the beginning
            return {name: Info(dict.fromkeys(info.splits), info.features) for name, info in found.items()}
        return found

    def file_url(self, repo: Repo, path: str) -> str:
        """Where the bytes of a file are."""
        return f"{self.page(repo.id)}/resolve/{repo.commit}/{quote(path)}"

    def _pages(self, url: str, repo: str, path: str = "") -> Iterator[list[Any]]:
        seen: set[str] = set()
        while url not in seen and len(seen) < MOST_PAGES:
            seen.add(url)
            reply = self._ask(url, repo, path=path)
            said = reply.json()
            if not isinstance(said, list):
                raise self.says.odd("a list", said)
            yield said
            following = _NEXT.search(reply.headers.get("link", ""))
            if following is None:
                return
            # Whatever host it names: a mirror may give the Hub's own, and the token is for this one.
            parts = urlsplit(following[1])
            url = urljoin(self.endpoint, f"{parts.path}?{parts.query}")
        raise NetworkError(
            "expected a list that ends, found page after page",
            where=brief(url),
            hint="Try again; if it stays so, tell whoever runs the server.",
        )

    def _entry(self, said: Any) -> Entry:
        if not isinstance(said, dict) or not isinstance(said.get("path"), str):
            raise self.says.odd("a file", said)
        path, size, lfs = said["path"], said.get("size", 0), said.get("lfs")
        if said.get("type") == "directory":
            return Entry(path, 0, {}, folder=True)
        steps = path.split("/")
        if any(step in ("", ".", "..") for step in steps) or "\\" in path or not path.isprintable():
            raise SourceError(
                f"expected paths within the repository, found {shown(path)}",
                where=self.where,
                hint="Name the folder or the files that you want behind the repository's name.",
            )
        digests = {}
        if isinstance(lfs, dict):
            size, digests["sha256"] = lfs.get("size", size), str(lfs.get("oid", lfs.get("sha256")))
            if not _SHA256.fullmatch(digests["sha256"]):
                raise self.says.odd("a SHA-256", lfs)
        else:
            digests["git-sha1"] = str(said.get("oid"))
            if not _COMMIT.fullmatch(digests["git-sha1"]):
                raise self.says.odd("the name of a blob", said.get("oid"))
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise self.says.odd(f"the size of {path}", size)
        return Entry(path, size, digests)

    def _ask(self, url: str, repo: str, revision: str | None = None, path: str = "", **options: Any) -> Reply:
        try:
            return self.web.get(url, auth=self.auth, **options)
        except (AuthError, HttpError) as error:
            raise self.says.meaning(error, repo, revision, path) from None
