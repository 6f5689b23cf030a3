"""What a container of Azure's is as a source."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar

import pytest

pytest.importorskip("adlfs", reason="the extra az is not installed")

from mldata.testing import RemotePlace, RemoteSourceContract
from tests.servers.azurite import PROGRAM, azure


@pytest.mark.slow
@pytest.mark.skipif(
    PROGRAM is None, reason="azurite, Azure's emulator, is not installed: npm install -g azurite"
)
class TestAzure(RemoteSourceContract):
    """``az://`` by adlfs, from azurite."""

    malformed = ("az://", "az:///a", "az://A", "az://user:secret@account/a", "abfs://a b/c")
    unsafe = ("con.csv", "a/nul.csv")
    many = 50
    lacks: ClassVar[Mapping[str, str]] = {
        "old": "a container is read as it is now",
        "token": "a key signs, and is not sent",
        "gate": "a container has no terms to accept",
        "rename": "a container cannot be renamed",
        "move": "bytes come from the service itself",
        "fail": "azurite cannot be told to fail",
        "cut": "azurite cannot be told to break off",
    }

    def serve(self, folder: Path) -> AbstractContextManager[RemotePlace]:
        return azure()
