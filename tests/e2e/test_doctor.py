"""`mldata doctor`: what is well, what is not, what to do about it, and when it ends with code 1."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mldata.doctor import LOOKS, network, programs, software, storage
from mldata.doctor.base import release
from store import Abilities, StoreReadOnly
from tests.e2e.project import Project, tree_bytes
from tests.homes import Home, home
from tests.keyrings import InFile
from tests.servers.identity import Identity, identity

__all__ = ["home"]

SECRET = "hf_abcdefghijklmnopqrstuvwxyz"
SPEC = "version: 1\ndatasets:\n  d: {source: a.csv, export: {to: out}}\n"


@pytest.fixture
def served(home: Home) -> Iterator[Identity]:
    """All services answer."""
    with identity() as running:
        for service in ("HF", "KAGGLE", "OPENML"):
            home.set(**{f"MLDATA_{service}_ENDPOINT": running.endpoint})
        yield running


@pytest.fixture
def built(project: Project, home: Home) -> Project:
    """A project with a build."""
    project.write("a.csv", "x\n1\n2\n")
    project.write("mldata.yaml", SPEC)
    project.build()
    return project


def examined(project: Project, *args: str, expect: int = 0) -> dict[str, tuple[str, str, str]]:
    """By name: level, text, and remedy; of a service, that is what the network says, its credential is below ``credentials NAME``."""
    told = project.json("doctor", *args, expect=expect)["result"]
    assert told["ok"] is (expect == 0)
    checks: list[dict[str, Any]] = told["checks"]
    assert {it["part"] for it in checks} == set(LOOKS)
    for it in checks:
        assert it["level"] in ("ok", "note") or it["remedy"], it
    return {
        f"credentials {it['name']}" if it["part"] == "credentials" else it["name"]: (
            it["level"],
            it["text"],
            it["remedy"] or "",
        )
        for it in checks
    }


def services(project: Project) -> list[tuple[str, str, str]]:
    """What is said of reaching each service."""
    found = examined(project)
    return [found[name] for name in ("Hugging Face", "Kaggle", "OpenML")]


def test_all_is_well_in_a_project(built: Project, served: Identity, home: Home) -> None:
    """Everything that mldata needs is ok, every service is asked once and without a credential, and nothing is changed."""
    home.set(HF_TOKEN=SECRET)
    before = tree_bytes(built.root)
    found = examined(built)
    assert tree_bytes(built.root) == before
    assert not [name for name, (level, *_) in found.items() if level in ("warn", "fail")]
    for name in ("Python", "libraries", "pyarrow", "settings", "project", "store", "disk", "links"):
        assert found[name][0] == "ok"
    assert (
        found["project"][1] == f"{built / 'mldata.yaml'}: d"
        and str(built / ".mldata/store") in found["store"][1]
    )
    assert served.asked == [("/", None)] * 3


def test_people_see_lines_with_remedies(project: Project, served: Identity) -> None:
    """Libraries that are well are one line, with -v a line each; the last line says how it is."""
    done = project.run("doctor")
    assert "  ok    libraries: all" in done.out and "msgpack" not in done.out
    assert "        mldata init makes one here" in done.out
    assert done.out.endswith("all is well\n")
    assert "  ok    msgpack: " in project.run("doctor", "-v").out


def test_outside_of_a_project(project: Project, served: Identity) -> None:
    """The store is then that of the user's cache, or of MLDATA_STORE; it is not made."""
    found = examined(project)
    assert found["project"][0] == "note" and "is made by the first build" in found["store"][1]
    assert not Path(os.environ["HOME"], ".cache").exists()


def test_a_broken_spec(project: Project, served: Identity) -> None:
    """It fails with its place; everything else is looked at all the same."""
    project.write("mldata.yaml", "version: 1\ndatasets: {d: {sorce: a.csv}}\n")
    found = examined(project, expect=1)
    assert found["project"][0] == "fail" and "mldata.yaml:2" in found["project"][1]
    assert found["disk"][0] == found["links"][0] == "ok"


def test_a_store_of_another_version(built: Project, served: Identity) -> None:
    """It fails, and is not touched."""
    built.write(".mldata/store/format", "mldata-store 99\n")
    before = built.files(".mldata/store")
    assert examined(built, expect=1)["store"][0] == "fail"
    assert built.files(".mldata/store") == before


def test_something_else_in_place_of_the_store(built: Project, served: Identity, home: Home) -> None:
    """A file is no store."""
    home.set(MLDATA_STORE=str(home.write("plain", "x")))
    assert examined(built, expect=1)["store"][0] == "fail"


def test_a_damaged_store(built: Project, served: Identity) -> None:
    """A missing object is found by the quick look; the remedy is the command that repairs."""
    victim = max(
        (built / ".mldata/store/objects").rglob("*"), key=lambda path: path.is_file() and path.stat().st_size
    )
    victim.unlink()
    level, text, remedy = examined(built, expect=1)["store"]
    assert (level, remedy) == (
        "fail",
        "mldata check --repair",
    ) and "damaged or missing objects or names (1)" in text


def test_a_large_store_is_not_waited_for(built: Project, served: Identity, home: Home) -> None:
    """The quick look has a limit."""
    going = threading.Event()
    home.patch.setattr("store.store.Store.check", lambda self: going.wait(60))
    home.patch.setattr(storage, "PATIENCE", 0.05)
    try:
        assert examined(built)["store"][:2] == (
            "note",
            f"{built / '.mldata/store'} is too large for a quick look",
        )
    finally:
        going.set()


@pytest.mark.parametrize(
    ("free", "level", "code"), [(10**6, "fail", 1), (10**9, "warn", 0), (10**12, "ok", 0)]
)
def test_room_on_the_disk(
    free: int, level: str, code: int, built: Project, served: Identity, home: Home
) -> None:
    """Little is a warning with the command that makes room; hardly any fails."""
    usage = shutil.disk_usage("/")._replace(free=free)
    home.patch.setattr(shutil, "disk_usage", lambda path: usage)
    found = examined(built, expect=code)["disk"]
    assert found[0] == level and (level == "ok" or "mldata gc" in found[2])


def test_a_filesystem_that_can_little(built: Project, served: Identity, home: Home) -> None:
    """What it cannot do is said with what that means; builds still work, so it is no failure."""
    none = Abilities(
        reflink=False, hardlink=False, symlink=False, flock=False, fine_times=False, case_sensitive=False
    )
    home.patch.setattr("store.abilities", lambda place: none)
    found = examined(built)
    assert [found[name][0] for name in ("links", "locks", "times", "names")] == [
        "warn",
        "warn",
        "warn",
        "note",
    ]

    def refuse(place: Path) -> Abilities:
        raise StoreReadOnly(place, "read-only file system")

    home.patch.setattr("store.abilities", refuse)
    assert examined(built, expect=1)["filesystem"][0] == "fail"


def distribution(folder: Path, name: str, version: str, code: str) -> None:
    """An installed package."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (folder / f"{name}.py").write_text(code)


def test_libraries(project: Project, served: Identity, home: Home) -> None:
    """Missing, too old and broken ones fail, each with the command that mends it; a missing extra is a note."""
    distribution(home.path / "site", "oldlib", "1.9.1", "")
    distribution(home.path / "site", "brokenlib", "2.0", "raise ImportError('no libfoo.so')")
    distribution(home.path / "site", "goodlib", "2.10", "")
    home.patch.syspath_prepend(home.path / "site")
    asked = [
        "oldlib>=1.10", "brokenlib", "goodlib>=2.9", "nolib>=3", "mldata-cli[xlsx]; extra == 'test'",
        "nolib>=3; extra == 'more'", "oldlib>=1.10; extra == 'old'", "goodlib[x] >= 2; extra == 'good'",
    ]  # fmt: skip
    home.patch.setattr(software.metadata, "requires", lambda name: asked)
    found = examined(project, expect=1)
    assert found["oldlib"] == ("fail", "1.9.1, expected 1.10 or newer", "pip install 'oldlib>=1.10'")
    assert found["nolib"] == ("fail", "not installed", "pip install 'nolib>=3'")
    assert found["brokenlib"][0] == "fail" and "no libfoo.so" in found["brokenlib"][1]
    assert found["goodlib"][0] == "ok" and "libraries" not in found
    assert found["extra more"] == ("note", "not installed: nolib", "pip install 'mldata-cli[more]'")
    assert found["extra old"][0] == "warn" and found["extra good"] == ("ok", "goodlib 2.10", "")
    assert "extra test" not in found


def test_what_is_needed_is_what_the_package_says() -> None:
    """Of a checkout that is pyproject.toml: every dependency is known, with its extra."""
    import tomllib

    root = Path(__file__).resolve().parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = software.needed()
    assert len([it for it in found if it.extra is None]) == len(project["dependencies"])
    assert {"xlsx", "7z"} <= {it.extra for it in found}
    assert all(it.least for it in found if it.extra is None)


def test_versions_are_compared_as_numbers() -> None:
    """1.10 is newer than 1.9; what follows the numbers does not matter."""
    assert (
        release("1.10.0rc1") > release("1.9.9")
        and release("2026.1.1+x") == (2026, 1, 1)
        and release("x") == ()
    )


def test_python_that_is_too_old(project: Project, served: Identity, home: Home) -> None:
    """It fails, before anything else does in its own way."""
    home.patch.setattr(software, "LEAST_PYTHON", (9, 9))
    assert examined(project, expect=1)["Python"][0] == "fail"


def test_programs(project: Project, served: Identity, home: Home) -> None:
    """A version, none, one that says nothing, and one that hangs."""
    bin_dir = home.path / "bin"
    for name, script in {
        "git": "echo git version 9.8.7",
        "git-lfs": "exit 3",
        "dvc": "exec sleep 60",
    }.items():
        home.write(f"bin/{name}", f"#!/bin/sh\n{script}\n", 0o755)
    home.set(PATH=f"{bin_dir}:/usr/bin:/bin")
    home.patch.setattr(programs, "TIMEOUT", 0.5)
    found = examined(project)
    assert found["git"][:2] == ("ok", f"9.8.7, {bin_dir / 'git'}")
    assert found["git-lfs"][0] == found["dvc"][0] == "warn"
    home.set(PATH=str(home.path))
    assert [examined(project)[name][0] for name in ("git", "git-lfs", "dvc")] == ["note"] * 3


def test_broken_settings(built: Project, home: Home) -> None:
    """They fail with their place; what depends on them says so, and the rest is looked at."""
    home.write(".config/mldata/config.yaml", "segmens: 8\n")
    found = examined(built, expect=1)
    assert found["settings"][0] == "fail" and "config.yaml:1:1" in found["settings"][1]
    assert found["network"][0] == found["credentials credentials"][0] == "warn"
    assert found["store"][0] == "ok"


def test_settings_that_are_not_the_default_are_named(project: Project, served: Identity, home: Home) -> None:
    """Somebody who helps wants to see them."""
    home.set(MLDATA_SEGMENTS="8")
    assert "segments 8" in examined(project)["settings"][1]


def test_credentials(project: Project, served: Identity, home: Home) -> None:
    """Where each is found, and what is wrong with a place; the secret is not there, with -v either."""
    home.keyring(InFile)
    home.set(HF_TOKEN=SECRET)
    path = home.write(".kaggle/kaggle.json", '{"username": "ann", "key": "abc"}', 0o644)
    home.write(".config/mldata/credentials.json", "{")
    found = examined(project)
    assert found["credentials keyring"][:2] == ("ok", "keyrings InFile")
    assert found["credentials Hugging Face"][:2] == ("ok", "the variable HF_TOKEN")
    assert found["credentials Kaggle"][0] == "warn" and "credentials.json" in found["credentials Kaggle"][1]
    home.path.joinpath(".config/mldata/credentials.json").unlink()
    done = project.run("doctor", "-v")
    assert f"chmod 600 {path}" in done.out and "mldata auth login openml" in done.out
    assert SECRET not in done.text and '"abc"' not in done.text


def test_offline(project: Project, served: Identity, home: Home) -> None:
    """By flag and by setting, nothing is asked."""
    assert examined(project, "--offline")["network"][0] == "note"
    home.set(MLDATA_OFFLINE="1")
    assert examined(project)["network"][0] == "note"
    assert served.asked == []


@pytest.mark.parametrize("status", [200, 401, 404])
def test_any_answer_is_an_answer(status: int, project: Project, served: Identity) -> None:
    """A service that refuses this question can be reached."""
    served.instead = lambda path, headers: (status, {}, b"")
    assert [level for level, *_ in services(project)] == ["ok"] * 3


def test_a_service_that_sends_round_and_round(project: Project, served: Identity) -> None:
    """What only redirects is not the service."""
    served.instead = lambda path, headers: (302, {"Location": f"{served.endpoint}/"}, b"")
    assert [level for level, *_ in services(project)] == ["warn"] * 3


def test_a_service_that_is_not_there(project: Project, served: Identity, home: Home) -> None:
    """A warning with what may help, not a failure: everything else works."""
    home.set(
        MLDATA_HF_ENDPOINT="http://127.0.0.1:9", HTTPS_PROXY="http://ann:s3cret@proxy:1", NO_PROXY="127.0.0.1"
    )
    done = project.run("doctor")
    assert "  warn  Hugging Face: http://127.0.0.1:9: " in done.out and "hf.endpoint URL" in done.out
    assert "by HTTPS_PROXY" in done.out and "s3cret" not in done.text
    assert done.out.endswith("found: 1 warn\n")


def test_a_service_that_says_nothing(project: Project, served: Identity, home: Home) -> None:
    """It is waited for some seconds, side by side with the others."""
    going = threading.Event()

    def wait(path: str, headers: object) -> tuple[int, dict[str, str], bytes]:
        going.wait(60)
        return 200, {}, b""

    served.instead = wait
    home.patch.setattr(network, "PATIENCE", 0.2)
    try:
        found = services(project)
    finally:
        going.set()
    assert [text for _, text, _ in found] == [f"{served.endpoint}: no answer within 0.2 seconds"] * 3


def test_a_look_that_goes_wrong_is_a_finding(project: Project, served: Identity, home: Home) -> None:
    """Whatever a broken library does, the other parts are looked at."""

    def explode(folder: Path, offline: bool) -> None:
        raise RuntimeError("boom")

    home.patch.setattr(storage, "look", explode)
    found = examined(project, expect=1)
    assert found["storage"][0] == "fail" and "RuntimeError: boom" in found["storage"][1]
    assert found["Python"][0] == "ok" and "Kaggle" in found
