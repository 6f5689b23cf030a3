"""A small Hugging Face Hub on loopback: dataset repositories with commits, over the Hub's own protocol.

What it answers is what the Hub's clients read: repository info, the tree API with its paging, ``resolve`` with its two kinds of redirect (within the
Hub for plain files, to signed addresses of another host for files of LFS), error codes in headers. It is as strict as the Hub where that
keeps a client honest: parameters that it does not know, a wrong token, and a token that comes to the other host are refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from mldata.testing.places import Asked
from tests.servers.hubrepo import LFS, Repo, described, entries, git_sha1
from tests.servers.steered import Answer, Request, Steered, Steering, as_json

__all__ = ["TOKEN", "Hub", "Repo", "git_sha1", "hub"]

TOKEN = "hf_reader"
"""Of the user ``reader``."""
_SIGNED = "Signature=good&Expires=4102444800"


class Problem(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str, code: str | None = None, **headers: str) -> None:
        super().__init__(message)
        said = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {}), **headers}
        self.answer = _json({"error": message}, status, said)


def _json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    made = as_json(value, status)
    return Answer(made.body, status, {**made.headers, **(headers or {})})


class Hub:
    """The Hub and the host that its LFS files come from."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.moved: dict[str, str] = {}
        """Old names of repositories."""
        self.page = 1000
        """Entries of a page of the tree API, and of the list of datasets."""
        self.steering = Steering()
        """What goes wrong."""
        self.tokens = {TOKEN: "reader", "hf_stranger": "stranger"}
        self._main, self._cdn = _Main(self), _Cdn(self)
        self.endpoint = self._main.url
        self.cdn = self._cdn.url.replace("127.0.0.1", "localhost")
        self.links = self.endpoint
        """What links to following pages begin with."""
        self.described, self.entries = described, entries
        """What it says of repositories; a test may have it say something else."""

    @property
    def seen(self) -> Sequence[Asked]:
        """All requests so far."""
        return self.steering.asked

    def repo(self, id: str, files: Mapping[str, bytes] | None = None, **options: Any) -> Repo:
        """Make a repository, with a first commit if there are files."""
        made = self.repos[id] = Repo(id, **options)
        if files is not None:
            made.commit(files)
        return made

    def blob(self, sha256: str) -> bytes | None:
        """An object of LFS."""
        for repo in self.repos.values():
            for files in repo.commits.values():
                for path, data in files.items():
                    if path.endswith(LFS) and hashlib.sha256(data).hexdigest() == sha256:
                        return data
        return None


@contextmanager
def hub() -> Iterator[Hub]:
    """A Hub that is there while the block runs."""
    made = Hub()
    with made._main, made._cdn:
        yield made


class _Service(Steered):
    def __init__(self, hub: Hub) -> None:
        super().__init__(hub.steering)
        self.hub = hub

    def answer(self, request: Request) -> Answer:
        try:
            return self.made(_Asking(self.hub, request))
        except Problem as problem:
            return problem.answer

    def made(self, asking: _Asking) -> Answer:
        raise NotImplementedError


class _Cdn(_Service):
    """Storage: who has a signed address may read, and no other credential is taken."""

    own = False

    def made(self, asking: _Asking) -> Answer:
        if asking.token is not None:
            raise Problem(400, "Only one auth mechanism allowed")
        if asking.query.get("Signature") != ["good"]:
            raise Problem(403, "Access denied")
        name = asking.path.rpartition("/")[2]
        data = self.hub.blob(name)
        if data is None:
            raise Problem(404, "The specified key does not exist.")
        return _file(data, name, {"Content-Type": "binary/octet-stream"})


class _Main(_Service):
    """The Hub itself."""

    def made(self, asking: _Asking) -> Answer:
        return asking.answer()


def _file(data: bytes, etag: str, headers: Mapping[str, str]) -> Answer:
    return Answer(data, 200, {"ETag": f'"{etag}"', **headers}, file=True)


class _Asking:
    """A request to the Hub on its way to an answer."""

    _ROUTES = (
        (re.compile(r"/api/whoami-v2"), "whoami"),
        (re.compile(r"/api/datasets"), "listed"),
        (re.compile(r"/api/datasets/(?P<id>[^/]+(?:/[^/]+)?)/revision/(?P<revision>[^/]+)"), "info"),
        (re.compile(r"/api/datasets/(?P<id>[^/]+(?:/[^/]+)?)/tree/(?P<revision>[^/]+)(?:/(?P<path>.+))?"), "tree"),
        (re.compile(r"/api/datasets/(?P<id>[^/]+(?:/[^/]+)?)/paths-info/(?P<revision>[^/]+)"), "paths"),
        (re.compile(r"/api/datasets/(?P<id>[^/]+(?:/[^/]+)?)/auth-check"), "check"),
        (re.compile(r"/api/datasets/(?P<id>[^/]+/[^/]+)"), "info"),
        (re.compile(r"/api/datasets/(?P<id>[^/]+)"), "info"),
        (re.compile(r"/datasets/(?P<id>[^/]+(?:/[^/]+)?)/resolve/(?P<revision>[^/]+)/(?P<path>.+)"), "resolve"),
        (re.compile(r"/api/resolve-cache/datasets/(?P<id>[^/]+/[^/]+)/(?P<revision>[0-9a-f]{40})/(?P<path>.+)"), "cached"),
    )  # fmt: skip

    def __init__(self, hub: Hub, request: Request) -> None:
        self.hub, self.request = hub, request
        url = urlsplit(request.target)
        self.path, self.query = url.path, parse_qs(url.query, keep_blank_values=True)
        said = request.headers.get("authorization")
        self.token = said.removeprefix("Bearer ") if said is not None else None
        self.user = hub.tokens.get(self.token) if self.token is not None else None

    def allow(self, *names: str) -> None:
        """Refuse parameters that are none of these."""
        if unknown := set(self.query) - set(names):
            raise Problem(400, f"Unrecognized key(s) in object: {sorted(unknown)}")

    def flag(self, name: str) -> bool:
        value = self.query.get(name, ["false"])[-1].lower()
        if value not in ("true", "false", "1", "0"):
            raise Problem(400, f"{name} is no boolean")
        return value in ("true", "1")

    def answer(self) -> Answer:
        if self.request.headers.get("host", "").startswith("datasets-server."):
            return self.viewer()
        if self.token is not None and self.user is None:
            raise Problem(401, "Invalid credentials in Authorization header")
        for pattern, name in self._ROUTES:
            if found := pattern.fullmatch(self.path):
                said = {key: unquote(value) for key, value in found.groupdict().items() if value is not None}
                made: Answer = getattr(self, f"at_{name}")(**said)
                return made
        raise Problem(404, "Sorry, we can't find the page you are looking for.")

    def find(self, id: str) -> Repo:
        """The repository, if this user may know of it. Raises what is answered otherwise."""
        if (new := self.hub.moved.get(id)) is not None:
            to = self.request.target.replace(f"datasets/{id}", f"datasets/{new}", 1)
            raise Problem(307, f"Temporary Redirect. Redirecting to {new}", Location=to)
        repo = self.hub.repos.get(id)
        if repo is None or (repo.private and self.user not in repo.readers):
            if self.user is None:
                raise Problem(401, "Invalid username or password.", "RepoNotFound")
            raise Problem(404, "Repository not found", "RepoNotFound")
        if repo.disabled:
            raise Problem(403, "Access to this resource is disabled.")
        return repo

    def gate(self, repo: Repo) -> None:
        if not repo.gated or self.user in repo.readers:
            return
        said = f"Access to dataset {repo.id} is restricted"
        if self.user is None:
            raise Problem(
                401, f"{said}. You must have access to it and be authenticated to access it.", "GatedRepo"
            )
        raise Problem(403, f"{said} and you are not in the authorized list.", "GatedRepo")

    def at(self, repo: Repo, revision: str) -> str:
        sha = repo.find(revision)
        if sha is None:
            raise Problem(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return sha

    def at_whoami(self) -> Answer:
        if self.user is None:
            raise Problem(401, "Invalid username or password.")
        return _json(
            {
                "type": "user",
                "name": self.user,
                "fullname": self.user.title(),
                "orgs": [],
                "auth": {"type": "access_token", "accessToken": {"displayName": "test", "role": "read"}},
            }
        )

    def at_info(self, id: str, revision: str | None = None) -> Answer:
        self.allow("blobs", "expand", "expand[]")
        repo = self.find(id)
        sha = None if revision is None and not repo.refs else self.at(repo, revision or "main")
        return _json(self.hub.described(repo, sha, self.user, self.flag("blobs")))

    def at_check(self, id: str) -> Answer:
        self.allow()
        self.gate(self.find(id))
        return Answer(b"OK")

    def at_tree(self, id: str, revision: str, path: str = "") -> Answer:
        self.allow("recursive", "expand", "cursor", "limit")
        repo = self.find(id)
        sha = self.at(repo, revision)
        path = path.strip("/")
        below = f"{path}/" if path else ""
        found = [
            it
            for it in self.hub.entries(repo, sha)
            if it["path"].startswith(below) or (path and it["path"] == path)
        ]
        if path and not found:
            raise Problem(404, f"{path} does not exist on {revision!r}", "EntryNotFound")
        found = [it for it in found if it["path"] != path or it["type"] == "file"]
        if not self.flag("recursive"):
            found = [it for it in found if "/" not in it["path"][len(below) :]]
        return self.paged(found)

    def paged(self, found: list[dict[str, Any]]) -> Answer:
        page = min(self.hub.page, int(self.query.get("limit", ["1000"])[0]))
        start = int(self.query.get("cursor", ["0"])[0])
        headers = {}
        if start + page < len(found):
            kept = [
                part
                for part in urlsplit(self.request.target).query.split("&")
                if part and not part.startswith("cursor=")
            ]
            query = "&".join([*kept, f"cursor={start + page}"])
            headers["Link"] = f'<{self.hub.links}{self.path}?{query}>; rel="next"'
        return _json(found[start : start + page], headers=headers)

    def at_paths(self, id: str, revision: str) -> Answer:
        if self.request.method != "POST":
            raise Problem(404, "Not found")
        repo = self.find(id)
        sha = self.at(repo, revision)
        form = parse_qs(self.request.body.decode())
        if "paths" not in form:
            raise Problem(400, '"paths" is required')
        return _json([it for it in self.hub.entries(repo, sha) if it["path"] in form["paths"]])

    def at_resolve(self, id: str, revision: str, path: str) -> Answer:
        self.allow("download")
        repo = self.find(id)
        self.gate(repo)
        sha = self.at(repo, revision)
        data = repo.commits[sha].get(path)
        commit = {"X-Repo-Commit": sha}
        if data is None:
            raise Problem(404, "Entry not found", "EntryNotFound", **commit)
        if path.endswith(LFS):
            name = hashlib.sha256(data).hexdigest()
            headers = {
                **commit,
                "X-Linked-Etag": f'"{name}"',
                "X-Linked-Size": str(len(data)),
                "Location": f"{self.hub.cdn}/repos/{name[:2]}/{name}?{_SIGNED}",
            }
            if repo.xet:
                headers["X-Xet-Hash"] = name[::-1]
            return Answer(b"Found", 302, headers)
        cached = f"/api/resolve-cache/datasets/{repo.id}/{sha}/{quote(path)}?%22{git_sha1(data)}%22"
        return Answer(b"Temporary Redirect", 307, {**commit, "Location": cached})

    def at_cached(self, id: str, revision: str, path: str) -> Answer:
        repo = self.find(id)
        self.gate(repo)
        data = repo.commits[revision][path]
        return _file(data, git_sha1(data), {"X-Repo-Commit": revision, "Content-Type": "text/plain"})

    def at_listed(self) -> Answer:
        self.allow(
            "search", "filter", "author", "sort", "direction", "limit", "full", "cursor", "expand", "gated"
        )
        if (sort := self.query.get("sort", ["downloads"])[0]) not in (
            "downloads",
            "likes",
            "lastModified",
            "createdAt",
            "trendingScore",
        ):
            raise Problem(400, f"Invalid sort parameter: {sort}")
        asked = {"_id", "id", *self.query["expand"]} if "expand" in self.query else None
        found = []
        for repo in self.hub.repos.values():
            sha = repo.refs.get("main")
            if (repo.private and self.user not in repo.readers) or sha is None:
                continue
            words = self.query.get("search", [])
            if all(word.lower() in repo.id.lower() for word in words) and set(
                self.query.get("filter", [])
            ) <= set(repo.tags(sha)):
                said = self.hub.described(repo, sha, self.user)
                said["mainSize"] = said["usedStorage"]
                found.append({key: said[key] for key in said if key in asked} if asked else said)
        found.sort(key=lambda it: (-it["downloads"], it["id"]))
        return self.paged(found)

    def viewer(self) -> Answer:
        self.allow("dataset", "config")
        repo = self.hub.repos.get(self.query.get("dataset", [""])[0])
        said = repo.viewer.get(self.path.strip("/")) if repo else None
        if said is None:
            raise Problem(404, "The dataset does not exist, or is not accessible without authentication.")
        return _json(said, headers={"X-Revision": repo.refs["main"] if repo else ""})
