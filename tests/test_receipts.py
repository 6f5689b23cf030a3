"""Receipts are deterministic, and one that was touched is never trusted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.receipts import Damaged, Receipt, read_receipt, receipt_path, write_receipt
from store import Digest

RECEIPT = Receipt(
    dataset="penguins",
    stage="split",
    version=1,
    params={"seed": 42, "parts": [["träin", 0.8], ["test", 0.2]]},
    inputs={"normalize": Digest("ab" * 32)},
    libraries={"pyarrow": "26.0.1"},
    salt="",
    output=Digest("cd" * 32),
    size=10,
    objects=3,
    rows=344,
    facts={"parts": {"train": 275}},
)


def test_round_trip(tmp_path: Path) -> None:
    """What is written is what is read."""
    path = receipt_path(tmp_path, "penguins", "split")
    write_receipt(path, RECEIPT)
    assert read_receipt(path) == RECEIPT


def test_equal_receipts_leave_the_file_alone(tmp_path: Path) -> None:
    """Writing the same receipt again does not touch the file, so nothing that depends on it looks newer."""
    path = tmp_path / "r.json"
    write_receipt(path, RECEIPT)
    before = path.stat()
    write_receipt(path, RECEIPT)
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino


def test_absent(tmp_path: Path) -> None:
    """No file is no receipt."""
    assert read_receipt(tmp_path / "none.json") is None


def test_truncated_at_any_length(tmp_path: Path) -> None:
    """A receipt cut anywhere is damaged, unless only its last line end is gone."""
    path = tmp_path / "r.json"
    write_receipt(path, RECEIPT)
    data = path.read_bytes()
    for length in range(len(data) - 1):
        path.write_bytes(data[:length])
        assert isinstance(read_receipt(path), Damaged), length


@given(st.integers(0, len(RECEIPT.to_text().encode()) - 2), st.integers(0, 7))
def test_a_flipped_bit_is_damage(tmp_path_factory: pytest.TempPathFactory, at: int, bit: int) -> None:
    """No flipped bit changes what a receipt says; white space between tokens says nothing."""
    data = bytearray(RECEIPT.to_text().encode())
    data[at] ^= 1 << bit
    path = tmp_path_factory.mktemp("r") / "r.json"
    path.write_bytes(data)
    assert read_receipt(path) in (RECEIPT, None) or isinstance(read_receipt(path), Damaged)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b"\xff", b'{"digest": 1}', b"[" * 100_000])
def test_nonsense_is_damage(tmp_path: Path, body: bytes) -> None:
    """Whatever lies at a receipt's place, reading it never raises."""
    path = tmp_path / "r.json"
    path.write_bytes(body)
    assert isinstance(read_receipt(path), Damaged)


def test_another_format_is_damage(tmp_path: Path) -> None:
    """A receipt of another version is not guessed at, even if its digest is right."""
    from mldata.receipts import _digest

    body = json.loads(RECEIPT.to_text())
    body.pop("digest")
    body["receipt"] = 2
    body["digest"] = _digest(body)
    path = tmp_path / "r.json"
    path.write_text(json.dumps(body))
    found = read_receipt(path)
    assert isinstance(found, Damaged)
    assert "version" in found.why
