"""Files of the web as sources."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from mldata.download.base import Transient
from mldata.errors import AuthError, MldataError, NetworkError, SourceError, UsageError
from mldata.sources import open_remote, scheme_of
from mldata.sources.base import RemoteSource
from mldata.testing import Asked, RemotePlace, RemoteSourceContract
from tests.servers.web import Answer, Page, Site, file, redirect

CSV = b"x,y\n1,2\n"
SECRET = "s3cret-of-mine"


class FilePlace(Site):
    """One file, at ``/d/a.csv``."""

    path = "/d/a.csv"
    token: str | None = None
    moved = False

    @property
    def uri(self) -> str:
        return self.url(self.path)

    @property
    def nowhere(self) -> str:
        return self.url("/no.csv")

    @property
    def requests(self) -> list[Asked]:
        return self.asked

    def put(self, files: Mapping[str, bytes]) -> None:
        (self.data,) = files.values()
        self.pages[self.path] = self.page

    def page(self, asked: Asked) -> Answer:
        if asked.own and self.token is not None and asked.headers.get("authorization") != self.token:
            return Answer(401, {"WWW-Authenticate": "Basic"})
        if asked.own and self.moved:
            return Answer(302, {"Location": self.url(self.path, host="localhost")})
        return file(self.data)(asked)

    def require_token(self, token: str) -> None:
        self.token = "Basic " + __import__("base64").b64encode(f"me:{token}".encode()).decode()

    def gate(self) -> None:
        raise NotImplementedError

    rename = gate

    def move(self) -> None:
        self.moved = True

    def fail(self, status: int, times: int | None, headers: Mapping[str, str] | None = None) -> None:
        left = [status] * (times or 0)
        self.first = lambda asked: Answer(
            status if times is None else left.pop() if left else 0, headers or {}
        )

    def cut(self, after: int) -> None:
        def first(asked: Asked) -> Answer:
            whole = self.answer_of(asked)
            if asked.method != "GET" or len(whole.body) <= after:
                return Answer(0)
            self.first = None
            return Answer(whole.status, whole.headers, whole.body, cut=after)

        self.first = first

    def answer_of(self, asked: Asked) -> Answer:
        return self.pages[asked.path](asked)


class TestContract(RemoteSourceContract):
    files: ClassVar[Mapping[str, bytes]] = {"a.csv": CSV * 20_000}
    changed = long = "a.csv"
    malformed = (
        "https://",
        "https:///a.csv",
        "https://h:x/a.csv",
        "https://h/a b.csv",
        "https://me:pw@h/a.csv",
        "https://h/a.csv#top",
    )
    lacks: ClassVar[Mapping[str, str]] = {
        "gate": "a web server has no terms to accept", "rename": "an address is another file", "names": "an address is one file",
        "many": "an address is one file", "empty": "an address is one file", "old": "the web keeps no earlier states",
    }  # fmt: skip

    @contextmanager
    def serve(self, folder: Path) -> Iterator[RemotePlace]:
        with FilePlace() as place:
            yield place

    @contextmanager
    def login(self, token: str) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            write_netrc(Path(self.folder), token, patch)
            yield

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path


def write_netrc(folder: Path, password: str, patch: pytest.MonkeyPatch) -> None:
    path = folder / "netrc"
    path.write_text(f"machine 127.0.0.1 login me password {password}\nmachine h login other password x\n")
    patch.setenv("NETRC", str(path))


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", "")
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


def read(source: RemoteSource) -> dict[str, bytes]:
    return {one.name: b"".join(source.origin(one).open()) for one in source.resolve().files}


def error_of(text: str, folder: Path) -> MldataError:
    with pytest.raises(MldataError) as caught:
        read(open_remote(text, folder))
    assert SECRET not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5"])
def test_a_digest_behind_the_address(site: Site, tmp_path: Path, kind: str) -> None:
    """It is the revision, whatever else the server says, and what the file has to be."""
    digest = hashlib.new(kind, CSV).hexdigest()
    site.pages["/a.csv"] = file(CSV)
    source = open_remote(site.url("/a.csv#") + f"{kind}={digest.upper()}", tmp_path)
    before = source.resolve()
    site.pages["/a.csv"] = file(CSV, etag='"other"')
    assert before.revision == source.resolve().revision == f"{kind}:{digest}"
    assert before.files[0].digests == {kind: digest} and source.key.endswith(f"#{kind}={digest}")
    assert all("#" not in asked.path for asked in site.asked)


def test_a_text_is_as_it_was_written(tmp_path: Path) -> None:
    """What the spec has is what the lock has; equal addresses have one key, and the key means the same."""
    digests = ("md5=" + "AB" * 16, "sha256=" + "0" * 64)
    texts = [f"HTTPS://h/a.csv#{'&'.join(order)}" for order in (digests, digests[::-1])]
    sources = [open_remote(text, tmp_path) for text in texts]
    assert [source.text for source in sources] == texts and len({source.key for source in sources}) == 1
    assert open_remote(sources[0].key, tmp_path).key == sources[0].key
    index = open_remote("INDEX+HTTPS://h/SUMS?", tmp_path)
    assert (index.text, index.key) == ("INDEX+HTTPS://h/SUMS?", "index+https://h/SUMS")


@pytest.mark.parametrize(
    "end",
    [
        "#sha256=ab",
        "#sha512=" + "a" * 128,
        "#",
        "#readme",
        "#md5=" + "g" * 32,
        "#md5=" + "a" * 32 + "&md5=" + "a" * 32,
    ],
)
def test_what_is_no_digest(tmp_path: Path, end: str) -> None:
    """Anything else behind the address is refused, with the form that is meant."""
    with pytest.raises(SourceError, match="#sha256="):
        open_remote(f"https://h/a.csv{end}", tmp_path)


def test_a_user_in_the_address(tmp_path: Path) -> None:
    """It is refused, with the place where it belongs, and is not in the message."""
    with pytest.raises(SourceError, match=r"netrc.*machine h\.example login") as caught:
        open_remote(f"https://me:{SECRET}@h.example/a.csv", tmp_path)
    assert SECRET not in str(caught.value) and "me:" not in str(caught.value)


def test_a_signed_address(site: Site, tmp_path: Path) -> None:
    """Its signature is sent, and is in nothing that is kept or shown; a warning says what is better. A new signature is the same file."""
    site.pages["/a.csv"] = file(CSV)
    signed = site.url(f"/a.csv?X-Amz-Date=1&X-Amz-Signature={SECRET}&versionId=7")
    source = open_remote(signed, tmp_path)
    resolved = source.resolve()
    assert read(source) == {"a.csv": CSV}
    assert all(SECRET in asked.path for asked in site.asked)
    origin = source.origin(resolved.files[0])
    assert SECRET not in repr(
        (source.text, source.key, resolved, origin.name, origin.identity, source.about())
    )
    assert "kept nowhere" in resolved.warnings[0]
    again = open_remote(signed.replace(SECRET, "another").replace("Date=1", "Date=2"), tmp_path)
    assert (again.key, again.resolve()) == (source.key, resolved)
    site.pages["/a.csv"] = lambda asked: Answer(403)
    assert "have run out" in str(error_of(signed, tmp_path))


def test_where_a_login_belongs(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that wants a login is an error that says where to put it; one in .netrc goes to its host, and not over plain http elsewhere."""
    from mldata.download.logins import login_for

    site.pages["/a.csv"] = lambda asked: file(CSV)(asked) if "authorization" in asked.headers else Answer(401)
    assert isinstance(
        error := error_of(site.url("/a.csv"), tmp_path), AuthError
    ) and "machine 127.0.0.1 login" in str(error)
    write_netrc(tmp_path, SECRET, monkeypatch)
    assert read(open_remote(site.url("/a.csv"), tmp_path)) == {"a.csv": CSV}
    error_of(site.url("/a.csv", host="localhost"), tmp_path)
    assert login_for("http://h/a.csv") is None and login_for("https://h/a.csv") is not None
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 password {SECRET} nonsense")
    assert isinstance(error := error_of(site.url("/a.csv"), tmp_path), UsageError) and "netrc:1" in str(error)
    monkeypatch.setenv("NETRC", str(tmp_path / "gone"))
    assert isinstance(error_of(site.url("/a.csv"), tmp_path), UsageError)


def test_the_user_s_own_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without NETRC, it is the file in the user's folder, if there is one."""
    from mldata.download.logins import login_for

    monkeypatch.delenv("NETRC")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert login_for("https://h/a") is None
    (tmp_path / ".netrc").write_text(f"machine h login me password {SECRET}")
    assert login_for("https://h/a") is not None and login_for("https://g/a") is None


PAGE = b"<!-- welcome -->\n<!DOCTYPE html><html><head><title>Hotel Wi-Fi &amp; Login\x1b[2J</title></head>"


@pytest.mark.parametrize("lead", [b"", b"\xef\xbb\xbf", b" \r\n\t", b'<?xml version="1.0"?>\n'])
@pytest.mark.parametrize("kind", ["text/html", "text/csv", ""])
def test_a_page_in_place_of_data(site: Site, tmp_path: Path, lead: bytes, kind: str) -> None:
    """A page of HTML called .csv is refused before its first byte is given on, whatever type the server says; the title is told."""
    site.pages["/a.csv"] = file(lead + PAGE, {"Content-Type": kind})
    error = error_of(site.url("/a.csv"), tmp_path)
    assert isinstance(error, NetworkError) and error.exit_code == 5
    assert "a.csv" in str(error) and "Hotel Wi-Fi & Login" in str(error) and "\x1b" not in str(error)


def test_a_page_that_comes_in_small_pieces(site: Site, tmp_path: Path) -> None:
    """It is a page also where its beginning comes byte by byte, or is behind white space."""
    from mldata.download.pages import DataOrigin

    class Drop:
        name = identity = "n"
        start, reason, ranges, validator, digests = 0, None, False, None, ()

        def open(self, *_: object) -> Drop:
            return self

        def __iter__(self) -> Iterator[bytes]:
            return iter([bytes([byte]) for byte in b"  " + PAGE])

        def close(self) -> None: ...

    with pytest.raises(NetworkError, match="page of HTML"), DataOrigin(Drop(), "a.csv").open() as body:  # type: ignore[arg-type]
        next(iter(body))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", CSV),
        ("a.csv", b"<x>,y\n1,2\n"),
        ("a.html", PAGE),
        ("a.csv", b""),
        ("a.jsonl", b"  \n"),
        ("a.csv", b"<!-- " + b"x" * 9000),
    ],
)
def test_what_is_no_page(site: Site, tmp_path: Path, name: str, data: bytes) -> None:
    """Data that a server calls a page, and pages that are called so, come as they are."""
    site.pages[f"/{name}"] = file(data, {"Content-Type": "text/html"})
    assert read(open_remote(site.url(f"/{name}"), tmp_path)) == {name: data}


@pytest.mark.parametrize(
    ("path", "headers", "name"),
    [
        ("/d/a.csv", {}, "a.csv"),
        ("/d/a%20%C3%A9.csv", {}, "a é.csv"),
        ("/export", {"Content-Disposition": 'attachment; filename="b.csv"'}, "b.csv"),
        ("/export", {"Content-Disposition": "attachment; filename=b.csv; filename*=UTF-8''%C3%A9.csv"}, "é.csv"),
        ("/a.csv", {"Content-Disposition": "attachment; filename=unknown"}, "a.csv"),
        ("/a.csv", {"Content-Disposition": 'attachment; filename="../../etc/x.csv"'}, "x.csv"),
        ("/a.csv", {"Content-Disposition": 'attachment; filename="..\\..\\x.csv"'}, "x.csv"),
        ("/a.csv", {"Content-Disposition": "attachment; filename*=UTF-8''..%2F..%2F"}, "a.csv"),
        ("/a.csv", {"Content-Disposition": "attachment; filename*=UTF-8''x%00.csv"}, "a.csv"),
        ("/a.csv", {"Content-Disposition": "attachment; filename*=nonsense''%FF.csv"}, "ÿ.csv"),
        ("/a.csv", {"Content-Disposition": "attachment; filename*=UTF-8''%FF.csv"}, "a.csv"),
        ("/a.csv", {"Content-Disposition": 'attachment; filename="con.csv"'}, "a.csv"),
        ("/a.csv", {"Content-Disposition": 'attachment; filename="' + "x" * 300 + '.csv"'}, "a.csv"),
        ("/get.php?file=train.csv&n=1", {}, "train.csv"),
        ("/a?token=secret.csv", {}, "a"),
        ("/get.php?n=1.5", {"Content-Type": "text/csv; charset=utf-8"}, "get.php.csv"),
        ("/download/17", {"Content-Type": "application/vnd.apache.parquet"}, "17.parquet"),
        ("/x%2F..", {"Content-Type": "application/zip"}, "data.zip"),
        ("/", {}, "data"),
        ("/v1.2/", {}, "v1.2"),
    ],
)  # fmt: skip
def test_names(site: Site, tmp_path: Path, path: str, headers: dict[str, str], name: str) -> None:
    """A file is called what the server says, or its address, whichever tells a format; never anything that is unsafe in a folder."""
    site.pages[path.partition("?")[0]] = file(CSV, headers)
    assert [one.name for one in open_remote(site.url(path), tmp_path).resolve().files] == [name]


def test_a_name_behind_a_redirect(site: Site, tmp_path: Path) -> None:
    """Where the address itself tells nothing, the one that it leads to does."""
    site.pages["/17"], site.pages["/files/a.csv"] = redirect("/files/a.csv?token=x"), file(CSV)
    assert read(open_remote(site.url("/17"), tmp_path)) == {"a.csv": CSV}


def test_states_without_an_etag(site: Site, tmp_path: Path) -> None:
    """Time and size tell a state; where a server says neither, no version is made up."""
    site.pages["/a.csv"] = file(CSV, etag=None)
    source = open_remote(site.url("/a.csv"), tmp_path)
    before = source.resolve()
    assert before.files[0].version == f"Wed, 21 Oct 2015 07:28:00 GMT, {len(CSV)} bytes"
    site.pages["/a.csv"] = file(CSV + b"3,4\n", etag=None)
    assert source.resolve().revision != before.revision
    site.pages["/a.csv"] = lambda asked: Answer(body=CSV)
    assert source.resolve().files[0].version == ""


def test_a_digest_that_the_server_states(site: Site, tmp_path: Path) -> None:
    """It is one of the file's, and of its revision."""
    site.pages["/a.csv"] = lambda asked: Answer(headers={"Content-MD5": "CY9rzUYh03PK3k6DJie09g=="}, body=CSV)
    resolved = open_remote(site.url("/a.csv"), tmp_path).resolve()
    assert resolved.files[0].digests == {"md5": "098f6bcd4621d373cade4e832627b4f6"}


@pytest.mark.parametrize("head", [Answer(405), Answer(403), Answer(200, {"Content-Length": "0"})])
def test_servers_that_know_no_head(site: Site, tmp_path: Path, head: Answer) -> None:
    """Where HEAD is refused, or answered with nothing, the file itself is asked for, and not read."""
    good = file(CSV)
    site.pages["/a.csv"] = lambda asked: head if asked.method == "HEAD" else good(asked)
    found = open_remote(site.url("/a.csv"), tmp_path).resolve().files[0]
    assert found.size == len(CSV) and found.version
    empty: Page = file(b"")
    site.pages["/a.csv"] = lambda asked: (
        head if asked.method == "HEAD" and head.status != 200 else empty(asked)
    )
    if head.status == 200:
        assert open_remote(site.url("/a.csv"), tmp_path).resolve().files[0].size == 0


def test_plain_http_warns(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that comes by http from elsewhere may be anybody's, unless a strong digest says what it is."""
    monkeypatch.setenv("HTTP_PROXY", site.url(""))
    site.pages["http://far.example/a.csv"] = file(CSV)
    assert "plain http" in open_remote("http://far.example/a.csv", tmp_path).resolve().warnings[0]
    pinned = f"http://far.example/a.csv#sha256={hashlib.sha256(CSV).hexdigest()}"
    assert not open_remote(pinned, tmp_path).resolve().warnings


def test_what_is_not_there(site: Site, tmp_path: Path) -> None:
    """404 and 410 are errors of the source, each with what to do."""
    for status, said in ((404, "nothing there"), (410, "for good")):
        site.pages["/a.csv"] = lambda asked, status=status: Answer(status)  # type: ignore[misc]
        error = error_of(site.url("/a.csv"), tmp_path)
        assert isinstance(error, SourceError) and said in str(error)


def test_a_file_that_breaks_off(site: Site, tmp_path: Path) -> None:
    """A body shorter than its length is a passing failure, and nobody takes it for the file."""
    site.pages["/a.csv"] = lambda asked: Answer(headers={"Content-Length": "99"}, body=CSV, cut=len(CSV))
    assert isinstance(error_of(site.url("/a.csv"), tmp_path), Transient)


def test_schemes_in_any_case(site: Site, tmp_path: Path) -> None:
    """HTTP:// is http://."""
    site.pages["/a.csv"] = file(CSV)
    text = site.url("/a.csv").replace("http:", "HTTP:")
    assert scheme_of(text) == "http" and read(open_remote(text, tmp_path)) == {"a.csv": CSV}
