"""Saving and forgetting credentials: in the system's keyring, else in mldata's own file.

Invariants: a credential is in one of the two, not in both; what was saved is what is read back, or saving failed; nothing of another program is
changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from mldata.config import load_config
from mldata.credentials import Place, look, pack
from mldata.errors import AuthError
from mldata.keyrings import NoKeyring, keyring_name, keyring_read, keyring_remove, keyring_write
from mldata.secretfile import read_secret, remove_secret, secret_file, write_secret

__all__ = ["Forgotten", "Kept", "forget", "save"]


@dataclass(frozen=True)
class Kept:
    """Where a credential was saved."""

    kind: str
    """``keyring`` or ``file``."""
    place: str
    """For people."""
    why: str | None = None
    """Why it is not in the keyring, if it is not and nobody said so."""


@dataclass(frozen=True)
class Forgotten:
    """What is no longer saved, and what still counts."""

    places: tuple[str, ...]
    left: tuple[Place, ...]
    """That mldata did not save."""
    warning: str | None = None


def save(service: str, secret: str, user: str | None, *, to_file: bool, asking: bool) -> Kept:
    """Save a credential.

    Args:
        to_file: leave the keyring out.
        asking: whether the keyring may ask somebody to unlock it.

    Raises:
        AuthError: it was not saved, or is not what is read back.
        UsageError: the file cannot be written.
    """
    read_secret(service)  # a file that cannot be used is told before anything is changed
    kept = None
    why = None if to_file else "the setting keyring is false"
    if not to_file and load_config().keyring:
        try:
            keyring_write(service, pack(secret, user), asking=asking)
            kept = Kept("keyring", f"the keyring ({keyring_name()})")
            remove_secret(service)
        except NoKeyring as error:
            why = f"no keyring: {error}"
    if kept is None:
        write_secret(service, secret, user)
        _from_keyring(service, asking)  # nothing there may hide what is in the file
        kept = Kept("file", str(secret_file()), why)
    _check(service, secret, user, kept)
    return kept


def forget(service: str, *, asking: bool) -> Forgotten:
    """Remove what :func:`save` saved. Raises ``AuthError``, ``UsageError`` where it cannot be removed."""
    removed, warning = _from_keyring(service, asking)
    places = ["the keyring"] if removed else []
    if remove_secret(service):
        places.append(str(secret_file()))
    left = tuple(place for place in look(service) if place.credential or place.error)
    return Forgotten(tuple(places), left, warning)


def _from_keyring(service: str, asking: bool) -> tuple[bool, str | None]:
    """Whether something was removed from the keyring, and why it could not be looked at, if it may have something."""
    if not load_config().keyring:
        return False, None  # nothing in it counts
    try:
        return keyring_remove(service, asking=asking), None
    except NoKeyring as error:
        return False, None if error.absent else f"the keyring could not be looked at: {error}"


def _check(service: str, secret: str, user: str | None, kept: Kept) -> None:
    if kept.kind == "keyring":
        try:
            same = keyring_read(service) == pack(secret, user)
        except NoKeyring:
            same = False
    else:
        saved = read_secret(service)
        same = saved is not None and (saved.secret, saved.user) == (secret, user)
    if not same:
        raise AuthError(
            "expected to read back what was saved, found something else",
            where=kept.place,
            hint=f"Save it in a file: mldata auth login {service} --file",
        )
