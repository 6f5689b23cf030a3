"""What OpenML says of a dataset and its columns, read with care: every value may be missing, or anything."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mldata.sources.openmlapi import OpenmlApi

__all__ = ["Description", "Feature", "read_description", "read_features"]

MOST_VALUES, LONGEST_VALUES = 100, 1000
"""Values of a nominal column, and their characters together, that the manifest tells; of others how many there are."""
LONGEST_NAME = 100
_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_OTHER = re.compile(r"[^A-Za-z0-9._()-]+")


@dataclass(frozen=True)
class Description:
    """A dataset."""

    id: int
    name: str
    version: int
    status: str
    """``active``, ``in_preparation`` or ``deactivated``."""
    arff: str | None
    """The address of the ARFF file."""
    md5: str | None
    """Of the ARFF file."""
    parquet: str | None
    license: str | None
    description: str | None
    target: str | None
    """Column, or several with commas between them."""
    row_id: str | None
    ignore: Sequence[str]
    """Columns that nothing is to be learnt from."""
    tags: Sequence[str]

    @property
    def file_name(self) -> str:
        """Its name without what a file's name may not have on some system."""
        from store import UnsafeName, split_path

        name = _OTHER.sub("_", self.name)[:LONGEST_NAME].strip("._ ")
        try:
            split_path(f"{name}.arff")
            return name or f"dataset_{self.id}"
        except UnsafeName:
            return f"dataset_{self.id}"


@dataclass(frozen=True)
class Feature:
    """A column."""

    name: str
    type: str
    """``numeric``, ``nominal``, ``string`` or ``date``."""
    values: Sequence[str] = ()
    """Of a nominal one."""
    missing: int | None = None

    def fact(self) -> dict[str, Any]:
        """For the manifest."""
        told: dict[str, Any] = {"name": self.name, "type": self.type}
        few = len(self.values) <= MOST_VALUES and sum(map(len, self.values)) <= LONGEST_VALUES
        if self.values:
            told |= {"values": list(self.values)} if few else {"distinct": len(self.values)}
        if self.missing:
            told["missing"] = self.missing
        return told


def read_description(said: Mapping[str, Any], api: OpenmlApi) -> Description:
    """The dataset that the API describes. Raises ``NetworkError`` where it does not say which one that is."""
    number, version = _whole(said.get("id")), _whole(said.get("version"))
    name = _text(said.get("name"))
    if number is None or name is None:
        raise api.odd("the number and the name of a dataset", {k: said.get(k) for k in ("id", "name")})
    md5 = _text(said.get("md5_checksum")) or ""
    return Description(
        number,
        name,
        version or 1,
        _text(said.get("status")) or "active",
        _secure(_address(said.get("url")), api),
        md5.lower() if _MD5.fullmatch(md5) else None,
        _secure(_address(said.get("parquet_url")) or _address(said.get("minio_url")), api),
        _text(said.get("licence")),
        _text(said.get("description")),
        _text(said.get("default_target_attribute")),
        _text(said.get("row_id_attribute")),
        _texts(said.get("ignore_attribute")),
        _texts(said.get("tag")),
    )


def read_features(said: Mapping[str, Any]) -> list[Feature]:
    """The columns that the API describes, in order. What makes no sense is left out."""
    found = said.get("feature")
    features = []
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict) and (name := _text(one.get("name"))) is not None:
            values, missing = (
                one.get("nominal_value", one.get("nominal_values")),
                one.get("number_of_missing_values"),
            )
            index = _whole(one.get("index")) or 0
            kind = _text(one.get("data_type")) or ""
            features.append((index, Feature(name, kind, _values(values), _whole(missing))))
    return [feature for _, feature in sorted(features, key=lambda each: each[0])]


def _values(said: object) -> Sequence[str]:
    """Nominal values: a list, which is sent as JSON within the JSON as well."""
    if isinstance(said, str) and said.startswith("["):
        try:
            said = json.loads(said)
        except (ValueError, RecursionError):
            return ()
    return _texts(said)


def _address(said: object) -> str | None:
    """An address of the web, without a user and a password in it."""
    text = _text(said)
    try:
        parts = urlsplit(text or "")
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return None
    return text if good else None


def _secure(url: str | None, api: OpenmlApi) -> str | None:
    """Files come over https if the API does: else anyone on the way could change them."""
    if url is not None and api.site.startswith("https:"):
        return "https:" + url.partition(":")[2]
    return url


def _text(said: object) -> str | None:
    return said if isinstance(said, str) and said else None


def _texts(said: object) -> Sequence[str]:
    """A list of texts; one alone is sent as itself."""
    return tuple(filter(None, map(_text, said if isinstance(said, list) else [said])))


def _whole(said: object) -> int | None:
    """A whole number, which is sent as text."""
    return int(str(said)) if re.fullmatch(r"[0-9]{1,15}", str(said)) else None
