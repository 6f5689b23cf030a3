"""Texts of sources elsewhere: ``SCHEME://PATH[@REVISION][?OPTION=VALUE&...]``.

What a service itself calls a dataset is the path; ``?subset=…&split=…&revision=…`` say which part and state of it. Addresses of the web
(``http://``, ``https://``) are not read by this: what stands behind a ``?`` there belongs to the address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

from mldata.errors import SourceError

if TYPE_CHECKING:
    from mldata.sources.base import SourceInfo

__all__ = ["Uri", "parse_uri"]


@dataclass(frozen=True)
class Uri:
    """A parsed source text. ``str()`` gives it in its one normal form."""

    scheme: str
    path: str
    """Without slashes at its ends; percent escapes are resolved."""
    options: Mapping[str, str] = field(default_factory=dict)

    def with_options(self, **options: str | None) -> Uri:
        """With these options said too; None leaves one as it is."""
        return replace(self, options={**self.options, **{k: v for k, v in options.items() if v is not None}})

    @property
    def query(self) -> str:
        """What stands behind the ``?``; empty without options."""
        return "&".join(f"{key}={quote(self.options[key], safe='/')}" for key in sorted(self.options))

    def __str__(self) -> str:
        said = self.query
        return f"{self.scheme}://{quote(self.path, safe='/@*[],!+')}" + (f"?{said}" if said else "")


def parse_uri(text: str, info: SourceInfo, form: str) -> Uri:
    """Take a source text apart.

    Args:
        text: as the user wrote it.
        info: its scheme, which says what options it may have.
        form: how such a text looks, for the message.

    Raises:
        SourceError: it is empty, has an option that its scheme does not know, one twice, or one without a value.
    """

    def refuse(found: str) -> SourceError:
        return SourceError(f"expected {form}; found {found}", where=text)

    scheme, _, rest = text.partition("://")
    path, mark, query = rest.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    options = dict(pairs)
    path = unquote(path).strip("/")
    if not path:
        raise refuse("no name")
    if mark and not pairs:
        raise refuse("nothing behind the ?")
    if len(options) < len(pairs):
        raise refuse("an option twice")
    for name, value in options.items():
        if name not in info.options:
            known = f"one of {', '.join(sorted(info.options))}" if info.options else "no option"
            raise SourceError(f"expected {known} behind the ?, found {name!r}", where=text)
        if not value:
            raise refuse(f"no value for {name}")
    return Uri(scheme.lower(), path, options)
