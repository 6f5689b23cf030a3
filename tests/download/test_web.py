"""HTTP as it is used here: what is sent where, what is tried again, and what an answer is taken for."""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
import trustme

from mldata.download import patience, trail, web
from mldata.download.base import Denied, HttpError, Transient, Validator
from mldata.download.failures import wait_asked
from mldata.download.web import Auth, Web
from mldata.errors import AuthError, MldataError, NetworkError
from mldata.testing import Asked
from tests.servers.http2 import Http2Site
from tests.servers.web import MODIFIED, Answer, Site, file, redirect

DATA = bytes(range(256)) * 40
SECRET = "s3cret-of-mine"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been waited."""
    slept: list[float] = []
    monkeypatch.setattr(patience.Patience.__init__, "__defaults__", (5, 120.0, slept.append))
    return slept


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


def error_of(call: Callable[[], object]) -> MldataError:
    with pytest.raises(MldataError) as caught:
        call()
    assert SECRET not in str(caught.value) and caught.value.hint
    return caught.value


# -- small answers ---------------------------------------------------------------------------------------------------


def test_a_small_answer(site: Site) -> None:
    """An answer comes whole, with its headers in lower case; parameters and headers are sent, and the name of the program."""
    site.pages["/a"] = lambda asked: Answer(
        headers={"X-Y": "z", "Content-Type": "application/json"}, body=b'{"a": 1}'
    )
    reply = Web().get(site.url("/a"), params={"q": "1 2"}, headers={"X-Mine": "1"})
    assert (reply.status, reply.headers["x-y"], reply.json()) == (200, "z", {"a": 1})
    assert site.asked[0].path == "/a?q=1+2" and site.asked[0].headers["x-mine"] == "1"
    assert site.asked[0].headers["user-agent"].startswith("mldata/")


def test_what_is_no_json_says_what_it_is(site: Site) -> None:
    """A page in place of JSON is an error that says so, without the secrets of its address."""
    site.pages["/a"] = lambda asked: Answer(body=b"<!DOCTYPE html><title>Log in</title>")
    error = error_of(lambda: Web().json(site.url(f"/a?token={SECRET}")))
    assert "page of HTML" in str(error) and isinstance(error, NetworkError)


def test_an_answer_that_is_too_large(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What should be small is not read on without end, also when it was packed small."""
    monkeypatch.setattr(web, "SMALL", 100_000)
    packed = gzip.compress(bytes(10_000_000))
    site.pages["/a"] = lambda asked: Answer(headers={"Content-Encoding": "gzip"}, body=packed)
    assert "at most 100,000 bytes" in str(error_of(lambda: Web().get(site.url("/a"))))
    site.pages["/a"] = lambda asked: Answer(headers={"Content-Encoding": "gzip"}, body=b"not packed")
    assert "damaged" in str(error_of(lambda: Web().get(site.url("/a"))))


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (400, HttpError, "address"), (401, Denied, "credential"), (403, Denied, "access"), (404, HttpError, "nothing there"),
        (410, HttpError, "for good"), (418, HttpError, "tell whoever"), (451, HttpError, "legal"), (501, HttpError, "tell whoever"),
    ],
)  # fmt: skip
def test_answers_that_stay_errors(site: Site, waits: list[float], status: int, kind: type, said: str) -> None:
    """Each is asked once, and is an error with status, headers, the beginning of the body, host and advice; its exit code is 4 or 5."""
    site.pages["/a"] = lambda asked: Answer(status, {"X-Why": "so"}, b"z" * 9000)
    error = error_of(lambda: Web().get(site.url(f"/a?sig={SECRET}")))
    assert isinstance(error, kind) and isinstance(error, HttpError | Denied)
    assert (error.status, error.headers["x-why"], error.body) == (status, "so", b"z" * 4096)
    assert f"127.0.0.1:{site.port} answered {status}" in str(error) and said in str(error.hint)
    assert (
        len(site.asked) == 1 and not waits and error.exit_code == (4 if isinstance(error, AuthError) else 5)
    )


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_passing_failures_are_tried_again(site: Site, waits: list[float], status: int) -> None:
    """An answer that may be another the next time is asked for again, after longer and longer waits that are not all the same."""
    left = [status] * 3
    site.pages["/a"] = lambda asked: Answer(left.pop() if left else 200, body=b"fine")
    assert Web().get(site.url("/a")).body == b"fine"
    assert len(waits) == 3 and waits[0] < 0.5 < waits[2] < 2 and len(site.asked) == 4


def test_a_failure_that_does_not_pass(site: Site, waits: list[float]) -> None:
    """After five tries it is an error that says how many there were."""
    site.pages["/a"] = lambda asked: Answer(503)
    error = error_of(lambda: Web().get(site.url("/a")))
    assert isinstance(error, Transient) and "503" in str(error) and "5 tries" in str(error)
    assert len(site.asked) == 5 and len(waits) == 4


def test_a_wait_that_is_asked_for_is_waited(site: Site, waits: list[float]) -> None:
    """As long as the server says; and not at all if that is longer than anybody waits: then the error says how long."""
    answers = [
        Answer(429, {"Retry-After": "7"}),
        Answer(429, {"RateLimit": '"api";r=0;t=9'}),
        Answer(403, {"Retry-After": "3"}),
    ]
    site.pages["/a"] = lambda asked: answers.pop(0) if answers else Answer()
    Web().get(site.url("/a"))
    assert [int(wait) for wait in waits] == [7, 9, 3]
    answers[:] = [Answer(429, {"Retry-After": "86400"})]
    error = error_of(lambda: Web().get(site.url("/a")))
    assert isinstance(error, Transient) and error.retry_after == 86_400 and "86,400 seconds" in str(error)
    assert len(waits) == 3


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12), ({"retry-after": "1.5"}, 1.5), ({"retry-after": formatdate(1_000_060, usegmt=True)}, 60),
        ({"retry-after": formatdate(999_000, usegmt=True)}, 0), ({"retry-after": "-5"}, 0), ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None), ({"retry-after": "inf"}, None), ({"retry-after": ""}, None),
        ({"ratelimit": '"api";r=0;t=55'}, 55), ({"ratelimit": '"api";r=4;t=55'}, None), ({"ratelimit": "r=0"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, 30), ({"ratelimit-remaining": "1", "ratelimit-reset": "30"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2000000090"}, 1_999_000_090), ({}, None),
    ],
)  # fmt: skip
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, dates and rate limits are understood; what is malformed asks for nothing."""
    assert wait_asked(headers, now=1_000_000.0) == seconds


def test_an_answer_that_is_cut_off_is_asked_for_again(site: Site, waits: list[float]) -> None:
    """Part of an answer is none."""
    cuts = [3, 3]
    site.pages["/a"] = lambda asked: Answer(body=b"0123456789", cut=cuts.pop() if cuts else None)
    assert Web().get(site.url("/a")).body == b"0123456789" and len(waits) == 2


# -- no answer -------------------------------------------------------------------------------------------------------


def test_a_name_that_nobody_has(waits: list[float]) -> None:
    """An unknown host is an error that names it."""
    error = error_of(lambda: Web().get(f"https://no-such-host.invalid/a?token={SECRET}"))
    assert isinstance(error, NetworkError) and "no-such-host.invalid" in str(error)


def test_nothing_listens(waits: list[float]) -> None:
    """A refused connection may pass: tried again, then an error that says so."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = error_of(lambda: Web().get(f"http://127.0.0.1:{taken.getsockname()[1]}/"))
    assert isinstance(error, Transient) and "refuses connections" in str(error) and len(waits) == 4


def test_nothing_comes(waits: list[float]) -> None:
    """A server that accepts and says nothing is given up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = error_of(lambda: Web(timeout=0.1).get(f"http://127.0.0.1:{silent.getsockname()[1]}/"))
    assert isinstance(error, Transient) and "within 0.1 seconds" in str(error)


def test_what_is_no_http(waits: list[float]) -> None:
    """Another protocol behind an address is an error, not a crash."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            for _ in range(5):
                with server.accept()[0] as connection:
                    connection.sendall(b"220 mail.example ESMTP\r\n")
                    connection.recv(65536)  # closed with something unread, it would be a reset

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        error = error_of(lambda: Web().get(f"http://127.0.0.1:{port}/"))
        assert isinstance(error, Transient) and "before its answer was whole" in str(error)
        thread.join(10)


def test_a_connection_that_is_reset(waits: list[float]) -> None:
    """It may pass: tried again, then an error that says so."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def reset() -> None:
            for _ in range(5):
                connection, _ = server.accept()
                connection.recv(1)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()

        thread = threading.Thread(target=reset, daemon=True)
        thread.start()
        error = error_of(lambda: Web().get(f"http://127.0.0.1:{server.getsockname()[1]}/"))
        thread.join(10)
    assert isinstance(error, Transient) and "127.0.0.1" in str(error) and len(waits) == 4


def test_a_name_that_cannot_be_looked_up_now(waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the one who knows names does not answer, it is tried again."""

    def later(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", later)
    error = error_of(lambda: Web().get("https://h.example/"))
    assert isinstance(error, Transient) and "h.example cannot be looked up now" in str(error)


def test_a_proxy_that_does_not_work(site: Site, waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the proxy that is named, with the variables; its password is not."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTP_PROXY", f"http://me:{SECRET}@127.0.0.1:{taken.getsockname()[1]}")
        error = error_of(lambda: Web().get("http://far.example/a"))
    assert "the proxy on the way to far.example refuses connections" in str(error)
    monkeypatch.setenv("HTTP_PROXY", f"http://me:{SECRET}@no-such-host.invalid:80")
    error = error_of(lambda: Web().get("http://far.example/a"))
    assert "proxy" in str(error) and "HTTP_PROXY" in str(error.hint)
    monkeypatch.setenv("HTTP_PROXY", site.url("").replace("//", f"//me:{SECRET}@"))
    site.pages["http://far.example/a"] = lambda asked: Answer(407)
    assert "HTTP_PROXY" in str(error_of(lambda: Web().get("http://far.example/a")).hint)
    monkeypatch.setenv("HTTPS_PROXY", site.url(""))
    assert "did not let the request through" in str(error_of(lambda: Web().get("https://far.example/a")))


def test_errors_that_come_packed_or_slowly(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The beginning of an error is read unpacked, and is not waited for; one that cannot be unpacked is left out."""
    site.pages["/a"] = lambda asked: Answer(404, {"Content-Encoding": "gzip"}, gzip.compress(b'{"why": 1}'))
    error = error_of(lambda: Web().get(site.url("/a")))
    assert isinstance(error, HttpError) and error.body == b'{"why": 1}'
    site.pages["/a"] = lambda asked: Answer(404, {"Content-Encoding": "gzip"}, b"not packed")
    error = error_of(lambda: Web().get(site.url("/a")))
    assert isinstance(error, HttpError) and error.body == b""
    monkeypatch.setattr(web, "GLANCE_SECONDS", 0)
    site.pages["/a"] = lambda asked: Answer(404, {"Content-Length": "3000"}, b"x" * 10)
    error = error_of(lambda: Web().get(site.url("/a")))
    assert isinstance(error, HttpError) and error.body == b"x" * 10


@pytest.mark.parametrize(
    "url",
    ["ftp://h/a", "https:///a", "h/a", "https://h:99999/", "https://[::1/", "http://h:0/", "https://\x00/"],
)
def test_what_is_no_address(url: str) -> None:
    """An address that cannot be asked is refused."""
    assert isinstance(error_of(lambda: Web().get(url)), NetworkError)


@pytest.mark.parametrize("token", [f"{SECRET}\nX: y", f"{SECRET}é", f"{SECRET}\0"])
def test_a_credential_that_http_cannot_send(site: Site, waits: list[float], token: str) -> None:
    """It is in no message, and sends no header of its own."""
    auth = Auth(f"Bearer {token}", frozenset({f"127.0.0.1:{site.port}"}))
    assert "cannot be sent" in str(error_of(lambda: Web().get(site.url("/a"), auth=auth)))
    assert not site.asked and SECRET not in repr(auth)


@pytest.mark.parametrize(
    ("name", "value"),
    [("SSL_CERT_FILE", "/no/such/file"), ("HTTPS_PROXY", "gopher://h"), ("ALL_PROXY", "socks5://h:1")],
)
def test_settings_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """What the environment names and nobody can use is said by the variables."""
    monkeypatch.setenv(name, value)
    assert name in str(error_of(lambda: Web().get("https://127.0.0.1:1/")).hint)


# -- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[Site]:
    """A server whose certificate is of 127.0.0.1, by an authority that nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Site(context) as made:
        yield made


def trust(authority: trustme.CA, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))


def test_a_certificate_that_nobody_knows(secure: Site, waits: list[float]) -> None:
    """It is refused before anything is sent, with host, reason, and what to do."""
    error = error_of(
        lambda: Web().get(secure.url("/a"), auth=Auth(SECRET, frozenset({f"127.0.0.1:{secure.port}"})))
    )
    assert isinstance(error, NetworkError) and not isinstance(error, Transient)
    assert (
        f"certificate of 127.0.0.1:{secure.port}" in str(error)
        and "clock" in str(error)
        and "SSL_CERT_FILE" in str(error)
    )
    assert not secure.asked and not waits


def test_an_authority_that_is_named(
    secure: Site, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE names whom to trust; a certificate of another host is refused still."""
    trust(authority, tmp_path, monkeypatch)
    secure.pages["/a"] = file(DATA)
    assert Web().get(secure.url("/a")).body == DATA
    assert "localhost" in str(error_of(lambda: Web().get(secure.url("/a", host="localhost"))))


def test_http2_where_it_is_offered(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that speaks HTTP/2 is spoken to so, many requests on one connection; files and their parts are the same."""
    trust(authority, tmp_path, monkeypatch)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Http2Site(context, file(DATA)) as site:
        web = Web()
        assert web.get(site.url("/a")).body == DATA
        told = web.head(site.url("/a"))
        assert told.validator.size == len(DATA) and told.ranges
        with web.origin(site.url("/a")).open(10, 20, told.validator) as body:
            assert (body.start, b"".join(body)) == (10, DATA[10:20])
        assert [asked.method for asked in site.asked] == ["GET", "HEAD", "GET"] and site.connections == 1
        # Much is asked for by HTTP/1.1, but for those who do not speak that.
        assert whole(web, site.url("/a")) == whole(web, site.url("/a")) == DATA
        assert site.connections == 2
        web.close()


def test_plain_http_where_tls_is_expected(site: Site, waits: list[float]) -> None:
    """A port that speaks no TLS says so."""
    error = error_of(lambda: Web().get(site.url("/a").replace("http:", "https:")))
    assert "expected TLS" in str(error) and "plain http" in str(error)


def test_no_way_back_from_https(
    secure: Site, site: Site, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect from https to http is refused, whoever the host is."""
    trust(authority, tmp_path, monkeypatch)
    site.pages["/a"] = file(DATA)
    secure.pages["/a"] = redirect(site.url("/a"))
    assert "stays with https" in str(error_of(lambda: Web().get(secure.url("/a"))))
    assert not site.asked


# -- redirects -------------------------------------------------------------------------------------------------------


def test_credentials_stay_with_their_host(site: Site) -> None:
    """Behind a redirect to another name, neither the credential nor a header of the caller's own is sent; back home both are."""
    site.pages["/a"] = redirect(site.url("/b", host="localhost"))
    site.pages["/b"] = redirect(site.url("/c"), 307)
    site.pages["/c"] = file(DATA)
    auth = Auth(f"Bearer {SECRET}", frozenset({f"127.0.0.1:{site.port}"}))
    web, mine = Web(), {"X-Api-Key": SECRET, "Cookie": SECRET}
    for read in (
        lambda: web.get(site.url("/a"), auth=auth, headers=mine).body,
        lambda: whole(web, site.url("/a"), auth, mine),
    ):
        site.asked.clear()
        assert read() == DATA
        home, away, back = site.asked
        assert home.headers["authorization"] == back.headers["authorization"] == f"Bearer {SECRET}"
        assert home.headers["x-api-key"] == back.headers["x-api-key"] == SECRET
        assert not away.own and SECRET not in str(away)


def whole(web: Web, url: str, auth: Auth | None = None, headers: dict[str, str] | None = None) -> bytes:
    with web.origin(url, auth=auth, headers=headers).open() as body:
        return b"".join(body)


def test_a_server_says_nobody_s_password(site: Site) -> None:
    """A user in a redirect is not taken for whom to be."""
    site.pages["/a"] = redirect(f"http://me:{SECRET}@127.0.0.1:{site.port}/b")
    site.pages["/b"] = file(DATA)
    assert Web().get(site.url("/a")).body == DATA and "authorization" not in site.asked[1].headers


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("/a", "circle"),
        ("/next?", "at most 10"),
        ("file:///etc/passwd", "web"),
        ("ftp://h/a", "web"),
        ("data:text/csv,a", "address"),
        ("http://", "circle"),
        ("http://[::1", "http"),
        ("http://h\u2100/", "http"),
        ("//", "circle"),
    ],
)
def test_redirects_that_lead_nowhere(site: Site, waits: list[float], to: str, said: str) -> None:
    """Circles, chains without end and other schemes are refused."""
    site.pages["/a"] = site.pages["/next"] = lambda asked: Answer(
        302, {"Location": to + str(len(site.asked)) if to == "/next?" else to}
    )
    assert said in str(error_of(lambda: Web().get(site.url("/a")))) and len(site.asked) < 15


def test_a_redirect_that_sets_a_cookie(site: Site) -> None:
    """A page that sends one back to itself with a cookie is passed."""

    def page(asked: Asked) -> Answer:
        return (
            Answer(body=b"in")
            if "seen=1" in asked.headers.get("cookie", "")
            else Answer(302, {"Location": "/a", "Set-Cookie": "seen=1"})
        )

    site.pages["/a"] = page
    assert Web().get(site.url("/a")).body == b"in"


def test_a_form_that_leads_to_a_page(site: Site) -> None:
    """What was sent is not sent on where a server answers 303, and is where it answers 307."""
    site.pages["/a"], site.pages["/b"] = redirect("/c", 303), redirect("/c", 307)
    site.pages["/c"] = lambda asked: Answer(
        body=f"{asked.method} {asked.headers.get('content-length')}".encode()
    )
    assert Web().get(site.url("/a"), method="POST", content=b"{}").body == b"GET None"
    assert Web().get(site.url("/b"), method="POST", content=b"{}").body == b"POST 2"


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 is taken for a public address, ``localhost`` is not: what leads from one to the other is watched."""
    real = trail.is_private
    monkeypatch.setattr(trail, "is_private", lambda address: address != "127.0.0.1" and real(address))


def test_a_public_host_does_not_lead_into_the_network(site: Site, outside: None) -> None:
    """A redirect to a private address is refused by its name, before anything is asked there."""
    site.pages["/b"] = file(DATA)
    for private in (
        site.url("/b", host="localhost"),
        f"http://127.0.0.2:{site.port}/b",
        f"http://[::ffff:7f00:2]:{site.port}/b",
    ):
        site.pages["/a"] = redirect(private)
        error = error_of(lambda: Web().get(site.url("/a")))
        assert "private network" in str(error) and "give that address itself" in str(error.hint)
    assert {asked.path for asked in site.asked} == {"/a"}


def test_a_name_that_means_a_private_address(
    site: Site, outside: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect is refused by what its name resolves to; and by the address that was connected to, if that turns out another one."""
    site.pages["/a"] = redirect(f"http://innocent.example:{site.port}/b")
    answers = {"innocent.example": "127.0.0.2"}
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: real(answers.get(host, host), *rest, **more)
    )
    assert "innocent.example (127.0.0.2)" in str(error_of(lambda: Web().get(site.url("/a"))))
    monkeypatch.setattr(
        trail, "resolve", lambda host: ["8.8.8.8"]
    )  # the name's owner says another thing when asked again
    assert "innocent.example (127.0.0.2)" in str(error_of(lambda: Web().get(site.url("/a"))))
    assert {asked.path for asked in site.asked} == {"/a"}


def test_a_connection_that_is_open_is_no_way_in(
    site: Site, outside: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the user's own request has a connection to a private host, a redirect does not use it."""
    monkeypatch.setattr(trail, "resolve", lambda host: ["8.8.8.8"])
    monkeypatch.setattr(trail, "is_private", lambda address: address == "127.0.0.2")
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: real("127.0.0.2" if host == "inner.example" else host, *rest, **more),
    )
    site.pages["/b"] = file(DATA)
    site.pages["/a"] = redirect(f"http://inner.example:{site.port}/b")
    web = Web()
    assert web.get(f"http://inner.example:{site.port}/b").body == DATA
    assert "private network" in str(error_of(lambda: web.get(site.url("/a"))))


def test_private_hosts_lead_where_they_like(site: Site) -> None:
    """Who asks a host of his own is led on by it."""
    site.pages["/a"], site.pages["/b"] = redirect(site.url("/b", host="localhost")), file(DATA)
    assert Web().get(site.url("/a")).body == DATA


def test_a_public_list_does_not_name_private_files(
    site: Site, outside: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that a public page names is held to what a redirect from there is held to."""
    site.pages["/b"] = file(DATA)
    monkeypatch.setattr(web, "is_private", trail.is_private)
    named = Web().origin(site.url("/b", host="localhost"), named_by=site.url("/index"))
    assert "private network" in str(error_of(named.open)) and not site.asked
    with (
        Web()
        .origin(site.url("/b", host="localhost"), named_by=site.url("/index", host="localhost"))
        .open() as body
    ):
        assert b"".join(body) == DATA


def test_a_proxy_is_used(site: Site, outside: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests go through the proxy of the environment, which looks names up; a redirect to a private address is refused still."""
    monkeypatch.setenv("HTTP_PROXY", site.url(""))
    site.pages["http://far.example/a"] = redirect("http://farther.example/b")
    site.pages["http://farther.example/b"] = file(DATA)
    assert Web().get("http://far.example/a").body == DATA
    site.pages["http://far.example/a"] = redirect("http://10.0.0.1/b")
    assert "10.0.0.1" in str(error_of(lambda: Web().get("http://far.example/a")))


# -- files -----------------------------------------------------------------------------------------------------------


def test_a_file_and_its_parts(site: Site) -> None:
    """The whole, or a part, with what tells its state; bytes are asked for as they are."""
    site.pages["/a"] = file(DATA)
    origin = Web().origin(site.url(f"/a?sig={SECRET}&v=1"))
    assert SECRET not in origin.name + origin.identity and origin.identity.endswith("/a?v=1")
    with origin.open() as body:
        first = body.validator
        assert (body.start, body.ranges, body.reason, first.size, b"".join(body)) == (
            0,
            True,
            None,
            len(DATA),
            DATA,
        )
    with origin.open(100, 200, first) as body:
        assert (body.start, body.reason, body.validator, b"".join(body)) == (100, None, first, DATA[100:200])
    assert (
        site.asked[1].headers["range"] == "bytes=100-199" and site.asked[1].headers["if-range"] == first.etag
    )
    assert all(asked.headers["accept-encoding"] == "identity" for asked in site.asked)


@pytest.mark.parametrize(
    ("page", "why"), [(file(DATA[::-1]), "has changed"), (file(DATA, ranges=False), "no parts")]
)
def test_why_everything_comes(site: Site, page: Callable[[Asked], Answer], why: str) -> None:
    """Where a part was asked for and everything comes, the reason is said."""
    site.pages["/a"] = page
    known = Validator(next(iter([file(DATA)(Asked("/a")).headers["ETag"]])), MODIFIED, len(DATA))
    with Web().origin(site.url("/a")).open(100, None, known) as body:
        assert body.start == 0 and why in str(body.reason)


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ("bytes 0-99/10240", 100), ("bytes 101-199/10240", 99), ("bytes 100-99/10240", 0), ("bytes 100-199/150", 100), ("bytes 100-250/10240", 151),
        ("bytes 100-199/10240", 90), ("pages 100-199/10240", 100), ("", 100), ("bytes 100-199/-1", 100), ("bytes 100-1" + "9" * 30 + "/*", 100),
    ],
)  # fmt: skip
def test_parts_that_are_not_those_asked_for(site: Site, said: str, size: int) -> None:
    """An answer with another part, or one that does not add up, is refused; so are several parts at once."""
    headers = {"Content-Range": said} if said else {"Content-Type": "multipart/byteranges; boundary=x"}
    site.pages["/a"] = lambda asked: Answer(206, headers, DATA[:size])
    assert "expected the bytes from 100" in str(error_of(lambda: Web().origin(site.url("/a")).open(100, 200)))


def test_a_part_that_is_not_there(site: Site) -> None:
    """Beyond its end a file has nothing: an error with that status."""
    site.pages["/a"] = file(DATA)
    error = error_of(lambda: Web().origin(site.url("/a")).open(len(DATA)))
    assert isinstance(error, HttpError) and error.status == 416


@pytest.mark.parametrize("status", [201, 202, 204, 205, 300, 304])
def test_answers_that_are_no_file(site: Site, status: int) -> None:
    """What is neither an error nor a file is an error here; a file that is being prepared may be there later."""
    site.pages["/a"] = lambda asked: Answer(status, {"Retry-After": "9"})
    error = error_of(lambda: Web().origin(site.url("/a")).open())
    assert str(status) in str(error) and isinstance(error, Transient) == (status == 202)
    assert not isinstance(error, Transient) or error.retry_after == 9


def test_bytes_that_were_packed_on_the_way(site: Site) -> None:
    """They are not those of the file, and refused; a packed file that is described as what it is comes as it is."""
    packed = gzip.compress(DATA)
    site.pages["/a.csv"] = site.pages["/a.csv.gz"] = file(packed, {"Content-Encoding": "gzip"})
    assert "packed (gzip)" in str(error_of(lambda: whole(Web(), site.url("/a.csv"))))
    assert whole(Web(), site.url("/a.csv.gz?x=1")) == packed


def test_a_size_that_nobody_says(site: Site) -> None:
    """A file that comes in chunks has no size, and ends where it ends."""
    site.pages["/a"] = file(DATA, {"Transfer-Encoding": "chunked"}, ranges=False)
    with Web().origin(site.url("/a")).open() as body:
        assert body.validator.size is None and not body.ranges and b"".join(body) == DATA


def test_a_file_that_is_shorter_than_its_length(site: Site) -> None:
    """The connection that ends too early is a passing failure, after all bytes that came."""
    site.pages["/a"] = lambda asked: Answer(
        headers={"Content-Length": str(len(DATA) + 1)}, body=DATA, cut=len(DATA)
    )
    with Web().origin(site.url("/a")).open() as body:
        came = bytearray()
        with pytest.raises(Transient, match="whole"):
            for chunk in body:
                came += chunk
    assert came == DATA


def test_a_digest_that_the_server_states(site: Site) -> None:
    """It is there to be compared."""
    site.pages["/a"] = file(DATA, {"Digest": "MD5=" + "A" * 22 + "=="})
    with Web().origin(site.url("/a")).open() as body:
        assert body.digests == {"md5": "00" * 16}


@pytest.mark.parametrize("refused", [405, 501, 403, 404, 400, 500, 503])
def test_what_is_said_of_a_file(site: Site, refused: int) -> None:
    """Asked by HEAD or, where that is refused, for the first byte; nothing of the file is read."""
    site.pages["/a"] = file(DATA, {"Content-Disposition": "attachment"})
    told = Web().head(site.url("/a"))
    assert [asked.method for asked in site.asked] == ["HEAD"]
    assert (told.validator.size, told.ranges, told.headers["content-disposition"]) == (
        len(DATA),
        True,
        "attachment",
    )
    good = site.pages["/a"]
    site.pages["/a"] = lambda asked: Answer(refused) if asked.method == "HEAD" else good(asked)
    again = Web().head(site.url("/a"))
    assert again.validator == told.validator and site.asked[-1].headers["range"] == "bytes=0-0"
    site.pages["/a"] = lambda asked: Answer(404)
    assert "404" in str(error_of(lambda: Web().head(site.url("/a"))))


def test_connections_are_used_again(site: Site) -> None:
    """Small redirects and errors do not cost a connection each."""
    site.pages["/a"], site.pages["/b"] = redirect("/b"), lambda asked: Answer(404, body=b"no")
    opened: list[object] = []
    real = socket.create_connection

    def count(*args: object, **more: object) -> object:
        opened.append(args)
        return real(*args, **more)  # type: ignore[arg-type]

    web = Web()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "create_connection", count)
        for _ in range(5):
            error_of(lambda: web.get(site.url("/a")))
    assert len(opened) == 1 and len(site.asked) == 10
    web.close()


def test_many_threads_share_one(site: Site) -> None:
    """One pool serves requests of many threads at once."""
    site.pages["/a"] = file(DATA)
    web, found = Web(), []
    threads = [
        threading.Thread(target=lambda: found.append(web.get(site.url("/a")).body == DATA)) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 30
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    assert found == [True] * 16
