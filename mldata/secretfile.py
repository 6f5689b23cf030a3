"""mldata's own file of credentials, for machines without a keyring: ``credentials.json`` in the user's settings.

Its format is one JSON object: ``{SERVICE: {"secret": TEXT, "user": TEXT or null}}``. Invariants: it has mode 600 from its first byte on; one that
others may read is given that mode again before it is used, and is not used where that fails; what is in it is in no message.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from mldata.errors import AuthError
from mldata.personalfile import SECRET, alone, others_may_read, write_personal
from mldata.userfolders import config_folder

__all__ = ["Saved", "read_secret", "remove_secret", "secret_file", "write_secret"]

FORM = '{"SERVICE": {"secret": "...", "user": null}}'


class Saved(NamedTuple):
    """What the file has of a service."""

    secret: str
    user: str | None
    mended: bool = False
    """Whether others could read the file until now."""


def secret_file() -> Path:
    """Where it is, if it is."""
    return config_folder() / "credentials.json"


def read_secret(service: str) -> Saved | None:
    """What is saved of a service; None if nothing is.

    Raises:
        AuthError: there is a file that cannot be used.
    """
    entries, mended = _read()
    return entries[service]._replace(mended=mended) if service in entries else None


def write_secret(service: str, secret: str, user: str | None) -> None:
    """Save, beside what is saved of others. Raises ``AuthError``, ``UsageError``."""
    with alone(config_folder()):
        entries, _ = _read()
        _write({**entries, service: Saved(secret, user)})


def remove_secret(service: str) -> bool:
    """Forget; False if nothing was saved. Raises ``AuthError``, ``UsageError``."""
    if not secret_file().exists():
        return False
    with alone(config_folder()):
        entries, _ = _read()
        if service not in entries:
            return False
        _write({name: saved for name, saved in entries.items() if name != service})
        return True


def _read() -> tuple[dict[str, Saved], bool]:
    path = secret_file()
    try:
        mended = others_may_read(path)
        if mended:
            os.chmod(path, SECRET)
        data = path.read_bytes()
    except FileNotFoundError:
        return {}, False
    except OSError as error:
        raise AuthError(
            f"expected a file that only you may read, and that mldata may: {error.strerror or error}",
            where=str(path),
            hint=f"Look at it: ls -l {path}",
        ) from None
    try:
        return _entries(json.loads(data)), mended
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise AuthError(
            f"expected JSON of the form {FORM}, found something else",
            where=str(path),
            hint="Mend it, or remove it and log in again: mldata auth login SERVICE",
        ) from None


def _entries(found: dict[str, dict[str, str | None]]) -> dict[str, Saved]:
    entries = {}
    for service, entry in found.items():
        secret, user = entry.get("secret"), entry.get("user")
        if not isinstance(secret, str) or not isinstance(user, str | None):
            raise TypeError
        entries[service] = Saved(secret, user)
    return entries


def _write(entries: dict[str, Saved]) -> None:
    plain = {name: {"secret": it.secret, "user": it.user} for name, it in sorted(entries.items())}
    write_personal(secret_file(), json.dumps(plain, indent=2) + "\n", SECRET)
