"""How one stands with a service: which credential counts, where it is from, and whether the service knows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mldata.config import load_config
from mldata.credentials import Credential, Place, hidden, look
from mldata.errors import AuthError, MldataError, NetworkError

if TYPE_CHECKING:
    from mldata.download.web import Web

__all__ = ["Standing", "standing", "verified"]

SHOWN = 4
"""Characters of a secret that may be shown, at its end, of one that has at least five times as many."""


@dataclass(frozen=True)
class Standing:
    """What is known of a service's credential."""

    service: str
    places: tuple[Place, ...]
    """All that have something, in order; the keyring also where it has nothing because it cannot be used."""
    used: Place | None = None
    """Where the credential is taken from, or where something has to be put right first."""
    off: str | None = None
    """The variable that says that none is to be used."""
    valid: bool | None = None
    """What the service says; None: it was not asked, or did not answer."""
    user: str | None = None
    error: MldataError | None = None

    @property
    def credential(self) -> Credential | None:
        """That counts now."""
        return self.used.credential if self.used is not None else None

    @property
    def ending(self) -> str | None:
        """The last characters of the secret, by which people tell tokens apart."""
        found = self.credential
        return found.secret[-SHOWN:] if found is not None and len(found.secret) >= 5 * SHOWN else None


def standing(service: str, web: Web | None = None) -> Standing:
    """Look, and with ``web`` ask the service. Raises nothing of what is wrong: it is in the answer."""
    off, places = hidden(service), tuple(look(service))
    used = next((it for it in places if it.error is not None or it.credential is not None), None)
    if off is not None or used is None or used.credential is None:
        return Standing(
            service, places, None if off else used, off, error=used.error if used and not off else None
        )
    valid: bool | None = None
    user = used.credential.user
    error: MldataError | None = None
    if web is not None:
        try:
            user, valid = verified(used.credential, web) or user, True
        except (AuthError, NetworkError) as said:
            valid, error = False if isinstance(said, AuthError) else None, said
    return Standing(service, places, used, None, valid, user, error)


def verified(credential: Credential, web: Web) -> str | None:
    """The user's name as the service tells it. Raises ``AuthError``, ``NetworkError``."""
    from mldata.whoami import whoami

    return whoami(web, credential, load_config().endpoint(credential.service))
