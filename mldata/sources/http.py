"""Files of the web: ``https://host/path/file.csv``, one file a source, as its address stands.

``#sha256=HEX`` (or ``sha1``, ``md5``) behind it says what the file has to be. The revision is that digest, else one over what the server says of
the file: its ETag, or its time and size. Invariant: signatures and tokens in an address are used, and are in nothing that is kept or shown.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mldata.download.addresses import authority, has_secret, insecure, public
from mldata.errors import AuthError, MldataError, NetworkError, SourceError
from mldata.sources.base import About, RemoteFile, Resolved

if TYPE_CHECKING:
    from mldata.download.base import Origin
    from mldata.download.web import Head, Web

__all__ = ["HttpSource"]

LENGTHS = {"sha256": 64, "sha1": 40, "md5": 32}
"""Digits of the digests that an address may have behind ``#``."""
GONE = (404, 410)
_SPACE = re.compile(r"[\x00-\x20\x7f-\x9f]")


class HttpSource:
    """One file of the web.

    Args:
        text: as in the spec.
        root: folder of the spec; a file of the web does not depend on it.
    """

    def __init__(self, text: str, root: Path) -> None:
        self._url, self._digests = _parse(text)
        pinned = "".join(f"#{kind}={value}" for kind, value in self._digests.items())
        self.text = self.key = public(self._url) + pinned
        self._made: Web | None = None

    @property
    def _web(self) -> Web:
        from mldata.download.web import Web

        if self._made is None:
            self._made = Web()
        return self._made

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
        from mldata.download.base import HttpError
        from mldata.download.logins import LOGIN_HINT, login_for

        host = authority(self._url)
        try:
            return self._web.head(self._url, auth=login_for(self._url))
        except AuthError as error:
            hint = f"If you have a login at {host}, {LOGIN_HINT.format(host=urlsplit(self._url).hostname)}"
            if has_secret(self._url):
                hint = f"The signature or token in the address may be wrong or have run out: get a new one from {host}."
            raise AuthError(f"expected a file: {error.message}", where=self.text, hint=hint) from None
        except HttpError as error:
            kind: type[MldataError] = SourceError if error.status in GONE else NetworkError
            raise kind(f"expected a file: {error.message}", where=self.text, hint=error.hint) from None

    def _revision(self, file: RemoteFile) -> str:
        if self._digests:
            return next(f"{kind}:{self._digests[kind]}" for kind in LENGTHS if kind in self._digests)
        said = json.dumps([file.name, file.size, file.version, sorted(file.digests.items())])
        return hashlib.sha256(said.encode()).hexdigest()

    def _warnings(self) -> list[str]:
        warnings = [warning] if (warning := insecure(self._url)) and "sha256" not in self._digests else []
        if has_secret(self._url):
            warnings.append(
                f"{self.text}: there is a signature or token in this address, which runs out, and lets in whoever reads it. It is left out of "
                "mldata.lock. Better: pull the file once (mldata pull ADDRESS -o FOLDER) and name the folder in mldata.yaml; or name "
                "the bucket (s3://, gs://, az://) and keep the credentials in the environment."
            )
        return warnings


def _parse(text: str) -> tuple[str, dict[str, str]]:
    """The address, and the digests that are said behind it. Raises ``SourceError``; no message has the user or a secret in it."""
    url, mark, fragment = text.partition("#")
    try:
        shown, parts = public(url), urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise SourceError(
            "expected an address such as https://host/file.csv", hint="Check host and port."
        ) from None
    scheme = parts.scheme.lower()
    if not host or _SPACE.search(url):
        hint = "Write spaces as %20." if host else "Name the host behind the //."
        raise SourceError("expected an address such as https://host/file.csv", where=shown, hint=hint)
    if "@" in parts.netloc:
        from mldata.download.logins import LOGIN_HINT

        hint = f"Leave it out of the address, and {LOGIN_HINT.format(host=host)}"
        raise SourceError("expected an address without a user and a password", where=shown, hint=hint)
    digests = {}
    for item in fragment.split("&") if mark else ():
        kind, _, value = item.partition("=")
        if not re.fullmatch(f"[0-9a-fA-F]{{{LENGTHS.get(kind, 0)}}}", value) or not value or kind in digests:
            hint = "Leave the # and what follows away; or write the digest of the file: #sha256= and 64 hexadecimal digits."
            raise SourceError(f"expected a digest behind the #, found {item[:80]!r}", where=shown, hint=hint)
        digests[kind] = value.lower()
    return parts._replace(scheme=scheme, fragment="").geturl(), {
        k: digests[k] for k in LENGTHS if k in digests
    }
