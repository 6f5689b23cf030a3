"""Kaggle's API as far as datasets need it: ``GET /api/v1/datasets/...``, what the site itself shows as the way to fetch a dataset by curl.

The setting ``kaggle.endpoint`` (``KAGGLE_API_ENDPOINT``) names another site. Invariant: the credential goes to that site only; downloads go on
at a storage host by signed addresses, which get none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

from mldata.config import load_config
from mldata.credentials import Credential, find_credential
from mldata.download.addresses import authority, insecure
from mldata.download.base import Denied, HttpError, Validator
from mldata.download.web import Auth, Web, WebBody, WebOrigin
from mldata.errors import AuthError, NetworkError, SourceError, shown

__all__ = ["KaggleApi", "KaggleFile"]

API = "/api/v1"
PAGE = 200
"""Files in one answer: as many as the service gives."""
MOST_PAGES = 10_000
LOG_IN = "mldata auth login kaggle"


class KaggleApi:
    """What one dataset, or a search, asks of Kaggle.

    Args:
        text: the source that is meant, for messages.
        page: the path of what people see of it on the site.
    """

    def __init__(self, text: str, page: str) -> None:
        self._text, self._path = text, page
        self._web = Web()

    @cached_property
    def _site(self) -> str:
        """The address of Kaggle. Its clients have named it with and without the path of the API."""
        return load_config().endpoint("kaggle").removesuffix(API)

    @property
    def page(self) -> str:
        """Where people see it."""
        return f"{self._site}/{self._path}"

    @cached_property
    def warning(self) -> str | None:
        """What is wrong with how it is asked."""
        return insecure(self._site)

    @cached_property
    def _credential(self) -> Credential | None:
        """The user's; none goes over plain http to another machine."""
        return None if self.warning else find_credential("kaggle")

    @cached_property
    def auth(self) -> Auth | None:
        """How it is shown, if there is one."""
        known = self._credential
        return Auth(known.authorization, frozenset({authority(self._site)})) if known is not None else None

    def get(self, *path: str, **params: str | int) -> Any:
        """What the API says.

        Raises:
            SourceError: there is no such thing.
            AuthError: it is not for who asks.
            NetworkError: there is no sound answer.
        """
        url = f"{self._site}{API}/" + "/".join(quote(part, safe="") for part in path)
        try:
            said = self._web.json(url, params={k: str(v) for k, v in params.items()}, auth=self.auth)
        except (Denied, HttpError) as error:
            self.refuse(error)
        if isinstance(said, dict) and (message := said.get("errorMessage") or said.get("error")):
            raise SourceError(f"Kaggle says {shown(str(message))}", where=self._text, hint=f"See {self.page}")
        return said

    def record(self, *path: str, **params: str | int) -> Mapping[str, Any]:
        """:meth:`get`, of what is an object."""
        said = self.get(*path, **params)
        if not isinstance(said, dict):
            raise self.odd("an object", said)
        return said

    def files(self, owner: str, name: str, version: int) -> Iterator[list[Mapping[str, Any]]]:
        """The files of a version, page by page."""
        token, seen = "", {""}
        while True:
            params: dict[str, str | int] = {"datasetVersionNumber": version, "pageSize": PAGE}
            said = self.record(
                "datasets", "list", owner, name, **params, **({"pageToken": token} if token else {})
            )
            files = said.get("datasetFiles") or []
            if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
                raise self.odd("a list of files", files)
            yield files
            token = str(said.get("nextPageToken") or "")
            if not token:
                return
            if token in seen or len(seen) > MOST_PAGES:
                raise self.odd("another page each time, and a last one", token)
            seen.add(token)

    def origin(self, owner: str, name: str, version: int, file: str) -> KaggleFile:
        """The bytes of a file, or of all files as one archive for an empty ``file``."""
        asked = {"dataset_version_number": str(version), **({"file_name": file} if file else {})}
        url = f"{self._site}{API}/datasets/download/{quote(owner)}/{quote(name)}?{urlencode(asked, quote_via=quote)}"
        called = f"kaggle://{owner}/{name}/{file}".rstrip("/")
        return KaggleFile(self, self._web.origin(url, auth=self.auth), called)

    def refuse(self, error: Denied | HttpError) -> NoReturn:
        """Raise what an answer means for this dataset."""
        status, known = error.status, self._credential
        if status == 401 and known is not None:
            raise AuthError(
                f"Kaggle does not know the credential from {known.origin}",
                where=self._text,
                hint=f"Make a new one at {self._site}/settings and run: {LOG_IN}",
            ) from None
        if status in (401, 403) and known is not None:
            raise AuthError(
                f"Kaggle does not give this to who has the credential from {known.origin}",
                where=self._text,
                hint=f"Open {self.page} as that user: accept its terms there, or ask its owner to share it with you.",
            ) from None
        if status in (401, 403):
            raise AuthError(
                "Kaggle gives this only to those who log in",
                where=self._text,
                hint=f"Make a token at {self._site}/settings and run: {LOG_IN}; its terms, if any, are to be accepted at {self.page}",
            ) from None
        if status in (404, 410):
            unseen = "" if known is not None else "; a private one is seen with a token only: " + LOG_IN
            raise SourceError(
                "Kaggle has no such dataset, or no such version or file of it",
                where=self._text,
                hint=f"Look for it: {self.page}{unseen}",
            ) from None
        raise error

    def odd(self, expected: str, found: object) -> NetworkError:
        """An error about an answer that is not what the API promises."""
        return NetworkError(
            f"expected {expected} in Kaggle's answer, found {shown(found)}",
            where=self._text,
            hint="Try again later; a proxy or another site may have answered: mldata config get kaggle.endpoint.",
        )


class KaggleFile:
    """A file as the storage host has it, which the API sends on to; see :class:`mldata.download.base.Origin`."""

    def __init__(self, api: KaggleApi, origin: WebOrigin, name: str) -> None:
        self._api, self._origin = api, origin
        self.name, self.identity = name, origin.identity

    def open(self, start: int = 0, stop: int | None = None, match: Validator | None = None) -> WebBody:
        """See :meth:`mldata.download.base.Origin.open`."""
        try:
            body = self._origin.open(start, stop, match)
        except (Denied, HttpError) as error:
            if error.body.lstrip().startswith(b"{"):  # the API says so; the storage host speaks XML
                if error.status == 404:  # it happens to single files of large datasets
                    hint = "Take all files in one archive: add ?files=archive to the source."
                    raise SourceError(
                        "Kaggle lists this file, and does not have it", where=self.name, hint=hint
                    ) from None
                self._api.refuse(error)
            raise
        head = body.head
        kind = head.headers.get("content-type", "")
        if kind.startswith("text/html") and authority(head.url) == authority(self._origin.url):
            body.close()
            self._api.refuse(Denied("a page of the site in place of the file", status=403))
        return body
