"""`mldata auth`, as a person or a script uses it: what is saved, what counts, and that no secret is shown."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mldata.credentials import find_credential
from mldata.secretfile import secret_file
from tests.e2e.project import Done, Project, environment
from tests.homes import Home, home
from tests.keyrings import Forgetful, InFile, Locked
from tests.servers.hub import TOKEN, Hub, hub
from tests.servers.identity import KAGGLE_KEY, KAGGLE_TOKEN, OPENML_KEY, Identity, basic, identity
from tests.servers.openml import Openml, Table

__all__ = ["home"]

LONG = "hf_abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def served(home: Home) -> Iterator[Hub]:
    with hub() as running:
        home.set(HF_ENDPOINT=running.endpoint)
        yield running


@pytest.fixture
def asked(home: Home) -> Iterator[Identity]:
    with identity() as running:
        home.set(MLDATA_KAGGLE_ENDPOINT=running.endpoint, MLDATA_OPENML_ENDPOINT=running.endpoint)
        yield running


def login(project: Project, home: Home, text: str, *args: str, expect: int = 0) -> Done:
    """`mldata auth login ... --token-stdin`, with ``text`` on standard input; the text is in nothing that is printed."""
    home.patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    done = project.run("auth", "login", *args, "--token-stdin", expect=expect)
    secret = text.strip()
    assert not secret or secret not in done.text
    return done


def counts(service: str) -> tuple[str, str, str | None] | None:
    found = find_credential(service)
    return None if found is None else (found.secret, found.origin, found.user)


def test_login_tries_the_token_saves_it_and_logout_forgets_it(
    project: Project, home: Home, served: Hub
) -> None:
    """From login on the token is found in the keyring, until logout; the user's name is told."""
    kept = home.keyring(InFile)
    done = login(project, home, TOKEN + "\n", "huggingface")
    assert "logged in to Hugging Face as reader; the token is in the keyring (keyrings InFile)" in done.out
    assert counts("hf") == (TOKEN, "the keyring", None)
    assert not secret_file().exists()
    assert TOKEN in kept.read_text()
    assert (
        "removed the credential for Hugging Face from the keyring" in project.run("auth", "logout", "hf").out
    )
    assert counts("hf") is None and TOKEN not in kept.read_text()
    assert "mldata has saved nothing for Hugging Face" in project.run("auth", "logout", "hf").out


def test_a_wrong_token_is_not_saved(project: Project, home: Home, served: Hub) -> None:
    """The service refuses it: exit code 4, with the address where to make a new one, and nothing is kept."""
    home.keyring(InFile)
    done = login(project, home, "hf_wrong_one", "hf", expect=4)
    assert "does not know the credential from standard input" in done.err
    assert "https://huggingface.co/settings/tokens" in done.err
    assert counts("hf") is None


def test_without_a_keyring_the_file_is_used_and_said(project: Project, home: Home) -> None:
    """Why, and where."""
    home.keyring(Locked)
    done = login(project, home, LONG, "hf", "--no-verify")
    assert str(secret_file()) in done.out and "KeyringLocked" in done.out
    assert counts("hf") == (LONG, str(secret_file()), None)
    home.keyring(Forgetful)
    assert "did not give back" in login(project, home, LONG, "hf", "--no-verify").out


def test_a_credential_is_in_one_place_only(project: Project, home: Home) -> None:
    """Saving in the file takes it out of the keyring, and the other way round: what was saved last is what counts."""
    kept = home.keyring(InFile)
    login(project, home, "first-" + LONG, "hf", "--no-verify")
    login(project, home, "second-" + LONG, "hf", "--no-verify", "--file")
    assert counts("hf") == ("second-" + LONG, str(secret_file()), None)
    assert json.loads(kept.read_text()) == {}
    login(project, home, "third-" + LONG, "hf", "--no-verify")
    assert counts("hf") == ("third-" + LONG, "the keyring", None)
    assert "second" not in secret_file().read_text()


def test_login_beside_a_damaged_file(project: Project, home: Home) -> None:
    """It is told before anything is changed: what the keyring has stays."""
    home.keyring(InFile)
    login(project, home, "first-" + LONG, "hf", "--no-verify")
    home.write(".config/mldata/credentials.json", "{")
    for flags in ((), ("--file",)):
        assert (
            str(secret_file())
            in login(project, home, "second-" + LONG, "hf", "--no-verify", *flags, expect=4).err
        )
    assert counts("hf") == ("first-" + LONG, "the keyring", None)


def test_what_is_saved_is_not_lost_by_a_login_that_fails(project: Project, home: Home) -> None:
    """Where the file cannot be written, the keyring keeps what it has."""
    home.keyring(InFile)
    login(project, home, "first-" + LONG, "hf", "--no-verify")
    secret_file().mkdir(parents=True)
    login(project, home, "second-" + LONG, "hf", "--no-verify", "--file", expect=4)
    secret_file().rmdir()
    assert counts("hf") == ("first-" + LONG, "the keyring", None)


def test_the_keyring_can_be_turned_off(project: Project, home: Home) -> None:
    """The setting counts for saving and for looking."""
    kept = home.keyring(InFile)
    project.run("config", "set", "keyring", "false")
    assert "the setting keyring is false" in login(project, home, LONG, "hf", "--no-verify").out
    assert counts("hf") == (LONG, str(secret_file()), None) and not kept.exists()


def test_kaggle_in_all_its_forms(project: Project, home: Home, asked: Identity) -> None:
    """A token, a user with a key, and the text of kaggle.json; each is sent as Kaggle takes it."""
    assert "as ann" in login(project, home, KAGGLE_TOKEN, "kaggle").out
    assert counts("kaggle") == (KAGGLE_TOKEN, str(secret_file()), None)
    assert "as ann" in login(project, home, KAGGLE_KEY, "kaggle", "--username", "ann").out
    assert counts("kaggle") == (KAGGLE_KEY, str(secret_file()), "ann")
    project.run("auth", "logout", "kaggle")
    login(project, home, json.dumps({"username": "ann", "key": KAGGLE_KEY}), "kaggle")
    assert counts("kaggle") == (KAGGLE_KEY, str(secret_file()), "ann")
    assert [who for _, who in asked.asked] == [f"Bearer {KAGGLE_TOKEN}", *[basic("ann", KAGGLE_KEY)] * 2]
    assert "--username NAME" in login(project, home, KAGGLE_KEY, "kaggle", expect=4).err
    login(project, home, "f" * 32, "kaggle", "--username", "ann", expect=4)


def test_openml(project: Project, home: Home, asked: Identity) -> None:
    """Its key is tried too, though OpenML tells no name."""
    done = login(project, home, OPENML_KEY, "openml")
    assert "logged in to OpenML; the token is in" in done.out
    assert "api_key" not in done.text
    login(project, home, "0" * 32, "openml", expect=4)
    home.set(MLDATA_OPENML_ENDPOINT=f"{asked.endpoint}/api/v1/xml")
    login(project, home, OPENML_KEY, "openml")
    assert counts("openml") == (OPENML_KEY, str(secret_file()), None)
    assert {who for _, who in asked.asked} == {None}


def test_the_server_that_openmls_client_takes_for_openml(project: Project, home: Home) -> None:
    """It refuses a wrong key, and takes a right one."""
    with Openml() as server:
        server.add(Table(61, "iris", b"@relation iris\n@attribute x numeric\n@data\n1\n"))
        server.keys.add(OPENML_KEY)
        home.set(MLDATA_OPENML_ENDPOINT=server.url)
        login(project, home, OPENML_KEY, "openml")
        login(project, home, "0" * 32, "openml", expect=4)


@pytest.mark.parametrize(
    ("args", "text", "code", "said"),
    [
        ((), LONG, 3, "expected one of hf, kaggle, openml, huggingface"),
        (("hub",), LONG, 3, "found 'hub'"),
        (("hf", "--username", "ann"), LONG, 3, "only Kaggle"),
        (("hf",), "", 4, "found nothing"),
        (("hf",), "two words", 4, "without spaces"),
        (("hf",), "a\nb", 4, "without spaces"),
        (("hf",), "x" * 70_000, 3, "more than 64 KiB"),
        (("kaggle",), '{"username": 1}', 4, "kaggle.json"),
        (("kaggle",), '{"username": 1, "key": "k"}', 4, "kaggle.json"),
        (("kaggle",), '{"username": "a:b", "key": "k"}', 3, "without a colon"),
        (("kaggle", "--username", "a:b"), KAGGLE_KEY, 3, "without a colon"),
        (("kaggle", "--username", "a b"), KAGGLE_KEY, 4, "without spaces"),
    ],
)
def test_wrong_logins(
    args: tuple[str, ...], text: str, code: int, said: str, project: Project, home: Home
) -> None:
    """Nothing is saved, and the secret is not repeated."""
    assert said in login(project, home, text, *args, "--no-verify", expect=code).err
    assert not secret_file().exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("status", "--token-stdin"), "--token-stdin: it is for login"),
        (("logout", "hf", "--file"), "--file: it is for login"),
        (("login", "hf", "--check"), "--check: it is for status"),
        (("logout",), "mldata auth logout hf"),
        (("login", "hf", "--no-verify"), "expected a terminal"),
        (("login", "hf", "hf_secret"), "unrecognized arguments"),
    ],
)
def test_wrong_requests(args: tuple[str, ...], said: str, project: Project, home: Home) -> None:
    """A flag that belongs elsewhere, a service that is not said, a prompt that nobody sees: code 3."""
    home.patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert said in project.run("auth", *args, expect=3).err


def test_offline_a_token_is_saved_untried(project: Project, home: Home) -> None:
    """By the flag and by the setting."""
    home.set(HF_ENDPOINT="http://127.0.0.1:9")
    assert "saved for Hugging Face, not tried" in login(project, home, LONG, "hf", "--offline").out
    home.set(MLDATA_OFFLINE="1")
    assert "not tried" in login(project, home, LONG, "hf").out


def test_an_unreachable_service(project: Project, home: Home) -> None:
    """Code 5, nothing is saved, and the way to save it all the same is told."""
    home.set(HF_ENDPOINT="http://127.0.0.1:9")
    done = login(project, home, LONG, "hf", expect=5)
    assert "mldata auth login hf --no-verify" in done.err
    assert counts("hf") is None


@pytest.mark.parametrize(
    "body", [b"<html>Log in to the Wi-Fi</html>", b"[]", b"{}", b'{"a": ' * 5000, b"x" * (2 << 20)]
)
def test_something_else_at_the_address(body: bytes, project: Project, home: Home, asked: Identity) -> None:
    """A login page, other JSON, too much of it: not the service, code 5, nothing saved."""
    asked.instead = lambda path, headers: (200, {"Content-Type": "text/html"}, body)
    for service, secret in (("kaggle", KAGGLE_TOKEN), ("openml", OPENML_KEY)):
        assert "found something else" in login(project, home, secret, service, expect=5).err
    assert not secret_file().exists()


def test_a_server_that_repeats_the_secret(project: Project, home: Home, asked: Identity) -> None:
    """In a redirect, in an error, in a name: it is not in what is printed, nor with -v in the traceback."""
    with identity() as elsewhere:
        for status, headers, body in (
            (302, {"Location": f"{elsewhere.endpoint}/?key={OPENML_KEY}&of=ann"}, b""),
            (302, {"Location": f"ftp://x/{OPENML_KEY}"}, b""),
            (404, {}, OPENML_KEY.encode()),
            (200, {}, OPENML_KEY.encode()),
        ):
            asked.instead = lambda path, sent, answer=(status, headers, body): answer  # type: ignore[misc]
            login(project, home, OPENML_KEY, "openml", "-v", expect=5)
        asked.instead = lambda path, sent: (302, {"Location": f"{elsewhere.endpoint}/api/v1/hello"}, b"")
        login(project, home, KAGGLE_TOKEN, "kaggle", "-v", expect=4)
        assert {who for _, who in elsewhere.asked} == {None}
    hostile = {"userName": "ann\x1b[31m"}
    asked.instead = lambda path, sent: (200, {}, json.dumps(hostile).encode())
    assert "\x1b" not in login(project, home, KAGGLE_TOKEN, "kaggle").text


def test_status_names_places_and_no_secret(project: Project, home: Home) -> None:
    """All services, where each credential is from, at most its last characters, and what is wrong with a file."""
    home.keyring(InFile)
    home.set(KAGGLE_USERNAME="ann", KAGGLE_KEY=KAGGLE_KEY, OPENML_APIKEY="short")
    path = home.write(".cache/huggingface/token", LONG, 0o644)
    done = project.run("auth", "status")
    assert LONG not in done.text and KAGGLE_KEY not in done.text and "short" not in done.text
    assert f"{path}, ending in wxyz" in done.out and f"chmod 600 {path}" in done.out
    assert "found (ann)" in done.out
    assert "keyring" not in done.out
    services = project.json("auth", "status")["result"]["services"]
    assert {name: (it["found"], it["ending"], it["user"], it["valid"]) for name, it in services.items()} == {
        "hf": (True, "wxyz", None, None),
        "kaggle": (True, "cdef", "ann", None),
        "openml": (True, None, None, None),
    }
    assert LONG not in json.dumps(services)


def test_status_of_nothing(project: Project, home: Home) -> None:
    """It is no error to have none; the command that changes that is told, and with -v why no keyring is used."""
    done = project.run("auth", "status")
    assert done.out.count("no credential") == 3 and "mldata auth login kaggle" in done.out
    assert "it is turned off in the settings" in project.run("auth", "status", "hf", "-v").out


def test_status_checked(project: Project, home: Home, served: Hub, asked: Identity) -> None:
    """Valid with the user's name; refused is code 4; unreachable is code 5."""
    home.set(HF_TOKEN=TOKEN, KAGGLE_API_TOKEN=KAGGLE_TOKEN, OPENML_APIKEY=OPENML_KEY)
    services = project.json("auth", "status", "--check")["result"]["services"]
    assert {name: (it["valid"], it["user"]) for name, it in services.items()} == {
        "hf": (True, "reader"), "kaggle": (True, "ann"), "openml": (True, None)
    }  # fmt: skip
    home.set(HF_TOKEN="hf_other")
    told = project.json("auth", "status", "--check", expect=4)
    assert [it["valid"] for it in told["result"]["services"].values()] == [False, True, True]
    assert "the variable HF_TOKEN" in told["errors"][0]["message"]
    home.set(HF_ENDPOINT="http://127.0.0.1:9")
    assert (
        project.json("auth", "status", "hf", "--check", expect=5)["result"]["services"]["hf"]["valid"] is None
    )
    assert "not checked" in project.run("auth", "status", "--check", "--offline").out


def test_status_of_a_damaged_file(project: Project, home: Home) -> None:
    """Named once, code 4, nothing of it shown; other places before it still count."""
    home.write(".config/mldata/credentials.json", '{"hf": "s3cret-s3cret-s3cret"}')
    home.set(HF_TOKEN=LONG)
    done = project.run("auth", "status", expect=4)
    assert "s3cret" not in done.text and done.err.count("credentials.json") <= 2
    assert "ending in wxyz" in done.out and done.out.count("cannot be used") == 2


def test_what_hides_a_saved_token_is_said(project: Project, home: Home) -> None:
    """By login, by logout and by status."""
    home.set(HF_TOKEN="hf_env_" + LONG)
    assert (
        "the variable HF_TOKEN comes first as long as it is set"
        in login(project, home, LONG, "hf", "--no-verify").out
    )
    assert f"also there, not used: {secret_file()}" in project.run("auth", "status", "hf", "-v").out
    home.write(".cache/huggingface/token", LONG)
    done = project.run("auth", "logout", "hf")
    assert "unset HF_TOKEN" in done.out and "hf auth logout" in done.out
    left = project.json("auth", "logout", "hf")["result"]["left"]
    assert [it["kind"] for it in left] == ["environment", "client"]
    home.set(HF_HUB_DISABLE_IMPLICIT_TOKEN="1")
    assert "HF_HUB_DISABLE_IMPLICIT_TOKEN" in login(project, home, LONG, "hf", "--no-verify").out
    assert "not used" in project.run("auth", "status", "hf").out


def test_logout_leaves_files_of_others_alone(project: Project, home: Home) -> None:
    """What a service's own client has saved is named, not removed."""
    path = home.write(".kaggle/kaggle.json", json.dumps({"username": "ann", "key": KAGGLE_KEY}))
    assert f"rm {path}" in project.run("auth", "logout", "kaggle").out
    assert path.exists()
    home.set(KAGGLE_USERNAME="ann", KAGGLE_KEY=KAGGLE_KEY)
    assert "unset KAGGLE_USERNAME KAGGLE_KEY" in project.run("auth", "logout", "kaggle").out


def test_logout_of_a_foreign_entry(project: Project, home: Home) -> None:
    """The remedy that a damaged entry names works."""
    home.keyring(InFile).write_text(json.dumps({"mldata:hf": "other"}))
    assert "mldata auth logout hf" in project.run("auth", "status", "hf", expect=4).err
    project.run("auth", "logout", "hf")
    assert counts("hf") is None


def test_logout_with_a_keyring_that_cannot_be_opened(project: Project, home: Home) -> None:
    """What may be in it is not claimed to be gone."""
    home.keyring(Locked)
    assert "could not be looked at: KeyringLocked" in project.run("auth", "logout", "hf").out


class Terminal:
    """A process on a terminal of its own, as a person has it."""

    def __init__(self, root: Path, *args: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:  # pragma: no cover
            os.chdir(root)
            os.execve(sys.executable, [sys.executable, "-m", "mldata", *args], environment())
        self.shown = b""

    def until(self, text: bytes | None) -> bytes:
        """Read until ``text`` is there, or the end."""
        deadline = time.monotonic() + 60
        while text is None or text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if select.select([self.fd], [], [], 1)[0]:
                try:
                    more = os.read(self.fd, 4096)
                except OSError:  # Linux says so at the end
                    more = b""
                if not more:
                    assert text is None, self.shown
                    break
                self.shown += more
        return self.shown

    def type(self, text: bytes) -> None:
        os.write(self.fd, text)

    def end(self) -> int:
        self.until(None)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_the_prompt_does_not_echo(project: Project, home: Home) -> None:
    """On a terminal the token is asked for, what is typed is not shown, and it is saved."""
    home.set(PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring")
    terminal = Terminal(project.root, "auth", "login", "hf", "--no-verify")
    assert b"https://huggingface.co/settings/tokens" in terminal.until(b"it is not shown): ")
    terminal.type(LONG.encode() + b"\n")
    assert terminal.end() == 0
    assert LONG.encode() not in terminal.shown
    assert counts("hf") == (LONG, str(secret_file()), None)


def test_a_terminal_is_not_standard_input(project: Project, home: Home) -> None:
    """--token-stdin on a terminal would show what is typed: it is refused before anything is."""
    terminal = Terminal(project.root, "auth", "login", "hf", "--token-stdin", "--no-verify")
    assert terminal.end() == 3
    assert b"which shows what is typed" in terminal.shown


def test_standard_input_that_is_closed(project: Project, home: Home) -> None:
    """It is an error like others."""
    home.patch.setattr("sys.stdin", None)
    assert "expected a terminal" in project.run("auth", "login", "hf", expect=3).err
    assert "found it closed" in project.run("auth", "login", "hf", "--token-stdin", expect=3).err
    project.run("auth", "logout", "hf")


def test_plain_http_is_warned_of(project: Project, home: Home) -> None:
    """Before the token is sent over it."""
    home.set(HF_ENDPOINT="http://hub.invalid")
    assert (
        "warning: http://hub.invalid comes over plain http" in login(project, home, LONG, "hf", expect=5).err
    )


def test_ctrl_c_at_the_prompt(project: Project, home: Home) -> None:
    """Code 130, and nothing is saved."""
    terminal = Terminal(project.root, "auth", "login", "kaggle", "--username", "ann", "--no-verify")
    terminal.until(b"Key of Kaggle")
    terminal.type(b"abc\x03")
    assert terminal.end() == 130
    assert not secret_file().exists() and b"abc" not in terminal.shown and b"Traceback" not in terminal.shown


def test_a_process_of_its_own(project: Project, home: Home) -> None:
    """Another process reads back what this one saved, through the keyring of the environment."""
    home.keyring(InFile)
    login(project, home, LONG, "hf", "--no-verify")
    assert "the keyring, ending in wxyz" in project.spawn("auth", "status", "hf").out
