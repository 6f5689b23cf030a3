"""OpenML's API as far as datasets need it: ``GET /api/v1/json/data/...``, and the files that it names.

The setting ``openml.endpoint`` names another server. What is private is asked for again with the key, as ``?api_key=``, which is the only place that the
API reads one from. Invariant: nobody but the server itself gets the key, and no message has it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

from mldata.config import load_config
from mldata.credentials import Credential, find_credential
from mldata.download.addresses import authority, insecure
from mldata.download.base import Denied, HttpError, Transient, Validator
from mldata.download.patience import Patience
from mldata.download.web import Head, Web, WebBody, WebOrigin
from mldata.errors import AuthError, NetworkError, SourceError, brief, shown

__all__ = ["OpenmlApi", "OpenmlFile"]

LOG_IN = "mldata auth login openml"
UNKNOWN, NO_ACCESS, NO_FILE = 111, 112, 113
WRONG_KEY, BUSY, NO_RESULTS = 103, 107, 372
"""Codes of errors; with each comes the status 412."""
_API = re.compile(r"/api/v1(/(xml|json))?$")
_TWINS = frozenset({"www.openml.org", "api.openml.org"})
"""One service by two names."""


class OpenmlApi:
    """What one dataset, or a search, asks of OpenML.

    Args:
        text: the source that is meant, for messages.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._web = Web()
        self._keyed = False

    @cached_property
    def site(self) -> str:
        """The address of OpenML. Its clients have the path of the API in it."""
        return _API.sub("", load_config().endpoint("openml"))

    @cached_property
    def warning(self) -> str | None:
        """What is wrong with how it is asked."""
        return insecure(self.site)

    @cached_property
    def _credential(self) -> Credential | None:
        """The user's; none goes over plain http to another machine."""
        return None if self.warning else find_credential("openml")

    def get(self, name: str, *path: str) -> Mapping[str, Any]:
        """What the API says at ``path``: the object called ``name``.

        Raises:
            Refused: it says an error that whoever asks has to understand.
            AuthError: it is not for who asks.
            SourceError, NetworkError: there is no sound answer.
        """
        url = f"{self.site}/api/v1/json/" + "/".join(quote(part, safe="") for part in path)
        patience = Patience()
        while True:
            params = {"api_key": self._credential.secret} if self._keyed and self._credential else None
            try:
                said = self._web.json(url, params=params)
                break
            except (Denied, HttpError) as error:
                code, message = _told(error)
                if code is None:
                    raise
                if code == BUSY:
                    busy = f"OpenML cannot reach its own database ({brief(message)})"
                    patience.wait(Transient(busy, where=self._text))
                elif code == NO_ACCESS and not self._keyed and self._credential is not None:
                    self._keyed = True
                else:
                    self._refuse(code, message)
        if not isinstance(said, dict) or not isinstance(said.get(name), dict):
            raise self.odd(f"an object called {name}", said)
        found: Mapping[str, Any] = said[name]
        return found

    def head(self, url: str) -> Head:
        """What is said of a file that the API names. Raises as requests do."""
        patience = Patience()
        while True:
            try:
                with self._web.origin(url, named_by=self.site).open(0, 1) as body:
                    return body.head
            except Transient as error:
                patience.wait(error)

    def origin(self, url: str) -> OpenmlFile:
        """The bytes of a file that the API names."""
        plain = self._web.origin(url, named_by=self.site)
        known, keyed = self._credential if self.own(url) else None, None
        if known is not None:
            mark = "&" if urlsplit(url).query else "?"
            address = f"{url}{mark}api_key={quote(known.secret, safe='')}"
            keyed = self._web.origin(address, identity=plain.identity, named_by=self.site)
        return OpenmlFile(self, plain, keyed)

    def own(self, url: str) -> bool:
        """Whether an address is of the server itself."""
        here, there = authority(self.site), authority(url)
        safe = urlsplit(url).scheme == urlsplit(self.site).scheme
        return safe and (here == there or {here, there} <= _TWINS)

    def deny(self) -> AuthError:
        """The error for what is private."""
        known = self._credential
        if known is None:
            what, hint = "OpenML gives this dataset only to who may see it", f"Log in with your key: {LOG_IN}"
        else:
            what = f"OpenML does not give this dataset to who has the key from {known.origin}"
            hint = "Ask its owner to share it with you."
        return AuthError(what, where=self._text, hint=f"{hint} Keys are at {self.site}/auth/profile-page")

    def _refuse(self, code: int, message: str) -> NoReturn:
        """Raise what an error of the API means."""
        if code == NO_ACCESS:
            raise self.deny() from None
        if code == WRONG_KEY and self._credential is not None:
            raise AuthError(
                f"OpenML does not know the key from {self._credential.origin}",
                where=self._text,
                hint=f"Copy it again from {self.site}/auth/profile-page and run: {LOG_IN}",
            ) from None
        raise Refused(code, message, where=self._text, hint=f"Look for it at {self.site}") from None

    def odd(self, expected: str, found: object) -> NetworkError:
        """An error about an answer that is not what the API promises."""
        return NetworkError(
            f"expected {expected} in OpenML's answer, found {shown(found)}",
            where=self._text,
            hint="Try again later; a proxy or another server may have answered: mldata config get openml.endpoint",
        )


class Refused(SourceError):
    """The API says that it has not got what was asked for."""

    def __init__(self, code: int, message: str, *, where: str, hint: str) -> None:
        super().__init__(f"OpenML says {shown(message)} ({code})", where=where, hint=hint)
        self.number = code


class OpenmlFile:
    """A file that OpenML names; see :class:`mldata.download.base.Origin`. One that is not given to everybody is asked for with the key."""

    def __init__(self, api: OpenmlApi, plain: WebOrigin, keyed: WebOrigin | None) -> None:
        self._api, self._plain, self._keyed = api, plain, keyed
        self._needs_key = False
        self.name, self.identity = plain.name, plain.identity

    def open(self, start: int = 0, stop: int | None = None, match: Validator | None = None) -> WebBody:
        """See :meth:`mldata.download.base.Origin.open`."""
        try:
            if not (self._needs_key and self._keyed):
                return self._plain.open(start, stop, match)
        except (Denied, HttpError) as error:
            if not _denied(error):
                raise
            if self._keyed is None:
                raise self._api.deny() from None
        try:
            body = self._keyed.open(start, stop, match)
        except (Denied, HttpError) as error:
            raise self._api.deny() if _denied(error) else error from None
        self._needs_key = True
        return body


def _denied(error: Denied | HttpError) -> bool:
    return isinstance(error, Denied) or error.status == 412


def _told(error: Denied | HttpError) -> tuple[int | None, str]:
    """Code and message of an error that the API itself says; no code for any other."""
    try:
        said = json.loads(error.body)["error"]
        return int(said["code"]), str(said.get("message", ""))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None, ""
