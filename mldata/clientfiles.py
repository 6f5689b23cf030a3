"""Where the services' own clients keep and look for credentials: variables and files, by the rules of each.

Hugging Face: ``huggingface_hub`` (``utils/_auth.py``, ``constants.py``). Kaggle: ``kaggle`` and ``kagglesdk`` (``kaggle_env.py``,
``kaggle_creds.py``). OpenML: ``openml`` (``config.py``). Invariant: these files are read and never written.
"""

from __future__ import annotations

import configparser
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from mldata.personalfile import others_may_read
from mldata.userfolders import config_base

__all__ = ["Found", "client_files", "client_variables"]

MOST = 1024 * 1024
"""Bytes that such a file may have."""


class Found(NamedTuple):
    """A place that has something."""

    origin: str
    """For people."""
    secret: str | None
    """None: it cannot be used, :attr:`note` says why."""
    user: str | None = None
    note: str | None = None


def client_variables(service: str) -> Iterator[Found]:
    """What the environment has for a service, the first to be used first."""
    yield from {"hf": _hf_variables, "kaggle": _kaggle_variables, "openml": _openml_variables}[service]()


def client_files(service: str) -> Iterator[Found]:
    """What the files of the service's own clients have, the first to be used first."""
    yield from {"hf": _hf_files, "kaggle": _kaggle_files, "openml": _openml_files}[service]()


def _variable(name: str) -> str:
    return os.environ.get(name, "").strip()


def _hf_variables() -> Iterator[Found]:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if value := _variable(name):
            yield Found(f"the variable {name}", value)


def _kaggle_variables() -> Iterator[Found]:
    if value := _variable("KAGGLE_API_TOKEN"):
        if os.path.isfile(value):  # kagglesdk takes the name of a file too
            yield from _whole(Path(value), f"the file {value} that KAGGLE_API_TOKEN names")
        else:
            yield Found("the variable KAGGLE_API_TOKEN", value)
    user, key = _variable("KAGGLE_USERNAME"), _variable("KAGGLE_KEY")
    both = "the variables KAGGLE_USERNAME and KAGGLE_KEY"
    if user and key:
        yield Found(both, key, user)
    elif user or key:
        there, missing = ("KAGGLE_USERNAME", "KAGGLE_KEY") if user else ("KAGGLE_KEY", "KAGGLE_USERNAME")
        yield Found(both, None, None, f"{there} is set and {missing} is not")


def _openml_variables() -> Iterator[Found]:
    if value := _variable("OPENML_APIKEY"):
        yield Found("the variable OPENML_APIKEY", value)


def _hf_files() -> Iterator[Found]:
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    home = _expanded(os.environ.get("HF_HOME") or os.path.join(cache, "huggingface"))
    yield from _whole(_expanded(os.environ.get("HF_TOKEN_PATH") or str(home / "token")))


def _kaggle_files() -> Iterator[Found]:
    home = Path(os.path.expanduser("~/.kaggle"))
    for name in ("access_token", "access_token.txt"):
        yield from _whole(home / name)
    folder = Path(os.environ.get("KAGGLE_CONFIG_DIR") or home)
    if folder == home and not home.exists() and sys.platform.startswith("linux"):
        folder = config_base() / "kaggle"
    yield from _json(folder / "kaggle.json", "key")
    yield from _json(home / "credentials.json", "access_token")


def _openml_files() -> Iterator[Found]:
    linux = sys.platform.startswith("linux")
    path = config_base() / "openml" / "config" if linux else Path(os.path.expanduser("~/.openml/config"))
    text, note = _read(path)
    if text is None:
        return
    parser = configparser.RawConfigParser()
    try:
        parser.read_string("[all]\n" + text)
        secret = parser.get("all", "apikey", fallback="").strip()
    except configparser.Error:
        yield Found(str(path), None, None, "expected lines of the form apikey = ...")
        return
    if secret:
        yield Found(str(path), secret, None, note)


def _whole(path: Path, origin: str | None = None) -> Iterator[Found]:
    """A file that is a token and nothing else."""
    text, note = _read(path)
    if text is not None and (secret := text.strip()):
        yield Found(origin or str(path), secret, None, note)


def _json(path: Path, name: str) -> Iterator[Found]:
    """A JSON file of Kaggle's clients, whose secret is called ``name``."""
    text, note = _read(path)
    if text is None:
        return
    try:
        found: Any = json.loads(text)
        user, secret = found.get("username"), found.get(name)
        until = found.get("access_token_expiration")
        expired = bool(until) and datetime.fromisoformat(until).astimezone(UTC) < datetime.now(UTC)
    except (ValueError, TypeError, AttributeError, RecursionError):
        yield Found(str(path), None, None, f"expected JSON with username and {name}")
        return
    if not isinstance(secret, str) or not secret or not isinstance(user, str | None):
        yield Found(str(path), None, None, f"expected username and {name} in it")
    elif expired:
        yield Found(str(path), None, None, "it has expired; renew it: kaggle auth login")
    elif name == "key" and not user:
        yield Found(str(path), None, None, "expected username beside key in it")
    else:
        yield Found(str(path), secret, user if name == "key" else None, note)


def _read(path: Path) -> tuple[str | None, str | None]:
    """The text of a file, None if it is not there; and what is wrong with who may read it."""
    try:
        with open(path, "rb") as file:
            text = file.read(MOST).decode("utf-8", "replace")
        open_to_all = others_may_read(path)
    except OSError:
        return None, None
    note = f"other users of this machine can read it; to keep it to yourself: chmod 600 {path}"
    return text, note if open_to_all else None


def _expanded(path: str) -> Path:
    return Path(os.path.expandvars(os.path.expanduser(path)))
