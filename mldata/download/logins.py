"""Who one is to a host of the web: a login in ``.netrc``, as ``curl``, ``wget`` and ``git`` read it too.

The file is the one that ``NETRC`` names, else ``.netrc`` (on Windows also ``_netrc``) in the user's folder. Invariant: a login goes to its own
host only, and over plain http to this machine only.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from urllib.parse import urlsplit

from mldata.download.addresses import authority, is_loopback
from mldata.download.web import Auth
from mldata.errors import UsageError, Where

__all__ = ["login_for"]


def login_for(url: str) -> Auth | None:
    """The login for the host of an address, if there is one. Raises ``UsageError`` where the file is damaged."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    path = _path()
    if path is None or (parts.scheme != "https" and not is_loopback(host)):
        return None
    from netrc import NetrcParseError, netrc

    try:
        found = netrc(str(path)).hosts.get(host)
    except NetrcParseError as error:
        where = Where(str(path), error.lineno)
        raise UsageError(
            "expected lines such as: machine HOST login USER password PASSWORD", where=where
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read ({type(error).__name__})", where=str(path)) from None
    if found is None:
        return None
    user, _, password = found
    value = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Auth(f"Basic {value}", frozenset({authority(url)}))


def _path() -> Path | None:
    if (named := os.environ.get("NETRC")) is not None:
        return Path(named) if named else None
    names = ("~/.netrc", "~/_netrc") if os.name == "nt" else ("~/.netrc",)
    return next((path for name in names if (path := Path(os.path.expanduser(name))).is_file()), None)
