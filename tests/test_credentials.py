"""Where credentials are found, in which order, and what is said of places that cannot be used."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from mldata import keyrings as mldata_keyrings
from mldata.credentials import SERVICES, Place, find_credential, look, pack, service_name
from mldata.errors import AuthError, MldataError, UsageError
from mldata.personalfile import SETTINGS, write_personal
from mldata.secretfile import read_secret, remove_secret, secret_file, write_secret
from tests.homes import Home, home
from tests.keyrings import Forgetful, InFile, Locked, Silent, Talkative

__all__ = ["home"]


def found(service: str) -> tuple[str, str, str | None] | None:
    credential = find_credential(service)
    return None if credential is None else (credential.secret, credential.origin, credential.user)


def test_nothing_is_found_in_an_empty_home(home: Home) -> None:
    """Without a credential anywhere there is none, which is no error."""
    assert [find_credential(service) for service in SERVICES] == [None, None, None]


def test_the_order_of_places(home: Home) -> None:
    """Environment, keyring, mldata's own file, the client's file: each hides those after it."""
    home.write(".cache/huggingface/token", "of-the-client\n")
    assert found("hf") == ("of-the-client", str(home.path / ".cache/huggingface/token"), None)
    write_secret("hf", "of-the-file", None)
    assert found("hf") == ("of-the-file", str(secret_file()), None)
    home.keyring(InFile).write_text(json.dumps({"mldata:hf": pack("of-the-keyring", None)}))
    assert found("hf") == ("of-the-keyring", "the keyring", None)
    home.set(HUGGING_FACE_HUB_TOKEN="old-variable")
    assert found("hf") == ("old-variable", "the variable HUGGING_FACE_HUB_TOKEN", None)
    home.set(HF_TOKEN="variable")
    assert found("huggingface") == ("variable", "the variable HF_TOKEN", None)
    kinds = [place.kind for place in look("hf")]
    assert kinds == ["environment", "environment", "keyring", "file", "client"]


def test_the_hub_can_be_asked_without_a_token_that_is_there(home: Home) -> None:
    """HF_HUB_DISABLE_IMPLICIT_TOKEN means here what it means to the Hub's own client."""
    home.set(HF_TOKEN="abc", HF_HUB_DISABLE_IMPLICIT_TOKEN="1")
    assert find_credential("hf") is None


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ({}, ".cache/huggingface/token"),
        ({"XDG_CACHE_HOME": "{home}/xdg"}, "xdg/huggingface/token"),
        ({"HF_HOME": "~/hub"}, "hub/token"),
        ({"HF_HOME": "~/hub", "HF_TOKEN_PATH": "$HOME/t/hf"}, "t/hf"),
    ],
)
def test_the_token_file_of_the_hub(variables: dict[str, str], path: str, home: Home) -> None:
    """It is where huggingface_hub has it, which is asked in a process of its own."""
    import subprocess
    import sys

    home.write(path, " hf_abc\n")
    home.set(**{name: value.format(home=home.path) for name, value in variables.items()})
    credential = find_credential("hf")
    assert credential is not None and credential.secret == "hf_abc"
    pytest.importorskip("huggingface_hub")
    asked = "from huggingface_hub import constants, get_token; print(constants.HF_TOKEN_PATH, get_token())"
    theirs = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert theirs.split() == [credential.origin, "hf_abc"]


def test_kaggle_in_two_parts_and_as_a_token(home: Home) -> None:
    """A token comes before the two parts, as Kaggle's own client has it; a file named by the variable is read."""
    home.set(KAGGLE_USERNAME="ann", KAGGLE_KEY="k1")
    assert found("kaggle") == ("k1", "the variables KAGGLE_USERNAME and KAGGLE_KEY", "ann")
    home.set(KAGGLE_API_TOKEN="KGAT_1")
    assert found("kaggle") == ("KGAT_1", "the variable KAGGLE_API_TOKEN", None)
    path = home.write("token", "KGAT_2\n")
    home.set(KAGGLE_API_TOKEN="a/" * 4000 + "b")  # longer than any name of a file
    assert found("kaggle") == ("a/" * 4000 + "b", "the variable KAGGLE_API_TOKEN", None)
    home.set(KAGGLE_API_TOKEN=str(path))
    assert found("kaggle") == ("KGAT_2", f"the file {path} that KAGGLE_API_TOKEN names", None)


def test_half_of_a_kaggle_credential_is_passed_over_and_said(home: Home) -> None:
    """A user without a key is no credential; what is found behind it says so."""
    home.set(KAGGLE_USERNAME="ann")
    assert find_credential("kaggle") is None
    home.write(".kaggle/kaggle.json", '{"username": "bob", "key": "k2"}')
    credential = find_credential("kaggle")
    assert credential is not None and (credential.user, credential.secret) == ("bob", "k2")
    assert (
        credential.warning is not None
        and "KAGGLE_USERNAME is set and KAGGLE_KEY is not" in credential.warning
    )


@pytest.mark.parametrize(
    ("path", "variables"),
    [
        (".kaggle/kaggle.json", {}),
        (".config/kaggle/kaggle.json", {}),
        ("k/kaggle.json", {"KAGGLE_CONFIG_DIR": "{home}/k"}),
    ],
)
def test_where_kaggle_json_is(path: str, variables: dict[str, str], home: Home) -> None:
    """kaggle.json is found in every folder that Kaggle's client looks in."""
    home.set(**{name: value.format(home=home.path) for name, value in variables.items()})
    home.write(path, '{"username": "bob", "key": "k2"}')
    assert found("kaggle") == ("k2", str(home.path / path), "bob")


def test_other_files_of_kaggle(home: Home) -> None:
    """The token file comes first; a login by browser counts until it expires."""
    login = {"refresh_token": "r", "access_token": "a1", "username": "bob"}
    home.write(
        ".kaggle/credentials.json",
        json.dumps({**login, "access_token_expiration": "2999-01-01T00:00:00+00:00"}),
    )
    assert found("kaggle") == ("a1", str(home.path / ".kaggle/credentials.json"), None)
    home.write(
        ".kaggle/credentials.json",
        json.dumps({**login, "access_token_expiration": "2020-01-01T00:00:00+00:00"}),
    )
    assert find_credential("kaggle") is None
    assert [place.note for place in look("kaggle") if place.kind == "client"] == [
        "it has expired; renew it: kaggle auth login"
    ]
    home.write(".kaggle/access_token", "KGAT_3\n")
    assert found("kaggle") == ("KGAT_3", str(home.path / ".kaggle/access_token"), None)


def test_openml_file(home: Home) -> None:
    """The key of the openml package's settings is used; OPENML_APIKEY comes before it."""
    home.write(".config/openml/config", "apikey = abc123\nserver = https://www.openml.org/api/v1/xml\n")
    assert found("openml") == ("abc123", str(home.path / ".config/openml/config"), None)
    home.set(OPENML_APIKEY="def")
    assert found("openml") == ("def", "the variable OPENML_APIKEY", None)


def test_a_file_of_a_client_that_others_may_read_is_warned_of(home: Home) -> None:
    """It is used, with the command that mends it; it is not changed."""
    path = home.write(".kaggle/kaggle.json", '{"username": "bob", "key": "k2"}', 0o644)
    credential = find_credential("kaggle")
    assert credential is not None and f"chmod 600 {path}" in str(credential.warning)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"username": "bob"}', '{"username": 1, "key": 2}', '{"key": "k"}', "[" * 100_000]
)
def test_damaged_files_of_a_client(text: str, home: Home) -> None:
    """They are passed over with what was expected, never a traceback."""
    home.write(".kaggle/kaggle.json", text)
    assert find_credential("kaggle") is None
    places = [place for place in look("kaggle") if place.kind == "client"]
    assert ["expected" in str(place.note) for place in places] == [True]
    home.write(".config/openml/config", "[x\napikey")
    assert find_credential("openml") is None


def test_own_file_has_mode_600_from_the_start(home: Home) -> None:
    """Whatever the umask, nobody else can read it or list its folder; other services' entries stay."""
    old = os.umask(0)
    try:
        write_secret("hf", "one", None)
        write_secret("kaggle", "two", "ann")
    finally:
        os.umask(old)
    assert stat.S_IMODE(secret_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(secret_file().parent.stat().st_mode) == 0o700
    assert read_secret("hf") == ("one", None, False)
    assert found("kaggle") == ("two", str(secret_file()), "ann")
    assert remove_secret("hf") and not remove_secret("hf")
    assert find_credential("hf") is None and find_credential("kaggle") is not None


def test_two_who_save_at_once_both_have(home: Home) -> None:
    """What another process saves meanwhile is not lost."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write_secret(f"s{number}", f"secret-{number}", None), range(16)))
    assert [read_secret(f"s{number}") for number in range(16)] == [
        (f"secret-{number}", None, False) for number in range(16)
    ]


def test_own_file_that_others_may_read_is_mended(home: Home) -> None:
    """It gets its mode back before it is used, and that is said."""
    write_secret("hf", "one", None)
    secret_file().chmod(0o644)
    credential = find_credential("hf")
    assert credential is not None and "make a new token" in str(credential.warning)
    assert stat.S_IMODE(secret_file().stat().st_mode) == 0o600


def test_own_file_behind_a_link_stays_a_link(home: Home) -> None:
    """Somebody who keeps their settings elsewhere has them there after a login too."""
    real = home.write("dotfiles/credentials.json", "{}")
    secret_file().parent.mkdir(parents=True)
    secret_file().symlink_to(real)
    write_secret("hf", "one", None)
    assert secret_file().is_symlink() and "one" in real.read_text()


@pytest.mark.parametrize(
    "text", ["", "[]", '{"hf": "s3cret"}', '{"hf": {"secret": 1}}', '{"hf": {"secret": "s3cret", "user": 4}}']
)
def test_own_file_that_is_damaged(text: str, home: Home) -> None:
    """It is an error that names it, and shows nothing of it; what is further down is not used in its place."""
    write_personal(secret_file(), text, 0o600)
    home.write(".cache/huggingface/token", "of-the-client\n")
    with pytest.raises(AuthError) as caught:
        find_credential("hf")
    assert str(secret_file()) in str(caught.value) and "s3cret" not in str(caught.value)
    with pytest.raises(AuthError):
        write_secret("hf", "new", None)
    assert secret_file().read_text() == text


@pytest.mark.parametrize("bad", ["a b", "a\nb", "tök", "a\x00b" if os.name == "nt" else "a\x7fb"])
def test_a_secret_that_cannot_be_sent_is_refused(bad: str, home: Home) -> None:
    """The place is named, the text is not shown."""
    home.set(HF_TOKEN=bad)
    with pytest.raises(AuthError, match="the variable HF_TOKEN") as caught:
        find_credential("hf")
    assert bad not in str(caught.value)


def keyring_place(service: str = "hf") -> Place:
    return next(place for place in look(service) if place.kind == "keyring")


def test_no_keyring_is_no_hindrance(home: Home) -> None:
    """None, a locked one and a silent one: said, then the next place is used."""
    write_secret("hf", "of-the-file", None)
    assert keyring_place().note == "it is turned off in the settings of the package keyring"
    home.set(PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring")
    assert keyring_place().note is not None
    home.keyring(Locked)
    assert "KeyringLocked" in str(keyring_place().note)
    assert found("hf") == ("of-the-file", str(secret_file()), None)
    home.set(PYTHON_KEYRING_BACKEND="no.such.Keyring")
    home.patch.setattr("keyring.core._keyring_backend", None)
    assert "no" in str(keyring_place().note)
    assert found("hf") is not None


def test_a_silent_keyring_is_left_alone(home: Home) -> None:
    """It is waited for once, not by every question after that."""
    home.keyring(Silent)
    home.patch.setattr(mldata_keyrings, "WAIT", 0.05)
    assert "did not answer within 0.05 seconds" in str(keyring_place().note)
    home.patch.setattr(mldata_keyrings, "WAIT", 60.0)
    assert keyring_place("kaggle").note == "it does not answer"
    assert find_credential("hf") is None


def test_a_foreign_entry_in_the_keyring(home: Home) -> None:
    """What mldata did not write is an error that says how to remove it."""
    home.keyring(InFile).write_text(json.dumps({"mldata:hf": "s3cret"}))
    with pytest.raises(AuthError, match="mldata auth logout hf") as caught:
        find_credential("hf")
    assert "s3cret" not in str(caught.value)


def test_what_a_keyring_does_not_keep_is_noticed(home: Home) -> None:
    """Saving is reading back; the reason of a failure does not hold the secret."""
    home.keyring(Forgetful)
    with pytest.raises(mldata_keyrings.NoKeyring, match="did not give back"):
        mldata_keyrings.keyring_write("hf", "s3cret", asking=False)
    home.keyring(Talkative)
    with pytest.raises(mldata_keyrings.NoKeyring) as caught:
        mldata_keyrings.keyring_write("hf", "s3cret", asking=False)
    assert "s3cret" not in str(caught.value)


def test_a_credential_does_not_show_its_secret(home: Home) -> None:
    """Neither ``repr`` nor ``str`` of it has it."""
    home.set(HF_TOKEN="s3cret")
    assert "s3cret" not in f"{find_credential('hf')!r} {find_credential('hf')} {list(look('hf'))}"


@pytest.mark.parametrize(
    ("text", "name"), [("hf", "hf"), ("HuggingFace", "hf"), ("kaggle://", "kaggle"), ("openml", "openml")]
)
def test_names_of_services(text: str, name: str) -> None:
    """Every name that people use is understood."""
    assert service_name(text) == name


def test_unknown_service() -> None:
    """The nearest name is offered."""
    with pytest.raises(UsageError, match="kaggle"):
        service_name("kagle")


def test_a_file_that_cannot_be_written(home: Home) -> None:
    """The folder is named and the old file stays whole."""
    blocker = home.write("plain", "x")
    with pytest.raises(MldataError, match="cannot write"):
        write_personal(blocker / "sub" / "file", "text", SETTINGS)
    home.set(XDG_CONFIG_HOME=str(blocker))
    with pytest.raises(MldataError, match="XDG_CONFIG_HOME"):
        write_secret("hf", "s3cret", None)
