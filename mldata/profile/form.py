"""The JSON form of a profile, version 1: what ``mldata profile --json`` and ``-o FILE.json`` give, described by :func:`json_schema`.

Columns are an object by name, in the order of the table: of columns that share a name the second is called ``NAME (2)``, and so on; each has its ``name`` and
its ``position`` inside. What is told of numbers and times is beside ``dtype`` and ``nulls``; where a column has none of it, it is null.

Invariant: a profile comes back from its form equal, and the form has no NaN and no infinity.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, TypeVar

from mldata.profile.profile import (
    Alert,
    ColumnProfile,
    Correlation,
    Duplicates,
    Histogram,
    Picture,
    Preview,
    Profile,
    Spread,
    TextProfile,
    Top,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)

__all__ = ["FORM", "VERSION", "column_keys", "from_json", "json_schema", "to_json"]

FORM = "mldata-profile"
VERSION = 1
SCHEMA = "profile.schema.json"
_SPREAD = tuple(it.name for it in fields(Spread))
_PLAIN = tuple(
    it.name for it in fields(ColumnProfile) if it.name not in ("spread", "lengths", "text", "top", "alerts")
)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the form."""
    from importlib.resources import files

    made: dict[str, Any] = json.loads((files("mldata.profile") / SCHEMA).read_text("utf-8"))
    return made


def column_keys(names: Sequence[str]) -> list[str]:
    """Different keys for columns, some of which may have one name."""
    taken, keys = set(names), []
    seen: dict[str, int] = {}
    for name in names:
        key, number = name, seen.get(name, 0) + 1
        while number > 1 and (key := f"{name} ({number})") in taken:
            number += 1
        seen[name] = number
        taken.add(key)
        keys.append(key)
    return keys


def to_json(profile: Profile) -> dict[str, Any]:
    """The form of a profile: for ``json.dumps(..., allow_nan=False)``."""
    return {"form": FORM, "version": VERSION, **_table(profile)}


def from_json(form: Mapping[str, Any]) -> Profile:
    """The profile of a form; keys that joined it since are passed over. Raises ``ValueError`` for the form of another version, or for something else."""
    if form.get("form") != FORM or form.get("version") != VERSION:
        found = f"{form.get('form')!r}, version {form.get('version')!r}"
        raise ValueError(f"expected the form {FORM!r}, version {VERSION}; found {found}")
    try:
        return _profile(form)
    except KeyError as error:
        raise ValueError(f"expected a profile as {SCHEMA} describes it, found one without {error}") from None
    except (TypeError, AttributeError) as error:
        raise ValueError(f"expected a profile as {SCHEMA} describes it: {error}") from None


def _table(profile: Profile) -> dict[str, Any]:
    keys = column_keys([column.name for column in profile.columns])
    return {
        "title": profile.title,
        "kind": profile.kind,
        "rows": profile.rows,
        "size": profile.size,
        "share": profile.share,
        "missing": profile.missing,
        "missing_patterns": [
            {"columns": list(names), "rows": rows} for names, rows in profile.missing_patterns
        ],
        "duplicates": asdict(profile.duplicates) if profile.duplicates is not None else None,
        "columns": {
            key: _column(column, number)
            for number, (key, column) in enumerate(zip(keys, profile.columns, strict=True))
        },
        "correlations": [_listed(asdict(it)) for it in profile.correlations],
        "alerts": [asdict(alert) for alert in profile.alerts],
        "parts": {name: _table(part) for name, part in profile.parts.items()},
        "preview": _preview(profile.preview) if profile.preview is not None else None,
    }


def _column(column: ColumnProfile, number: int) -> dict[str, Any]:
    spread = _spread(column.spread) if column.spread is not None else dict.fromkeys(_SPREAD)
    return {
        "position": number,
        **{name: getattr(column, name) for name in _PLAIN},
        **spread,
        "lengths": _spread(column.lengths) if column.lengths is not None else None,
        "text": _text(column.text) if column.text is not None else None,
        "top": [asdict(it) for it in column.top],
        "alerts": [asdict(it) for it in column.alerts],
    }


def _spread(spread: Spread) -> dict[str, Any]:
    made = {name: getattr(spread, name) for name in _SPREAD}
    made["percentiles"] = dict(spread.percentiles)
    made["histogram"] = _listed(asdict(spread.histogram)) if spread.histogram is not None else None
    return made


def _text(text: TextProfile) -> dict[str, Any]:
    return {
        "lengths": _spread(text.lengths),
        "empty": text.empty,
        "blank": text.blank,
        "padded": text.padded,
        "characters": dict(text.characters),
        "looks": dict(text.looks),
        "words": [asdict(it) for it in text.words],
        "looked": text.looked,
    }


def _preview(preview: Preview) -> dict[str, Any]:
    return {
        "columns": list(preview.columns),
        "rows": [list(row) for row in preview.rows],
        "media": [
            {"title": it.title, "mime": it.mime, "data": b64encode(it.data).decode()} for it in preview.media
        ],
    }


def _listed(value: Any) -> Any:
    """JSON has lists alone."""
    if isinstance(value, dict):
        return {key: _listed(it) for key, it in value.items()}
    return [_listed(it) for it in value] if isinstance(value, list | tuple) else value


def _profile(plain: Mapping[str, Any]) -> Profile:
    ordered = sorted(plain["columns"].values(), key=lambda it: it["position"])
    preview, duplicates = plain["preview"], plain["duplicates"]
    return Profile(
        plain["title"],
        plain["kind"],
        plain["rows"],
        tuple(map(_column_of, ordered)),
        size=plain["size"],
        share=plain["share"],
        missing=plain["missing"],
        missing_patterns=tuple((tuple(it["columns"]), it["rows"]) for it in plain["missing_patterns"]),
        duplicates=_made(Duplicates, duplicates) if duplicates is not None else None,
        correlations=tuple(_made(Correlation, it) for it in plain["correlations"]),
        alerts=tuple(_made(Alert, it) for it in plain["alerts"]),
        parts={name: _profile(part) for name, part in plain["parts"].items()},
        preview=_preview_of(preview) if preview is not None else None,
    )


def _column_of(plain: Mapping[str, Any]) -> ColumnProfile:
    return ColumnProfile(
        **{name: plain[name] for name in _PLAIN},
        spread=_spread_of(plain) if plain["percentiles"] is not None else None,
        lengths=_spread_of(plain["lengths"]) if plain["lengths"] is not None else None,
        text=_text_of(plain["text"]) if plain["text"] is not None else None,
        top=tuple(_made(Top, it) for it in plain["top"]),
        alerts=tuple(_made(Alert, it) for it in plain["alerts"]),
    )


def _spread_of(plain: Mapping[str, Any]) -> Spread:
    made = {name: plain[name] for name in _SPREAD}
    if made["histogram"] is not None:
        made["histogram"] = _made(Histogram, made["histogram"])
    return Spread(**made)


def _text_of(plain: Mapping[str, Any]) -> TextProfile:
    words = tuple(_made(Top, it) for it in plain["words"])
    return _made(TextProfile, {**plain, "lengths": _spread_of(plain["lengths"]), "words": words})


def _preview_of(plain: Mapping[str, Any]) -> Preview:
    media = tuple(Picture(it["title"], it["mime"], b64decode(it["data"])) for it in plain["media"])
    return Preview(tuple(plain["columns"]), tuple(map(tuple, plain["rows"])), media)


def _made(kind: type[T], plain: Mapping[str, Any]) -> T:
    """A dataclass by its fields alone."""
    return kind(**{it.name: _tuples(plain[it.name]) for it in fields(kind)})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
