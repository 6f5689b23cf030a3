"""Keyrings for tests: backends of the real package ``keyring``, of which some do not behave."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

released = threading.Event()
"""Lets :class:`Silent` go on."""


class InFile(KeyringBackend):
    """Keeps entries in the JSON file that ``KEYRING_PROPERTY_FILE_PATH`` names."""

    priority = 0  # type: ignore[assignment]  # never picked by itself
    file_path = ""

    def _entries(self) -> dict[str, str]:
        path = Path(self.file_path)
        return json.loads(path.read_text()) if path.exists() else {}  # type: ignore[no-any-return]

    def _save(self, entries: dict[str, str]) -> None:
        Path(self.file_path).write_text(json.dumps(entries))

    def get_password(self, service: str, username: str) -> str | None:
        return self._entries().get(f"{service}:{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._save({**self._entries(), f"{service}:{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        entries = self._entries()
        if entries.pop(f"{service}:{username}", None) is None:
            raise PasswordDeleteError("nothing there")
        self._save(entries)


class Locked(InFile):
    """Is locked, and nobody opens it."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("Failed to unlock the collection!")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("Failed to unlock the collection!")


class Silent(InFile):
    """Waits for somebody who is not there."""

    def get_password(self, service: str, username: str) -> str | None:
        released.wait(60)
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        released.wait(60)


class Forgetful(InFile):
    """Says that it has saved, and has not."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class Talkative(InFile):
    """Fails with what it was given."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise OSError(f"cannot save {password}")


def environment(backend: type[KeyringBackend], path: Path) -> dict[str, str]:
    """The variables by which another process uses a backend."""
    return {
        "PYTHON_KEYRING_BACKEND": f"{backend.__module__}.{backend.__name__}",
        "KEYRING_PROPERTY_FILE_PATH": os.fspath(path),
    }
