"""Which digests an answer states."""

from __future__ import annotations

import base64
import hashlib

import pytest

from mldata.download.stated import stated_digests

DATA = b"x,y\n1,2\n"
HEX = {kind: hashlib.new(kind, DATA).hexdigest() for kind in ("sha256", "sha1", "md5")}
B64 = {kind: base64.b64encode(bytes.fromhex(value)).decode() for kind, value in HEX.items()}


@pytest.mark.parametrize(
    ("headers", "kinds"),
    [
        ({"repr-digest": f"sha-256=:{B64['sha256']}:, sha-512=:AAAA:"}, ["sha256"]),
        ({"digest": f"SHA-256={B64['sha256']},MD5={B64['md5']}"}, ["sha256", "md5"]),
        ({"digest": f"SHA={B64['sha1']}"}, ["sha1"]),
        ({"content-md5": B64["md5"]}, ["md5"]),
        ({"x-ms-blob-content-md5": B64["md5"]}, ["md5"]),
        ({"x-goog-hash": f"crc32c=n03x6A==, md5={B64['md5']}"}, ["md5"]),
        ({"x-goog-hash": f"md5={B64['md5']}", "x-goog-stored-content-encoding": "gzip"}, []),
        ({"x-amz-checksum-sha256": B64["sha256"], "x-amz-checksum-type": "FULL_OBJECT"}, ["sha256"]),
        ({"x-amz-checksum-sha256": B64["sha256"], "x-amz-checksum-type": "COMPOSITE"}, []),
        ({"x-amz-checksum-sha256": B64["sha256"] + "-3"}, []),
        ({"x-amz-checksum-sha1": B64["sha1"]}, ["sha1"]),
        ({"content-md5": "not base64!"}, []),
        ({"content-md5": B64["sha256"]}, []),
        ({"content-md5": HEX["md5"]}, []),
        ({"repr-digest": "sha-256", "digest": "=,=,,"}, []),
        ({}, []),
    ],
)
def test_what_is_stated(headers: dict[str, str], kinds: list[str]) -> None:
    """Digests of the whole file are read in each form; what is malformed, or of something else, is no statement."""
    assert stated_digests(headers, whole=True) == {kind: HEX[kind] for kind in kinds}


def test_a_part_states_less() -> None:
    """With a part of a file, Content-MD5 is of that part; Repr-Digest is of the whole still."""
    headers = {"content-md5": B64["md5"], "repr-digest": f"sha-256=:{B64['sha256']}:"}
    assert stated_digests(headers, whole=False) == {"sha256": HEX["sha256"]}
