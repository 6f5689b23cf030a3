"""Files of the web: ``https://host/path/file.csv``, one file a source, as its address stands.

``#sha256=HEX`` (or ``sha1``, ``md5``) behind it says what the file has to be. The revision is that digest, else one over what the server says of
the file: its ETag, or its time and size. Invariant: signatures and tokens in an address are used, and are in nothing that is kept or shown.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.download.addresses import has_secret, insecure, public
from mldata.download.given import given_address, given_digests
from mldata.download.signed import signed
from mldata.errors import MldataError, SourceError
from mldata.sources.base import About, RemoteFile, Resolved

if TYPE_CHECKING:
    from mldata.download.base import Origin
    from mldata.download.web import Head, Web

__all__ = ["HttpSource"]


class HttpSource:
    """One file of the web.

    Args:
        text: as in the spec.
        root: folder of the spec; a file of the web does not depend on it.
    """

    def __init__(self, text: str, root: Path) -> None:
        self._url, self._digests = _parse(text)
        self._url = signed(self._url)
        pinned = "&".join(f"{kind}={value}" for kind, value in self._digests.items())
        self.key = public(self._url) + (f"#{pinned}" if pinned else "")
        self.text = self.key if has_secret(text) else text

    @cached_property
    def _web(self) -> Web:
        from mldata.download.web import Web

        return Web()

    def resolve(self, revision: str | None = None) -> Resolved:
        """What is there now: the web keeps no earlier states. See :meth:`mldata.sources.base.RemoteSource.resolve`."""
        from mldata.download.filenames import file_name

        head = self._look()
        digests = {**head.digests, **self._digests}
        version = head.validator.etag or ""
        if not version and head.validator.modified and head.validator.size is not None:
            version = f"{head.validator.modified}, {head.validator.size} bytes"
        name = file_name(self._url, head.url, head.headers)
        file = RemoteFile(name, public(self._url), head.validator.size, digests, version)
        return Resolved(self._revision(file), [file], warnings=self._warnings())

    def origin(self, file: RemoteFile) -> Origin:
        """Where its bytes come from; a page for people in place of data is refused."""
        from mldata.download.logins import login_for
        from mldata.download.pages import DataOrigin

        origin = self._web.origin(self._url, auth=login_for(self._url), identity=public(self._url))
        return DataOrigin(origin, file.name)

    def about(self) -> About:
        """Its size."""
        return About(size=self._look().validator.size)

    def _look(self) -> Head:
        from mldata.download.given import refusal
        from mldata.download.logins import login_for

        try:
            return self._web.head(self._url, auth=login_for(self._url))
        except MldataError as error:
            raise refusal(error, "a file", self._url, self.text) from None

    def _revision(self, file: RemoteFile) -> str:
        if self._digests:
            return "{}:{}".format(*next(iter(self._digests.items())))
        said = json.dumps([file.name, file.size, file.version, sorted(file.digests.items())])
        return hashlib.sha256(said.encode()).hexdigest()

    def _warnings(self) -> list[str]:
        warnings = [warning] if (warning := insecure(self._url)) and "sha256" not in self._digests else []
        if has_secret(self._url):
            what = "the signature or token in this address is used now and kept nowhere; it may run out, what came stays in the store"
            warnings.append(f"{self.text}: {what}.")
        return warnings


def _parse(text: str) -> tuple[str, dict[str, str]]:
    """The address, and the digests that are said behind it, the strongest first. Raises ``SourceError``."""
    url, mark, fragment = text.partition("#")
    url = given_address(url, "https://host/file.csv")
    try:
        return url, given_digests(fragment) if mark else {}
    except ValueError as error:
        hint = "Leave the # and what follows away; or write the digest of the file: #sha256= and 64 hexadecimal digits."
        found = f"found {str(error)[:80]!r}"
        raise SourceError(f"expected a digest behind the #, {found}", where=public(url), hint=hint) from None
