"""What of an address may be shown, and which hosts are private."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.download.addresses import (
    authority,
    has_secret,
    insecure,
    is_loopback,
    is_private,
    public,
    resolve,
)

SIGNED = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F1&X-Amz-Date=20260101T000000Z&X-Amz-Signature=5ec2e7"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h/a.csv", "https://h/a.csv"),
        ("https://user:pw@h:8443/a.csv", "https://h:8443/a.csv"),
        ("https://h/a.csv?version=2&download=1#sha256=ab", "https://h/a.csv?version=2&download=1"),
        (f"https://h/a.csv?{SIGNED}&versionId=7", "https://h/a.csv?versionId=7"),
        ("https://h/a.csv?sv=2024&se=2026-01-01&sp=r&sig=c2Vj", "https://h/a.csv"),
        ("https://h/a.csv?Expires=17&Signature=abc~&Key-Pair-Id=K", "https://h/a.csv"),
        ("https://h/a.csv?expires=never&page=2", "https://h/a.csv?expires=never&page=2"),
        ("https://h/a.csv?a=%20b&TOKEN=x&c", "https://h/a.csv?a=%20b&c"),
        ("https://h/a.csv?%74oken=x", "https://h/a.csv"),
        ("https://h/a.csv?api_key=x", "https://h/a.csv"),
    ],
)
def test_what_is_shown_has_no_secret(url: str, shown: str) -> None:
    """User, password, signature, and what goes with it, are left out; all else stands as it was written."""
    assert public(url) == shown == public(shown)
    assert has_secret(url) == (
        public(url).count("&") < url.count("&") or "token" in url.lower() or "%74" in url or "api_key" in url
    )


@pytest.mark.parametrize(
    "url",
    ["https://me:s3cret@[x/a?sig=s3cret", "http://[::1?token=s3cret", "https://h\u2100/?sig=s3cret#s3cret"],
)
def test_what_is_no_address_has_no_secret_either(url: str) -> None:
    """What cannot be taken apart is shown without all that may be a secret."""
    assert has_secret(url) and "s3cret" not in public(url)


PLAIN = st.text(st.characters(exclude_characters="?#&="))


@given(PLAIN, PLAIN, st.sampled_from(["sig", "token", "X-Amz-Signature"]))
def test_whatever_is_written(host: str, more: str, name: str) -> None:
    """No text makes it fail, and no secret parameter gets through."""
    for url in (f"https://{host}/a?{more}&{name}=s3cret", f"{host}?{name}=s3cret&{more}"):
        assert has_secret(url) and "s3cret" not in public(url)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://Data.Example.org/x", "data.example.org"),
        ("https://a:b@h:443/", "h"),
        ("http://h:80", "h"),
        ("http://h:443", "h:443"),
        ("https://[::1]:8000/", "[::1]:8000"),
    ],
)
def test_authority(url: str, name: str) -> None:
    """One host and port has one name."""
    assert authority(url) == name


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "localhost", "LOCALHOST.", "a.localhost", "printer.local", "[::1]"],
)  # fmt: skip
def test_private_addresses(address: str) -> None:
    """Addresses of this machine, its network, and groups are private, in whatever form they are written."""
    assert is_private(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "example.org", "localhost.example.org"],
)
def test_public_addresses(address: str) -> None:
    """Others are public, and names that are looked up say nothing by themselves."""
    assert not is_private(address)


def test_names_are_looked_up() -> None:
    """A name has the addresses that this machine finds for it; one that nobody has, none."""
    assert "127.0.0.1" in resolve("localhost") and all(map(is_private, resolve("localhost")))
    assert resolve("no-such-host.invalid") == [] == resolve("a" * 70 + ".org")


def test_plain_http_warns() -> None:
    """Whoever is on the way can change what comes by http, but for this machine; the warning has no secret in it."""
    warned = insecure("http://h/a.csv?token=s3cret")
    assert warned is not None and "http://h/a.csv" in warned and "s3cret" not in warned
    assert insecure("https://h/a") is None and insecure("http://localhost:1/a") is None
    assert is_loopback("[::1]") and is_loopback("127.0.0.1") and not is_loopback("printer.local")
    assert insecure("http://[::1]/a") is None and insecure("http://192.168.1.1/a") is not None
