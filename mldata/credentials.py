"""Who one is to a service: tokens from the environment, the system's keyring, or a file that only its owner may read.

Services are ``hf``, ``kaggle`` and ``openml``; ``huggingface`` means ``hf``. The order is environment, keyring, mldata's own file, files of the
service's own client; the first place that has something is used. Invariants: a secret is in no message, ``repr``, log, manifest or key; one that could not stand in a header is refused where it is found.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from mldata.clientfiles import Found, client_files, client_variables
from mldata.config import load_config
from mldata.errors import AuthError, MldataError, UsageError

__all__ = [
    "SERVICES",
    "Credential",
    "Place",
    "check_secret",
    "find_credential",
    "hidden",
    "look",
    "pack",
    "service_name",
]

SERVICES = {"hf": "Hugging Face", "kaggle": "Kaggle", "openml": "OpenML"}
ALIASES = {"huggingface": "hf"}

Kind = Literal["environment", "keyring", "file", "client"]
_SECRET = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Credential:
    """A token, and where it was found."""

    service: str
    secret: str = field(repr=False)
    origin: str
    """For people: ``the variable HF_TOKEN``, ``the keyring``, a path."""
    user: str | None = None
    """The name that goes with it, where the service has two-part credentials."""
    warning: str | None = None
    """What is wrong with how it is kept, or with places before it that could not be used."""

    @property
    def authorization(self) -> str:
        """As HTTP sends it: a name and a key by Basic (RFC 7617), a token by Bearer (RFC 6750)."""
        if self.user is None:
            return f"Bearer {self.secret}"
        from base64 import b64encode

        return "Basic " + b64encode(f"{self.user}:{self.secret}".encode()).decode()


@dataclass(frozen=True)
class Place:
    """One place where a credential may be."""

    kind: Kind
    origin: str
    credential: Credential | None = None
    note: str | None = None
    """What keeps it from being used, or what is wrong with how it is kept."""
    absent: bool = False
    """It is one that this machine does not have, or that is turned off."""
    error: MldataError | None = None
    """It has something that must be put right before anything further down is used."""


def service_name(text: str) -> str:
    """``hf``, ``kaggle`` or ``openml``. Raises ``UsageError`` with the nearest one."""
    name = text.lower().removesuffix("://")
    name = ALIASES.get(name, name)
    if name in SERVICES:
        return name
    from mldata.nearest import nearest

    near = nearest(name, [*SERVICES, *ALIASES])
    hint = (
        f"Did you mean: {near}" if near else "Other sources take their credentials from their own libraries."
    )
    raise UsageError(f"expected one of {', '.join([*SERVICES, *ALIASES])}; found {text!r}", hint=hint)


def find_credential(service: str) -> Credential | None:
    """The credential to be used for a service now; None: ask without.

    Raises:
        AuthError: one is there and cannot be used.
    """
    name = service_name(service)
    if hidden(name):
        return None
    passed: list[str] = []
    for place in look(name):
        if place.error is not None:
            raise place.error
        if place.credential is not None:
            warnings = [*passed, *([place.note] if place.note else [])]
            return replace(place.credential, warning="; ".join(warnings) or None)
        if place.kind != "keyring":  # to have none is nothing to warn of
            passed.append(f"{place.origin}: {place.note}")
    return None


def hidden(service: str) -> str | None:
    """The variable that says that no token is to be used though there is one."""
    name = "HF_HUB_DISABLE_IMPLICIT_TOKEN"
    said = os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE")
    return name if service == "hf" and said else None


def look(service: str) -> Iterator[Place]:
    """The places that have a credential, or something that is not one, in order; those with nothing are left out, but for the keyring."""
    for found in client_variables(service):
        yield _place(service, "environment", found)
    yield from _keyring(service)
    yield from _file(service)
    for found in client_files(service):
        yield _place(service, "client", found)


def check_secret(secret: str, origin: str) -> str:
    """``secret`` if it can be sent. Raises ``AuthError`` that does not have it."""
    if _SECRET.fullmatch(secret):
        return secret
    what = "nothing" if not secret else "other characters in it"
    raise AuthError(
        f"expected a token of visible ASCII characters without spaces, found {what}",
        where=origin,
        hint="Copy it again from the site of the service.",
    )


def pack(secret: str, user: str | None) -> str:
    """What the keyring keeps of a credential: JSON, since it keeps one text."""
    return json.dumps({"secret": secret, "user": user})


def _keyring(service: str) -> Iterator[Place]:
    from mldata.keyrings import NoKeyring, keyring_read

    if not load_config().keyring:
        yield Place("keyring", "the keyring", note="it is turned off by the setting keyring", absent=True)
        return
    try:
        text = keyring_read(service)
    except NoKeyring as error:
        yield Place("keyring", "the keyring", note=str(error), absent=error.absent)
        return
    if text is None:
        return
    try:
        kept = json.loads(text)
        secret, user = kept["secret"], kept["user"]
        if not isinstance(secret, str) or not isinstance(user, str | None):
            raise TypeError
    except (ValueError, TypeError, KeyError):
        yield Place(
            "keyring",
            "the keyring",
            error=AuthError(
                "expected what mldata saved, found something else",
                where=f"the keyring's entry for mldata and {service}",
                hint=f"Remove it: mldata auth logout {service}",
            ),
        )
        return
    yield _place(service, "keyring", Found("the keyring", secret, user))


def _file(service: str) -> Iterator[Place]:
    from mldata.secretfile import read_secret, secret_file

    try:
        saved = read_secret(service)
    except AuthError as error:
        yield Place("file", str(secret_file()), error=error)
        return
    if saved is not None:
        note = (
            "others could read it until now; if others use this machine, make a new token"
            if saved.mended
            else None
        )
        yield _place(service, "file", Found(str(secret_file()), saved.secret, saved.user, note))


def _place(service: str, kind: Kind, found: Found) -> Place:
    if found.secret is None:
        return Place(kind, found.origin, note=found.note)
    try:
        secret = check_secret(found.secret, found.origin)
        if found.user is not None:
            check_secret(found.user, found.origin)
    except AuthError as error:
        return Place(kind, found.origin, error=error)
    return Place(kind, found.origin, Credential(service, secret, found.origin, found.user), found.note)
