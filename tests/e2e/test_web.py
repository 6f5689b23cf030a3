"""Datasets from the web, from the address to the export, on a server of this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from tests.e2e.project import Project
from tests.servers.web import Answer, Site, file

A, B = b"x,y\n1,2\n3,4\n", b"x,y\n5,6\n"
SECRET = "s3cret-of-mine"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("NETRC", "")
    with Site() as made:
        made.pages["/d/a.csv"], made.pages["/d/b.csv"] = file(A), file(B)
        made.pages["/d/SHA256SUMS"] = file(sums(("a.csv", A), ("b.csv", B)))
        yield made


def sums(*files: tuple[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files).encode()


def spec(project: Project, *sources: str) -> None:
    project.write("mldata.yaml", f"version: 1\ndatasets:\n  d: {{source: {list(sources)}}}\n")


def rows(project: Project) -> int:
    """Of the dataset, built."""
    count: int = project.build()["d"]["stages"]["normalize"]["rows"]
    return count


def kept(project: Project) -> bytes:
    """All bytes below the project, what stands in databases too."""
    return b"\0".join(path.read_bytes() for path in project.root.rglob("*") if path.is_file())


def test_a_list_of_addresses(project: Project, site: Site) -> None:
    """Each address is a source of its own; the dataset is all of them, in order, pinned; a build with nothing to do asks nobody."""
    spec(project, site.url("/d/b.csv"), site.url("/d/a.csv"))
    assert rows(project) == 3
    lock = (project / "mldata.lock").read_text()
    assert site.url("/d/a.csv") in lock and lock.count("revision:") == 2
    site.asked.clear()
    project.build()
    assert not site.asked


def test_addresses_in_capitals(project: Project, site: Site) -> None:
    """An address is pinned as it is written, in whatever form that is."""
    pinned = "#sha256=" + hashlib.sha256(A).hexdigest().upper()
    spec(project, site.url("/d/a.csv").replace("http:", "HTTP:") + pinned)
    assert rows(project) == 2
    site.asked.clear()
    project.build()
    assert not site.asked


def test_news_wait_for_an_update(project: Project, site: Site) -> None:
    """What changes on the server is noticed by an update, and only the changed file comes again."""
    spec(project, "index+" + site.url("/d/SHA256SUMS"))
    assert rows(project) == 3
    site.pages["/d/b.csv"] = file(B + b"7,8\n")
    site.pages["/d/SHA256SUMS"] = file(sums(("a.csv", A), ("b.csv", B + b"7,8\n")))
    assert rows(project) == 3
    site.asked.clear()
    project.run("update")
    assert rows(project) == 4
    assert {asked.path for asked in site.asked} == {"/d/SHA256SUMS", "/d/b.csv"}


def test_a_page_in_place_of_data_is_not_stored(project: Project, site: Site) -> None:
    """A login page called .csv is an error of the network that names its title; nothing of it is kept."""
    site.pages["/d/a.csv"] = file(
        b"<!DOCTYPE html><title>Hotel Wi-Fi</title>" + b"y" * 500_000, {"Content-Type": "text/csv"}
    )
    done = project.run("pull", site.url("/d/a.csv"), "-o", "out", expect=5)
    assert (
        "Hotel Wi-Fi" in done.err and b"Hotel Wi-Fi" not in kept(project) and not (project / "out").exists()
    )


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (Answer(401), 4, ".netrc"), (Answer(403), 4, ".netrc"), (Answer(404), 5, "nothing there"), (Answer(410), 5, "for good"),
        (Answer(200, {"Content-Encoding": "gzip"}, b"\x1f\x8b"), 5, "packed"),
    ],
)  # fmt: skip
def test_what_a_server_refuses(project: Project, site: Site, answer: Answer, code: int, said: str) -> None:
    """Each refusal has its exit code and what to do."""
    site.pages["/d/a.csv"] = lambda asked: answer
    assert said in project.run("pull", site.url("/d/a.csv"), expect=code).err


def test_a_digest_that_does_not_fit(project: Project, site: Site) -> None:
    """A file that is not what its address says it has to be is not stored, nor is one that a list states otherwise."""
    wrong = "0" * 64
    assert wrong in project.run("pull", site.url(f"/d/a.csv#sha256={wrong}"), expect=5).err
    site.pages["/d/a.csv"] = file(B)
    assert "sha256" in project.run("pull", "index+" + site.url("/d/SHA256SUMS"), "-o", "out", expect=5).err
    assert not (project / "out").exists()


def test_a_signature_is_used_and_kept_nowhere(project: Project, site: Site) -> None:
    """A signed address can be pulled and built from; nothing below the project has the signature, a new one costs no download."""
    signed = site.url(f"/d/a.csv?X-Amz-Signature={SECRET}&v=1")
    first = project.run("pull", signed, "-o", "out")
    assert project.files("out") == {"a.csv": A} and SECRET in site.asked[-1].path
    second = project.run("pull", signed.replace(SECRET, "other"), "-o", "out")
    assert "nothing had to be downloaded" in second.out and SECRET not in first.text
    project.run("pull", signed, "-o", "again", "--offline")
    project.run("build", signed, "-o", "built")
    told = project.run("info", signed, "--sample", "1")
    assert "x  y" in told.out and SECRET not in told.text
    assert SECRET.encode() not in kept(project)


def test_a_signature_is_no_part_of_a_spec(project: Project, site: Site) -> None:
    """mldata.yaml is for everybody: a signed address in it is refused, with what to do, and is not shown."""
    spec(project, f"https://h.example/a.csv?X-Amz-Signature={SECRET}")
    done = project.run("build", expect=3)
    assert (
        "mldata pull ADDRESS" in done.err
        and "https://h.example/a.csv" in done.err
        and SECRET not in done.text
    )
    spec(project, f"https://me:{SECRET}@h.example/a.csv")
    done = project.run("build", expect=3)
    assert ".netrc" in done.err and SECRET not in done.text


def test_a_login_is_used_and_kept_nowhere(
    project: Project, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login in .netrc lets the file in; nothing that is kept or shown has the password."""
    project.write("../netrc", f"machine 127.0.0.1 login me password {SECRET}")
    monkeypatch.setenv("NETRC", str(project / "../netrc"))
    site.pages["/d/a.csv"] = lambda asked: file(A)(asked) if "authorization" in asked.headers else Answer(401)
    spec(project, site.url("/d/a.csv"))
    done = project.run("build", "-v")
    assert SECRET not in done.text and SECRET.encode() not in kept(project)
    assert all(asked.headers["authorization"].startswith("Basic ") for asked in site.asked)


def test_a_list_on_this_machine(project: Project, site: Site) -> None:
    """A list of addresses beside the spec is a source; what is wrong in it is said by line and column."""
    project.write("list.txt", site.url("/d/a.csv\n") + site.url("/d/b.csv\n"))
    spec(project, "index+file:list.txt")
    assert rows(project) == 3
    project.write("list.txt", site.url("/d/a.csv\n") + "ftp://h/b.csv\n")
    assert "index+file:list.txt:2:1: expected an address" in project.run("update", expect=5).err
