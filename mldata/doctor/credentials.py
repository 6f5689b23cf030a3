"""Which credentials count; ``mldata auth status --check`` asks the services."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mldata.config import load_config
from mldata.credentials import SERVICES
from mldata.doctor.base import Finding
from mldata.errors import UsageError
from mldata.keyrings import NoKeyring, keyring_name
from mldata.standing import standing

__all__ = ["look"]


def look(folder: Path, offline: bool) -> Iterator[Finding]:
    """Where each is found."""
    try:
        on = load_config().keyring
    except UsageError:
        remedy = "Put the settings right first: mldata config list"
        yield Finding(
            "credentials", "credentials", "warn", "not looked at, since the settings cannot be read", remedy
        )
        return
    yield _keyring(on)
    for service in SERVICES:
        yield _credential(service)


def _keyring(on: bool) -> Finding:
    try:
        if not on:
            raise NoKeyring("it is turned off by the setting keyring", absent=True)
        return Finding("credentials", "keyring", "ok", keyring_name())
    except NoKeyring as error:
        remedy = "mldata auth login saves in a file that only you may read"
        return Finding("credentials", "keyring", "note" if error.absent else "warn", f"none: {error}", remedy)


def _credential(service: str) -> Finding:
    found, title = standing(service), SERVICES[service]
    if found.error is not None:
        where = f"{found.error.where}: " if found.error.where else ""
        return Finding(
            "credentials",
            title,
            "warn",
            where + found.error.message,
            found.error.hint or "mldata auth status -v",
        )
    if found.off is not None:
        return Finding(
            "credentials", title, "note", f"not used: the variable {found.off} is set", f"unset {found.off}"
        )
    if found.used is None:
        return Finding(
            "credentials", title, "note", "none; public datasets need none", f"mldata auth login {service}"
        )
    if found.used.note is not None:
        return Finding(
            "credentials",
            title,
            "warn",
            f"{found.used.origin}: {found.used.note}",
            f"mldata auth status {service} -v",
        )
    return Finding("credentials", title, "ok", found.used.origin)
