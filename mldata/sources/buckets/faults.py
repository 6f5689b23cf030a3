"""What went wrong in a client of a bucket, in words of our own.

Clients raise hundreds of classes, of libraries that may not be installed: they are told apart by status, code and class name. What a server
says in its own words is not shown, since it may hold anything; its code and status are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mldata.download.base import Transient
from mldata.errors import AuthError, MldataError, NetworkError, SourceError, brief
from mldata.sources.buckets.base import Changed, Kind

__all__ = ["code_of", "explain"]

_DENIED = frozenset({
    "PermissionError", "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ClientAuthenticationError",
    "DefaultCredentialsError", "RefreshError", "TokenRetrievalError", "UnauthorizedSSOTokenError", "SSOError", "ProfileNotFound",
    "PermissionDenied", "SFTPPermissionDenied", "CredentialUnavailableError", "KeyImportError",
})  # fmt: skip
_PASSING = frozenset({
    "TimeoutError", "ConnectionError", "HTTPClientError", "ClientConnectionError", "ClientPayloadError", "ServiceRequestError",
    "ServiceResponseError", "ConnectionLost", "IncompleteReadError", "IncompleteRead", "ServerDisconnectedError", "TransportError",
    "gaierror", "SFTPConnectionLost", "SFTPNoConnection", "Timeout", "ProxyError", "ClientConnectorError",
})  # fmt: skip
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_ELSEWHERE = frozenset(
    {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,60}")


def explain(error: BaseException, kind: Kind, where: str) -> MldataError:
    """The error to raise.

    Args:
        where: what was asked for.
    """
    if isinstance(error, MldataError):
        return error
    names = {cls.__name__ for one in _chain(error) for cls in type(one).__mro__}
    code, status = code_of(error)
    said = " ".join(str(it) for it in (status, code) if it) or type(error).__name__
    if isinstance(error, Changed) or status == 412 or code in ("PreconditionFailed", "ConditionNotMet"):
        return SourceError(
            "it changed after it was listed",
            where=where,
            hint="Run the same command again: it takes what is there now.",
        )
    if status in (301, 307) or code in _ELSEWHERE:
        return NetworkError(f"the bucket is in another region ({said})", where=where,
                            hint="Set AWS_REGION to the bucket's region.")  # fmt: skip
    if names & {"HostKeyNotVerifiable"}:
        return AuthError("the host is not known, or has another key than before", where=where,
                         hint="Compare its key, and take it into ~/.ssh/known_hosts: ssh HOST")  # fmt: skip
    if status in (401, 403) or names & _DENIED or str(error).startswith("Forbidden"):
        return AuthError(f"access was denied ({said})", where=where, hint=f"To be let in, {kind.login}")
    if status == 404 or "FileNotFoundError" in names:
        return _missing(where, code)
    if status in _AGAIN or names & _PASSING or code in ("SlowDown", "RequestTimeout", "InternalError"):
        return Transient(f"no good answer ({said}{_detail(error, status)})", where=where)
    return NetworkError(f"it cannot be read ({said}{_detail(error, status)})", where=where,
                        hint="Try another client of the same place, to see which of both is at fault.")  # fmt: skip


def _missing(where: str, code: str | None) -> SourceError:
    what = "bucket" if code in ("NoSuchBucket", "ContainerNotFound") else "object or folder"
    return SourceError(
        f"there is no such {what}", where=where, hint="Look at how it is written, upper and lower case too."
    )


def code_of(error: BaseException) -> tuple[str | None, int | None]:
    """What the service calls an error, and the status of HTTP that came with it."""
    for one in _chain(error):
        answer = getattr(one, "response", None)
        if isinstance(answer, dict):  # botocore
            status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
            return _word(answer.get("Error", {}).get("Code")), status if isinstance(status, int) else None
        if isinstance(status := getattr(one, "status_code", None), int):  # azure.core
            return _word(getattr(one, "error_code", None)), status
        if re.fullmatch("[1-5][0-9][0-9]", str(status := getattr(one, "code", None))):  # gcsfs
            return None, int(str(status))
    return None, None


def _word(code: object) -> str | None:
    text = str(getattr(code, "value", code))
    return text if code is not None and _CODE.fullmatch(text) else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    for _ in range(10):
        if one is None:
            return
        yield one
        one = one.__cause__ or one.__context__


def _detail(error: BaseException, status: int | None) -> str:
    """What a library says where no server spoke; addresses lose what stands behind a ``?``, where signatures are."""
    text = " ".join(re.sub(r"\?\S+", "", str(error)).split())
    spoke = status is not None or type(error).__name__.endswith(("HttpError", "ResponseError", "ClientError"))
    return "" if spoke or not text or not text.isprintable() else f": {brief(text, 160)}"
