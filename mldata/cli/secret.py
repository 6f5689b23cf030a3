"""Getting a secret from whoever runs a command: typed without echo, or on standard input.

Invariant: it is not shown, in no argument, and in no error.
"""

from __future__ import annotations

import json
import re
import sys

from mldata.credentials import SERVICES, Credential, check_secret
from mldata.errors import AuthError, UsageError
from mldata.whoami import SITES

__all__ = ["on_terminal", "read_credential"]

MOST = 64 * 1024
"""Bytes that standard input may have."""
_KAGGLE_KEY = re.compile(r"[0-9a-f]{32}")


def on_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def read_credential(service: str, username: str | None, *, piped: bool) -> Credential:
    """The credential for a service.

    Args:
        username: whose key it is, of Kaggle's keys in two parts.
        piped: it comes on standard input, not from the terminal.

    Raises:
        AuthError: it is none.
        UsageError: it cannot be read that way.
    """
    if username is not None and service != "kaggle":
        raise UsageError("only Kaggle has keys in two parts", where="--username", hint="Leave it out.")
    what = (
        f"{'Key' if username else 'Token'} of {SERVICES[service]} (from {SITES[service]}; it is not shown): "
    )
    text = _piped() if piped else _typed(service, what)
    origin = "standard input" if piped else "the prompt"
    if service == "kaggle" and username is None:
        text, username = _of_kaggle(text, origin)
    if username is not None:
        check_secret(username, "the user's name")
        if ":" in username:  # HTTP Basic has no way to say it
            raise UsageError("expected a user's name without a colon", where="--username")
    return Credential(service, check_secret(text, origin), origin, username)


def _piped() -> str:
    way = "Give a file: --token-stdin < FILE; or leave --token-stdin out, to be asked."
    if sys.stdin is None:
        raise UsageError(
            "expected a token on standard input, found it closed", where="--token-stdin", hint=way
        )
    if on_terminal():
        found = "found a terminal, which shows what is typed"
        raise UsageError(
            f"expected a file or a pipe on standard input, {found}", where="--token-stdin", hint=way
        )
    data = sys.stdin.buffer.read(MOST + 1)
    if len(data) > MOST:
        raise UsageError(
            "expected a token on standard input, found more than 64 KiB", where="--token-stdin", hint=way
        )
    return data.decode("utf-8", "replace").strip()


def _typed(service: str, prompt: str) -> str:
    import getpass
    import warnings

    way = f"Give it on standard input: mldata auth login {service} --token-stdin < FILE"
    if not on_terminal():
        raise UsageError("expected a terminal to ask on, found none", hint=way)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(prompt, stream=sys.stderr).strip()
    except getpass.GetPassWarning:
        raise UsageError(
            "expected a terminal that can hide what is typed, found one that cannot", hint=way
        ) from None
    except EOFError:
        raise UsageError("expected a token, found the end of input", hint=way) from None


def _of_kaggle(text: str, origin: str) -> tuple[str, str | None]:
    """A token; or a key and its user, where the text is that of kaggle.json, the file that Kaggle gives keys in two parts out as."""
    if _KAGGLE_KEY.fullmatch(text):
        raise AuthError(
            "expected a token, found what looks like a key in two parts without its user",
            where=origin,
            hint="Say whose it is: mldata auth login kaggle --username NAME",
        )
    if not text.startswith("{"):
        return text, None
    try:
        found = json.loads(text)
        user, key = found["username"], found["key"]
        if isinstance(user, str) and isinstance(key, str):
            return key, user
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise AuthError(
        "expected a token, or JSON as in kaggle.json with username and key; found something else",
        where=origin,
        hint=f"Make a token at {SITES['kaggle']}",
    ) from None
