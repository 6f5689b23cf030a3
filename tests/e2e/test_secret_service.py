"""The keyring of Linux desktops, the real one: GNOME's, on a message bus of its own, without a screen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.e2e.project import environment
from tests.homes import Home, home

__all__ = ["home"]

PROGRAMS = ("dbus-run-session", "gnome-keyring-daemon")
SECRET = "hf_abcdefghijklmnopqrstuvwxyz"
DRIVER = """
import json, subprocess, sys, time
import secretstorage

def mldata(*words, text=""):
    done = subprocess.run([sys.executable, "-m", "mldata", "auth", *words, "--json"], input=text, capture_output=True, text=True)
    return json.loads(done.stdout)

told = []
if sys.argv[1] == "open":
    subprocess.run(["gnome-keyring-daemon", "--unlock", "--components=secrets", "--daemonize"], input="password", text=True,
                   stdout=subprocess.DEVNULL, check=True)
    bus, deadline = secretstorage.dbus_init(), time.monotonic() + 30
    while True:
        try:
            collection = secretstorage.Collection(bus)
            break
        except secretstorage.exceptions.ItemNotFoundException:
            assert time.monotonic() < deadline
            time.sleep(0.05)
told += [mldata("login", "hf", "--no-verify", "--token-stdin", text=sys.argv[2]), mldata("status", "hf")]
if sys.argv[1] == "open":
    collection.lock()
    told += [mldata("status", "hf")]
    told += [mldata("login", "hf", "--no-verify", "--token-stdin", text=sys.argv[2]), mldata("status", "hf")]
print(json.dumps(told))
"""


@pytest.fixture
def runtime() -> Path:
    """Sockets stand in it, whose paths may not be long."""
    return Path(tempfile.mkdtemp(prefix="kr"))


def run(state: str, home: Home, runtime: Path) -> list[dict[str, object]]:
    """The results of the commands, with the keyring in a state."""
    extra = {
        "PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring",
        "XDG_RUNTIME_DIR": os.fspath(runtime),
    }
    variables = {k: v for k, v in environment(extra).items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    try:
        done = subprocess.run(
            ["dbus-run-session", "--", sys.executable, "-c", DRIVER, state, SECRET],
            capture_output=True, text=True, env=variables, timeout=120, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    finally:
        shutil.rmtree(runtime, ignore_errors=True)
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    return [told["result"] for told in json.loads(done.stdout.splitlines()[-1])]


pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, PROGRAMS)) or sys.platform != "linux",
    reason=f"needs {' and '.join(PROGRAMS)}: the keyring of GNOME",
)


def place(result: dict[str, object]) -> object:
    services = result["services"]
    assert isinstance(services, dict)
    return services["hf"]["kind"]


def test_open_then_locked(home: Home, runtime: Path) -> None:
    """An open keyring keeps the token; a locked one is not asked, nobody waits for a dialog, and the file takes its place."""
    login, status, locked, again, at_last = run("open", home, runtime)
    assert (login["saved"], place(status)) == ("keyring", "keyring")
    assert place(locked) is None
    assert again["saved"] == "file" and "locked" in str(again["why"])
    assert place(at_last) == "file"


def test_never_used(home: Home, runtime: Path) -> None:
    """A keyring without a password is not made to ask for one."""
    login, status = run("new", home, runtime)
    assert login["saved"] == "file" and "nothing has been kept in it yet" in str(login["why"])
    assert place(status) == "file"
