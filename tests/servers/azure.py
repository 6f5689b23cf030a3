"""Azure Blob Storage on this machine: the part of its REST API that reading needs, with shared keys checked.

https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api, .../authorize-with-shared-key
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.servers.s3 import without_credentials
from tests.servers.wsgi import Steered, serving

ACCOUNT, CONTAINER = "islands", "penguins"
_DATE = "Sat, 31 Jan 2026 00:00:00 GMT"
_PAGE = 5000
_SIGNED = (
    "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date", "if-modified-since", "if-match",
    "if-none-match", "if-unmodified-since", "range",
)  # fmt: skip
_LIST = frozenset({"restype", "comp", "prefix", "marker", "maxresults", "include", "delimiter", "timeout"})


class Azure(Steered):
    """One account with one container."""

    uri = f"az://{CONTAINER}"
    nowhere = "az://no-such-container"

    def __init__(self) -> None:
        super().__init__(self._serve)
        self._blobs: dict[str, tuple[bytes, str, dict[str, str]]] = {}
        self._tags = itertools.count(0x8DB000000000000)
        self._key: str | None = None
        self.address = ""

    def put(self, files: Mapping[str, bytes]) -> None:
        self._blobs = {name: it for name, it in self._blobs.items() if files.get(name) == it[0]}
        self.add({name: data for name, data in files.items() if name not in self._blobs})

    def add(self, files: Mapping[str, bytes], md5: bool = True, **headers: str) -> None:
        """More blobs."""
        for name, data in files.items():
            stated = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
            told = {**({"Content-MD5": stated} if md5 else {}), **headers}
            self._blobs[name] = data, f'"0x{next(self._tags):X}"', told

    def require_token(self, token: str) -> None:
        self._key = token

    def connection(self, token: str | None = None) -> str:
        """What a user has in the environment, with the account's key or without."""
        key = f"AccountKey={base64.b64encode(token.encode()).decode()};" if token is not None else ""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};BlobEndpoint={self.address}/{ACCOUNT};{key}"
        )

    def failure(self, status: int) -> tuple[dict[str, str], bytes]:
        return _error(str(status), {429: "TooManyRequests", 500: "InternalError", 503: "ServerBusy"}[status])[
            1:
        ]

    def refuse(self, environ: dict[str, Any]) -> tuple[str, dict[str, str], bytes] | None:
        said = environ.get("HTTP_AUTHORIZATION")
        if "HTTP_X_MS_VERSION" not in environ:
            return _error("400 Bad Request", "MissingRequiredHeader")
        if said is None:
            return None if self._key is None else _error("404 Not Found", "ResourceNotFound")
        if self._key is None or said != f"SharedKey {ACCOUNT}:{_signature(environ, self._key)}":
            return _error("403 Forbidden", "AuthenticationFailed")
        return None

    def _serve(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        asked = urlsplit(environ["RAW_URI"])
        query = dict(parse_qsl(asked.query))
        line, headers, data = self._answer(unquote(asked.path).lstrip("/"), query, environ)
        headers.setdefault("Content-Length", str(len(data)))
        start(line, list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [data]

    def _answer(
        self, path: str, query: dict[str, str], environ: Mapping[str, Any]
    ) -> tuple[str, dict[str, str], bytes]:
        account, _, rest = path.partition("/")
        container, _, name = rest.partition("/")
        if account != ACCOUNT or container != CONTAINER:
            return _error("404 Not Found", "ContainerNotFound")
        if not name:
            if query.get("restype") != "container" or set(query) - _LIST:
                return _error("400 Bad Request", "InvalidQueryParameterValue")
            if query.get("comp") == "list":
                return "200 OK", {"Content-Type": "application/xml"}, self._listed(query)
            return "200 OK", {"ETag": '"0x1"', "Last-Modified": _DATE}, b""
        held = self._blobs.get(name)
        if held is None:
            return _error("404 Not Found", "BlobNotFound")
        data, etag, told = held
        if environ.get("HTTP_IF_MATCH") not in (None, etag):
            return _error("412 Precondition Failed", "ConditionNotMet")
        sent = {
            "ETag": etag,
            "Last-Modified": _DATE,
            "x-ms-blob-type": "BlockBlob",
            "Accept-Ranges": "bytes",
            **told,
        }
        sent |= {"x-ms-version": environ["HTTP_X_MS_VERSION"], "Content-Type": "application/octet-stream"}
        span = re.fullmatch(
            r"bytes=(\d+)-(\d*)", environ.get("HTTP_X_MS_RANGE", environ.get("HTTP_RANGE", ""))
        )
        if environ["REQUEST_METHOD"] == "HEAD":
            return "200 OK", {**sent, "Content-Length": str(len(data))}, b""
        if span is None:
            return "200 OK", sent, data
        if int(span[1]) >= len(data):
            return _error("416 Range Not Satisfiable", "InvalidRange")
        last = min(int(span[2] or len(data)), len(data) - 1)
        sent["Content-Range"] = f"bytes {span[1]}-{last}/{len(data)}"
        if "Content-MD5" in sent:  # of the whole blob, where only a part is sent
            sent["x-ms-blob-content-md5"] = sent.pop("Content-MD5")
        return "206 Partial Content", sent, data[int(span[1]) : last + 1]

    def _listed(self, query: Mapping[str, str]) -> bytes:
        prefix, marker = query.get("prefix", ""), query.get("marker", "")
        names = sorted(name for name in self._blobs if name.startswith(prefix) and name >= marker)
        most = min(int(query.get("maxresults", _PAGE)), _PAGE)
        blobs = "".join(self._entry(name) for name in names[:most])
        following = escape(names[most]) if len(names) > most else ""
        return (
            f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="{CONTAINER}">'
            f"<Blobs>{blobs}</Blobs><NextMarker>{following}</NextMarker></EnumerationResults>"
        ).encode()

    def _entry(self, name: str) -> str:
        data, etag, told = self._blobs[name]
        md5 = f"<Content-MD5>{told['Content-MD5']}</Content-MD5>" if "Content-MD5" in told else ""
        return (
            f"<Blob><Name>{escape(name)}</Name><Properties><Last-Modified>{_DATE}</Last-Modified><Etag>{etag.strip(chr(34))}</Etag>"
            f"<Content-Length>{len(data)}</Content-Length>{md5}<BlobType>BlockBlob</BlobType></Properties><Metadata/></Blob>"
        )


def _signature(environ: Mapping[str, Any], key: str) -> str:
    """What who has the key would have signed."""
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}  # fmt: skip
    length = environ.get("CONTENT_LENGTH") or ""
    headers |= {
        "content-length": "" if length == "0" else length,
        "content-type": environ.get("CONTENT_TYPE") or "",
    }
    lines = [environ["REQUEST_METHOD"], *(headers.get(name, "") for name in _SIGNED)]
    lines += [f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith("x-ms-")]
    asked = urlsplit(environ["RAW_URI"])
    resource = f"/{ACCOUNT}{asked.path}" + "".join(
        f"\n{k}:{v}" for k, v in sorted(parse_qsl(asked.query, keep_blank_values=True))
    )
    text = "\n".join([*lines, resource])
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), "sha256")).decode()


def _error(line: str, code: str) -> tuple[str, dict[str, str], bytes]:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>no</Message></Error>'
    return line, {"Content-Type": "application/xml", "x-ms-error-code": code}, body.encode()


@contextmanager
def azure() -> Iterator[Azure]:
    """The service, and an environment that leads there without its key."""
    place = Azure()
    with serving(place) as place.address:
        clean = without_credentials(("AZURE_", "FSSPEC_", "IDENTITY_", "MSI_"))
        led = {"AZURE_STORAGE_CONNECTION_STRING": place.connection(), "AZURE_CONFIG_DIR": os.devnull}
        with mock.patch.dict(os.environ, {**clean, **led}, clear=True):
            yield place
