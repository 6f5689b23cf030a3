"""Dataset repositories as the Hub of the tests has them, and what its API says of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

LFS = (".parquet", ".arrow", ".zip", ".png", ".jpg", ".wav", ".bin")
"""What this Hub keeps in LFS, by suffix, as ``.gitattributes`` would say."""
SHORTEST = 7
"""Digits of a commit that name it."""


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


def described(repo: Repo, sha: str | None, user: str | None, blobs: bool = False) -> dict[str, Any]:
    """What the API says of a repository at a commit, to a user."""
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


def entries(repo: Repo, sha: str) -> list[dict[str, Any]]:
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
