"""What to call a file that an address of the web gives out.

Invariant: a name is safe in any folder, whatever the server says; the same answers give the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from email.message import Message
from email.utils import collapse_rfc2231_value
from urllib.parse import parse_qsl, unquote, urlsplit

from mldata.download.addresses import public

__all__ = ["file_name"]

FALLBACK = "data"
PROGRAMS = (
    "php",
    "asp",
    "aspx",
    "ashx",
    "axd",
    "jsp",
    "jsf",
    "do",
    "action",
    "cgi",
    "pl",
    "py",
    "rb",
    "dll",
    "html",
    "htm",
)
"""Suffixes of what makes an answer, not of what it is."""
TYPES = {
    "text/csv": ".csv", "application/csv": ".csv", "text/tab-separated-values": ".tsv", "application/json": ".json",
    "application/x-ndjson": ".jsonl", "application/jsonl": ".jsonl", "application/jsonlines": ".jsonl",
    "application/vnd.apache.parquet": ".parquet", "application/x-parquet": ".parquet", "application/vnd.apache.arrow.file": ".arrow",
    "application/zip": ".zip", "application/x-zip-compressed": ".zip", "application/gzip": ".gz", "application/x-gzip": ".gz",
    "application/x-tar": ".tar", "application/x-7z-compressed": ".7z", "application/vnd.sqlite3": ".sqlite",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "image/jpeg": ".jpg", "image/png": ".png", "audio/wav": ".wav", "audio/x-wav": ".wav", "audio/flac": ".flac", "audio/mpeg": ".mp3",
}  # fmt: skip
_SUFFIX = re.compile(r".*[^.]\.([A-Za-z0-9]{1,10})", re.DOTALL)


def file_name(asked: str, answered: str, headers: Mapping[str, str]) -> str:
    """The name of a file.

    Taken is the first that tells a format by its suffix, else the first of all: what the server says (``Content-Disposition``, RFC 6266),
    the path of the address, a parameter of it, the path of the address behind redirects. A name without a suffix gets that of the type
    (``Content-Type``), where it is known.

    Args:
        asked: the address.
        answered: the one behind redirects.
        headers: of the answer, names in lower case.
    """
    from store import UnsafeName, check_name

    found = []
    for text in _candidates(asked, answered, headers):
        # What comes before the last slash is a folder of somebody else (RFC 6266, section 4.3).
        name = re.split(r"[/\\]", text)[-1].strip()
        try:
            check_name(name)
        except UnsafeName:
            continue
        if name.isprintable():
            found.append(name)
    told = next((name for name in found if _suffix(name)), None)
    if told is not None:
        return told
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return (found[0] if found else FALLBACK) + TYPES.get(kind, "")


def _candidates(asked: str, answered: str, headers: Mapping[str, str]) -> Iterator[str]:
    yield from _disposition(headers.get("content-disposition", ""))
    parts = urlsplit(public(asked))
    yield unquote(parts.path.rstrip("/"))
    for _, value in parse_qsl(parts.query):
        if _suffix(value):
            yield value
    yield unquote(urlsplit(answered).path.rstrip("/"))


def _disposition(text: str) -> Iterator[str]:
    """``filename*`` before ``filename``, as the standard's parser has them."""
    if not text or not text.isprintable():
        return
    message = Message()
    message["Content-Disposition"] = text
    found = [value for name, value in message.get_params([], "content-disposition") if name == "filename"]
    for value in sorted(found, key=lambda value: isinstance(value, str)):
        try:
            yield collapse_rfc2231_value(value, errors="strict")
        except (ValueError, UnicodeError):
            continue


def _suffix(name: str) -> bool:
    """Whether a name ends as files of data do."""
    found = _SUFFIX.fullmatch(name)
    return found is not None and not found[1].isdigit() and found[1].lower() not in PROGRAMS
