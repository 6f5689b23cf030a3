"""``az://CONTAINER/BLOB``: Azure Blob Storage, by adlfs.

The account is part of the text (``az://CONTAINER@ACCOUNT/BLOB``) or comes from the environment, as credentials do
(``AZURE_STORAGE_CONNECTION_STRING``, ``AZURE_STORAGE_ACCOUNT_NAME``, ...). A blob is read under ``If-Match``, so parts of two states never meet.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from mldata.errors import SourceError
from mldata.sources.buckets.base import PIECE, TIMEOUT, UNCACHED, Address, Info, Kind, Opened, Span

__all__ = ["KIND"]

_HOST = re.compile(
    r"(\$?[a-z0-9][a-z0-9-]{1,62})(?:@([a-z0-9]{3,24})(?:\.(?:blob|dfs)\.core\.windows\.net)?)?"
)
_CREDENTIALS = (
    "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_CLIENT_ID",
    "AZURE_CLIENT_ID", "AZURE_TENANT_ID", "IDENTITY_ENDPOINT", "MSI_ENDPOINT",
)  # fmt: skip


def _parts(address: Address) -> tuple[str, str | None]:
    """The container, and the account if the text says it."""
    found = _HOST.fullmatch(address.host)
    assert found is not None  # it was checked
    return found[1], found[2]


def _normal(host: str) -> str:
    """``CONTAINER@ACCOUNT``, however the account is written."""
    found = _HOST.fullmatch(host)
    return f"{found[1]}@{found[2]}" if found is not None and found[2] else host


def _check(address: Address) -> str | None:
    return None if _HOST.fullmatch(address.host) else "az://CONTAINER/BLOB or az://CONTAINER@ACCOUNT/BLOB"


def _signed() -> bool:
    home = os.environ.get("AZURE_CONFIG_DIR") or os.path.expanduser("~/.azure")
    return any(map(os.environ.get, _CREDENTIALS)) or os.path.exists(
        os.path.join(home, "msal_token_cache.json")
    )


def _said(connection: str | None) -> dict[str, str]:
    """The parts of a connection string."""
    pairs = (part.partition("=") for part in (connection or "").split(";"))
    return {key: value for key, _, value in pairs}


def _make(address: Address, anonymous: bool) -> Any:
    from adlfs import AzureBlobFileSystem
    from azure.storage.blob.aio import BlobServiceClient

    connection = os.environ.get("AZURE_STORAGE_CONNECTION_STRING")
    said = _said(connection)
    named = _parts(address)[1]
    account = (
        named
        or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME")
        or os.environ.get("AZURE_STORAGE_ACCOUNT")
        or said.get("AccountName")
    )
    own = not named or named == said.get("AccountName")
    if not account and not said.get("BlobEndpoint"):
        raise SourceError(
            "expected the account that has the container, found none",
            where=str(address),
            hint="Write az://CONTAINER@ACCOUNT/..., or set AZURE_STORAGE_ACCOUNT_NAME.",
        )
    default = f"https://{account}.blob.core.windows.net"
    endpoint = (said.get("BlobEndpoint") if own else None) or default

    class Plain(AzureBlobFileSystem):  # type: ignore[misc]
        """Tries once, holds little in memory, and asks anonymously where it is to."""

        def do_connect(self) -> None:
            options: dict[str, Any] = {
                "retry_total": 0, "connection_timeout": TIMEOUT / 2, "read_timeout": TIMEOUT,
                "max_single_get_size": PIECE, "max_chunk_get_size": PIECE,
            }  # fmt: skip
            if anonymous:
                self.service_client = BlobServiceClient(endpoint, **options)
            elif connection and own:
                self.service_client = BlobServiceClient.from_connection_string(connection, **options)
            elif self.sas_token and not self.account_key:
                token = self.sas_token.removeprefix("?")
                self.service_client = BlobServiceClient(f"{endpoint}?{token}", **options)
            else:
                key = self.account_key or self.credential
                self.service_client = BlobServiceClient(endpoint, credential=key, **options)

    return Plain(account_name=account, anon=anonymous, **UNCACHED)


def _root(address: Address) -> str:
    return _parts(address)[0]


def _version(info: Info) -> str:
    return str(info.get("etag") or "").strip('"')


def _digests(info: Info) -> dict[str, str]:
    stated = getattr(info.get("content_settings"), "content_md5", None)
    return {"md5": bytes(stated).hex()} if stated and len(stated) == 16 else {}


def _read(fs: Any, span: Span) -> Opened:
    from azure.core import MatchConditions
    from fsspec.asyn import sync

    container, _, blob = span.path.partition("/")
    client = fs.service_client.get_blob_client(container, blob)
    asked: dict[str, Any] = {"offset": span.start, "length": span.stop - span.start, "decompress": False}
    if span.version:
        asked |= {"etag": f'"{span.version}"', "match_condition": MatchConditions.IfNotModified}
    coming = sync(fs.loop, client.download_blob, max_concurrency=1, **asked).chunks()

    async def following() -> bytes | None:
        return await anext(coming, None)

    def chunks() -> Iterator[bytes]:
        while (data := sync(fs.loop, following)) is not None:
            yield bytes(data)

    return Opened(chunks())


KIND = Kind(
    scheme="az",
    package="adlfs",
    extra="az",
    login="set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or run: az login",
    make=_make,
    root=_root,
    version=_version,
    read=_read,
    check=_check,
    digests=_digests,
    signed=_signed,
    prefixes=True,
    silent=True,
    normal=_normal,
)
