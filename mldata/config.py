"""Settings of whoever runs mldata: what is said in the environment, else in ``config.yaml`` in the user's settings, else the default.

The file has a line a setting (``hf.endpoint: https://...``), comments, and nothing else; :mod:`mldata.configlines` and
:mod:`mldata.configfile` read it. A setting is also the variable ``MLDATA_`` with its name in capitals (``MLDATA_HF_ENDPOINT``). Invariants: no
setting changes what is built, only how; one that is unknown or means nothing is an error with its place; without a file, or with one as
``mldata config`` writes it, no YAML is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from mldata.configlines import plain_entries
from mldata.download.options import DownloadOptions
from mldata.errors import UsageError, Where, shown
from mldata.executor import EXECUTORS
from mldata.quantities import format_size, parse_duration, parse_size
from mldata.userfolders import config_folder

__all__ = ["SETTINGS", "Config", "ConfigError", "Setting", "Value", "config_file", "load_config", "setting"]

AUTO, NONE = "auto", "none"
COLORS = (AUTO, "always", "never")
_PLAIN = DownloadOptions()


class ConfigError(UsageError):
    """A setting that is unknown or means nothing."""

    code = "config"


@dataclass(frozen=True)
class Setting:
    """What can be set."""

    name: str
    read: Callable[[str], Any]
    """Its value from text. Raises ``UsageError``."""
    default: Any
    about: str
    client: str | None = None
    """A variable of the service's own client that means the same."""
    show: Callable[[Any], str] = str
    """A value as text that reads as it."""

    @property
    def variable(self) -> str:
        """Of the environment."""
        return "MLDATA_" + self.name.upper().replace(".", "_")

    @property
    def variable_set(self) -> str | None:
        """The variable that says it now, if one does."""
        return next(
            (it for it in (self.variable, self.client) if it and os.environ.get(it, "").strip()), None
        )


class Value(NamedTuple):
    """What a setting is."""

    value: Any
    origin: str
    """``default``, ``the variable MLDATA_JOBS``, or a place in the file."""


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text[:10]) <= most:
            raise UsageError(f"expected a whole number from {least} to {most}, found {shown(text)}")
        return int(text)

    return read


def _one_of(*names: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise UsageError(f"expected one of {', '.join(names)}; found {shown(text)}")
        return text

    return read


def _flag(text: str) -> bool:
    """As YAML has them, and ``1`` and ``0`` for the environment."""
    if text.lower() not in ("true", "false", "1", "0"):
        raise UsageError(f"expected true or false, found {shown(text)}")
    return text.lower() in ("true", "1")


def _jobs(text: str) -> int | None:
    return None if text.lower() == AUTO else _whole(1, 10_000)(text)


def _rate(text: str) -> int | None:
    if text.lower() == NONE:
        return None
    size = parse_size(text)
    if size == 0:
        raise UsageError(f"expected a rate above 0 such as 5MB, or none; found {shown(text)}")
    return size


def _show_flag(value: bool) -> str:
    return "true" if value else "false"


def _show_jobs(value: int | None) -> str:
    return AUTO if value is None else str(value)


def _show_rate(value: int | None) -> str:
    return NONE if value is None else format_size(value)


def _show_seconds(value: float) -> str:
    return f"{value:g}s"


def _stall(text: str) -> float:
    seconds = parse_duration(text)
    if not 1 <= seconds <= 86400:
        raise UsageError(f"expected a time from 1s to 24h, found {shown(text)}")
    return seconds


def _endpoint(text: str) -> str:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        good = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        good = False
        parts = urlsplit("")
    if "@" in text:
        raise UsageError(
            "expected an address without a user or password in it",
            hint="Log in with: mldata auth login SERVICE",
        )
    if not good or not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"expected an address such as https://hub.example.org, found {shown(text)}")
    if parts.query or parts.fragment:
        raise UsageError(f"expected an address without ? and #, found {shown(text)}")
    return text.rstrip("/")


SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        it.name: it
        for it in (
            Setting("segments", _whole(1, 64), _PLAIN.segments, "parts of a large file that come side by side"),
            Setting("connections", _whole(1, 64), _PLAIN.connections, "files that are downloaded at a time"),
            Setting("limit_rate", _rate, _PLAIN.limit_rate, "bytes a second over all downloads, such as 5MB, or none",
                    show=_show_rate),
            Setting("stall", _stall, _PLAIN.stall, "time without a byte after which a connection is given up, such as 30s",
                    show=_show_seconds),
            Setting("retries", _whole(0, 1000), _PLAIN.retries, "times that a failed request is made again"),
            Setting("offline", _flag, False, "use no network: true or false", show=_show_flag),
            Setting("executor", _one_of(*EXECUTORS), EXECUTORS[0], f"where actions of a build run: {' or '.join(EXECUTORS)}"),
            Setting("jobs", _jobs, None, "actions of a build at a time; auto: one a processor", show=_show_jobs),
            Setting("color", _one_of(*COLORS), AUTO, f"colours in what is printed: {', '.join(COLORS)}"),
            Setting("keyring", _flag, True, "use the system's keyring for tokens: true or false", show=_show_flag),
            Setting("hf.endpoint", _endpoint, "https://huggingface.co", "address of the Hugging Face Hub", "HF_ENDPOINT"),
            Setting("kaggle.endpoint", _endpoint, "https://www.kaggle.com", "address of Kaggle", "KAGGLE_API_ENDPOINT"),
            Setting("openml.endpoint", _endpoint, "https://www.openml.org", "address of OpenML"),
        )
    }
)  # fmt: skip
"""Every setting, by its name."""


@dataclass(frozen=True)
class Config:
    """All settings, with where each of them comes from."""

    values: Mapping[str, Value]

    def __getitem__(self, name: str) -> Any:
        return self.values[name].value

    @property
    def jobs(self) -> int | None:
        """Actions at a time; None: one a processor."""
        found: int | None = self["jobs"]
        return found

    @property
    def executor(self) -> str:
        """One of ``mldata.executor.EXECUTORS``."""
        return str(self["executor"])

    @property
    def offline(self) -> bool:
        """Whether to use no network."""
        return bool(self["offline"])

    @property
    def color(self) -> str:
        """``auto``, ``always`` or ``never``."""
        return str(self["color"])

    @property
    def keyring(self) -> bool:
        """Whether the system's keyring may be used."""
        return bool(self["keyring"])

    def endpoint(self, service: str) -> str:
        """Address of ``hf``, ``kaggle`` or ``openml``, without a slash at its end."""
        return str(self[f"{service}.endpoint"])

    def download(self) -> DownloadOptions:
        """How to download."""
        return DownloadOptions(
            segments=self["segments"],
            connections=self["connections"],
            limit_rate=self["limit_rate"],
            retries=self["retries"],
            stall=self["stall"],
        )


def config_file() -> Path:
    """Where the file is, if it is."""
    return config_folder() / "config.yaml"


def setting(name: str, where: Where | str | None = None) -> Setting:
    """What is called ``name``. Raises :class:`ConfigError` with the nearest one."""
    if name in SETTINGS:
        return SETTINGS[name]
    from mldata.nearest import nearest

    near = nearest(name.replace("-", "_"), SETTINGS)
    hint = f"Did you mean: {near}" if near else "See all settings: mldata config list"
    raise ConfigError(f"expected the name of a setting, found {shown(name)}", where=where, hint=hint)


def load_config() -> Config:
    """All settings as they are now.

    Raises:
        ConfigError: the file, or a variable, says something that is no setting or means nothing.
    """
    said = _in_file()
    return Config(MappingProxyType({name: _value(it, said) for name, it in SETTINGS.items()}))


def _value(it: Setting, said: Mapping[str, Value]) -> Value:
    variable = it.variable_set
    if variable is None:
        return said.get(it.name) or Value(it.default, "default")
    try:
        return Value(it.read(os.environ[variable].strip()), f"the variable {variable}")
    except UsageError as error:
        hint = error.hint or f"{it.name}: {it.about}"
        raise ConfigError(error.message, where=f"the variable {variable}", hint=hint) from None


def _in_file() -> Mapping[str, Value]:
    path = config_file()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(path), hint=f"Look at it: ls -l {path}"
        ) from None
    entries = plain_entries(data, str(path))
    if entries is None:
        from mldata.configfile import read_entries

        entries = read_entries(data, str(path))
    found = {}
    for entry in entries:
        it = setting(entry.name, entry.where)
        try:
            found[it.name] = Value(it.read(entry.text), str(entry.where))
        except UsageError as error:
            hint = error.hint or f"Set it: mldata config set {it.name} VALUE"
            raise ConfigError(error.message, where=entry.where, hint=hint) from None
    return found
