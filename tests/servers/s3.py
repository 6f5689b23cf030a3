"""Amazon S3 on this machine: moto's server, with signatures checked."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from tests.servers.wsgi import Steered, serving

BUCKET = "penguins"
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d+/([^/]+)/s3/aws4_request, *SignedHeaders=([^,]+), *Signature=(\w+)"
)
_NO_CREDENTIALS = {
    "AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_CONFIG_FILE": os.devnull,
}  # fmt: skip


def without_credentials(prefixes: tuple[str, ...]) -> dict[str, str]:
    """The environment without any variable that begins like this."""
    return {key: value for key, value in os.environ.items() if not key.startswith(prefixes)}


class S3(Steered):
    """One account with one bucket."""

    uri = f"s3://{BUCKET}"
    nowhere = "s3://no-such-bucket-here"

    def __init__(self) -> None:
        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from moto.s3.models import s3_backends

        super().__init__(DomainDispatcherApplication(create_backend_app))
        self.backend: Any = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        self.backend.reset()
        self.backend.create_bucket(BUCKET, "us-east-1")
        self._token: str | None = None
        self._expired: str | None = None
        self._files_left: int | None = None

    def put(self, files: Mapping[str, bytes]) -> None:
        self.backend.buckets[BUCKET].keys.clear()
        self.add(files)

    def add(self, files: Mapping[str, bytes], **options: Any) -> None:
        """More files, that anybody may read."""
        from moto.s3.models import get_canned_acl

        for key, data in files.items():
            self.backend.put_object(BUCKET, key, data, **options).set_acl(get_canned_acl("public-read"))

    def add_parts(self, key: str, parts: Sequence[bytes]) -> None:
        """One more file, put in parts."""
        from moto.s3.models import get_canned_acl

        public = get_canned_acl("public-read")
        upload = self.backend.create_multipart_upload(BUCKET, key, {}, "STANDARD", [], public, None, None).id
        made = [
            (n, self.backend.upload_part(BUCKET, upload, n, data).etag) for n, data in enumerate(parts, 1)
        ]
        self.backend.complete_multipart_upload(BUCKET, upload, made)

    def fail_files(self, after: int | None) -> None:
        """Give out so many more files, then refuse whoever asks for one; None: give out all."""
        self._files_left = after

    def expire(self, token: str) -> None:
        """Let this token be too old."""
        self._expired = token

    def require_token(self, token: str) -> None:
        self._token = token

    def refuse(self, environ: dict[str, Any]) -> tuple[str, dict[str, str], bytes] | None:
        if (
            self._files_left is not None
            and environ["REQUEST_METHOD"] == "GET"
            and environ["PATH_INFO"].count("/") > 1
        ):
            self._files_left -= 1
            if self._files_left < 0:
                return _error("503 Slow Down", "SlowDown")
        said = environ.get("HTTP_AUTHORIZATION")
        if said is None:
            return None if self._token is None else _error("403 Forbidden", "AccessDenied")
        found = _SIGNED.fullmatch(said)
        if found is None:
            return _error("400 Bad Request", "AuthorizationHeaderMalformed")
        key, region, names, signature = found.groups()
        if key == self._expired:
            return _error("403 Forbidden", "ExpiredToken")
        if self._token is not None and key != self._token:
            return _error("403 Forbidden", "InvalidAccessKeyId")
        if signature != _signature(environ, key, region, names.split(";")):
            return _error("403 Forbidden", "SignatureDoesNotMatch")
        return None

    def failure(self, status: int) -> tuple[dict[str, str], bytes]:
        code = {429: "TooManyRequests", 500: "InternalError", 503: "SlowDown"}[status]
        return _error(str(status), code)[1:]


def _signature(environ: Mapping[str, Any], key: str, region: str, names: list[str]) -> str:
    """What who has the secret, which is equal to its key here, would have signed."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    auth = S3SigV4Auth(Credentials(key, key), "s3", region)
    headers = {name: environ[f"HTTP_{name.upper().replace('-', '_')}"] for name in names}
    request = AWSRequest(environ["REQUEST_METHOD"], f"http://{headers['host']}{environ['RAW_URI']}", headers)
    request.context["timestamp"] = headers["x-amz-date"]
    return str(auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request))


def _error(line: str, code: str) -> tuple[str, dict[str, str], bytes]:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    return line, {"Content-Type": "application/xml"}, body


@functools.cache
def _loader(search_path: str | None = None) -> Any:
    """What reads descriptions of services: one for all clients, each of which would take 0.2 s for that of S3."""
    from botocore.loaders import create_loader

    return create_loader(search_path)


@contextmanager
def s3(**variables: str) -> Iterator[S3]:
    """The service, and an environment that leads there, without credentials but those given."""
    from moto.moto_server.werkzeug_app import MotoRequestHandler

    place = S3()
    with serving(place, MotoRequestHandler) as address, mock.patch("botocore.session.create_loader", _loader):
        clean = without_credentials(("AWS_", "FSSPEC_"))
        with mock.patch.dict(
            os.environ, {**clean, **_NO_CREDENTIALS, "AWS_ENDPOINT_URL": address, **variables}, clear=True
        ):
            yield place
