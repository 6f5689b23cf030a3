"""A user's home folder in a temporary place, with the keyring that a test gives them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keyring.core
import pytest
from keyring.backend import KeyringBackend

from mldata import keyrings as mldata_keyrings
from tests import keyrings


@dataclass(frozen=True)
class Home:
    """The folder, and what its environment says."""

    path: Path
    patch: pytest.MonkeyPatch

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        """A file below the home folder."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def set(self, **variables: str) -> None:
        """Variables of the environment."""
        for name, value in variables.items():
            self.patch.setenv(name, value)

    def keyring(self, backend: type[KeyringBackend]) -> Path:
        """Use a backend; the file that it keeps entries in."""
        path = self.path / "keyring.json"
        self.set(**keyrings.environment(backend, path))
        self.patch.setattr(keyring.core, "_keyring_backend", None)
        return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """An empty home folder, without a keyring."""
    path = tmp_path / "home"
    path.mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", os.fspath(path))
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    yield Home(path, monkeypatch)
    keyrings.released.set()
    mldata_keyrings._silent.clear()
    keyrings.released.clear()
