"""``s3://BUCKET/KEY``: Amazon S3 and what speaks like it, by s3fs.

Credentials, region, profile and endpoint come from where every AWS client looks for them (``AWS_ACCESS_KEY_ID``, ``AWS_PROFILE``,
``~/.aws``, ``AWS_ENDPOINT_URL``, ...). An object is read under ``If-Match``, so parts of two states never meet.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mldata.sources.buckets.base import PIECE, TIMEOUT, UNCACHED, Address, Info, Kind, Opened, Span

__all__ = ["KIND"]

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_MD5 = re.compile(r"[0-9a-f]{32}")


def _check(address: Address) -> str | None:
    return (
        None
        if _BUCKET.fullmatch(address.host)
        else "s3://BUCKET, s3://BUCKET/KEY or s3://BUCKET/FOLDER/*.csv"
    )


def _signed() -> bool:
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        return Session().get_credentials() is not None
    except BotoCoreError:  # there are some, and they are no good: asking with them says what is wrong
        return True


def _make(_: Address, anonymous: bool) -> Any:
    from s3fs import S3FileSystem

    waiting = {"connect_timeout": TIMEOUT / 2, "read_timeout": TIMEOUT}
    config = {**waiting, "max_pool_connections": 64, "retries": {"total_max_attempts": 1}}
    fs = S3FileSystem(anon=anonymous, config_kwargs=config, **UNCACHED)
    fs.retries = 1
    return fs


def _version(info: Info) -> str:
    return str(info.get("ETag") or "").strip('"')


def _read(fs: Any, span: Span) -> Opened:
    from fsspec.asyn import sync

    bucket, _, key = span.path.partition("/")
    asked = {} if span.whole else {"Range": f"bytes={span.start}-{span.stop - 1}"}
    if span.version:
        asked["IfMatch"] = f'"{span.version}"'
    answer = fs.call_s3("get_object", Bucket=bucket, Key=key, **asked)
    body = answer["Body"]

    def chunks() -> Iterator[bytes]:
        while data := sync(fs.loop, body.read, PIECE):
            yield data

    return Opened(chunks(), lambda: fs.loop.call_soon_threadsafe(body.close), _digests(answer, span))


def _digests(answer: Mapping[str, Any], span: Span) -> dict[str, str]:
    """What an answer states of the whole object.

    An ETag is the MD5 of the content only of what was put in one piece and is not encrypted with a key of a customer or of KMS
    (Amazon S3 API Reference, "Object").
    """
    found = {}
    plain = answer.get("ServerSideEncryption") in (None, "AES256") and "SSECustomerAlgorithm" not in answer
    if plain and _MD5.fullmatch(etag := str(answer.get("ETag") or "").strip('"')):
        found["md5"] = etag
    stated = answer.get("ChecksumSHA256")
    if span.whole and stated and answer.get("ChecksumType") == "FULL_OBJECT":
        found["sha256"] = base64.b64decode(stated).hex()
    return found


KIND = Kind(
    scheme="s3",
    package="s3fs",
    extra="s3",
    login="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run: aws configure",
    make=_make,
    root=lambda address: address.host,
    version=_version,
    read=_read,
    check=_check,
    signed=_signed,
    prefixes=True,
)
