"""A program that logs everything logs no secret of a request."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from mldata.download.logs import WIRE
from mldata.download.web import Auth, Web
from tests.servers.http2 import Http2Site
from tests.servers.web import Site, file, redirect

SECRET = "s3cret-of-mine"


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All that is logged while a level is set for all libraries at once."""
    before = {name: logging.getLogger(name).level for name in WIRE}
    for name in WIRE:
        logging.getLogger(name).setLevel(logging.NOTSET)
    caplog.set_level(logging.DEBUG)
    yield caplog
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_addresses(logged: pytest.LogCaptureFixture) -> None:
    """Neither a key that is a parameter, nor the signature that a redirect adds, nor who asks; the rest of the address is there."""
    with Site() as site:
        site.pages["/a"] = redirect(site.url(f"/b?X-Amz-Signature={SECRET}&part=3"))
        site.pages["/b"] = file(b"data")
        web = Web()
        auth = Auth(f"Bearer {SECRET}", frozenset({f"127.0.0.1:{site.port}"}))
        assert web.get(site.url(f"/a?api_key={SECRET}&of=iris"), auth=auth).body == b"data"
        web.close()
        assert SECRET in site.asked[0].headers["authorization"] and SECRET in site.asked[1].path
    assert "/a?of=iris" in logged.text and SECRET not in logged.text


def test_headers_of_http2(
    logged: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP/2 packs headers by a library that would log each of them."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Http2Site(context, file(b"data")) as site:
        web = Web()
        host = site.url("").removeprefix("https://")
        assert web.get(site.url("/a"), auth=Auth(f"Bearer {SECRET}", frozenset({host}))).body == b"data"
        assert SECRET in site.asked[0].headers["authorization"]
        web.close()
    assert "HTTP/2 200" in logged.text and SECRET not in logged.text


def test_a_level_that_somebody_set_stays(logged: pytest.LogCaptureFixture) -> None:
    """Who asks for just these logs gets them."""
    logging.getLogger("hpack").setLevel(logging.DEBUG)
    with Site() as site:
        site.pages["/a"] = file(b"data")
        web = Web()
        web.get(site.url("/a"))
        web.close()
    assert logging.getLogger("hpack").level == logging.DEBUG
    assert logging.getLogger("httpcore").level == logging.INFO
