"""What a content is, by its first bytes; text, which has none that say so, by the name.

The signatures are those of the formats' specifications: JPEG (ITU-T T.81), PNG (W3C), GIF89a, BMP (BITMAPINFOHEADER), TIFF 6 and BigTIFF, RIFF
and its RF64 (EBU Tech 3306), AIFF, FLAC (RFC 9639), Ogg (RFC 3533), MPEG audio (:mod:`mldata.integrity.mpegheads`), ISO base media files
(ISO 14496-12), Matroska (RFC 9559), Parquet, Arrow IPC and ORC.

Invariant: a name alone never makes a file an image, a recording or a binary table.
"""

from __future__ import annotations

import re

from mldata.formats import COMPRESSED
from mldata.formats.recode import COMPRESSIONS
from mldata.integrity import IMAGE, KINDS, TABLE, KindInfo
from mldata.integrity.base import WARNING, Problem
from mldata.integrity.mpegheads import is_mpeg_audio, past_id3

__all__ = ["BAD_SIGNATURE", "described", "kind_by_name", "kind_of", "page_of", "promised", "unrecognized"]

TOLD = frozenset(KINDS)
"""Kinds that are told by their bytes here; of others, their checker says what is wrong."""
_TEXTS = ("csv", "tsv", "json", "jsonl")
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0\x08\0", "tiff"),
    (b"MM\0+\0\x08", "tiff"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"PAR1", "parquet"),
    (b"PARE", "parquet"),
    (b"ARROW1\0\0", "arrow"),
    (b"FEA1", "arrow"),
)
_RIFF = {b"WAVE": "wav", b"WEBP": "webp", b"AVI ": "avi"}
_WIDE_RIFF = (b"RIFF", b"RIFX", b"RF64", b"BW64")
_DIB_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
"""Bytes of the header behind that of a BMP file."""
_CAMERA = (
    ".dng",
    ".nef",
    ".nrw",
    ".arw",
    ".sr2",
    ".srf",
    ".cr2",
    ".pef",
    ".srw",
    ".dcr",
    ".kdc",
    ".erf",
    ".3fr",
    ".iiq",
)
"""Names of raw photographs that are TIFF in their structure alone: its readers make nothing of them."""
_STILL = {
    b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"heim": "HEIC", b"heis": "HEIC", b"hevc": "HEIC", b"hevx": "HEIC",
    b"mif1": "HEIF", b"msf1": "HEIF", b"crx ": "Canon CR3", b"jp2 ": "JPEG 2000", b"jpx ": "JPEG 2000",
}  # fmt: skip
"""Brands of ISO base media files that are no films."""
_QUICKTIME = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"moof", b"styp")
"""Boxes that a film without ``ftyp`` begins with."""
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive (or a document that is one)", ""),
    (b"%PDF-", "PDF", ""),
    (b"\x7fELF", "a program", ""),
    (b"SQLite format 3\0", "an SQLite database", ""),
    (b"\x93NUMPY", "a NumPy array", ""),
    (b"\x89HDF\r\n\x1a\n", "HDF5", ""),
    (b"8BPS", "a Photoshop document", "image"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL", "image"),
    (b"\xff\x0a", "JPEG XL", "image"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000", "image"),
    (b"\xff\x4f\xff\x51", "JPEG 2000", "image"),
    (b"FLV\x01", "a Flash video", "video"),
    (b"0&\xb2u\x8ef\xcf\x11", "a Windows Media file", "video"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", ""),
    (b"Rar!\x1a\x07", "a RAR archive", ""),
    (b"#!AMR", "AMR", "audio"),
    (b"qoif", "QOI", "image"),
    (b"\0\0\1\0", "an icon", "image"),
    (b"DDS ", "a DDS texture", "image"),
    (b"v/1\x01", "OpenEXR", "image"),
    (b"#?RADIANCE", "Radiance HDR", "image"),
    (b"\0\0\1\xba", "an MPEG programme stream", "video"),
    (b"\0\0\1\xb3", "an MPEG video stream", "video"),
)
"""What is known though it is not checked: how it begins, what it is called, and the family of kinds that it could be used for."""
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*|<\?xml[^>]*>\s*)*<(?:(!doctype\s+html|html|head|body|title|script|meta)\b|(svg)\b)?", re.DOTALL | re.IGNORECASE)  # fmt: skip
_TEXT = re.compile(rb"(?:[\t\n\r\x20-\x7e]|[\xc2-\xf4][\x80-\xbf]+)++(?:[\xc2-\xf4][\x80-\xbf]*)?")
_JSON = re.compile(rb'\s*[\[{]\s*(?:"|\]|\}|[\[{]|-?[0-9])')
_STREAM = re.compile(rb"\xff\xff\xff\xff(?P<size>.{4})(?P<root>.{4})", re.DOTALL)
_MOST_METADATA = 1 << 28
_MOST_BOX = 1 << 28
"""Bytes of the first box of a film: as text, its size would be far more."""
OTHER = "?"
"""A name that promises none of the kinds."""
BAD_SIGNATURE = "bad-signature"
CONTINUED = 4096
"""Bytes of a head that is not all of the file."""


def kind_of(name: str, head: bytes) -> KindInfo | None:
    """The kind of a content; None if it is none that is checked. ``head``: its first 4 KiB, or all there is.

    A compressed table (``a.csv.gz``, or ``a.csv`` that is gzip) is of the kind of the table: the name says which.
    """
    by_name = kind_by_name(name)
    if any(head.startswith(magic) for magic in COMPRESSIONS.values()):
        return by_name if by_name is not None and by_name.family == TABLE else None
    base = name.rsplit("/", 1)[-1]
    found = _by_content(head, by_name.name if by_name is not None else OTHER if "." in base else "")
    if found == "tiff" and name.lower().endswith(_CAMERA):
        return None
    if found is not None:
        return KINDS[found]
    if by_name is None or by_name.name not in _TEXTS:
        return None
    return None if _is_foreign(head) else by_name


def kind_by_name(name: str) -> KindInfo | None:
    """The kind that a name promises: its suffix, below that of a compression (``a.csv.gz``)."""
    base = name.rsplit("/", 1)[-1].lower()
    inner = base.removesuffix(next((end for end in COMPRESSED if base.endswith(end)), ""))
    found = next((info for info in KINDS.values() if inner.endswith(info.suffixes)), None)
    # A compression of anything else than a table is an archive, not one file of that kind.
    return None if inner != base and found is not None and found.family != TABLE else found


def unrecognized(name: str, head: bytes) -> Problem | None:
    """What is wrong with a content of no kind whose name promises one; None if nothing is, and it is skipped.

    Another format that holds the same (HEIC called .jpg) is sound as far as is known, but not what the name says: a warning. Anything else is an error; most
    often it is a page of text, which is what servers send instead of a file that is not there.
    """
    info = kind_by_name(name)
    if info is None or info.name not in TOLD:
        return None
    wanted = promised(info)
    if (page := page_of(head)) is not None:
        return Problem("wrong-content", f"expected {wanted} by the name, found {page}", offset=0)
    if (other := _foreign(head)) is not None:
        said = f"expected {wanted} by the name, found {other[0]}, which is not checked"
        if other[1] == info.family:
            return Problem("other-type", said, WARNING, offset=0)
        return Problem("wrong-content", said, offset=0)
    if head and not head.strip(b"\0"):
        many = f"{len(head):,} zero bytes" + (" or more" if len(head) >= CONTINUED else "")
        return Problem(
            BAD_SIGNATURE, f"expected {wanted} by the name, found {many} at the beginning", offset=0
        )
    if head and not head.strip(b"\xff"):
        return Problem(
            BAD_SIGNATURE,
            f"expected {wanted} by the name, found bytes 0xff only at the beginning",
            offset=0,
        )
    start = head[:8].hex(" ") or "nothing"
    return Problem(
        BAD_SIGNATURE,
        f"expected {wanted} by the name, found no such signature (it begins with {start})",
        offset=0,
    )


def described(head: bytes) -> str | None:
    """What a content of no kind is, if it is plain and no text: ``HEIC``, ``PDF``. For the reason why a file is skipped."""
    found = _foreign(head)
    return found[0] if found is not None else None


def _foreign(head: bytes) -> tuple[str, str] | None:
    """Name and family of such a content."""
    if head[4:8] == b"ftyp" and (still := _still(head)) is not None:
        return still, IMAGE
    for name, magic in COMPRESSIONS.items():
        if head.startswith(magic):
            return f"{name} compression", ""
    if head[257:262] == b"ustar":
        return "a tar archive", ""
    return next(((told, family) for start, told, family in _FOREIGN if head.startswith(start)), None)


def promised(info: KindInfo) -> str:
    """A kind, for messages: ``JPEG``, ``Parquet``."""
    return _PROPER.get(info.name, info.name.upper())


_PROPER = {"webp": "WebP", "parquet": "Parquet", "arrow": "Arrow", "ogg": "Ogg", "jsonl": "JSON Lines", "mkv": "Matroska", "webm": "WebM"}  # fmt: skip


def _is_foreign(head: bytes) -> bool:
    """Whether a file that is called a text is another format."""
    return described(head) is not None and b"\0" in head


def _by_content(head: bytes, named: str) -> str | None:
    for start, name in _SIGNATURES:
        if head.startswith(start):
            return name
    if head[:4] in _WIDE_RIFF and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[:2] == b"BM" and (int.from_bytes(head[14:18], "little") in _DIB_HEADERS or named == "bmp"):
        return "bmp"
    return _binary_table(head, named) or _sound(head, named) or _film(head)


def _binary_table(head: bytes, named: str) -> str | None:
    if head.startswith(b"ORC") and (named == "orc" or _TEXT.fullmatch(head) is None):
        return "orc"
    stream = _STREAM.match(head)
    if stream is None:
        # Streams of Arrow before 0.15 begin with the length alone: only if the name says that it is one.
        old = re.match(rb"(?P<size>.{4})(?P<root>.{4})", head, re.DOTALL) if named == "arrow" else None
        stream = old if old is not None and old["size"][2:] == b"\0\0" else None
    if stream is None:
        return "arrow" if head == b"\xff\xff\xff\xff\0\0\0\0" else None
    size, root = (int.from_bytes(stream[part], "little") for part in ("size", "root"))
    return "arrow" if 8 <= size < _MOST_METADATA and not size % 4 and 4 <= root < min(size, 256) else None


def _sound(head: bytes, named: str) -> str | None:
    tagged = head.startswith(b"ID3") and len(head) > 10
    at = past_id3(head)
    if tagged and at >= len(head):
        # A picture in the tag hides what is behind it. Music of other kinds (AAC) may have such tags too.
        return "flac" if named == "flac" else None if named == OTHER else "mp3"
    if head.startswith(b"fLaC", at):
        return "flac"
    if is_mpeg_audio(head, at, search=tagged or named == "mp3"):
        return "mp3"
    return "mp3" if tagged and named == "mp3" else None


def _film(head: bytes) -> str | None:
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        doctype = re.search(rb"\x42\x82(.)(?P<type>[a-z]+)", head[:128], re.DOTALL)
        return "webm" if doctype is not None and doctype["type"].startswith(b"webm") else "mkv"
    size = int.from_bytes(head[:4], "big")
    if head[4:8] == b"ftyp":
        return None if size > CONTINUED or _still(head) is not None else "mp4"
    return "mp4" if head[4:8] in _QUICKTIME and (8 <= size < _MOST_BOX or size in (0, 1)) else None


def _still(head: bytes) -> str | None:
    """The image that an ISO base media file is, by its major brand."""
    return _STILL.get(head[8:12])


def page_of(head: bytes) -> str | None:
    """``HTML``, ``XML``, ``JSON`` or ``text``, if the content that begins so is a page of it."""
    markup = _MARKUP.match(head)
    if markup is not None and b"\0" not in head[:256]:
        if markup[1]:
            return "HTML"
        if markup[2]:
            return "SVG, which is XML"
        if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xml"):
            return "XML"
    if head and _TEXT.fullmatch(head.removeprefix(b"\xef\xbb\xbf")):
        if head.startswith(b"version https://git-lfs.github.com/spec/"):
            return "a pointer of Git LFS instead of the file"
        return "JSON" if _JSON.match(head) else "text"
    return None
