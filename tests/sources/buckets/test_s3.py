"""What a bucket of S3 is as a source."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar, cast
from unittest import mock

import pytest

pytest.importorskip("s3fs", reason="the extra s3 is not installed")

from mldata.download.base import Transient
from mldata.errors import AuthError, MissingExtra, NetworkError, SourceError
from mldata.sources import open_source
from mldata.sources.base import RemoteSource
from mldata.testing import RemotePlace, RemoteSourceContract
from mldata.testing.expect import raises
from mldata.testing.places import fetch
from tests.servers.s3 import BUCKET, s3


@pytest.mark.no_cover
class TestS3(RemoteSourceContract):
    """``s3://`` by s3fs, from moto's server."""

    malformed = (
        "s3://",
        "s3:///a.csv",
        "s3://b",
        "s3://user:secret@bucket/a",
        "s3://a b/c",
        "s3://user@bucket/a",
    )
    lacks: ClassVar[Mapping[str, str]] = {
        "old": "a bucket is read as it is now",
        "gate": "a bucket has no terms to accept",
        "rename": "a bucket cannot be renamed",
        "move": "bytes come from the service itself",
    }

    def serve(self, folder: Path) -> AbstractContextManager[RemotePlace]:
        return s3()

    @contextmanager
    def login(self, token: str) -> Iterator[None]:
        with mock.patch.dict(os.environ, {"AWS_ACCESS_KEY_ID": token, "AWS_SECRET_ACCESS_KEY": token}):
            yield


def opened(text: str) -> RemoteSource:
    return cast(RemoteSource, cast(Any, open_source(text, Path("/"))))


def read(text: str) -> dict[str, bytes]:
    source = opened(text)
    return fetch(source, source.resolve())


FILES = {
    "data/a.csv": b"a", "data/b.csv": b"b", "data/sub/c.csv": b"c", "data/sub/d.txt": b"d", "data2/e.csv": b"e",
    "top.csv": b"t", "data/we[i]rd.csv": b"w", "data/100%25.csv": b"p", "data/a b+c&d=e#f.csv": b"s",
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("top.csv", ["top.csv"]),
        ("data/sub", ["c.csv", "d.txt"]),
        ("data/sub/", ["c.csv", "d.txt"]),
        ("data/*/*", ["sub/c.csv", "sub/d.txt"]),
        ("data/?.csv", ["a.csv", "b.csv"]),
        ("data/a*.csv", ["a b+c&d=e#f.csv", "a.csv"]),
        ("data/we[i]rd.csv", ["we[i]rd.csv"]),
        ("data/**/*.txt", ["sub/d.txt"]),
        ("*.csv", ["top.csv"]),
        ("data*/?.csv", ["data/a.csv", "data/b.csv", "data2/e.csv"]),
        ("data/100%25.csv", ["100%25.csv"]),
        ("data/a b+c&d=e#f.csv", ["a b+c&d=e#f.csv"]),
    ],
)
def test_keys_folders_and_patterns(path: str, names: list[str]) -> None:
    """A key is taken as it is written; a folder and a pattern are what they are on this machine, with names relative to them."""
    with s3() as place:
        place.put(FILES)
        found = read(f"s3://{BUCKET}/{path}")
        assert list(found) == names
        assert set(found.values()) <= set(FILES.values())


@pytest.mark.no_cover
def test_a_pattern_lists_what_it_must() -> None:
    """The list is narrowed to keys that begin as the pattern does, so that a large bucket is not listed for a few files."""
    with s3() as place:
        place.put({**FILES, **{f"data/n-{number}.csv": b"n" for number in range(2500)}})
        place.requests.clear()
        assert [file.name for file in opened(f"s3://{BUCKET}/data/b*.csv").resolve().files] == ["b.csv"]
        assert len(place.requests) == 1


def test_placeholders_are_no_files() -> None:
    """What consoles and programs put in the place of a folder is left out, and so are hidden files, which are counted."""
    with s3() as place:
        place.put({"data/": b"", "data/sub/": b"", "data/sub/a.csv": b"a", "data/empty.csv": b"", "data/.DS_Store": b"x"})  # fmt: skip
        found = opened(f"s3://{BUCKET}/data").resolve()
        assert [file.name for file in found.files] == ["empty.csv", "sub/a.csv"]
        assert found.facts == {"ignored": {".DS_Store": 1}}
        place.add({"data/.hidden": b"x"})
        assert (
            opened(f"s3://{BUCKET}/data").resolve().revision != found.revision
        )  # what is told of it is another


def test_other_names_of_the_scheme() -> None:
    """``s3a://`` is ``s3://``."""
    assert (
        opened(f"s3a://{BUCKET}/a").key == opened(f"s3://{BUCKET}/a").key == opened(f"S3://{BUCKET}/a/").key
    )


def test_an_etag_is_not_always_an_md5() -> None:
    """The MD5 is stated for what was put in one piece, and for nothing that was put in parts or is encrypted with a key of its own."""
    with s3() as place:
        place.put({"plain.csv": b"x" * 10})
        place.add({"kms.csv": b"x" * 10}, encryption="aws:kms")
        place.add_parts("parts.csv", [b"x" * (5 << 20), b"y"])
        source = opened(f"s3://{BUCKET}")
        stated = {}
        for file in source.resolve().files:
            assert not file.digests and file.version
            with source.origin(file).open() as body:
                stated[file.name] = dict(body.digests).get("md5")
                assert len(b"".join(body)) == file.size
        assert stated == {"plain.csv": hashlib.md5(b"x" * 10).hexdigest(), "kms.csv": None, "parts.csv": None}


def test_credentials_that_do_not_help_are_not_in_the_way() -> None:
    """A public bucket is read by who has credentials for something else."""
    with s3(AWS_ACCESS_KEY_ID="old", AWS_SECRET_ACCESS_KEY="old") as place:
        place.put({"a.csv": b"a"})
        place.expire("old")
        assert read(f"s3://{BUCKET}") == {"a.csv": b"a"}


def test_an_error_tells_of_both_ways() -> None:
    """Where neither credentials nor asking without them helps, both answers are told, and what to do; no secret is."""
    with s3(AWS_ACCESS_KEY_ID="hunter2", AWS_SECRET_ACCESS_KEY="hunter2") as place:
        place.put({"a.csv": b"a"})
        place.require_token("another")
        place.expire("hunter2")
        error = raises(AuthError, opened(f"s3://{BUCKET}").resolve)
        assert "with the credentials found, access was denied (403 ExpiredToken)" in str(error)
        assert "asked anonymously, access was denied (403 AccessDenied)" in str(error)
        assert "aws configure" in str(error.hint) and "hunter2" not in str(error)


def test_no_such_bucket_and_no_such_key() -> None:
    """Both are told apart."""
    with s3() as place:
        place.put({"a.csv": b"a"})
        assert "no such bucket" in str(raises(SourceError, opened("s3://no-such-bucket").resolve))
        assert "at least one object" in str(raises(SourceError, opened(f"s3://{BUCKET}/b/*.csv").resolve))
        assert "no such object or folder" in str(raises(SourceError, opened(f"s3://{BUCKET}/b.csv").resolve))


def test_a_file_that_changes_while_it_is_read() -> None:
    """What was listed is what is read; where that is gone, the error says that it changed."""
    with s3() as place:
        place.put({"a.csv": b"a" * 100})
        source = opened(f"s3://{BUCKET}")
        file = source.resolve().files[0]
        place.put({"a.csv": b"b" * 100})
        assert "it changed after it was listed" in str(raises(SourceError, source.origin(file).open))


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that is not there is a passing failure that names it, with exit code 5."""
    with s3() as place:
        place.put({"a.csv": b"a"})
        source = opened(f"s3://{BUCKET}")
        resolved = source.resolve()
    with s3(AWS_ENDPOINT_URL="http://127.0.0.1:9"):
        assert "127.0.0.1:9" in str(raises(NetworkError, opened(f"s3://{BUCKET}").resolve))
    assert raises(Transient, lambda: fetch(source, resolved)).exit_code == 5


def test_the_extra_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without s3fs the error names the extra; a source is opened without it."""
    source = opened(f"s3://{BUCKET}")
    monkeypatch.setattr("mldata.sources.bucket.find_spec", lambda name: None if name == "s3fs" else object())
    assert "pip install 'mldata-cli[s3]'" in str(raises(MissingExtra, source.resolve))


def test_opening_one_imports_no_client() -> None:
    """A build with nothing to do opens its sources, and pays for no client."""
    code = (
        "import sys; from pathlib import Path; from mldata.sources import open_source\n"
        "[open_source(it, Path('/')) for it in ('s3://bucket/a', 'gs://bucket/a', 'az://container/a', 'sftp://host/a', 'git+https://h/r')]\n"
        "heavy = {'fsspec', 's3fs', 'gcsfs', 'adlfs', 'sshfs', 'botocore', 'asyncssh', 'httpx', 'aiohttp'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_memory_does_not_grow_with_the_size() -> None:
    """A large object comes in pieces."""
    with s3() as place:
        data = bytes(1 << 20) * 48
        place.put({"large.bin": data})
        source = opened(f"s3://{BUCKET}")
        file = source.resolve().files[0]
        with source.origin(file).open() as body:
            sizes = [len(chunk) for chunk in body]
        assert sum(sizes) == len(data) and max(sizes) <= 4 << 20


def test_who_waits_for_bytes_can_be_let_go() -> None:
    """Closing a body that nothing comes from ends whoever reads it in another thread, as a stalled download is given up."""
    with s3() as place:
        place.put({"a.bin": bytes(9_000_000)})
        source = opened(f"s3://{BUCKET}/a.bin")
        file = source.resolve().files[0]
        place.hang.clear()
        place.cut(3_000_000)
        body = source.origin(file).open()
        came, ended = threading.Event(), []

        def reads() -> None:
            try:
                for _ in body:
                    came.set()
            except NetworkError as error:
                ended.append(error)

        reader = threading.Thread(target=reads)
        reader.start()
        assert came.wait(30)
        body.close()
        reader.join(10)
        alive = reader.is_alive()
        place.hang.set()
        reader.join(60)
        assert not alive and ended
