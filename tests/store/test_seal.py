"""A seal shows whether somebody wrote to a file."""

from __future__ import annotations

import os
from pathlib import Path

from store import digest_bytes, is_sealed, reseal
from store.seal import seal_nanoseconds, seal_times


def test_a_sealed_file_is_recognised_until_it_is_written(tmp_path: Path) -> None:
    """Any write, through any name, breaks the seal; a change of permissions does not."""
    file, digest = tmp_path / "f", digest_bytes(b"data")
    file.write_bytes(b"data")
    assert not is_sealed(file.stat(), digest)
    assert reseal(file, digest)
    os.link(file, tmp_path / "g")
    os.chmod(file, 0o600)
    assert is_sealed(file.stat(), digest, 4) and not is_sealed(file.stat(), digest, 5)
    (tmp_path / "g").write_bytes(b"DATA")
    assert not is_sealed(file.stat(), digest, 4)


def test_seal_is_derived_from_the_digest() -> None:
    """The nanoseconds are the first 15 hexadecimal digits modulo 10**9, whatever the second."""
    digest = digest_bytes(b"hello\n")
    assert seal_nanoseconds(digest) == int(digest[:15], 16) % 10**9
    assert seal_times(digest, 7) == (7 * 10**9 + seal_nanoseconds(digest),) * 2


def test_what_cannot_be_sealed_is_reported(tmp_path: Path) -> None:
    """A file that is gone is not sealed, and that is no error: content is then verified by hashing."""
    assert reseal(tmp_path / "none", digest_bytes(b"")) is False
