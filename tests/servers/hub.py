"""A small Hugging Face Hub on loopback: dataset repositories with commits, over the Hub's own protocol.

What it answers is what the Hub's clients read: repository info, the tree API with its paging, ``resolve`` with its two kinds of redirect (within the
Hub for plain files, to signed addresses of another host for files of LFS), error codes in headers. It is as strict as the Hub where that
keeps a client honest: parameters that it does not know, a wrong token, and a token that comes to the other host are refused.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import yaml

LFS = (".parquet", ".arrow", ".zip", ".png", ".jpg", ".wav", ".bin")
"""What this Hub keeps in LFS, by suffix, as ``.gitattributes`` would say."""
TOKEN = "hf_reader"
"""Of the user ``reader``."""
SHORTEST = 7
"""Digits of a commit that name it."""
_SIGNED = "Signature=good&Expires=4102444800"


def git_sha1(data: bytes) -> str:
    """The name of a blob in git."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class Repo:
    """A dataset repository. Commits are whole states, the newest last."""

    id: str
    private: bool = False
    gated: str | bool = False
    disabled: bool = False
    readers: frozenset[str] = frozenset()
    """Users who may read it if it is private or gated."""
    xet: bool = False
    """Whether files of LFS are said to be in Xet too."""
    downloads: int = 0
    modality: tuple[str, ...] = ()
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    viewer: Mapping[str, Any] = field(default_factory=dict)
    """What the dataset viewer answers, by its path: ``size``, ``info``."""

    def commit(self, files: Mapping[str, bytes], ref: str = "main") -> str:
        """Make a state and let a branch or tag point to it; gives the commit."""
        text = json.dumps(
            [self.id, ref, len(self.commits), *((k, git_sha1(files[k])) for k in sorted(files))]
        )
        sha = hashlib.sha1(text.encode()).hexdigest()
        self.commits[sha] = dict(files)
        self.refs[ref] = sha
        return sha

    def find(self, revision: str) -> str | None:
        """The commit that a revision names."""
        if revision in self.refs:
            return self.refs[revision]
        if len(revision) < SHORTEST:
            return None
        return next((sha for sha in self.commits if sha.startswith(revision)), None)

    def card(self, sha: str) -> dict[str, Any] | None:
        """The front matter of README.md."""
        text = self.commits[sha].get("README.md", b"").decode()
        found = re.match(r"---\n(.*?)\n---(\n|$)", text, re.DOTALL)
        return yaml.safe_load(found[1]) if found else None

    def tags(self, sha: str) -> list[str]:
        card = self.card(sha) or {}
        said = []
        for key in ("task_categories", "license", "size_categories", "language"):
            values = card.get(key) or []
            said += [f"{key}:{value}" for value in ([values] if isinstance(values, str) else values)]
        return [*said, *(f"modality:{name}" for name in self.modality), *card.get("tags", []), "region:us"]


class Problem(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str, code: str | None = None, **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.headers = status, message, code, headers


@dataclass(frozen=True)
class Seen:
    """A request that came."""

    method: str
    path: str
    """With what stands behind the question mark."""
    headers: Mapping[str, str]
    """Names in lower case."""
    own: bool
    """Whether the Hub itself was asked; False for the host of LFS files."""


class Hub:
    """The Hub and the host that its LFS files come from."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.moved: dict[str, str] = {}
        """Old names of repositories."""
        self.page = 1000
        """Entries of a page of the tree API, and of the list of datasets."""
        self.failing: tuple[int, int | None, Mapping[str, str]] = (0, 0, {})
        """Status and headers of the answer to the next so many requests (None: all)."""
        self.cut: int | None = None
        """The next file that is longer breaks off after so many bytes."""
        self.seen: list[Seen] = []
        self.tokens = {TOKEN: "reader", "hf_stranger": "stranger"}
        self._main = _serve(self, _HubHandler)
        self._cdn = _serve(self, _CdnHandler)
        self.endpoint = f"http://127.0.0.1:{self._main.server_address[1]}"
        self.cdn = f"http://localhost:{self._cdn.server_address[1]}"
        self.links = self.endpoint
        """What links to following pages begin with."""

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

    def described(self, repo: Repo, sha: str | None, user: str | None, blobs: bool = False) -> dict[str, Any]:
        files = repo.commits[sha] if sha else {}
        shut = repo.gated and user not in repo.readers
        said = {
            "_id": git_sha1(repo.id.encode())[:24],
            "id": repo.id,
            "author": repo.id.partition("/")[0],
            "sha": sha,
            "lastModified": "2025-03-04T05:06:07.000Z",
            "createdAt": "2025-01-02T03:04:05.000Z",
            "private": repo.private,
            "gated": repo.gated,
            "disabled": False,
            "downloads": repo.downloads,
            "likes": 0,
            "tags": repo.tags(sha) if sha else [],
            "siblings": [
                {"rfilename": path, **({"size": len(files[path])} if blobs else {})} for path in sorted(files)
            ],
            "usedStorage": sum(map(len, files.values())),
        }
        if sha and not shut and (card := repo.card(sha)) is not None:
            said["cardData"] = card
        return json.loads(json.dumps(said, default=str))

    def entries(self, repo: Repo, sha: str) -> list[dict[str, Any]]:
        """What the tree API says of every file and folder of a commit."""
        files = repo.commits[sha]
        folders = {path.rsplit("/", depth)[0] for path in files for depth in range(1, path.count("/") + 1)}
        found: list[dict[str, Any]] = [
            {"type": "directory", "oid": git_sha1(f"{sha}/{path}".encode()), "size": 0, "path": path}
            for path in folders
        ]
        for path, data in files.items():
            entry: dict[str, Any] = {"type": "file", "oid": git_sha1(data), "size": len(data), "path": path}
            if path.endswith(LFS):
                name = hashlib.sha256(data).hexdigest()
                pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize {len(data)}\n"
                entry["oid"] = git_sha1(pointer.encode())
                entry["lfs"] = {"oid": name, "size": len(data), "pointerSize": len(pointer)}
                if repo.xet:
                    entry["xetHash"] = name[::-1]
            found.append(entry)
        return sorted(found, key=lambda it: it["path"])

    def fail_if_told(self) -> None:
        status, times, headers = self.failing
        if times != 0:
            self.failing = (status, times and times - 1, headers)
            raise Problem(status, "We had to rate limit your IP." if status == 429 else "Not now.", **headers)

    def close(self) -> None:
        for server in (self._main, self._cdn):
            server.shutdown()
            server.server_close()


@contextmanager
def hub() -> Iterator[Hub]:
    """A Hub that is there while the block runs."""
    made = Hub()
    try:
        yield made
    finally:
        made.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hub: Hub


def _serve(hub: Hub, handler: type[BaseHTTPRequestHandler]) -> _Server:
    server = _Server(("127.0.0.1", 0), handler)
    server.hub = hub
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.query = parse_qs(url.query, keep_blank_values=True)
        said = self.headers.get("Authorization")
        self.token = said.removeprefix("Bearer ") if said is not None else None
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        hub = self.server.hub
        headers = {name.lower(): value for name, value in self.headers.items()}
        hub.seen.append(Seen(self.command, self.path, headers, isinstance(self, _HubHandler)))
        try:
            hub.fail_if_told()
            self.answer(url.path)
        except Problem as problem:
            headers = {"X-Error-Message": problem.message, **problem.headers}
            if problem.code:
                headers["X-Error-Code"] = problem.code
            self.json({"error": problem.message}, problem.status, headers)

    do_HEAD = do_POST = do_GET

    def answer(self, path: str) -> None:
        raise NotImplementedError

    def allow(self, *names: str) -> None:
        """Refuse parameters that are none of these."""
        if unknown := set(self.query) - set(names):
            raise Problem(400, f"Unrecognized key(s) in object: {sorted(unknown)}")

    def flag(self, name: str) -> bool:
        value = self.query.get(name, ["false"])[-1].lower()
        if value not in ("true", "false", "1", "0"):
            raise Problem(400, f"{name} is no boolean")
        return value in ("true", "1")

    def json(self, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.send(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def send(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        cut = self.server.hub.cut
        if "ETag" in headers and cut is not None and len(data) > cut:
            self.server.hub.cut = None
            self.wfile.write(data[:cut])
            self.close_connection = True
        else:
            self.wfile.write(data)

    def send_file(self, data: bytes, etag: str, headers: Mapping[str, str]) -> None:
        """A file, or the part of it that is asked for."""
        headers = {"ETag": f'"{etag}"', "Accept-Ranges": "bytes", **headers}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        fresh = self.headers.get("If-Range", f'"{etag}"') == f'"{etag}"'
        if asked is None or not fresh:
            self.send(200, data, headers)
            return
        start, stop = int(asked[1]), min(int(asked[2] or len(data) - 1), len(data) - 1)
        if start >= len(data):
            self.send(416, b"", {**headers, "Content-Range": f"bytes */{len(data)}"})
            return
        said = {"Content-Range": f"bytes {start}-{stop}/{len(data)}"}
        self.send(206, data[start : stop + 1], {**headers, **said})

    def log_message(self, format: str, *args: object) -> None:
        pass


class _CdnHandler(_Handler):
    """Storage: who has a signed address may read, and no other credential is taken."""

    def answer(self, path: str) -> None:
        if self.token is not None:
            raise Problem(400, "Only one auth mechanism allowed")
        if self.query.get("Signature") != ["good"]:
            raise Problem(403, "Access denied")
        name = path.rpartition("/")[2]
        data = self.server.hub.blob(name)
        if data is None:
            raise Problem(404, "The specified key does not exist.")
        self.send_file(data, name, {"Content-Type": "binary/octet-stream"})


class _HubHandler(_Handler):
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

    def answer(self, path: str) -> None:
        hub = self.server.hub
        if self.headers.get("Host", "").startswith("datasets-server."):
            self.viewer(path)
            return
        self.user = hub.tokens.get(self.token) if self.token is not None else None
        if self.token is not None and self.user is None:
            raise Problem(401, "Invalid credentials in Authorization header")
        for pattern, name in self._ROUTES:
            if found := pattern.fullmatch(path):
                getattr(self, f"at_{name}")(
                    **{k: unquote(v) for k, v in found.groupdict().items() if v is not None}
                )
                return
        raise Problem(404, "Sorry, we can't find the page you are looking for.")

    def find(self, id: str) -> Repo | None:
        """The repository; None if the answer was to ask elsewhere."""
        hub = self.server.hub
        if id in hub.moved:
            new = hub.moved[id]
            said = {"Location": self.path.replace(f"datasets/{id}", f"datasets/{new}", 1)}
            self.send(307, f"Temporary Redirect. Redirecting to {new}".encode(), said)
            return None
        repo = hub.repos.get(id)
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

    def at_whoami(self) -> None:
        if self.user is None:
            raise Problem(401, "Invalid username or password.")
        self.json(
            {
                "type": "user",
                "name": self.user,
                "fullname": self.user.title(),
                "orgs": [],
                "auth": {"type": "access_token", "accessToken": {"displayName": "test", "role": "read"}},
            }
        )

    def at_info(self, id: str, revision: str | None = None) -> None:
        self.allow("blobs", "expand", "expand[]")
        if (repo := self.find(id)) is not None:
            if revision is None and not repo.refs:
                self.json(self.server.hub.described(repo, None, self.user))
            else:
                sha = self.at(repo, revision or "main")
                self.json(self.server.hub.described(repo, sha, self.user, self.flag("blobs")))

    def at_check(self, id: str) -> None:
        self.allow()
        if (repo := self.find(id)) is not None:
            self.gate(repo)
            self.send(200, b"OK", {})

    def at_tree(self, id: str, revision: str, path: str = "") -> None:
        self.allow("recursive", "expand", "cursor", "limit")
        repo = self.find(id)
        if repo is None:
            return
        sha = self.at(repo, revision)
        path = path.strip("/")
        below = f"{path}/" if path else ""
        found = [
            it
            for it in self.server.hub.entries(repo, sha)
            if it["path"].startswith(below) or (path and it["path"] == path)
        ]
        if path and not found:
            raise Problem(404, f"{path} does not exist on {revision!r}", "EntryNotFound")
        found = [it for it in found if it["path"] != path or it["type"] == "file"]
        if not self.flag("recursive"):
            found = [it for it in found if "/" not in it["path"][len(below) :]]
        self.paged(found)

    def paged(self, found: list[dict[str, Any]]) -> None:
        page = min(self.server.hub.page, int(self.query.get("limit", ["1000"])[0]))
        start = int(self.query.get("cursor", ["0"])[0])
        headers = {}
        if start + page < len(found):
            url = urlsplit(self.path)
            kept = [part for part in url.query.split("&") if part and not part.startswith("cursor=")]
            query = "&".join([*kept, f"cursor={start + page}"])
            headers["Link"] = f'<{self.server.hub.links}{url.path}?{query}>; rel="next"'
        self.json(found[start : start + page], headers=headers)

    def at_paths(self, id: str, revision: str) -> None:
        if self.command != "POST":
            raise Problem(404, "Not found")
        repo = self.find(id)
        if repo is None:
            return
        sha = self.at(repo, revision)
        form = parse_qs(self.body.decode())
        if "paths" not in form:
            raise Problem(400, '"paths" is required')
        self.json([it for it in self.server.hub.entries(repo, sha) if it["path"] in form["paths"]])

    def at_resolve(self, id: str, revision: str, path: str) -> None:
        self.allow("download")
        repo = self.find(id)
        if repo is None:
            return
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
                "Location": f"{self.server.hub.cdn}/repos/{name[:2]}/{name}?{_SIGNED}",
            }
            if repo.xet:
                headers["X-Xet-Hash"] = name[::-1]
            self.send(302, b"Found", headers)
            return
        cached = f"/api/resolve-cache/datasets/{repo.id}/{sha}/{quote(path)}?%22{git_sha1(data)}%22"
        self.send(307, b"Temporary Redirect", {**commit, "Location": cached})

    def at_cached(self, id: str, revision: str, path: str) -> None:
        repo = self.find(id)
        assert repo is not None
        self.gate(repo)
        data = repo.commits[revision][path]
        self.send_file(data, git_sha1(data), {"X-Repo-Commit": revision, "Content-Type": "text/plain"})

    def at_listed(self) -> None:
        self.allow(
            "search", "filter", "author", "sort", "direction", "limit", "full", "cursor", "expand", "gated"
        )
        hub = self.server.hub
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
        for repo in hub.repos.values():
            sha = repo.refs.get("main")
            if (repo.private and self.user not in repo.readers) or sha is None:
                continue
            words = self.query.get("search", [])
            if all(word.lower() in repo.id.lower() for word in words) and set(
                self.query.get("filter", [])
            ) <= set(repo.tags(sha)):
                said = hub.described(repo, sha, self.user)
                said["mainSize"] = said["usedStorage"]
                found.append({key: said[key] for key in said if key in asked} if asked else said)
        found.sort(key=lambda it: (-it["downloads"], it["id"]))
        self.paged(found)

    def viewer(self, path: str) -> None:
        self.allow("dataset", "config")
        repo = self.server.hub.repos.get(self.query.get("dataset", [""])[0])
        said = repo.viewer.get(path.strip("/")) if repo else None
        if said is None:
            raise Problem(404, "The dataset does not exist, or is not accessible without authentication.")
        self.json(said, headers={"X-Revision": repo.refs["main"] if repo else ""})
