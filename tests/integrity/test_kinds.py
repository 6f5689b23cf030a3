"""What a content is by its bytes, and what is wrong with one that is not what its name promises."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mldata.integrity import KINDS
from mldata.integrity.kinds import described, kind_by_name, kind_of, unrecognized
from tests.formats.test_orc import write as orc
from tests.formats.test_parquet_arrow import arrow, parquet


def image(format: str, **how: object) -> bytes:
    """A small image."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 10, 10)).save(out, format, **how)
    return out.getvalue()


def sound(format: str, subtype: str | None = None) -> bytes:
    """A short sound."""
    out = io.BytesIO()
    soundfile.write(out, np.sin(np.arange(16000) / 9) / 2, 16000, format=format, subtype=subtype)
    return out.getvalue()


def box(kind: bytes, payload: bytes) -> bytes:
    """A box of an ISO base media file."""
    return (8 + len(payload)).to_bytes(4, "big") + kind + payload


def tagged(data: bytes, size: int) -> bytes:
    """``data`` behind an ID3v2 tag."""
    return b"ID3\x04\0\0" + bytes([0, size >> 14 & 127, size >> 7 & 127, size & 127]) + bytes(size) + data


TABLE = pa.table({"a": [1, 2]})
MP3 = sound("MP3")
CONTENTS = {
    "jpeg": [image("JPEG"), image("JPEG", progressive=True)],
    "png": [image("PNG")],
    "gif": [image("GIF")],
    "bmp": [image("BMP")],
    "webp": [image("WEBP")],
    "tiff": [image("TIFF"), image("TIFF", big_tiff=True), b"MM\0*\0\0\0\x08" + bytes(9)],
    "wav": [sound("WAV"), sound("RF64"), sound("WAV", "FLOAT")],
    "aiff": [sound("AIFF")],
    "flac": [sound("FLAC"), tagged(sound("FLAC"), 300)],
    "ogg": [sound("OGG", "VORBIS"), sound("OGG", "OPUS")],
    "mp3": [MP3, tagged(MP3, 200), tagged(MP3, 9000)],
    "parquet": [parquet(TABLE)],
    "arrow": [arrow(TABLE), arrow(TABLE, stream=True)],
    "orc": [orc(TABLE)],
    "mp4": [
        box(b"ftyp", b"isom\0\0\2\0isomiso2") + box(b"moov", b""),
        box(b"ftyp", b"qt  \0\0\0\0"),
        box(b"moov", bytes(99)),
    ],
    "avi": [b"RIFF\x40\0\0\0AVI LIST" + bytes(64)],
    "mkv": [b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska" + bytes(9)],
    "webm": [b"\x1a\x45\xdf\xa3\x8f\x42\x82\x84webm" + bytes(9)],
}


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("named", ["usual", "x.unknown", "none", "x.csv", "x.png"])
def test_contents_are_known_by_their_bytes(kind: str, named: str) -> None:
    """Whatever the name says, and if it says nothing."""
    name = "x" + KINDS[kind].suffixes[0] if named == "usual" else named
    for data in CONTENTS[kind]:
        if len(data) > 9000 and data.startswith(b"ID3") and named == "x.unknown":
            continue  # a picture in the tag hides what is behind it
        found = kind_of(name, data[:4096])
        assert found is not None and found.name == kind


@pytest.mark.parametrize("kind", ["csv", "tsv", "json", "jsonl"])
def test_text_is_known_by_its_name(kind: str) -> None:
    """Text of any content is what its name says, and nothing without a name."""
    for data in (b"a,b\n1,2\n", b"BMW,2\n", b"ORCHID,2\n", b"aaaafree,1\n", b"<html>", b""):
        found = kind_of("x" + KINDS[kind].suffixes[0], data)
        assert found is not None and found.name == kind
        assert kind_of("x", data) is None


def test_compressed_tables() -> None:
    """A compressed table is of the kind of the table, and a compressed something else is of none."""
    packed = gzip.compress(b"a,b\n1,2\n")
    assert [getattr(kind_of(name, packed), "name", None) for name in ("a.csv.gz", "a.csv", "A.JSONL.GZ", "a.parquet.gz")] == [
        "csv", "csv", "jsonl", "parquet",
    ]  # fmt: skip
    assert kind_of("a.gz", packed) is None
    assert kind_of("a.jpg.gz", packed) is None
    assert kind_by_name("a.tar.gz") is None
    assert unrecognized("a.jpg.gz", packed) is None


@pytest.mark.parametrize(
    "kind", [kind for kind, info in KINDS.items() if info.family != "table"] + ["parquet", "arrow", "orc"]
)
def test_a_lost_head_is_corrupt(kind: str) -> None:
    """A file whose beginning is lost is not taken for one that is none of ours."""
    name = "x" + KINDS[kind].suffixes[0]
    for head in (bytes(4096), b"\xff" * 4096, bytes(range(200, 250)) * 9, b"\0\x01garbage \x02\x03"):
        found = kind_of(name, head)
        problem = unrecognized(name, head)
        assert found is None and problem is not None
        assert (problem.code, problem.severity) == ("bad-signature", "error")
        assert problem.message.startswith("expected ") and " by the name, found " in problem.message


PAGES = {
    b"<!DOCTYPE html>\n<html><head>": "HTML",
    b"\xef\xbb\xbf  <!-- a --> <HTML>": "HTML",
    b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>': "XML",
    b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>': "SVG",
    b'{"error": "not found"}': "JSON",
    b"404 page not found\n": "text",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n": "a pointer of Git LFS",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_instead_of_a_file_is_told(page: bytes) -> None:
    """What a server sends for a file that it has not is called what it is."""
    problem = unrecognized("a/photo.JPG", page)
    assert problem is not None
    assert (problem.code, problem.severity) == ("wrong-content", "error")
    assert problem.message.startswith(f"expected JPEG by the name, found {PAGES[page]}")


def test_formats_that_are_not_checked() -> None:
    """A photograph of another format is told as such and not called corrupt; a document in its place is wrong."""
    heic = box(b"ftyp", b"heic\0\0\0\0mif1heic") + bytes(99)
    assert kind_of("a.heic", heic) is None and described(heic) == "HEIC"
    assert unrecognized("a.heic", heic) is None
    problem = unrecognized("a.jpg", heic)
    assert problem is not None and problem.severity == "warning"
    problem = unrecognized("a.jpg", b"%PDF-1.7\n%\xe2\xe3\n")
    assert problem is not None and (problem.severity, problem.code) == ("error", "wrong-content")
    assert "PDF" in problem.message


def test_raw_photographs_are_none_of_ours() -> None:
    """Raw photographs have the structure of TIFF, and its readers make nothing of them."""
    assert kind_of("a.NEF", image("TIFF")[:4096]) is None
    assert unrecognized("a.NEF", image("TIFF")[:4096]) is None


def test_other_names_promise_nothing() -> None:
    """A file that is none of the kinds, and is not called one, is skipped."""
    for name in ("README", "notes.txt", "weights.bin", ".jpg/readme"):
        assert unrecognized(name, bytes(99)) is None


def test_two_bytes_are_no_music() -> None:
    """Bits that begin a frame of MPEG audio are in many files: one that nothing follows is none."""
    assert kind_of("x", b"\xff\xfb\x90\x64" + bytes(4000)) is None
    assert kind_of("x.dat", bytes(100) + MP3[:3000]) is None
    found = kind_of("x.mp3", b"junk" + MP3[:4000])
    assert found is not None and found.name == "mp3"


@settings(max_examples=200, deadline=None)
@given(head=st.binary(max_size=300), kind=st.sampled_from(sorted(KINDS)))
def test_any_bytes_have_an_answer(head: bytes, kind: str) -> None:
    """Whatever the bytes are, they are a kind, or a problem, or empty."""
    name = "x" + KINDS[kind].suffixes[-1]
    assert kind_of(name, head) is not None or unrecognized(name, head) is not None
