"""Lists of files elsewhere as sources."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.errors import AuthError, MldataError, NetworkError, SourceError
from mldata.into import from_root
from mldata.sources import open_remote, scheme_of
from mldata.sources.index import IndexSource
from mldata.sources.indexlines import Entry, parse_index
from mldata.testing import Asked, RemotePlace, RemoteSourceContract
from store import split_path
from tests.servers.web import Answer, Site, file
from tests.sources.test_http import CSV, SECRET, FilePlace, _nobody, error_of, read, site, write_netrc

__all__ = ["_nobody", "site"]  # fixtures

SUM = hashlib.sha256(CSV).hexdigest()
MD5 = hashlib.md5(CSV).hexdigest()
BASE = "https://h.example/d/SUMS"


class SumsPlace(FilePlace):
    """Files below ``/d/``, and their sums in ``/d/SHA256SUMS``."""

    @property
    def uri(self) -> str:
        return "index+" + self.url("/d/SHA256SUMS")

    @property
    def nowhere(self) -> str:
        return "index+" + self.url("/no/SHA256SUMS")

    def put(self, files: Mapping[str, bytes]) -> None:
        lines = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items())
        self.all = {quote(f"/d/{name}"): data for name, data in files.items()}
        self.all["/d/SHA256SUMS"] = "".join(lines).encode()
        self.pages = dict.fromkeys(self.all, self.page)

    def page(self, asked: Asked) -> Answer:
        if asked.own and self.token is not None and asked.headers.get("authorization") != self.token:
            return Answer(401, {"WWW-Authenticate": "Basic"})
        if asked.own and self.moved:
            return Answer(302, {"Location": self.url(asked.path, host="localhost")})
        return file(self.all[asked.path])(asked)


class TestContract(RemoteSourceContract):
    malformed = (
        "index+https://",
        "index+https://h:x/a",
        "index+https://me:pw@h/a",
        "index+https://h/ a",
        "index+file:",
        "index+file://far/a",
    )
    lacks: ClassVar[Mapping[str, str]] = {
        "gate": "a web server has no terms to accept",
        "rename": "an address is another list",
        "old": "the web keeps no earlier states",
    }

    @contextmanager
    def serve(self, folder: Path) -> Iterator[RemotePlace]:
        with SumsPlace() as place:
            yield place

    @contextmanager
    def login(self, token: str) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            write_netrc(self.folder, token, patch)
            yield

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path


def parse(text: str | bytes, base: str | None = BASE) -> list[Entry]:
    return parse_index(text if isinstance(text, bytes) else text.encode(), "list", base)


# -- sums ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "name", "kind"),
    [
        (f"{SUM}  a.csv", "a.csv", "sha256"), (f"{SUM} *a.csv", "a.csv", "sha256"), (f"{SUM}\ta.csv", "a.csv", "sha256"),
        (f"{SUM.upper()}  ./sub/a b.csv", "sub/a b.csv", "sha256"), (f"{MD5}  a.csv", "a.csv", "md5"), (f"{'0' * 40}  a.csv", "a.csv", "sha1"),
        (f"SHA256 (a (1).csv) = {SUM}", "a (1).csv", "sha256"), (f"MD5 (a.csv) = {MD5}", "a.csv", "md5"), (f"{SUM}   a.csv", " a.csv", "sha256"),
        (f"{SUM}  é?#%.csv", "é?#%.csv", "sha256"),
    ],
)  # fmt: skip
def test_sums(line: str, name: str, kind: str) -> None:
    """Each form that the programs write is read; names are beside the list, in its own folder."""
    (entry,) = parse(f"\ufeff# sums\r\n\r\n{line}\r\n")
    assert (entry.line, entry.name, list(entry.digests)) == (3, name, [kind])
    assert entry.url == "https://h.example/d/" + quote(name)


def test_names_with_escapes(tmp_path: Path) -> None:
    """A line that begins with a backslash has escapes in its name; what they stand for is refused where no folder can have it."""
    with pytest.raises(SourceError, match="backslash"):
        parse(f"\\{SUM}  a\\\\b.csv")
    assert parse(f"\\{SUM}  a\\nb.csv")[0].name == "a\nb.csv"


# -- tables ----------------------------------------------------------------------------------------------------------


def test_tables() -> None:
    """A table names files by their addresses, with digests, sizes and names as far as it has them; other columns are left alone."""
    text = f'name,"URL",size,sha256,note\nb.csv,https://h/1,12,{SUM},x\n,../e/2.csv,,,"a, b"\n"c,d.csv",https://h/3,0,,\n'
    found = [(it.line, it.name, it.url, it.size, dict(it.digests)) for it in parse(text)]
    assert found == [
        (2, "b.csv", "https://h/1", 12, {"sha256": SUM}),
        (4, "c,d.csv", "https://h/3", 0, {}),
        (3, "h.example/e/2.csv", "https://h.example/e/2.csv", None, {}),
    ]
    assert parse("url\tmd5\nhttps://h/a.csv\t" + MD5)[0].digests == {"md5": MD5}
    assert parse("url\nhttps://h/a.csv#md5=" + MD5)[0].digests == {"md5": MD5}


# -- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (["https://h/d/a.csv"], ["a.csv"]),
        (["https://h/d/b.csv", "https://h/d/a.csv"], ["a.csv", "b.csv"]),
        (["https://h/d/1/a.csv", "https://h/d/2/a.csv"], ["1/a.csv", "2/a.csv"]),
        (["https://h/d/a.csv", "https://h/d/2/a.csv"], ["2/a.csv", "a.csv"]),
        (["https://h/a.csv", "https://g/d/a.csv"], ["g/d/a.csv", "h/a.csv"]),
        (["https://h/get?f=a.csv&x=1", "https://h/get?f=b.csv"], ["a.csv", "b.csv"]),
        (["a.csv", "sub/b.csv", "/c/d.csv"], ["c/d.csv", "d/a.csv", "d/sub/b.csv"]),
        (["https://h/%C3%A9%20.csv#sha256=" + SUM], ["é .csv"]),
    ],
)
def test_addresses(lines: list[str], names: list[str]) -> None:
    """Files are named by what of their addresses not all have in common; the order of the lines does not matter."""
    assert [entry.name for entry in parse("\n".join(lines))] == names
    assert [entry.name for entry in parse("\n".join(reversed(lines)))] == names


# -- what can be wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "list:1:1: expected files, found none"),
        ("# nothing\n\n", "list:1:1: expected files"),
        (b"https://h/a\n\xff", "list:2:1: expected UTF-8"),
        (b"https://h/a\nhttps://h/\xe9", "list:2:11: expected UTF-8"),
        ("<!DOCTYPE html><title>x", "list:1:1: expected a list of files, found a page of HTML"),
        (f"{SUM}  a.csv\nwhat", "list:2:1: expected a digest, two spaces"),
        (f"{SUM}  a.csv\n{'a' * 128}  b.csv", "list:2:1: expected a digest of 64"),
        (f"{SUM}  a.csv\n{SUM}  ../b.csv", "list:2:67: expected a name that is safe"),
        (f"{SUM}  /etc/passwd", "list:1:67: expected a name that is safe"),
        (f"{SUM}  a.csv\n{MD5}  a.csv", "list:2:1: expected each name once, found 'a.csv', which is in line 1"),
        ("url,sha256\nhttps://h/a,abc", "list:2:13: expected 64 hexadecimal digits as sha256, found 'abc'"),
        ("url,size\nhttps://h/a,1\nhttps://h/b,-1", "list:3:13: expected a size in bytes, found '-1'"),
        ("size,url\n1,https://h/a\n 2, ftp://h/b", "list:3:5: expected an address"),
        ("url,name\nhttps://h/a,con.csv", "list:2:13: expected a name that is safe"),
        ("url,name\nhttps://h/a", "list:2:1: expected 2 cells as in the header, found 1"),
        ('url,name\nhttps://h/a,"x', "list:2:1: expected a row of a table"),
        ("url,url\nhttps://h/a,x", "list:1:1: expected a column url once"),
        (f"url,md5\nhttps://h/a#md5={MD5},{'0' * 32}", "expected one md5"),
        ("url", "list:1:1: expected files, found none"),
        ("https://h/a\n  https://h/b c", "list:2:3: expected an address"),
        ("https://h/a\nfile:///etc/passwd", "list:2:1: expected an address"),
        ("https://h:0/a", "list:1:1: expected an address"),
        ("https://[h/a", "list:1:1: expected an address"),
        ("https://h/a#sha256=12", "list:1:13: expected a digest such as sha256=HEX"),
        ("https://h/%2e%2e/a\nhttps://h/x/a", "list:1:1: expected a name that is safe"),
        ("https://h/a/con.csv\nhttps://h/a/b.csv", "list:1:1: expected a name that is safe"),
        ("https://h/x?a=1\nhttps://h/x?a=2", "list:2:1: expected each name once"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_line_and_column(text: str | bytes, said: str) -> None:
    """A list that cannot be meant is refused where it is wrong, with what to do."""
    with pytest.raises(SourceError) as caught:
        parse(text)
    assert said in str(caught.value) and caught.value.hint


LINES = st.lists(
    st.one_of(
        st.sampled_from([f"{SUM}  ", "MD5 (", ") = ", "url", "name", "size", "sha256", ",", "\t", '"', "\n", "https://", "h/a", "#md5=", MD5, "..", "//", "?", "[", "\\"]),
        st.text(max_size=3),
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(LINES)
def test_whatever_a_list_says(text: str) -> None:
    """It is read, with safe names each once, or refused by line; nothing else."""
    try:
        entries = parse(text.encode("utf-8", "surrogatepass"))
    except SourceError as error:
        assert str(error.where).startswith("list:") and error.hint
        return
    assert entries and sorted({entry.name for entry in entries}) == [entry.name for entry in entries]
    assert all(split_path(entry.name) for entry in entries)


def test_a_user_in_a_list(tmp_path: Path) -> None:
    """It is refused, and is not in the message."""
    for text in (f"https://me:{SECRET}@h/a.csv", f"url\nftp://me:{SECRET}@h/a.csv"):
        with pytest.raises(SourceError) as caught:
            parse(text)
        assert (
            SECRET not in str(caught.value)
            and "me" not in str(caught.value).replace("name", "").split("\n")[0].split("such")[0]
        )


# -- the source ------------------------------------------------------------------------------------------------------


@pytest.mark.no_cover
def test_many_addresses_are_one_request(site: Site, tmp_path: Path) -> None:
    """A list of 10,000 files is looked at by one request."""
    site.pages["/list"] = file("".join(f"/d/{number}.csv\n" for number in range(10_000)).encode())
    resolved = open_remote("index+" + site.url("/list"), tmp_path).resolve()
    assert len(resolved.files) == 10_000 and len(site.asked) == 1


def test_a_list_on_this_machine(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its path is relative to the spec, in each form; what it names is elsewhere."""
    site.pages["/a.csv"] = file(CSV)
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "my list.txt").write_text(site.url("/a.csv\n"))
    forms = [
        "index+file:p/my list.txt",
        f"index+file:{tmp_path}/p/my list.txt",
        f"INDEX+FILE://{tmp_path}/p/my%20list.txt",
    ]
    forms.append(f"index+file://localhost{tmp_path}/p/my%20list.txt")
    sources = [open_remote(text, tmp_path) for text in forms]
    assert {scheme_of(text) for text in forms} == {"index+file"}
    assert len({source.key for source in sources}) == 1 and all(
        read(source) == {"a.csv": CSV} for source in sources
    )
    monkeypatch.chdir(tmp_path / "p")
    assert from_root("index+file:my list.txt", tmp_path) == "index+file:p/my list.txt"
    assert from_root(forms[1], tmp_path) == forms[1] and from_root(forms[3], tmp_path) == forms[3]


def test_a_local_list_names_no_neighbours(tmp_path: Path) -> None:
    """Sums of local files, and addresses that are relative to nothing, are refused; so is a list that is not there, or is too large."""
    for text, said in (
        (f"{SUM}  a.csv", "files beside this list"),
        ("a.csv", "expected an address"),
        ("/a.csv", "expected an address"),
    ):
        (tmp_path / "list").write_text(text)
        assert said in str(error_of("index+file:list", tmp_path))
    assert "No such file" in str(error_of("index+file:gone", tmp_path))
    assert "directory" in str(error_of("index+file:.", tmp_path))


def test_a_list_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before it is read whole."""
    monkeypatch.setattr("mldata.sources.index.MOST", 10)
    (tmp_path / "list").write_text("https://h/a.csv")
    assert "at most 10 bytes" in str(error_of("index+file:list", tmp_path))


def test_a_list_of_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused at the line that is one too many."""
    monkeypatch.setattr("mldata.sources.indexlines.MOST", 2)
    with pytest.raises(SourceError, match=r"list:4:1: expected at most 2 files"):
        parse("a.csv\n\nb.csv\nc.csv\n")


def test_signed_addresses(site: Site, tmp_path: Path) -> None:
    """A signature in a list is sent, and is in nothing that is kept or shown; another one is the same file."""
    site.pages["/a.csv"] = file(CSV)
    (tmp_path / "list").write_text(site.url(f"/a.csv?sig={SECRET}&v=1"))
    source = open_remote("index+file:list", tmp_path)
    resolved = source.resolve()
    assert read(source) == {"a.csv": CSV} and all(SECRET in asked.path for asked in site.asked)
    origin = source.origin(resolved.files[0])
    assert SECRET not in repr((source.text, source.key, resolved, origin.name, origin.identity))
    assert "runs out" in resolved.warnings[0]
    (tmp_path / "list").write_text(site.url("/a.csv?sig=other&v=1"))
    assert source.resolve() == resolved
    site.pages["/a.csv"] = lambda asked: Answer(403)
    assert SECRET not in str(error_of("index+file:list", tmp_path))


def test_what_the_server_refuses(site: Site, tmp_path: Path) -> None:
    """The list that is not there, wants a login, or is a page, is said to be the list."""
    text = "index+" + site.url("/list")
    kinds: list[tuple[Answer, type[MldataError], str]] = [
        (Answer(404), SourceError, "expected a list of files"), (Answer(401), AuthError, "machine 127.0.0.1"),
        (Answer(451), NetworkError, "legal"), (Answer(200, body=b"<html>"), SourceError, "page of HTML"),
    ]  # fmt: skip
    for answer, kind, said in kinds:
        site.pages["/list"] = lambda asked, answer=answer: answer  # type: ignore[misc]
        error = error_of(text, tmp_path)
        assert isinstance(error, kind) and said in str(error) and text in str(error)


def test_pages_in_place_of_files(site: Site, tmp_path: Path) -> None:
    """A file that a list names is data too, and a page in its place is refused."""
    site.pages["/list"], site.pages["/a.csv"] = file(b"a.csv"), file(b"<!doctype html><title>Login</title>")
    assert "page of HTML called 'Login'" in str(error_of("index+" + site.url("/list"), tmp_path))


def test_plain_http_warns(tmp_path: Path) -> None:
    """Files that come by http, and are known by no strong digest, are warned of once."""
    lines = [f"http://far.example/{n}.csv" for n in range(3)]
    (tmp_path / "list").write_text("\n".join([*lines, f"http://far.example/x.csv#sha256={SUM}"]))
    (warning,) = open_remote("index+file:list", tmp_path).resolve().warnings
    assert "plain http" in warning and "2 more files" in warning


def test_what_a_list_knows_of_sizes(tmp_path: Path) -> None:
    """All sizes make one; one that is missing makes none."""
    (tmp_path / "list").write_text("url,size\nhttps://h/a.csv,1\nhttps://h/b.csv,2\n")
    source = IndexSource("index+file:list", tmp_path)
    assert source.about().size == 3
    (tmp_path / "list").write_text("url,size\nhttps://h/a.csv,1\nhttps://h/b.csv,\n")
    assert source.about().size is None
