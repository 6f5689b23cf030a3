"""Google Cloud Storage on this machine: the part of its JSON API that reading needs, with tokens given out for signed assertions.

https://cloud.google.com/storage/docs/json_api/v1, https://developers.google.com/identity/protocols/oauth2/service-account
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, unquote, urlsplit

from tests.servers.s3 import without_credentials
from tests.servers.wsgi import Steered, serving

BUCKET = "penguins"
_PAGE = 1000
_LIST = frozenset({"prefix", "delimiter", "maxResults", "pageToken"})


@cache
def _keys() -> tuple[str, str]:
    """A service account's private key, and its public one."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


class Gcs(Steered):
    """One project with one bucket."""

    uri = f"gs://{BUCKET}"
    nowhere = "gs://no-such-bucket-here"

    def __init__(self) -> None:
        super().__init__(self._serve)
        self._objects: dict[str, tuple[bytes, dict[str, Any]]] = {}
        self._generations = itertools.count(1_700_000_000_000_000)
        self._token: str | None = None
        self.address = ""

    def put(self, files: Mapping[str, bytes]) -> None:
        self._objects = {key: it for key, it in self._objects.items() if files.get(key) == it[0]}
        self.add({key: data for key, data in files.items() if key not in self._objects})

    def add(self, files: Mapping[str, bytes], **properties: Any) -> None:
        """More objects."""
        for name, data in files.items():
            md5 = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
            resource = {
                "kind": "storage#object", "name": name, "bucket": BUCKET, "size": str(len(data)), "md5Hash": md5,
                "generation": str(next(self._generations)), "updated": "2026-01-31T00:00:00.000Z",
            }  # fmt: skip
            self._objects[name] = data, {k: v for k, v in {**resource, **properties}.items() if v is not None}

    def require_token(self, token: str) -> None:
        self._token = token

    def write_credentials(self, path: Path, token: str) -> None:
        """Those of a service account, which this place gives the token ``token`` for."""
        account = {
            "type": "service_account", "project_id": "p", "private_key_id": "1", "private_key": _keys()[0],
            "client_email": f"{token}@p.iam.gserviceaccount.com", "client_id": "1", "token_uri": f"{self.address}/token",
        }  # fmt: skip
        path.write_text(json.dumps(account))

    def failure(self, status: int) -> tuple[dict[str, str], bytes]:
        return {"Content-Type": "application/json"}, _fault(status)

    def refuse(self, environ: dict[str, Any]) -> tuple[str, dict[str, str], bytes] | None:
        said = environ.get("HTTP_AUTHORIZATION")
        if environ["PATH_INFO"] == "/token" or (said is None and self._token is None):
            return None
        if said is None or (self._token is not None and said != f"Bearer {self._token}"):
            return "401 Unauthorized", {"Content-Type": "application/json"}, _fault(401)
        return None

    def _serve(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        asked = urlsplit(environ["RAW_URI"])
        query = {key: values[0] for key, values in parse_qs(asked.query).items()}
        if asked.path == "/token":
            status, headers, data = self._give_token(environ)
        else:
            status, headers, data = self._answer(asked.path, query, environ.get("HTTP_RANGE"))
        line = {200: "200 OK", 206: "206 Partial Content", 400: "400 Bad Request", 404: "404 Not Found", 416: "416 No"}  # fmt: skip
        start(line[status], [*headers.items(), ("Content-Length", str(len(data)))])
        return [data]

    def _give_token(self, environ: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        from google.auth import jwt

        form = parse_qs(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode())
        said = jwt.decode(
            form["assertion"][0], certs=_keys()[1], audience="https://oauth2.googleapis.com/token"
        )
        token = said["iss"].partition("@")[0]
        answer = {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    def _answer(
        self, path: str, query: Mapping[str, str], part: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        found = re.fullmatch(r"(/download)?/storage/v1/b/([^/]+)(/o(?:/([^/]+))?)?", path)
        told = {"Content-Type": "application/json"}
        if found is None:
            return 400, told, _fault(400)
        if unquote(found[2]) != BUCKET:
            return 404, told, _fault(404)
        if found[3] is None:
            return 200, told, json.dumps({"kind": "storage#bucket", "name": BUCKET}).encode()
        if found[4] is None:
            if set(query) - _LIST:
                return 400, told, _fault(400)
            return 200, told, json.dumps(self._listed(query)).encode()
        held = self._objects.get(unquote(found[4]))
        if held is None or query.get("generation") not in (None, held[1].get("generation")):
            return 404, told, _fault(404)
        data, resource = held
        if found[1] is None:
            return 200, told, json.dumps(resource).encode()
        if query.get("alt") != "media":
            return 400, told, _fault(400)
        sent = {"Content-Type": "application/octet-stream"}
        if "contentEncoding" in resource:
            sent["Content-Encoding"] = resource["contentEncoding"]
        if part is None:
            return 200, sent, data
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", part)
        if span is None or int(span[1]) >= len(data):
            return 416, told, _fault(416)
        last = min(int(span[2] or len(data)), len(data) - 1)
        sent["Content-Range"] = f"bytes {span[1]}-{last}/{len(data)}"
        return 206, sent, data[int(span[1]) : last + 1]

    def _listed(self, query: Mapping[str, str]) -> dict[str, Any]:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        names = sorted(name for name in self._objects if name.startswith(prefix))
        names = [name for name in names if name > query.get("pageToken", "")]
        items: list[dict[str, Any]] = []
        prefixes: list[str] = []
        most = min(int(query.get("maxResults", _PAGE)), _PAGE)
        answer: dict[str, Any] = {"kind": "storage#objects"}
        for before, name in itertools.pairwise(["", *names]):
            if len(items) + len(prefixes) == most:
                answer["nextPageToken"] = before
                break
            below = name[len(prefix) :]
            if delimiter and delimiter in below:
                folder = prefix + below.partition(delimiter)[0] + delimiter
                prefixes += [folder] if folder not in prefixes else []
            else:
                items.append(self._objects[name][1])
        return answer | ({"items": items} if items else {}) | ({"prefixes": prefixes} if prefixes else {})


def _fault(status: int) -> bytes:
    return json.dumps({"error": {"code": status, "message": "no", "errors": []}}).encode()


@contextmanager
def gcs(**variables: str) -> Iterator[Gcs]:
    """The service, and an environment that leads there, without credentials but those given."""
    place = Gcs()
    with serving(place) as address:
        place.address = address
        clean = without_credentials(("GOOGLE_", "GCLOUD_", "CLOUDSDK_", "FSSPEC_", "GCSFS_"))
        led = {"STORAGE_EMULATOR_HOST": address, "CLOUDSDK_CONFIG": os.devnull, "NO_GCE_CHECK": "true"}
        with mock.patch.dict(os.environ, {**clean, **led, **variables}, clear=True):
            yield place
