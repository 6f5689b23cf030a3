"""The system's keyring (macOS Keychain, Secret Service, Windows Credential Locker, ...), through the package ``keyring``.

Invariants: looking something up opens no dialog of the Secret Service (a locked one counts as no keyring) and takes at most :data:`WAIT` seconds;
whatever goes wrong in a keyring is a :class:`NoKeyring` with the reason, and never ends a command.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from mldata.errors import brief

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

__all__ = ["WAIT", "NoKeyring", "keyring_name", "keyring_read", "keyring_remove", "keyring_write"]

OWNER = "mldata"
"""What keyrings call a service; what mldata calls one is the user's name there."""
WAIT = 5.0
"""Seconds after which a keyring that says nothing is left alone, also by what this process asks later."""
WAIT_ASKING = 120.0
"""The same where a person is there who may be asked to unlock it."""

T = TypeVar("T")
_silent = threading.Event()


class NoKeyring(Exception):
    """There is no keyring that can be used; says why.

    Args:
        absent: there is nothing that could hold something.
    """

    def __init__(self, why: str, *, absent: bool = False) -> None:
        super().__init__(why)
        self.absent = absent


def keyring_name() -> str:
    """What the keyring is called. Raises :class:`NoKeyring`."""
    return _within(WAIT, lambda: _called(_backend()))


def keyring_read(service: str) -> str | None:
    """What is kept under a name; None if nothing is. Raises :class:`NoKeyring`."""

    def read() -> str | None:
        backend = _backend()
        _check_open(backend)
        text: str | None = backend.get_password(OWNER, service)
        return text

    return _within(WAIT, read)


def keyring_write(service: str, text: str, *, asking: bool) -> None:
    """Keep something under a name.

    Args:
        asking: whether it may ask a person to unlock it.

    Raises:
        NoKeyring: it did not keep it.
    """

    def write() -> None:
        backend = _backend()
        if not asking:
            _check_open(backend)
        backend.set_password(OWNER, service, text)
        if backend.get_password(OWNER, service) != text:
            raise NoKeyring("it did not give back what was saved")

    _within(WAIT_ASKING if asking else WAIT, write, text)


def keyring_remove(service: str, *, asking: bool) -> bool:
    """Forget what is kept under a name; False if nothing is. Raises :class:`NoKeyring`."""

    def remove() -> bool:
        backend = _backend()
        _check_open(backend, asking)
        if backend.get_password(OWNER, service) is None:
            return False
        backend.delete_password(OWNER, service)
        return True

    return _within(WAIT_ASKING if asking else WAIT, remove)


def _backend() -> KeyringBackend:
    """The keyring that the user has chosen, else the best one that its own package recommends."""
    try:
        import keyring
        from keyring.backends import fail, null
        from keyring.core import init_backend, recommended
    except ImportError:
        raise NoKeyring("the package keyring is not installed", absent=True) from None

    if keyring.core._keyring_backend is None:
        # Those that are not recommended keep secrets in plain files, or ask for a password on the terminal.
        init_backend(recommended)
    backend = keyring.get_keyring()
    if isinstance(backend, fail.Keyring):
        raise NoKeyring("this machine has none", absent=True)
    if isinstance(backend, null.Keyring):
        raise NoKeyring("it is turned off in the settings of the package keyring", absent=True)
    return backend


def _called(backend: Any) -> str:
    best = getattr(backend, "backends", None)  # of several chained ones
    return str(getattr(next(iter(best), backend) if best else backend, "name", type(backend).__name__))


def _check_open(backend: Any, unlock: bool = False) -> None:
    """Raise :class:`NoKeyring` where the Secret Service would ask for a password; other keyrings cannot be asked that.

    Args:
        unlock: it may ask for that of a keyring that is there, not for that of a new one.
    """
    from keyring.backends import SecretService

    chained = getattr(backend, "backends", None) or [backend]
    if not any(isinstance(one, SecretService.Keyring) for one in chained):
        return
    from contextlib import closing

    import secretstorage

    with closing(secretstorage.dbus_init()) as bus:
        try:
            locked = secretstorage.Collection(bus).is_locked()
        except secretstorage.exceptions.ItemNotFoundException:
            # It would ask for the password of a new one.
            raise NoKeyring("nothing has been kept in it yet, and it has no password", absent=True) from None
        if locked and not unlock:
            raise NoKeyring("it is locked")


def _within(seconds: float, work: Callable[[], T], secret: str = "") -> T:
    """What ``work`` gives, done in another thread, since a keyring may wait for a dialog that nobody sees."""
    if _silent.is_set():
        raise NoKeyring("it does not answer")
    done: list[T] = []
    failed: list[NoKeyring] = []

    def run() -> None:
        try:
            done.append(work())
        except NoKeyring as error:
            failed.append(error)
        except (
            BaseException
        ) as error:  # a backend is foreign code: in other languages too, whose panics are no Exception
            said = f"{type(error).__name__}: {error}".rstrip(": ")
            failed.append(NoKeyring(brief(said.replace(secret, "…") if secret else said, 200)))

    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        _silent.set()
        raise NoKeyring(f"it did not answer within {seconds:g} seconds")
    if failed:
        raise failed[0] from None
    return done[0]
