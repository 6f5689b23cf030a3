"""Asking a service whose a credential is.

Each service has one small request that a wrong credential does not get through: Hugging Face ``/api/whoami-v2``, Kaggle ``/api/v1/hello``, and of
OpenML, which has no such request, a list of one dataset (a wrong key is refused there as everywhere, by the error 103; no name is told).
Invariants: the credential goes to the service's endpoint only; it is in no error; there is one try, so that nobody waits long.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from mldata.download.base import HttpError
from mldata.errors import AuthError, MldataError, NetworkError

if TYPE_CHECKING:
    from mldata.credentials import Credential
    from mldata.download.web import Auth, Web

__all__ = ["SITES", "whoami"]

SITES = {
    "hf": "https://huggingface.co/settings/tokens",
    "kaggle": "https://www.kaggle.com/settings/api",
    "openml": "https://www.openml.org/auth/api-key",
}
"""Where people make a token."""
MOST = 1024 * 1024
"""Bytes that an answer may have."""
_WRONG_KEY = "103"
_API = re.compile(r"/api/v1(/\w+)?$")


def whoami(web: Web, credential: Credential, endpoint: str) -> str | None:
    """The user's name at the service; None where it does not tell.

    Raises:
        AuthError: the service does not know the credential.
        NetworkError: nothing can be said of it now.
    """
    ask = {"hf": _hf, "kaggle": _kaggle, "openml": _openml}[credential.service]
    try:
        # Clients of these services have named them with and without the path of the API.
        return _name(ask(web, credential, _API.sub("", endpoint)))
    except AuthError:
        raise AuthError(
            f"{endpoint} does not know the credential from {credential.origin}",
            where=credential.service,
            hint=f"Make a new one at {SITES[credential.service]} and save it: mldata auth login {credential.service}",
        ) from None
    except MldataError as error:
        raise _without(credential.secret, error) from None


def _auth(credential: Credential, endpoint: str) -> Auth:
    from mldata.download.addresses import authority
    from mldata.download.web import Auth

    return Auth(credential.authorization, frozenset({authority(endpoint)}))


def _hf(web: Web, credential: Credential, endpoint: str) -> Any:
    found = _ask(web, f"{endpoint}/api/whoami-v2", _auth(credential, endpoint))
    return found["name"]


def _kaggle(web: Web, credential: Credential, endpoint: str) -> Any:
    found = _ask(web, f"{endpoint}/api/v1/hello", _auth(credential, endpoint))
    if found.get("code") in (401, 403):
        raise AuthError("refused")
    return found["userName"]


def _openml(web: Web, credential: Credential, endpoint: str) -> None:
    # The key is a parameter, as OpenML wants it.
    query = urlencode({"api_key": credential.secret})
    try:
        found = _ask(web, f"{endpoint}/api/v1/json/data/list/limit/1?{query}", None)
        _ = found["data"]
    except HttpError as error:
        try:
            code = str(json.loads(error.body)["error"]["code"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise error from None
        if code == _WRONG_KEY:
            raise AuthError("refused") from None
        raise


def _ask(web: Web, url: str, auth: Auth | None) -> Any:
    try:
        with web.origin(url, auth=auth, headers={"Accept": "application/json"}).open() as body:
            data = bytearray()
            for chunk in body:
                data += chunk
                if len(data) > MOST:
                    raise ValueError
        found = json.loads(data)
        if not isinstance(found, dict):
            raise ValueError
        return _Answer(found)
    except (ValueError, KeyError, RecursionError):
        raise _unknown(url) from None


class _Answer(dict[str, Any]):
    """A JSON object; what it does not have makes it no answer of the service."""

    def __missing__(self, key: str) -> Any:
        raise _unknown("", key)


def _unknown(url: str, key: str | None = None) -> NetworkError:
    what = f"JSON with {key!r}" if key else "JSON"
    return NetworkError(
        f"expected {what} from the service, found something else",
        where=url.partition("?")[0] or None,
        hint="Is there a login page, a proxy or another service at this address? See: mldata config list",
    )


def _name(found: Any) -> str | None:
    """A name fit to be shown: what a server says may hold anything."""
    fit = isinstance(found, str) and 0 < len(found) <= 100 and found.isprintable()
    return found if fit else None


def _without(secret: str, error: MldataError) -> MldataError:
    """The error with no trace of the secret, wherever a server or an address may have put it."""

    def clean(text: object) -> str | None:
        return None if text is None else str(text).replace(secret, "***")

    same: MldataError = Exception.__new__(type(error))
    MldataError.__init__(same, str(clean(error.message)), where=clean(error.where), hint=clean(error.hint))
    return same
