"""DVC's repositories: where one begins, where its cache is, and what of its configuration counts here.

Facts (DVC 3): a repository is the nearest folder with a folder ``.dvc`` in it. Its configuration is merged from the system's file, the
user's, ``.dvc/config`` and ``.dvc/config.local``, the later ones first: INI text as ConfigObj has it, with sections such as
``['remote "storage"']``, names in any case, values perhaps in quotes, and comments behind ``#``. ``cache.dir`` may be relative to the
folder of the file that says it, and begin with ``~``; the default is ``.dvc/cache``. Objects are below ``files/md5`` in it, and those
of DVC 2 in the cache itself. A repository looks for git upwards from its own root, unless ``core.no_scm`` is set.

Invariant: nothing is written, and no program is started.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from mldata.errors import UsageError, Where

__all__ = ["FILES", "DvcRepository", "find_dvc"]

FILES = "files/md5"
"""Where the cache has the objects of DVC 3."""
_SECTION = re.compile(r"""\s*\[\s*(?P<quote>['"]?)(?P<name>.*?)(?P=quote)\s*\]\s*(?:#.*)?""")
_SETTING = re.compile(r"""\s*(?P<quote>['"]?)(?P<name>[^'"=#\[][^=]*?)(?P=quote)\s*=\s*(?P<value>.*?)\s*""")
_QUOTED = re.compile(r"""(?P<quote>"{3}|'{3}|["'])(?P<value>.*?)(?P=quote)\s*(?:#.*)?""")
_URL = re.compile(r"\w+://")

Settings = dict[str, dict[str, str]]
"""Values by section and name, all names in lower case."""


@dataclass(frozen=True)
class DvcRepository:
    """One repository."""

    root: Path
    cache: Path | None
    """Of this machine; None where :attr:`cache_url` says that it is elsewhere."""
    cache_url: str | None
    remote: str | None
    """Name of the remote that ``dvc push`` takes by default."""
    no_scm: bool
    """It was made with ``dvc init --no-scm``."""

    def object_file(self, md5: str) -> Path | None:
        """Where its cache has, or would have, an object."""
        return self.cache / FILES / md5[:2] / md5[2:] if self.cache is not None else None


def find_dvc(start: Path) -> DvcRepository | None:
    """The repository that a folder lies in; the folder itself need not exist.

    Raises:
        UsageError: its configuration cannot be read.
    """
    root = next((folder for folder in (start, *start.parents) if (folder / ".dvc").is_dir()), None)
    if root is None:
        return None
    settings: Settings = {}
    cache, url = root / ".dvc" / "cache", None
    for path in (*_user_files(), root / ".dvc" / "config", root / ".dvc" / "config.local"):
        found = _read(path)
        for section, values in found.items():
            settings.setdefault(section, {}).update(values)
        if said := found.get("cache", {}).get("dir"):
            url = said if _URL.match(said) else None
            cache = Path(os.path.abspath(path.parent / os.path.expanduser(said)))
    core = settings.get("core", {})
    no_scm = core.get("no_scm", "").lower() == "true"
    return DvcRepository(
        root,
        cache if url is None else None,
        url,
        core.get("remote", "").lower() or None,
        no_scm,
    )


def _user_files() -> tuple[Path, Path]:
    """The system's file and the user's: as the library ``platformdirs`` places them for DVC."""
    if sys.platform == "darwin":
        system, own = Path("/Library/Application Support"), Path.home() / "Library/Application Support"
    else:
        system = Path((os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").partition(os.pathsep)[0])
        own = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return (
        Path(os.environ.get("DVC_SYSTEM_CONFIG_DIR") or system / "dvc") / "config",
        Path(os.environ.get("DVC_GLOBAL_CONFIG_DIR") or own / "dvc") / "config",
    )


def _read(path: Path) -> Settings:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"expected DVC's configuration, found a file that cannot be read: {error}",
            where=str(path),
            hint="Look at what DVC says of it: dvc config --list",
        ) from None
    found: Settings = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if (head := _SECTION.fullmatch(line)) is not None:
            section = head["name"].strip().lower()
        elif (setting := _SETTING.fullmatch(line)) is not None:
            found.setdefault(section, {})[setting["name"].strip().lower()] = _value(setting["value"])
        else:
            raise UsageError(
                f"expected [SECTION] or NAME = VALUE, found {line.strip()[:60]!r}",
                where=Where(str(path), number),
                hint="Look at what DVC says of it: dvc config --list",
            )
    return found


def _value(text: str) -> str:
    quoted = _QUOTED.fullmatch(text)
    return quoted["value"] if quoted is not None else text.partition("#")[0].strip()
