"""``sftp://[USER@]HOST[:PORT]/PATH``: files on another machine, by sshfs on asyncssh.

Keys, the agent, ``~/.ssh/config`` and ``~/.ssh/known_hosts`` are used as ``ssh`` uses them; a host that is not known is refused, and no
password is asked for. The path begins at the root of that machine's files.
"""

from __future__ import annotations

import re
from typing import Any

from mldata.sources.buckets.base import TIMEOUT, Address, Info, Kind
from mldata.sources.buckets.other import read_handle

__all__ = ["KIND"]

_HOST = re.compile(r"(?:([^@:/\s]+)@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]*)(?::(\d{1,5}))?")


def _check(address: Address) -> str | None:
    return None if _HOST.fullmatch(address.host) and address.path else "sftp://[USER@]HOST[:PORT]/PATH"


def _make(address: Address, _: bool) -> Any:
    from sshfs import SSHFileSystem

    found = _HOST.fullmatch(address.host)
    assert found is not None  # it was checked
    user, host, port = found.groups()
    said = {"username": user, "port": int(port) if port else None}
    return SSHFileSystem(
        host.strip("[]"),
        **{key: value for key, value in said.items() if value is not None},
        known_hosts=(),  # asyncssh's own default, which sshfs would turn off
        connect_timeout=TIMEOUT,
        keepalive_interval=TIMEOUT / 2,
        skip_instance_cache=True,  # it keeps no lists, and takes all else for options of SSH
    )


def _version(info: Info) -> str:
    """Time of the last change, by the other machine's clock; the protocol has nothing better."""
    return str(info.get("mtime") or "")


KIND = Kind(
    scheme="sftp",
    package="sshfs",
    extra="sftp",
    login="give your key to the agent (ssh-add), or name it in ~/.ssh/config (IdentityFile)",
    make=_make,
    root=lambda address: "/",
    version=_version,
    read=read_handle,
    check=_check,
    exact=False,
)
