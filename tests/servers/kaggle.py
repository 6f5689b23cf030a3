"""Kaggle on this machine: its API, as paths (``GET /api/v1/datasets/view/…``) and as calls of services (``POST /api/v1/datasets.DatasetApiService/…``),
and the storage host that the API sends downloads to by signed addresses.

What is as strict as there: unknown parameters and pages too large are refused, a wrong credential is 401 and a missing one 403, versions never
change, a storage address is good for its file only and takes no ``Authorization``. Some files come as a zip of that one file.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import md5, sha256
from typing import Any
from urllib.parse import quote, urlencode

from tests.servers.steered import Answer, Request, Steered, Steering, as_json

USER = "ada"
PAGE = 200
"""Files in one answer at most."""
HITS = 20
"""Datasets in one answer."""
SEARCHED_BY = (
    "search", "page", "pageToken", "pageSize", "sortBy", "minSize", "maxSize", "group", "filetype", "license", "tagIds", "user",
)  # fmt: skip
_SECRET = b"known to the storage and the API alone"


@dataclass
class Dataset:
    """A dataset with its versions."""

    ref: str
    id: int = 1
    versions: list[Mapping[str, bytes]] = field(default_factory=list)
    title: str = "Palmer penguins"
    license: str = "CC0-1.0"
    tags: Sequence[str] = ("biology", "tabular")
    columns: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    """Of files, as the site found them."""
    token: str | None = None
    """Who shows this one sees it; None: everybody."""
    gate: bool = False
    """Whether there are terms that nobody has agreed to."""
    login: Answer | None = None
    """What is said to who wants to download; None: the files are given out."""
    gone: set[int] = field(default_factory=set)
    """Numbers of versions that were deleted."""


def packs_large_tables(name: str, data: bytes) -> bool:
    """As the real one does: large CSV files come zipped."""
    return name.endswith(".csv") and len(data) > 100_000


class Storage(Steered):
    """The host of the bytes."""

    own = False

    def __init__(self, steering: Steering) -> None:
        super().__init__(steering)
        self.stored: dict[str, bytes] = {}

    def sign(self, path: str, data: bytes) -> str:
        """Store ``data``; gives its address."""
        self.stored[path] = data
        said = {
            "X-Goog-Algorithm": "GOOG4-RSA-SHA256", "X-Goog-Date": "20260131T000000Z", "X-Goog-Expires": "345600",
            "X-Goog-SignedHeaders": "host", "X-Goog-Signature": _signature(path),
        }  # fmt: skip
        return f"{self.url}{quote(path)}?{urlencode(said)}"

    def answer(self, request: Request) -> Answer:
        """A file, for who has its signed address."""
        if "authorization" in request.headers:
            return Answer(b"<Error><Code>InvalidArgument</Code></Error>", 400)
        if request.query.get("X-Goog-Signature") != _signature(request.path) or request.method != "GET":
            return Answer(b"<Error><Code>SignatureDoesNotMatch</Code></Error>", 403)
        data = self.stored[request.path]
        checksum = base64.b64encode(md5(data, usedforsecurity=False).digest()).decode()
        kind = "application/zip" if request.path.endswith(".zip") else "text/csv"
        return Answer(data, headers={"x-goog-hash": f"md5={checksum}", "Content-Type": kind}, file=True)


class Kaggle(Steered):
    """The site's API. The storage host starts and ends with it."""

    def __init__(self, packs: Callable[[str, bytes], bool] = packs_large_tables) -> None:
        super().__init__()
        self.storage = Storage(self.steering)
        self.packs = packs
        self.datasets: dict[str, Dataset] = {}
        self.tokens: set[str] = set()
        """All that are valid: as a bearer's, or as the key of :data:`USER`."""

    def __enter__(self) -> Kaggle:
        self.storage.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *reason: object) -> None:
        super().__exit__(*reason)
        self.storage.__exit__(*reason)

    def add(self, ref: str, *versions: Mapping[str, bytes], **about: Any) -> Dataset:
        """A dataset ``owner/name``."""
        self.datasets[ref] = Dataset(ref, len(self.datasets) + 1, list(versions), **about)
        return self.datasets[ref]

    def answer(self, request: Request) -> Answer:
        """What the API says."""
        known = self._who(request)
        if known is False:
            return refusal(401, "Unauthenticated")
        parts = request.path.strip("/").split("/", 5)
        if parts[:2] != ["api", "v1"]:
            return Answer(
                b"<html>Kaggle: your home for data science</html>", 404, {"Content-Type": "text/html"}
            )
        try:
            if request.method == "POST":
                return self._call("/".join(parts[2:]), json.loads(request.body), known or "")
            what = "/".join(parts[2:4])
            query = {_camel(key): value for key, value in request.query.items()}
            return self._named(what, parts[4:], query, known or "")
        except _Refused as refused:
            return refused.answer

    def _who(self, request: Request) -> str | bool | None:
        """The token that is shown; None for none, False for a wrong one."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if not kind:
            return None
        if kind == "Basic":
            user, _, value = base64.b64decode(value).decode().partition(":")
            if user != USER:
                return False
        return value if value in self.tokens else False

    def _named(self, what: str, rest: list[str], query: dict[str, str], token: str) -> Answer:
        if what == "datasets/list" and not rest:
            return as_json(self._search(query))  # a bare array here, unlike the call
        allowed = {
            "datasets/view": (), "datasets/list": ("datasetVersionNumber", "pageToken", "pageSize"),
            "datasets/download": ("datasetVersionNumber", "fileName", "raw"),
        }.get(what)  # fmt: skip
        if allowed is None or len(rest) < 2 - (what == "datasets/list"):
            raise _Refused(refusal(404, "Not found"))
        _check(query, allowed)
        owner, (name, _, file) = rest[0], rest[1].partition("/")
        dataset = self._find(owner, name, token)
        if what == "datasets/view":
            return as_json(self._view(dataset))
        if what == "datasets/list":
            return as_json(self._files(dataset, query))
        return self._download(dataset, query, file or query.get("fileName", ""))

    def _call(self, what: str, said: dict[str, Any], token: str) -> Answer:
        if what == "security.OAuthService/IntrospectToken":
            active = said.get("token") in self.tokens
            return as_json({"active": active, "username": USER} if active else {"active": False})
        service, _, name = what.partition("/")
        if service != "datasets.DatasetApiService":
            raise _Refused(refusal(404, "Not found"))
        if name == "ListDatasets":
            hits = self._search({k: str(v) for k, v in said.items() if k not in ("group", "sortBy")})
            return as_json({"datasets": hits, "nextPageToken": ""})
        dataset = self._find(said.pop("ownerSlug"), said.pop("datasetSlug"), token)
        if name == "GetDataset":
            return as_json(self._view(dataset))
        if name == "GetDatasetMetadata":
            return as_json({"info": {"title": dataset.title, "licenses": [{"name": dataset.license}]}})
        if name == "ListDatasetFiles":
            return as_json(self._files(dataset, {k: str(v) for k, v in said.items()}))
        if name == "DownloadDataset":
            file = said.pop("fileName", "")
            return self._download(dataset, {k: str(v) for k, v in said.items()}, file)
        raise _Refused(refusal(404, "Not found"))

    def _find(self, owner: str, name: str, token: str) -> Dataset:
        dataset = self.datasets.get(f"{owner}/{name}")
        if dataset is None:
            raise _Refused(refusal(404, "Dataset not found"))
        if dataset.token is not None and token != dataset.token:
            raise _Refused(refusal(403, "Permission 'datasets.get' was denied"))
        if dataset.gate:
            raise _Refused(refusal(403, "You must agree to the terms of this dataset"))
        return dataset

    def _view(self, dataset: Dataset) -> dict[str, Any]:
        return {
            "id": dataset.id, "ref": dataset.ref, "title": dataset.title, "subtitle": "Three species",
            "description": "Measured on three islands.", "licenseName": dataset.license, "isPrivate": bool(dataset.token),
            "totalBytes": len(self._bundle(dataset, len(dataset.versions))) if dataset.versions else 0,
            "url": f"https://www.kaggle.com/datasets/{dataset.ref}", "lastUpdated": "2026-01-31T10:00:00.123Z",
            "currentVersionNumber": len(dataset.versions), "downloadCount": 10 * dataset.id, "voteCount": 1,
            "usabilityRating": 1.0, "tags": [{"ref": tag, "name": tag} for tag in dataset.tags], "files": [],
            "versions": [
                {"versionNumber": number + 1, "status": "Ready"} for number in reversed(range(len(dataset.versions)))
            ],
        }  # fmt: skip

    def _version(self, dataset: Dataset, query: Mapping[str, str]) -> tuple[int, Mapping[str, bytes]]:
        number = int(query.get("datasetVersionNumber", len(dataset.versions)))
        if not 0 < number <= len(dataset.versions) or number in dataset.gone:
            raise _Refused(refusal(404, "Dataset version not found"))
        return number, dataset.versions[number - 1]

    def _files(self, dataset: Dataset, query: Mapping[str, str]) -> dict[str, Any]:
        size, start = int(query.get("pageSize", 20)), int(query.get("pageToken") or 0)
        if not 0 < size <= PAGE:
            raise _Refused(refusal(400, f"pageSize must be from 1 to {PAGE}"))
        _, files = self._version(dataset, query)
        names = list(files)
        return {
            "datasetFiles": [
                {
                    "name": name, "totalBytes": len(files[name]), "creationDate": "2026-01-30T09:00:00.123Z",
                    "columns": [{"order": i, "name": n, "type": t} for i, (n, t) in enumerate(dataset.columns.get(name, ()))],
                }
                for name in names[start : start + size]
            ],
            "nextPageToken": str(start + size) if start + size < len(names) else "",
        }  # fmt: skip

    def _download(self, dataset: Dataset, query: Mapping[str, str], file: str) -> Answer:
        number, files = self._version(dataset, query)
        if dataset.login is not None:
            raise _Refused(dataset.login)
        base = f"/kaggle-data-sets/{dataset.id}/{number}"
        if not file:
            address = self.storage.sign(f"{base}/bundle/archive.zip", self._bundle(dataset, number))
        elif file not in files:
            raise _Refused(refusal(404, "File not found"))
        elif self.packs(file, files[file]):
            packed = zipped({file.rpartition("/")[2]: files[file]})
            address = self.storage.sign(f"{base}/compressed/{file}.zip", packed)
        else:
            address = self.storage.sign(f"{base}/{file}", files[file])
        return Answer(b"", 302, {"Location": address})

    def _bundle(self, dataset: Dataset, number: int) -> bytes:
        return zipped(dataset.versions[number - 1])

    def _search(self, query: dict[str, str]) -> list[dict[str, Any]]:
        _check(query, SEARCHED_BY)
        text = query.get("search", "").lower()
        hits = [
            self._view(d)
            for d in self.datasets.values()
            if not d.token and text in f"{d.ref} {d.title}".lower()
        ]
        hits = [hit for hit in hits if int(query.get("minSize", 0)) <= hit["totalBytes"] <= int(query.get("maxSize", 1 << 60))]  # fmt: skip
        start = HITS * (int(query.get("pageToken") or query.get("page", 1)) - 1)
        return hits[start : start + HITS]


class _Refused(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def refusal(status: int, message: str) -> Answer:
    """An error as the API says it."""
    return as_json({"code": status, "message": message}, status)


def _check(query: Mapping[str, str], allowed: Sequence[str]) -> None:
    if unknown := set(query) - set(allowed):
        raise _Refused(refusal(400, f"Unknown parameter {min(unknown)}"))


def _camel(name: str) -> str:
    """A parameter's name: clients say ``dataset_version_number`` and ``datasetVersionNumber``."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _signature(path: str) -> str:
    return sha256(_SECRET + path.encode()).hexdigest()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of files, the same each time."""
    return _zipped(tuple(files.items()))


@lru_cache(100)
def _zipped(files: tuple[tuple[str, bytes], ...]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name.replace("\0", "?")), data, zipfile.ZIP_DEFLATED)
    return made.getvalue()
