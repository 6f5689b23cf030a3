"""One pass over the bytes gives every digest that was asked for."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import BadDigest, MultiHasher, as_digest, digest_bytes, hash_bytes, hash_file
from store.digest import hash_stream

EMPTY = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
"""BLAKE3 of nothing, from the official test vectors."""


def test_empty_input_has_the_published_digest() -> None:
    """The digest is BLAKE3-256 as its authors' test vectors have it."""
    assert digest_bytes(b"") == EMPTY


@given(st.binary(max_size=3000))
def test_secondary_digests_are_those_of_hashlib(data: bytes) -> None:
    """MD5 and SHA-256 of the same bytes stand beside the digest."""
    hashes = hash_bytes(data, ["sha256", "md5"])
    assert hashes.md5 == hashlib.md5(data).hexdigest()
    assert hashes.sha256 == hashlib.sha256(data).hexdigest()
    assert (hashes.digest, hashes.size) == (digest_bytes(data), len(data))
    assert hashes.covers(["md5", "sha256"]) and not hash_bytes(data).covers(["md5"])


def test_threads_and_chunks_do_not_change_a_digest(tmp_path: Path) -> None:
    """Hashing a file, a stream or in several threads gives what hashing the bytes gives."""
    data = bytes(range(256)) * 40_000
    (tmp_path / "file").write_bytes(data)
    expected = hash_bytes(data, ["md5", "sha256"])
    assert hash_file(tmp_path / "file", ["md5", "sha256"]) == expected
    threaded = MultiHasher(["sha256", "md5"], threads=2)
    for start in range(0, len(data), 1 << 20):
        threaded.update(data[start : start + (1 << 20)])
    assert threaded.finish() == expected
    copied: list[bytes] = []
    assert hash_stream(io.BytesIO(data), ["md5", "sha256"], copied.append) == expected
    assert b"".join(copied) == data
    assert hash_stream(io.BytesIO(data)).digest == expected.digest


@pytest.mark.parametrize(
    "text", ["", "ab", EMPTY.upper(), EMPTY + "0", EMPTY + "\n", "../" + EMPTY[3:], None, 5]
)
def test_only_64_lower_case_hex_digits_are_a_digest(text: object) -> None:
    """Nothing else can become part of a path."""
    with pytest.raises(BadDigest, match="64 lower-case"):
        as_digest(text)


def test_unknown_hash_is_refused() -> None:
    """A secondary digest that does not exist is a programming error that names those that do."""
    with pytest.raises(ValueError, match="expected some of md5, sha256"):
        hash_bytes(b"", ["sha1"])
