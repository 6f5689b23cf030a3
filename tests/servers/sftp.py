"""An SSH server on this machine with SFTP, as asyncssh speaks it: one user, one key, one folder."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import asyncssh

from mldata.testing import Asked


class Sftp:
    """A machine with one folder of data."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.requests: list[Asked] = []
        self._clock = time.time_ns()
        self.port = 0
        self.closed = ""
        """A folder that nobody may look into."""
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.user_key = asyncssh.generate_private_key("ssh-ed25519")

    @property
    def uri(self) -> str:
        return f"sftp://penguin@127.0.0.1:{self.port}/data"

    @property
    def nowhere(self) -> str:
        return f"sftp://penguin@127.0.0.1:{self.port}/no-such-folder"

    def put(self, files: Mapping[str, bytes]) -> None:
        folder = self.root / "data"
        folder.mkdir(exist_ok=True)
        for path in sorted(folder.rglob("*"), reverse=True):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and files.get(name) != path.read_bytes():
                path.unlink()
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        for name, data in files.items():
            path = folder / name
            if path.exists():
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            self._clock += 2_000_000_000  # the protocol has seconds only
            os.utime(path, ns=(self._clock, self._clock))


@contextmanager
def sftp(folder: Path, known: bool = True) -> Iterator[Sftp]:
    """The machine, and a home folder whose owner may log in there.

    Args:
        known: whether the owner knows the machine's key.
    """
    root, home = folder / "machine", folder / "home" / ".ssh"
    root.mkdir(parents=True, exist_ok=True)
    home.mkdir(parents=True, exist_ok=True)
    place = Sftp(root)

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel: asyncssh.SSHServerChannel[bytes]) -> None:
            super().__init__(channel, chroot=os.fsencode(root))

        def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
            place.requests.append(Asked(os.fsdecode(path)))
            return super().open(path, pflags, attrs)

        async def scandir(self, path: bytes) -> object:
            place.requests.append(Asked(os.fsdecode(path)))
            if os.fsdecode(path) == place.closed:
                raise asyncssh.SFTPPermissionDenied("no")
            async for name in super().scandir(path):
                yield name

    allowed = asyncssh.import_authorized_keys(place.user_key.export_public_key().decode())
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def serve() -> asyncssh.SSHAcceptor:
        server = await asyncssh.create_server(
            asyncssh.SSHServer,
            "127.0.0.1",
            0,
            server_host_keys=[place.host_key],
            authorized_client_keys=allowed,
            sftp_factory=Files,
        )
        place.port = server.get_port()
        ready.set()
        return server

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(serve(), loop).result(10)
    assert ready.wait(10)
    (home / "id_ed25519").write_bytes(place.user_key.export_private_key())
    (home / "id_ed25519").chmod(0o600)
    if known:
        line = b"[127.0.0.1]:%d %b" % (place.port, place.host_key.export_public_key())
        (home / "known_hosts").write_bytes(line)
    try:
        with mock.patch.dict(os.environ, {"HOME": str(folder / "home"), "SSH_AUTH_SOCK": ""}):
            yield place
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _stop(server: asyncssh.SSHAcceptor) -> None:
    server.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
