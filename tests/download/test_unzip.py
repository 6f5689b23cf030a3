"""Files that may come zipped."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from mldata.download.base import Body, Mismatch, Transient, Validator
from mldata.download.unzip import Unzipped

DATA = bytes(range(256)) * 4000
NAME = "table.csv"


@dataclass
class Sent:
    """What a place sends, ``step`` bytes at a time; see :class:`mldata.download.base.Body` and ``Origin``."""

    data: bytes
    step: int = 1000
    breaks_at: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    sized: bool = True
    start: int = 0
    stop: int | None = None
    name: str = "there"
    identity: str = "there"
    ranges: bool = True
    reason: str | None = None
    closed: list[int] = field(default_factory=list)

    def open(self, start: int = 0, stop: int | None = None, match: Validator | None = None) -> Body:
        return Sent(**{**self.__dict__, "start": start, "stop": stop})

    @property
    def validator(self) -> Validator:
        return Validator('"1"', None, len(self.data) if self.sized else None)

    def __iter__(self) -> Iterator[bytes]:
        part = self.data[self.start : self.stop]
        for at in range(0, len(part), self.step):
            if self.breaks_at is not None and at >= self.breaks_at:
                raise Transient("broken")
            yield part[at : at + self.step]

    def close(self) -> None:
        self.closed.append(1)

    def __enter__(self) -> Sent:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Pipe(io.BytesIO):
    """A file that one can only append to: zip writes sizes behind the data then."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: object) -> int:
        raise OSError

    def tell(self) -> int:
        raise OSError


def zipped(*names: str, method: int = zipfile.ZIP_DEFLATED, piped: bool = False, data: bytes = DATA) -> bytes:
    made = Pipe() if piped else io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name in names or (NAME,):
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return made.getvalue()


def read(sent: Sent, size: int | None = len(DATA), start: int = 0, stop: int | None = None) -> bytes:
    with Unzipped(sent, NAME, size).open(start, stop) as body:
        return b"".join(body)


@pytest.mark.parametrize("step", [1, 7, 100_000_000])
@pytest.mark.parametrize("piped", [False, True])
@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_zip_of_the_file_is_the_file(step: int, piped: bool, method: int) -> None:
    """However the zip is written, and in whatever pieces it comes."""
    small = DATA[:3000]
    if piped and method == zipfile.ZIP_STORED:
        with pytest.raises(Mismatch, match="method 0"):
            read(Sent(zipped(method=method, piped=piped, data=small), step), 3000)
    else:
        for data in (small, b""):
            sent = Sent(zipped(method=method, piped=piped, data=data), step)
            assert read(sent, len(data)) == read(sent, None) == data


def test_a_large_member_in_a_zip64(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes that stand elsewhere do not matter: the checksum in the directory does."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    assert read(Sent(zipped())) == read(Sent(zipped(piped=True)), None) == DATA


def test_pieces_are_small() -> None:
    """What a zip unpacks to does not have to fit in memory at once."""
    data = bytes(20_000_000)
    with Unzipped(Sent(zipped(data=data), 1 << 20), NAME, len(data)).open() as body:
        assert max(len(piece) for piece in body) <= 1 << 18


def test_a_file_that_comes_as_it_is() -> None:
    """It is handed on as it is, in parts too; so is one that is a zip itself, or is as long as was stated."""
    assert read(Sent(DATA)) == read(Sent(DATA), None) == DATA
    assert read(Sent(DATA), start=5, stop=9) == DATA[5:9]
    for own in (zipped("other.csv"), zipped("table.csv2"), b"PK\3\4", b"P", b""):
        assert read(Sent(own), None) == own
    own = zipped()
    assert read(Sent(own), len(own)) == own and read(Sent(own), len(own), 3, 8) == own[3:8]


def test_a_part_of_a_zipped_file_is_all_of_it() -> None:
    """Bytes of a zip are never taken for bytes of the file: it comes from its beginning, and says why."""
    origin = Unzipped(Sent(zipped()), NAME, None)
    for start in (5, 0):
        with origin.open(start, 10) as body:
            assert (body.start, body.ranges, bool(body.reason)) == (0, False, start > 0)
            assert b"".join(body) == DATA


def test_what_is_told_is_of_the_file() -> None:
    """Not of the zip: its length and digests are others."""
    data = zipped()
    sent = Sent(data, digests={"md5": hashlib.md5(data, usedforsecurity=False).hexdigest()})
    with Unzipped(sent, NAME, len(DATA)).open() as body:
        assert (body.validator, dict(body.digests)) == (Validator('"1"', None, len(DATA)), {})
        assert b"".join(body) == DATA
    assert sent.closed


def test_a_zip_that_is_not_what_was_promised() -> None:
    """A digest of the zip is checked."""
    with pytest.raises(Mismatch, match="md5"):
        read(Sent(zipped(), digests={"md5": "0" * 32}))


@pytest.mark.parametrize("kept", [40, 500, -120, -60, -30, -22, -20, -1])
def test_a_zip_that_ends_early(kept: int) -> None:
    """It is an error wherever it ends, even if all of the file is there."""
    with pytest.raises(Mismatch, match="there") as caught:
        read(Sent(zipped()[:kept], sized=False))
    assert caught.value.hint


def test_damage_is_found() -> None:
    """No single byte of the data can change without a ``Mismatch``; nor can more come out than was stated, or other files be in it."""
    data = zipped()
    end = data.index(b"PK\1\2")
    for at in range(30 + len(NAME), end, max((end - 30) // 100, 1)):
        bad = bytearray(data)
        bad[at] ^= 0x10
        with pytest.raises(Mismatch):
            read(Sent(bytes(bad)))
    for bad, size in (
        (zipped(), 10), (zipped(NAME, "more.csv"), None), (zipped() + zipped(), None), (zipped() + b"more", None),
    ):  # fmt: skip
        with pytest.raises(Mismatch):
            read(Sent(bad), size)
    encrypted = bytearray(data)
    encrypted[6] |= 1
    with pytest.raises(Mismatch, match="password"):
        read(Sent(bytes(encrypted)))


def test_a_connection_that_breaks() -> None:
    """It is a passing failure, as it is without a zip, and what was opened is closed."""
    sent = Sent(zipped(data=DATA), breaks_at=2000)
    with pytest.raises(Transient):
        read(sent)
    early = Sent(zipped(), breaks_at=0)
    with pytest.raises(Transient):
        Unzipped(early, NAME, None).open()
    assert sent.closed and early.closed


def test_a_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody states how large the file is, no more comes out of a zip than any data has in it."""
    monkeypatch.setattr("mldata.download.zipstream.FREE", 1 << 20)
    bomb = zipped(data=bytes(10_000_000))
    with pytest.raises(Mismatch, match="200 bytes out of each byte"):
        read(Sent(bomb), None)
    assert len(read(Sent(bomb), 10_000_000)) == 10_000_000


def test_empty_pieces() -> None:
    """A body may give nothing for a while without being at its end."""

    class Halting(Sent):
        def __iter__(self) -> Iterator[bytes]:
            for piece in super().__iter__():
                yield from (b"", piece, b"")

        def open(self, start: int = 0, stop: int | None = None, match: Validator | None = None) -> Body:
            return Halting(**{**self.__dict__, "start": start, "stop": stop})

    assert read(Halting(zipped(), 20)) == DATA
