"""Azure Blob Storage on this machine: Microsoft's own emulator, where it is installed (``npm install -g azurite``)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

from mldata.testing import Asked
from tests.servers.s3 import without_credentials

PROGRAM = shutil.which("azurite-blob")
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Of the emulator; it is the same everywhere, and known to everybody."""


class Azurite:
    """One account with one container."""

    uri = "az://penguins"
    nowhere = "az://no-such-container"
    requests: tuple[Asked, ...] = ()

    def __init__(self, connection: str) -> None:
        from azure.storage.blob import BlobServiceClient

        self.service = BlobServiceClient.from_connection_string(connection)
        self.container: Any = self.service.create_container("penguins", public_access="container")

    def put(self, files: Mapping[str, bytes]) -> None:
        for blob in self.container.list_blobs():
            if blob.name not in files:
                self.container.delete_blob(blob.name)
        for name, data in files.items():
            blob = self.container.get_blob_client(name)
            if not blob.exists() or blob.download_blob().readall() != data:
                blob.upload_blob(data, overwrite=True)


@contextmanager
def azurite(signed: bool = False) -> Iterator[Azurite]:
    """The service, and an environment that leads there.

    Args:
        signed: with the account's key.
    """
    assert PROGRAM is not None
    with tempfile.TemporaryDirectory() as folder:
        options = ["--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        server = subprocess.Popen(
            [PROGRAM, *options, "--blobPort", "0"], cwd=folder, stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            port = next(found[1] for line in server.stdout if (found := re.search(r"listens on http://\S+:(\d+)", line)))  # fmt: skip
            said = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT};"
            place = Azurite(f"{said}AccountKey={KEY};")
            told = f"{said}AccountKey={KEY};" if signed else said
            clean = without_credentials(("AZURE_", "FSSPEC_", "IDENTITY_", "MSI_"))
            led = {"AZURE_STORAGE_CONNECTION_STRING": told, "AZURE_CONFIG_DIR": folder}
            with mock.patch.dict(os.environ, {**clean, **led}, clear=True):
                yield place
        finally:
            server.terminate()
            server.wait(10)
