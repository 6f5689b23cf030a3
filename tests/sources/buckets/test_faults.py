"""What is said of an error that a client raises."""

from __future__ import annotations

import errno
import socket
from typing import Any

import pytest

from mldata.download.base import Transient
from mldata.errors import AuthError, MldataError, NetworkError, SourceError
from mldata.sources.buckets import kind_of
from mldata.sources.buckets.base import Changed
from mldata.sources.buckets.faults import explain


class Botocore(Exception):
    """As botocore's ``ClientError``: what the service said is in ``response``."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(f"hunter2 in the words of the server ({code})")
        self.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}


class Azure(Exception):
    """As azure.core's ``HttpResponseError``."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__("hunter2")
        self.error_code, self.status_code = code, status


class HttpError(Exception):
    """As gcsfs has it."""

    def __init__(self, code: object) -> None:
        super().__init__("hunter2")
        self.code = code


class NoCredentialsError(Exception):
    """As botocore names it."""


class EndpointConnectionError(ConnectionError):
    """As botocore names it."""


def wrapped(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (wrapped(PermissionError("hunter2"), Botocore("AccessDenied", 403)), AuthError, "(403 AccessDenied)"),
        (wrapped(PermissionError("hunter2"), Botocore("ExpiredToken", 400)), AuthError, "ExpiredToken"),
        (wrapped(FileNotFoundError("hunter2"), Botocore("NoSuchBucket", 404)), SourceError, "no such bucket"),
        (wrapped(FileNotFoundError("hunter2"), Botocore("404", 404)), SourceError, "no such object or folder"),
        (wrapped(OSError(22, "hunter2"), Botocore("PreconditionFailed", 412)), SourceError, "it changed"),
        (wrapped(OSError(16, "hunter2"), Botocore("SlowDown", 503)), Transient, "503"),
        (wrapped(OSError(5, "hunter2"), Botocore("TooManyRequests", 429)), Transient, "429"),
        (wrapped(OSError(2, "hunter2"), Botocore("PermanentRedirect", 301)), NetworkError, "AWS_REGION"),
        (wrapped(OSError(22, "hunter2"), Botocore("AuthorizationHeaderMalformed", 400)), NetworkError, "another region"),
        (wrapped(OSError(5, "hunter2"), Botocore("<b>hunter2</b>", 418)), NetworkError, "(418)"),
        (Azure("ConditionNotMet", 412), SourceError, "it changed"),
        (Azure("ContainerNotFound", 404), SourceError, "no such bucket"),
        (Azure("AuthenticationFailed", 403), AuthError, "AuthenticationFailed"),
        (HttpError(401), AuthError, "401"),
        (HttpError("503"), Transient, "503"),
        (HttpError("invalid"), NetworkError, "HttpError"),
        (OSError("Forbidden: https://x/y\nhunter2"), AuthError, "denied"),
        (NoCredentialsError("no"), AuthError, "aws configure"),
        (TimeoutError(), Transient, "TimeoutError"),
        (socket.gaierror(errno.ENOENT, "Name or service not known"), Transient, "not known"),
        (EndpointConnectionError("https://x/y?X-Amz-Signature=hunter2 refused"), Transient, "https://x/y refused"),
        (RuntimeError("line\n\x1b[31mhunter2"), NetworkError, "RuntimeError"),
        (Changed(), SourceError, "it changed"),
    ],
)  # fmt: skip
def test_errors(error: Exception, kind: type[MldataError], words: str) -> None:
    """Clients' errors are told apart by status, code and class; what a server says in its own words is not repeated."""
    found = explain(error, kind_of("s3"), "s3://bucket/a")
    assert type(found) is kind and words in str(found)
    assert "hunter2" not in str(found) and "s3://bucket/a" in str(found)
    assert found.hint


def test_our_own_stay_as_they_are() -> None:
    """An error that says already what it is is not wrapped."""
    own: Any = SourceError("x")
    assert explain(own, kind_of("s3"), "y") is own
