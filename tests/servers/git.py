"""A git server on this machine: git's own CGI program ``git http-backend``, with a token as the password where one is wanted."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from tests.servers.wsgi import Steered, serving

PROGRAM = shutil.which("git")


class Repository:
    """A bare repository, written to by ``git fast-import``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mark = 0
        self.git("init", "--quiet", "--bare", "--initial-branch=main", "--", str(path), cwd=None)
        for setting in ("uploadpack.allowFilter=true", "uploadpack.allowAnySHA1InWant=true"):
            self.git("config", *setting.split("="))

    def git(self, *words: str, given: bytes = b"", cwd: Path | bool | None = True) -> str:
        folder = ["-C", str(self.path)] if cwd is not None else []
        made = subprocess.run(["git", *folder, *words], input=given, capture_output=True, check=True)
        return made.stdout.decode().strip()

    def put(
        self, files: Mapping[str, bytes], branch: str = "main", modes: Mapping[str, str] | None = None
    ) -> str:
        """Commit these files, and no others; the commit."""
        self._mark += 1
        who = f"committer p <p@example.org> {1_700_000_000 + self._mark} +0000"
        stream = [f"commit refs/heads/{branch}\n{who}\ndata 1\nx\ndeleteall\n".encode()]
        if branch in self.git("branch", "--format=%(refname:short)").split():
            stream[0] = stream[0].replace(b"deleteall\n", f"from refs/heads/{branch}^0\ndeleteall\n".encode())
        for name, data in files.items():
            quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
            mode = (modes or {}).get(name, "100644")
            stream.append(f"M {mode} inline {quoted}\ndata {len(data)}\n".encode() + data + b"\n")
        self.git("fast-import", "--quiet", "--force", given=b"".join(stream))
        return self.git("rev-parse", f"refs/heads/{branch}")


class GitServer(Steered):
    """A server with one repository."""

    def __init__(self, root: Path) -> None:
        super().__init__(self._backend)
        self._root = root
        self.address = ""
        self.repository = Repository(root / "penguins.git")
        self._token: str | None = None

    @property
    def uri(self) -> str:
        return f"git+{self.address}/penguins.git"

    @property
    def nowhere(self) -> str:
        return f"git+{self.address}/nowhere.git"

    def put(self, files: Mapping[str, bytes]) -> None:
        self.repository.put(files)

    def require_token(self, token: str) -> None:
        self._token = token

    def failure(self, status: int) -> tuple[dict[str, str], bytes]:
        return {"Content-Type": "text/plain"}, b"no"

    def refuse(self, environ: dict[str, Any]) -> tuple[str, dict[str, str], bytes] | None:
        if self._token is None:
            return None
        said = environ.get("HTTP_AUTHORIZATION", "")
        if said == "Basic " + base64.b64encode(f"penguin:{self._token}".encode()).decode():
            return None
        return "401 Unauthorized", {"WWW-Authenticate": 'Basic realm="git"'}, b"no"

    def _backend(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        said = {key: value for key, value in environ.items() if isinstance(value, str)}
        said |= {"GIT_PROJECT_ROOT": str(self._root), "GIT_HTTP_EXPORT_ALL": "1", "PATH": os.environ["PATH"]}
        said |= {"CONTENT_LENGTH": str(len(body)), "GIT_PROTOCOL": environ.get("HTTP_GIT_PROTOCOL", "")}
        made = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=said, check=False)
        head, _, data = made.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        start(headers.pop("Status", "200 OK"), [*headers.items(), ("Content-Length", str(len(data)))])
        return [data]


@contextmanager
def git_server(folder: Path) -> Iterator[GitServer]:
    """The server, and an environment whose user has an empty home."""
    root, home = folder / "server", folder / "home"
    for path in (root, home):
        path.mkdir(parents=True)
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "XDG_"))}
    with mock.patch.dict(os.environ, {**clean, "HOME": str(home)}, clear=True):
        place = GitServer(root)
        with serving(place) as place.address:
            yield place
