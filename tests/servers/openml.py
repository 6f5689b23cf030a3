"""OpenML on this machine: its API in JSON and in XML (``/api/v1/json/data/61``, ``/api/v1/xml/data/61``), the ARFF files that it gives out itself, and
the storage host that has the Parquet files.

What is as strict as there: filters and what they may be, errors as 412 with a code of their own, a wrong key is an error for everything, no key
but as ``?api_key=``, and numbers in JSON that are text in one answer and numbers in the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from tests.servers.steered import Answer, Request, Steered, Steering, as_json

XML = {"Content-Type": "text/xml; charset=utf-8"}
NAMESPACE = 'xmlns:oml="http://openml.org/openml"'
MESSAGES = {
    100: "Function not valid", 103: "Authentication failed", 107: "Database connection error. Usually due to high server load.",
    110: "Please provide data_id", 111: "Unknown dataset", 112: "No access granted", 113: "No data file", 271: "Unknown dataset",
    272: "No features found", 273: "Dataset not processed yet", 361: "Unknown dataset", 362: "No qualities found",
    370: "Illegal filter specified", 371: "Filter values/ranges not properly specified", 372: "No results",
    373: "Can not specify an offset without a limit",
}  # fmt: skip
FILTERS = {
    "status": r"active|deactivated|in_preparation|all", "limit": r"\d+", "offset": r"\d+", "data_id": r"[\d,]+",
    "data_name": r".+", "data_version": r"\d+", "tag": r".+", "number_instances": r"\d+(\.\.\d+)?",
    "number_classes": r"\d+(\.\.\d+)?",
}  # fmt: skip


@dataclass
class Column:
    """A feature."""

    name: str
    type: str = "numeric"
    values: Sequence[str] = ()
    missing: int = 0


@dataclass
class Table:
    """A dataset."""

    id: int
    name: str
    arff: bytes | None
    """None: the file is gone."""
    parquet: bytes | None = None
    version: int = 1
    format: str = "ARFF"
    status: str = "active"
    columns: Sequence[Column] = ()
    """None are known of what was not looked at yet."""
    rows: int | None = None
    classes: int | None = None
    target: str | None = None
    ignore: Sequence[str] = ()
    row_id: str | None = None
    key: str | None = None
    """Who shows this one sees it; None: everybody."""
    shown: bool = True
    """Whether the storage host gives the Parquet file out."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """In the description."""


class Storage(Steered):
    """A MinIO with a bucket that everybody may read."""

    own = False

    def __init__(self, steering: Steering, tables: Mapping[int, Table]) -> None:
        super().__init__(steering)
        self._tables = tables

    def address(self, table: Table) -> str:
        """Of the Parquet file."""
        return f"{self.url}/datasets/0000/{table.id:04}/dataset_{table.id}.pq"

    def answer(self, request: Request) -> Answer:
        """A Parquet file."""
        found = re.fullmatch(r"/datasets/0000/\d{4}/dataset_(\d+)\.pq", request.path)
        table = self._tables.get(int(found[1])) if found else None
        if table is None or table.parquet is None or not table.shown:
            return Answer(
                b"<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>", 403, XML
            )
        return Answer(table.parquet, headers={"Content-Type": "application/octet-stream"}, file=True)


class Openml(Steered):
    """The server. The storage host starts and ends with it."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[int, Table] = {}
        self.storage = Storage(self.steering, self.tables)
        self.keys: set[str] = set()

    def __enter__(self) -> Openml:
        self.storage.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *reason: object) -> None:
        super().__exit__(*reason)
        self.storage.__exit__(*reason)

    def add(self, table: Table) -> Table:
        """Have a dataset."""
        self.tables[table.id] = table
        return table

    def answer(self, request: Request) -> Answer:
        """What the API says, or a file."""
        key = request.query.get("api_key")
        if found := re.fullmatch(r"/data/v1/download/(\d+)/.*", request.path):
            table = self.tables.get(int(found[1]) - 1000)
            if table is None or table.arff is None:
                return Answer(b"file not found", 404)
            if table.key is not None and key != table.key:
                return Answer(b"no access", 412)
            return Answer(table.arff, headers={"Content-Type": "text/plain"}, file=True)
        parts = request.path.strip("/").split("/")
        if (
            parts[:2] != ["api", "v1"]
            or parts[2:3] not in (["json"], ["xml"])
            or set(request.query) - {"api_key"}
        ):
            return Answer(b"<!doctype html><title>OpenML</title>", 404, {"Content-Type": "text/html"})
        as_xml, path = parts[2] == "xml", parts[3:]
        try:
            if key is not None and key not in self.keys:
                raise _Refused(103)
            return self._data(path, key, as_xml)
        except _Refused as refused:
            said = {"code": str(refused.code), "message": MESSAGES[refused.code]}
            if not as_xml:
                return as_json({"error": said}, 412)
            return Answer(_element("error", {**said, "code": refused.code}), 412, XML)

    def _data(self, path: list[str], key: str | None, as_xml: bool) -> Answer:
        if path[:2] == ["data", "list"]:
            return self._list(path[2:], key, as_xml)
        if len(path) == 2 and path[0] == "data" and path[1].isdecimal():
            return self._described(self._find(path[1], key, 111), as_xml)
        if len(path) == 3 and path[:2] == ["data", "features"] and path[2].isdecimal():
            return _features(self._find(path[2], key, 271), as_xml)
        if len(path) == 3 and path[:2] == ["data", "qualities"] and path[2].isdecimal():
            return _qualities(self._find(path[2], key, 361), as_xml)
        raise _Refused(100)

    def _find(self, number: str, key: str | None, unknown: int) -> Table:
        table = self.tables.get(int(number))
        if table is None:
            raise _Refused(unknown)
        if table.key is not None and key != table.key:
            raise _Refused(112)
        return table

    def _described(self, table: Table, as_xml: bool) -> Answer:
        if table.arff is None:
            raise _Refused(113)
        name = quote(table.name, safe="")
        said: dict[str, Any] = {
            "id": str(table.id), "name": table.name, "version": str(table.version), "description": f"About {table.name}.",
            "format": table.format, "upload_date": "2014-04-06T23:23:39", "licence": "Public",
            "url": f"{self.url}/data/v1/download/{table.id + 1000}/{name}.{table.format.lower()}",
            "file_id": str(table.id + 1000), "default_target_attribute": table.target, "row_id_attribute": table.row_id,
            "ignore_attribute": list(table.ignore), "version_label": str(table.version), "tag": ["study_1", "uci"],
            "visibility": "public" if table.key is None else "private", "status": table.status,
            "md5_checksum": md5(table.arff, usedforsecurity=False).hexdigest(),
            "parquet_url": self.storage.address(table) if table.parquet is not None else None, **table.more,
        }  # fmt: skip
        said = {key: value for key, value in said.items() if value not in (None, [])}
        if as_xml:
            return Answer(_element("data_set_description", said), headers=XML)
        return as_json({"data_set_description": said})

    def _list(self, path: list[str], key: str | None, as_xml: bool) -> Answer:
        said = dict(zip(path[::2], path[1::2], strict=False))
        if len(path) % 2 or set(said) - set(FILTERS):
            raise _Refused(370)
        if not all(re.fullmatch(FILTERS[name], value) for name, value in said.items()):
            raise _Refused(371)
        if "offset" in said and "limit" not in said:
            raise _Refused(373)
        start = int(said.get("offset", 0))
        tables = list(self._chosen(said, key))[start : start + int(said.get("limit", 1 << 60))]
        if not tables:
            raise _Refused(372)
        if as_xml:
            return Answer(_listed_xml(tables), headers=XML)
        return as_json({"data": {"dataset": [_listed(table) for table in tables]}})

    def _chosen(self, said: Mapping[str, str], key: str | None) -> Iterator[Table]:
        for table in sorted(self.tables.values(), key=lambda table: table.id):
            fits = said.get("status", "active") in ("all", table.status)
            fits &= said.get("data_name", table.name).lower() == table.name.lower()
            fits &= said.get("data_version", str(table.version)) == str(table.version)
            fits &= str(table.id) in said.get("data_id", str(table.id)).split(",")
            if fits and table.key in (None, key):
                yield table


class _Refused(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def _numbers(table: Table) -> dict[str, float]:
    known = {
        "NumberOfInstances": table.rows,
        "NumberOfClasses": table.classes,
        "NumberOfFeatures": len(table.columns),
    }
    return {name: float(value) for name, value in known.items() if value is not None}


def _listed(table: Table) -> dict[str, Any]:
    qualities = [{"name": name, "value": str(value)} for name, value in _numbers(table).items()]
    return {
        "did": table.id, "name": table.name, "version": table.version, "status": table.status, "format": table.format,
        "file_id": table.id + 1000, "quality": qualities,
    }  # fmt: skip


def _listed_xml(tables: Sequence[Table]) -> bytes:
    made = []
    for table in tables:
        said = {k: v for k, v in _listed(table).items() if k != "quality"}
        numbers = "".join(
            f"<oml:quality name={quoteattr(n)}>{v}</oml:quality>" for n, v in _numbers(table).items()
        )
        made.append(f"<oml:dataset>{_inside(said)}{numbers}</oml:dataset>")
    return f"<oml:data {NAMESPACE}>{''.join(made)}</oml:data>".encode()


def _features(table: Table, as_xml: bool) -> Answer:
    if not table.columns:
        raise _Refused(273)
    said = []
    for index, column in enumerate(table.columns):
        one: dict[str, Any] = {"index": str(index), "name": column.name, "data_type": column.type}
        if column.values and as_xml:
            one["nominal_value"] = list(column.values)
        elif column.values:  # as the real one does, JSON within the JSON
            one["nominal_values"] = json.dumps(column.values)
        one |= {
            "is_target": str(column.name == table.target).lower(), "is_ignore": str(column.name in table.ignore).lower(),
            "is_row_identifier": str(column.name == table.row_id).lower(),
            "number_of_missing_values": str(column.missing),
        }  # fmt: skip
        said.append(one)
    if as_xml:
        return Answer(_element("data_features", {"feature": said}), headers=XML)
    return as_json({"data_features": {"feature": said}})


def _qualities(table: Table, as_xml: bool) -> Answer:
    said: list[dict[str, Any]] = [
        {"name": name, "value": str(value)} for name, value in _numbers(table).items()
    ]
    if table.rows is None:
        raise _Refused(362)
    if as_xml:
        return Answer(_element("data_qualities", {"quality": said}), headers=XML)
    return as_json({"data_qualities": {"quality": [{"name": "MaxKurtosis", "value": []}, *said]}})


def _element(name: str, said: Mapping[str, Any]) -> bytes:
    return f"<oml:{name} {NAMESPACE}>{_inside(said)}</oml:{name}>".encode()


def _inside(said: Mapping[str, Any]) -> str:
    made = []
    for name, value in said.items():
        for one in value if isinstance(value, list) else [value]:
            text = _inside(one) if isinstance(one, dict) else escape(str(one))
            made.append(f"<oml:{name}>{text}</oml:{name}>")
    return "".join(made)
