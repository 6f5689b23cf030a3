"""``transform:`` of ``mldata.yaml``: a function, a built-in step, or a list of these.

The plain form is ``{"steps": [...], "limits": [...]}``. A step is a mapping with ``step`` (its name) and its parameters, every default filled
in; ``limits`` has for each step ``[seconds or None, bytes or None]``. Limits say whether a step may end, never what it makes, so they are
apart from the parameters and enter no action key.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from mldata import specvalues as values
from mldata import stepvalues as reads
from mldata.expression import BadExpression, parse
from mldata.specvalues import Fault
from mldata.yamltree import Scalar

__all__ = ["Transform"]

TIMEOUT = 600.0
"""Seconds that an action with a function may take, unless the step says otherwise."""
MAX_STEPS = 1000
_FUNCTION_KEYS = ("function", "scope", "params", "timeout", "memory")
Step = dict[str, Any]


def as_transform(raw: Any) -> dict[str, Any]:
    """The plain form of ``transform:``. Refuses with every fault that it finds."""
    listed = isinstance(raw, list | tuple)
    items = list(raw) if listed else [raw]
    faults: list[Fault] = []
    steps, limits = [], []
    if not items:
        faults.append(Fault("expected at least one step, found an empty list", reads.EXAMPLE))
    if len(items) > MAX_STEPS:
        values.refuse(Fault(f"expected at most {MAX_STEPS} steps, found {len(items):,}"))
    for number, item in enumerate(items):
        reader = _Reader((str(number),) if listed else ())
        step = reader.step(item)
        faults += reader.faults
        steps.append(step)
        limits.append(reader.limits)
    if faults:
        values.refuse(*faults)
    return {"steps": steps, "limits": limits}


Transform = Annotated[dict[str, Any], BeforeValidator(as_transform)]


class _Reader:
    """Reads one step, collecting what is wrong with it."""

    def __init__(self, at: tuple[str, ...]) -> None:
        self.at = at
        self.faults: list[Fault] = []
        self.limits: list[float | int | None] = [None, None]

    def fault(self, message: str, hint: str | None = None, *at: str) -> None:
        self.faults.append(Fault(message, hint, self.at + at))

    def value(self, read: Callable[[Any], Any], raw: Any, *at: str) -> Any:
        """What ``read`` makes of ``raw``; its faults are noted at ``at``."""
        try:
            return read(raw)
        except PydanticCustomError as error:
            found: tuple[Fault, ...] = (error.context or {})["faults"]
            self.faults += [fault._replace(at=self.at + at + fault.at) for fault in found]
            return None

    def mapping(self, raw: Any, example: str, *at: str) -> Mapping[str, Any]:
        """``raw`` as a mapping that is not empty; an empty one with a fault otherwise."""
        if isinstance(raw, dict) and raw:
            return raw
        self.fault(f"expected a mapping such as {example}, found {reads.shown(raw)}", None, *at)
        return {}

    def step(self, raw: Any) -> Step:
        if isinstance(raw, Scalar | str):
            return self.function({"function": raw}, plain=True)
        if not isinstance(raw, dict) or not raw:
            self.fault(f"expected a step, found {reads.shown(raw)}", reads.EXAMPLE)
            return {}
        if "function" in raw:
            return self.function(raw)
        names = [name for name in raw if name in _STEPS]
        for name in raw:
            if name not in _STEPS:
                known = (*_STEPS, *_FUNCTION_KEYS)
                hint = (
                    values.did_you_mean(name, known)
                    or f"steps are {', '.join(_STEPS)}; or function: file.py:name"
                )
                if name in _FUNCTION_KEYS:
                    hint = f"'{name}' belongs to a step with 'function: file.py:name'"
                self.fault(f"unknown step {name!r}", hint, name, "[key]")
        if len(names) > 1:
            hint = "write them as a list: steps run in order"
            self.fault(f"expected one step, found {' and '.join(names)}", hint, names[1], "[key]")
        return {"step": names[0], **_STEPS[names[0]](self, raw[names[0]])} if len(names) == 1 else {}

    def function(self, raw: Mapping[str, Any], *, plain: bool = False) -> Step:
        at = () if plain else ("function",)
        for name in raw:
            if name not in _FUNCTION_KEYS:
                hint = (
                    values.did_you_mean(name, _FUNCTION_KEYS) or f"keys here are {', '.join(_FUNCTION_KEYS)}"
                )
                self.fault(f"unknown key {name!r}", hint, name, "[key]")
        step = {
            "step": "function",
            "function": self.value(reads.function, raw["function"], *at),
            "scope": "fragment",
            "params": {},
        }
        if "scope" in raw:
            step["scope"] = self.value(reads.scope, raw["scope"], "scope")
        if "params" in raw:
            if isinstance(raw["params"], dict):
                step["params"] = self.params(raw["params"])
            else:
                self.fault(
                    f"expected a mapping such as {{limit: 3}}, found {reads.shown(raw['params'])}",
                    None,
                    "params",
                )
        self.limits = [
            self.value(reads.timeout, raw["timeout"], "timeout") if "timeout" in raw else TIMEOUT,
            self.value(reads.memory, raw["memory"], "memory") if "memory" in raw else None,
        ]
        return step

    def params(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        for name in raw:
            if not name.isidentifier() or keyword.iskeyword(name):
                hint = "parameters are passed by name: def clean(table, *, limit)"
                self.fault(f"expected the name of a parameter, found {name!r}", hint, "params", name, "[key]")
            elif reads.too_large(raw[name]):
                self.fault("expected whole numbers of at most 64 bits", "put it in quotes", "params", name)
        return {name: reads.plain(value) for name, value in sorted(raw.items())}

    def select(self, raw: Any) -> Step:
        return {"columns": self.names(raw)}

    def names(self, raw: Any, *at: str) -> list[str]:
        """Column names, each once and at least one."""
        items = values.as_list(raw)
        if not isinstance(items, list) or not items:
            self.fault(
                f"expected column names such as [a, b], found {reads.shown(raw)}", None, *self.key, *at
            )
            return []
        names = [self.value(values.as_text, item, *self.key, *at, str(n)) for n, item in enumerate(items)]
        for number, name in enumerate(names):
            if name is not None and name in names[:number]:
                self.fault(f"{name!r} is given twice", None, *self.key, *at, str(number))
        return names

    key: tuple[str, ...] = ()
    """Name of the built-in step that is being read."""

    def rename(self, raw: Any) -> Step:
        read = self.mapping(raw, "{old: new}", *self.key)
        columns = {old: self.value(reads.name, new, *self.key, old) for old, new in read.items()}
        seen: dict[str, str] = {}
        for old, new in columns.items():
            if new is not None and (first := seen.setdefault(new, old)) != old:
                self.fault(f"{first!r} and {old!r} would both be called {new!r}", None, *self.key, old)
        return {"columns": dict(sorted(columns.items()))}

    def cast(self, raw: Any) -> Step:
        read = self.mapping(raw, "{age: int32}", *self.key)
        columns = {name: self.value(values.column_type, kind, *self.key, name) for name, kind in read.items()}
        return {"columns": dict(sorted(columns.items()))}

    def filter(self, raw: Any) -> Step:
        text = self.value(values.as_text, raw, *self.key)
        if text is not None:
            try:
                parse(text)
            except BadExpression as error:
                self.fault(str(error), error.hint, *self.key)
        return {"expression": (text or "").strip()}

    def dedupe(self, raw: Any) -> Step:
        if isinstance(raw, bool) or (isinstance(raw, Scalar) and isinstance(raw.value, bool)):
            if (raw if isinstance(raw, bool) else raw.value) is False:
                self.fault(
                    "expected true (all columns) or column names, found 'false'", "remove the step", *self.key
                )
            return {"by": []}
        return {"by": self.names(raw)}

    def sample(self, raw: Any) -> Step:
        read = self.mapping(raw, "{rows: 1000} or {share: 0.1}", *self.key)
        for name in read:
            if name not in ("rows", "share", "seed"):
                hint = (
                    values.did_you_mean(name, ("rows", "share", "seed")) or "keys here are rows, share, seed"
                )
                self.fault(f"unknown key {name!r}", hint, *self.key, name, "[key]")
        if read and ("rows" in read) == ("share" in read):
            self.fault("expected either 'rows' or 'share'", "for example {rows: 1000}", *self.key)
        readers = (("rows", reads.count), ("share", reads.share), ("seed", reads.seed))
        found = {name: self.value(one, read[name], *self.key, name) for name, one in readers if name in read}
        return {"rows": found.get("rows"), "share": found.get("share"), "seed": found.get("seed", 42)}

    def sort(self, raw: Any) -> Step:
        names = self.names(raw)
        by = [[name.removeprefix("-"), name.startswith("-")] for name in names if name is not None]
        for number, (name, _) in enumerate(by):
            if not name or name in [other for other, _ in by[:number]]:
                what = f"{name!r} is given twice" if name else "expected a column name after '-'"
                self.fault(what, None, *self.key, str(number))
        return {"by": by}

    def fill_null(self, raw: Any) -> Step:
        read = self.mapping(raw, "{age: 0}", *self.key)
        filled = {name: self.value(reads.scalar, value, *self.key, name) for name, value in read.items()}
        return {"values": dict(sorted(filled.items()))}

    def map(self, raw: Any) -> Step:
        read = self.mapping(raw, "{species: {Adelie: a, Gentoo: g}}", *self.key)
        labels = {}
        for column, pairs in read.items():
            found = self.mapping(pairs, "{Adelie: a, Gentoo: g}", *self.key, column)
            new = {
                old: self.value(reads.label, label, *self.key, column, old) for old, label in found.items()
            }
            kinds = {reads.kind(label) for label in new.values() if label is not None}
            if len(kinds) > 1:
                self.fault(
                    f"expected labels of one kind, found {' and '.join(sorted(kinds))}",
                    "put numbers in quotes to have text",
                    *self.key,
                    column,
                )
            labels[column] = dict(sorted(new.items()))
        return {"labels": dict(sorted(labels.items()))}


def _built_in(name: str) -> Callable[[_Reader, Any], Step]:
    def read(reader: _Reader, raw: Any) -> Step:
        reader.key = (name,)
        found: Step = getattr(reader, name)(raw)
        return found

    return read


_STEPS = {
    name: _built_in(name)
    for name in ("select", "rename", "cast", "filter", "dedupe", "sample", "sort", "fill_null", "map")
}
