"""How each kind of value in ``mldata.yaml`` is checked: numbers, names, paths, column types.

A checker takes what was read (:class:`mldata.yamltree.Scalar`, or a Python value from the API), and returns the value
or refuses it with pydantic's one error type for own messages; ``mldata.spec`` finds the place in the file.
Text is taken as written: ``nulls: [NO, 0123]`` means these letters and digits.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NoReturn

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from mldata.errors import MissingExtra, MldataError, SourceError
from mldata.nearest import nearest
from mldata.partnames import unportable
from mldata.reference import FORM, SCHEME, is_reference, parse_reference
from mldata.sources import LOCAL, SOURCES, STDIN, find_source, local_path, open_source, scheme_of
from mldata.yamltree import Scalar

TYPES = (
    *("null", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *(
        "float32",
        "float64",
        "string",
        "binary",
        "date32",
        "time32[s]",
        "time32[ms]",
        "time64[us]",
        "time64[ns]",
    ),
    *("timestamp[s]", "timestamp[ms]", "timestamp[us]", "timestamp[ns]", "category"),
)
"""Column types, by Arrow's names (``category``: text in a dictionary); further decimals and timestamps with a zone."""
TYPE_ALIASES = {
    "str": "string",
    "text": "string",
    "int": "int64",
    "integer": "int64",
    "boolean": "bool",
    "float": "float64",
    "double": "float64",
    "date": "date32",
    "timestamp": "timestamp[us]",
    "datetime": "timestamp[us]",
}
"""Resolved here, so that ``int`` and ``int64`` give equal plain forms."""
COMPRESSIONS = ("none", "zstd", "snappy", "gzip", "lz4", "brotli")

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%")
_DATASET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_DECIMAL = re.compile(r"decimal(?:128)?\(([0-9]{1,2}), *([0-9]{1,2})\)")
_ZONED = re.compile(r"timestamp\[(s|ms|us|ns), *(?:tz=)?([A-Za-z0-9_+:/-]+)\]")
_COMPRESSION = re.compile(
    r"(none|snappy|lz4)|zstd(:([1-9]|1[0-9]|2[0-2]))?|gzip(:[1-9])?|brotli(:([0-9]|1[01]))?"
)


class Fault(NamedTuple):
    """What is wrong, and where below the value that is being checked."""

    message: str
    hint: str | None = None
    at: tuple[str, ...] = ()
    """Keys from the checked value down to the culprit; ``[key]`` at the end means the last key itself."""


def refuse(*faults: Fault) -> NoReturn:
    """Fail validation with these faults."""
    # They travel in the context: pydantic would read braces in a message as place holders.
    raise PydanticCustomError("spec", "not valid", {"faults": faults})


def did_you_mean(word: str, choices: Iterable[str]) -> str | None:
    """A hint that names the choice most like ``word``, if one is."""
    found = nearest(word, choices)
    return f"did you mean {found!r}?" if found else None


def shown(value: Any) -> str:
    """What was found, for a message."""
    if isinstance(value, Scalar):
        return "nothing" if value.style is None and not value.text else _short(value.text)
    kinds = {dict: "a mapping", list: "a list", tuple: "a list", type(None): "nothing"}
    return kinds.get(type(value)) or _short(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:76]}..."


# -- plain values ----------------------------------------------------------------------------------------------------


def as_written(raw: Any) -> str:
    """Any scalar as text."""
    if isinstance(raw, Scalar):
        return raw.text
    if isinstance(raw, str):
        return raw
    refuse(Fault(f"expected text, found {shown(raw)}"))


def as_text(raw: Any) -> str:
    """Any scalar but null as text."""
    if isinstance(raw, Scalar) and raw.value is None:
        hint = f'to mean the word itself, put it in quotes: "{raw.text}"' if raw.text else None
        refuse(Fault(f"expected text, found {shown(raw)}", hint))
    return as_written(raw)


def as_name(raw: Any) -> str:
    """The name of something that others have named: any scalar as it is written, so also ``2020``; not an empty one."""
    text = as_text(raw)
    if not text:
        refuse(Fault("expected a name, found ''"))
    return text


def _value(raw: Any) -> Any:
    return raw.value if isinstance(raw, Scalar) else raw


def as_whole_number(raw: Any) -> int:
    """A whole number written as one."""
    value = _value(raw)
    if isinstance(value, bool) or not isinstance(value, int):
        zeros = isinstance(raw, Scalar) and re.fullmatch(r"[-+]?0[0-9]+", raw.text)
        hint = "write it without leading zeros" if zeros else None
        refuse(Fault(f"expected a whole number, found {shown(raw)}", hint))
    return value


def as_flag(raw: Any) -> bool:
    """``true`` or ``false``; not ``yes`` or ``on``, which YAML versions read differently."""
    value = _value(raw)
    if not isinstance(value, bool):
        refuse(Fault(f"expected true or false, found {shown(raw)}"))
    return value


def as_most(raw: Any) -> int | str:
    """A number of rows from 0, or a share of them such as ``1%``."""
    value = _value(raw)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    text = as_written(raw)
    if (found := _PERCENT.fullmatch(text)) and float(found[1]) <= 100:
        return text
    refuse(Fault(f"expected a number of rows or a share such as 1%, found {shown(raw)}"))


def as_size(raw: Any) -> int:
    """Bytes from 1: a number of them, or one with a unit, such as ``500MB``."""
    from mldata.quantities import parse_size

    value = _value(raw)
    try:
        size = value if type(value) is int else parse_size(as_written(raw))
    except MldataError:
        size = 0
    if size < 1:
        refuse(Fault(f"expected a size such as 500MB or 64MiB, found {shown(raw)}"))
    return size


def as_compressions(raw: Any) -> str | dict[str, str]:
    """A codec for all formats that compress inside, or one by format."""
    if not isinstance(raw, dict):
        return _compression(as_text(raw))
    found = {}
    for name, codec in raw.items():
        try:
            found[as_text(name)] = _compression(as_text(codec))
        except PydanticCustomError as refused:
            faults: tuple[Fault, ...] = (refused.context or {})["faults"]
            refuse(*(fault._replace(at=(as_text(name), *fault.at)) for fault in faults))
    return found


def as_share(raw: Any) -> float:
    """A part's share of the rows, in (0, 1]."""
    value = _value(raw)
    # MISTAKEN tells mldata.spec that the key may be a misspelt setting instead of a part.
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(Fault(f"expected the part's share of the rows as a number, found {shown(raw)}", at=MISTAKEN))
    if not 0 < value <= 1:
        refuse(Fault(f"expected a share above 0 and at most 1, found {shown(raw)}", at=MISTAKEN))
    return float(value)


MISTAKEN = ("[mistaken]",)


def as_list(raw: Any) -> Any:
    """One value stands for a list of one."""
    return [raw] if isinstance(raw, Scalar | str) else raw


def as_excluded(raw: Any) -> dict[str, str | None]:
    """Files by path, each with the digest of the content that is meant, or None for whatever it is. A list has paths alone."""
    if isinstance(raw, dict):
        return {_raw_file(path, path, "[key]"): _digest(raw[path], path) for path in raw}
    if not isinstance(as_list(raw), list):
        refuse(Fault(f"expected paths of files, or a mapping of paths to digests; found {shown(raw)}"))
    paths = [_raw_file(as_text(item), str(number)) for number, item in enumerate(as_list(raw))]
    return dict.fromkeys(distinct(paths))


def _raw_file(path: Any, *at: str) -> str:
    if not isinstance(path, str) or any(part in ("", ".", "..") for part in path.split("/")):
        hint = "as messages and manifests name it: below the source's folder, with '/'"
        refuse(Fault(f"expected the path of a file, found {shown(path)}", hint, at))
    return path


def _digest(raw: Any, path: str) -> str | None:
    if _value(raw) is None:
        return None
    text = as_written(raw)
    if not re.fullmatch("[0-9a-f]{64}", text):
        hint = "a path in a list is excluded whatever it holds"
        refuse(Fault(f"expected a BLAKE3 digest of 64 hex characters, found {shown(raw)}", hint, (path,)))
    return text


def distinct(values: list[str]) -> list[str]:
    """Refuse a value that is given twice."""
    for number, value in enumerate(values):
        if value in values[:number]:
            refuse(Fault(f"{value!r} is given twice", at=(str(number),)))
    return values


def one_of(*values: str, later: Iterable[str] = (), group: str | None = None) -> BeforeValidator:
    """One of these words; those of ``later`` are known to the design and not built yet.

    ``group`` names entry points whose names are right too; they are looked up only for a word that is none of the others.
    """

    def check(raw: Any) -> str:
        text = as_written(raw)
        if text in later:
            refuse(
                Fault(
                    f"this version of mldata does not have {text!r} yet", f"choose one of {', '.join(values)}"
                )
            )
        if text not in values and text not in _plugins(group):
            refuse(
                Fault(f"expected one of {', '.join(values)}; found {shown(raw)}", did_you_mean(text, values))
            )
        return text

    return BeforeValidator(check)


def _plugins(group: str | None) -> frozenset[str]:
    """The names of entry points; no plug-in is imported."""
    from importlib.metadata import entry_points

    return frozenset(point.name for point in entry_points(group=group)) if group else frozenset()


# -- paths and names -------------------------------------------------------------------------------------------------


def _path(text: str) -> str:
    if not text or _CONTROL.search(text):
        refuse(Fault(f"expected a path, found {text!r}"))
    return text


def _source(text: str) -> str:
    if is_reference(text):
        found = parse_reference(text)
        if found is None or _CONTROL.search(text):
            refuse(Fault(f"expected {FORM}, found {_short(text)}"))
        return str(found)
    scheme = scheme_of(text)
    if scheme == LOCAL:
        try:
            return _path(local_path(text))
        except SourceError as error:
            refuse(Fault(error.message, error.hint))
    info = find_source(scheme)
    if info is not None:
        if info.remote:
            _well_formed(text)
        return text
    schemes = [name for name in SOURCES if name not in (LOCAL, STDIN)]
    what = f"expected a file, a folder, a glob or {SCHEME}://NAME; found the unknown scheme {text[: len(scheme)]}://"
    refuse(Fault(what, did_you_mean(scheme, schemes) or f"those that are known: {', '.join(schemes)}"))


def _well_formed(text: str) -> None:
    """Ask the source itself whether it can be meant; nothing is asked for over a network."""
    if _CONTROL.search(text):
        refuse(Fault(f"expected a source, found {text!r}"))
    if scheme_of(text).removeprefix("index+") in ("http", "https"):
        from mldata.download.addresses import has_secret, public

        if has_secret(text):
            hint = "pull it once, mldata pull ADDRESS -o DIR, and name DIR; or name the bucket (s3://, gs://, az://), with credentials elsewhere"
            what = "expected an address without a signature or token, which runs out and lets in whoever reads it; found one in"
            refuse(Fault(f"{what} {_short(public(text))}", hint))
    try:
        open_source(text, Path())
    except SourceError as error:
        refuse(Fault(error.message, error.hint))
    except MissingExtra:  # only a build has to have it
        pass


def _own_path(text: str) -> str:
    if text.startswith("~"):
        refuse(Fault(f"expected a path, found {text!r}", "write the folder out: '~' is not expanded here"))
    return _path(text)


def _export_folder(text: str) -> str:
    path = posixpath.normpath(_own_path(text).replace("\\", "/"))
    path = path.replace("//", "/", 1)  # POSIX lets exactly two leading slashes mean something else
    if path in (".", "/") or path.split("/")[0] == "..":
        found = "leaves it" if path.startswith("..") else "is not a folder of its own"
        hint = "only an absolute path may be elsewhere"
        refuse(Fault(f"expected a folder inside the project folder; {text!r} {found}", hint))
    if fold(path.split("/")[0]) == ".mldata":
        refuse(Fault(f"expected a folder outside .mldata, which mldata keeps for itself; found {text!r}"))
    return path


def column_type(raw: Any) -> str:
    """A column type by Arrow's name, aliases resolved."""
    text = as_written(raw)
    name = TYPE_ALIASES.get(text, text)
    if (found := _DECIMAL.fullmatch(text)) and 1 <= int(found[1]) <= 38 and int(found[2]) <= int(found[1]):
        return f"decimal128({int(found[1])}, {int(found[2])})"
    if found := _ZONED.fullmatch(text):
        return f"timestamp[{found[1]}, tz={found[2]}]"
    if name not in TYPES:
        known = f"types are {', '.join(TYPES)}, decimal128(10, 2) and timestamp[us, tz=UTC]"
        hint = did_you_mean(text, (*TYPES, *TYPE_ALIASES)) or known
        refuse(Fault(f"expected a column type, found {shown(raw)}", hint))
    return name


def _compression(text: str) -> str:
    if not _COMPRESSION.fullmatch(text):
        expected = "none, zstd, zstd:1 to zstd:22, snappy, gzip, gzip:1 to gzip:9, lz4, brotli or brotli:0 to brotli:11"
        refuse(Fault(f"expected {expected}; found {text!r}", did_you_mean(text, COMPRESSIONS)))
    return text


def _dataset_name(name: str) -> str:
    if not _DATASET_NAME.fullmatch(name):
        expected = (
            "a dataset name of lower-case letters, digits, '-', '_' and '.', beginning with a letter or digit"
        )
        like = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:100]
        refuse(Fault(f"expected {expected}; found {_short(name)}", f"for example {like}" if like else None))
    if fault := unportable(name):
        refuse(Fault(fault))
    return name


def fold(path: str) -> str:
    """Equal for paths that some file system takes for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def glob_matches(pattern: str, path: str) -> bool:
    """Whether ``path`` is matched by a glob, in which ``**`` stands for any number of folders."""
    ends = {0}  # how many of the pattern's segments can have matched the path so far
    segments = pattern.split("/")

    def skip(states: set[int]) -> set[int]:
        states = set(states)
        for state in range(len(segments)):
            if state in states and segments[state] == "**":
                states.add(state + 1)
        return states

    for name in path.split("/"):
        live = [state for state in skip(ends) if state < len(segments)]
        ends = {
            state if segments[state] == "**" else state + 1 for state in live if _fits(name, segments[state])
        }
    return len(segments) in skip(ends)


def _fits(name: str, segment: str) -> bool:
    return segment == "**" or fnmatchcase(name, segment)


Text = Annotated[str, BeforeValidator(as_text)]
Name = Annotated[str, BeforeValidator(as_name)]
AsWritten = Annotated[str, BeforeValidator(as_written)]
Flag = Annotated[bool, BeforeValidator(as_flag)]
WholeNumber = Annotated[int, BeforeValidator(as_whole_number)]
Most = Annotated[int | str, BeforeValidator(as_most)]
Share = Annotated[float, BeforeValidator(as_share)]
Source = Annotated[str, AfterValidator(_source), BeforeValidator(as_text)]
StorePath = Annotated[str, AfterValidator(_own_path), BeforeValidator(as_text)]
ExportFolder = Annotated[str, AfterValidator(_export_folder), BeforeValidator(as_text)]
Size = Annotated[int, BeforeValidator(as_size)]
Compressions = Annotated[str | dict[str, str], BeforeValidator(as_compressions)]
ColumnType = Annotated[str, BeforeValidator(column_type)]
DatasetName = Annotated[str, AfterValidator(_dataset_name)]
Sources = Annotated[list[Source], AfterValidator(distinct), BeforeValidator(as_list)]
Columns = Annotated[list[Text], AfterValidator(distinct), BeforeValidator(as_list)]
Excluded = Annotated[dict[str, str | None], BeforeValidator(as_excluded)]
