"""``mldata.yaml``: what a user may write in it, and the plain form that the rest of the code reads.

Invariant: :func:`parse_spec` gives a spec that can be built, or raises :class:`InvalidSpec` with every problem that it
found, each with line and column. Two texts that differ in comments, key order, quoting or layout only have equal plain
forms (:meth:`Spec.to_plain`).

It imports pydantic and PyYAML, so a build with nothing to do does not import it: see ``mldata.project``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import (
    Field,
    ValidationError,
)

from mldata import specvalues as values
from mldata import yamltree
from mldata.errors import SpecError, Where
from mldata.exports import find_export
from mldata.partnames import FIRST_PARTS
from mldata.specexpect import expect_section
from mldata.specgraph import graph_faults, stdin_faults
from mldata.specprofile import Profile
from mldata.specsections import Dataset, Export, Normalize, Section, Split
from mldata.specvalidate import check_section
from mldata.specvalues import Fault
from mldata.yamltree import Problem, Scalar

__all__ = [
    "Flags",
    "InvalidSpec",
    "Spec",
    "argument_place",
    "export_faults",
    "locate",
    "parse_dataset",
    "parse_spec",
    "parse_split",
]


Flags = Mapping[tuple[str, ...], str]
"""What to call a setting of a dataset, by its keys: the flag of a command."""


class InvalidSpec(SpecError):
    """All problems of a spec at once; ``str()`` shows each on a line of its own."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(
            sorted(set(problems), key=lambda p: (p.where.line or 0, p.where.column or 0, p.message))
        )
        first = self.problems[0]
        super().__init__(first.message, where=first.where, hint=first.hint)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class Spec(Section):
    """The whole file."""

    later: ClassVar[frozenset[str]] = frozenset({"remote"})
    example: ClassVar[str] = "'version: 1' and 'datasets:'"

    version: values.WholeNumber
    store: values.StorePath = ".mldata/store"
    link: Annotated[str, values.one_of("auto", "reflink", "hardlink", "copy")] = "auto"
    salt: values.Text = ""
    datasets: dict[values.DatasetName, Dataset] = Field(default_factory=dict)

    def faults(self) -> Iterator[Fault]:
        """A version of the future, and exports that get into each other's or a source's way."""
        if self.version != 1:
            yield Fault(
                f"expected version 1, found {self.version}", "a newer mldata may read it", ("version",)
            )
        yield from export_faults(self.to_plain()["datasets"])

    def to_plain(self) -> dict[str, Any]:
        """The spec as dicts, lists, text and numbers, every default filled in; what ``mldata.project`` keeps."""
        return {
            "version": self.version,
            "store": self.store,
            "link": self.link,
            "salt": self.salt,
            "datasets": {name: dataset.to_plain(name) for name, dataset in self.datasets.items()},
        }


def export_faults(datasets: Mapping[str, Any]) -> Iterator[Fault]:
    """Export folders that hold each other, or whose files would be read as their own source."""
    hint = "give it another 'to:'"
    seen: dict[str, str] = {}
    for name, dataset in datasets.items():
        if dataset["export"] is None:
            continue
        to = values.fold(dataset["export"]["to"])
        at = ("datasets", name, "export", "to")
        for other_to, other in seen.items():
            if f"{to}/".startswith(f"{other_to}/") or f"{other_to}/".startswith(f"{to}/"):
                shared = min(to, other_to)
                yield Fault(
                    f"the exports of {other!r} and {name!r} would share the folder {shared!r}", hint, at
                )
        seen[to] = name
        for source in dataset["source"]:
            if _reads_export(values.fold(posixpath.normpath(source)), to, dataset):
                yield Fault(f"the export to {to!r} would be read as part of the source {source!r}", hint, at)


def _reads_export(source: str, to: str, dataset: Mapping[str, Any]) -> bool:
    if (source == "." and not to.startswith("/")) or f"{to}/".startswith(f"{source}/"):
        return True
    parts = [part for part, _ in dataset["split"]["parts"]] if dataset["split"] else ["data"]
    parts = parts or list(FIRST_PARTS)  # what a column says is not known yet: these are the likely ones
    files = [
        find_export(kind).file_path(part, *shard)
        for part in parts
        for kind in dataset["export"]["formats"]
        for shard in ((), (0, 1))
    ]
    return any(values.glob_matches(source, values.fold(f"{to}/{file}")) for file in (*files, "manifest.yaml"))


# -- reading ---------------------------------------------------------------------------------------------------------


def parse_spec(text: str | bytes, file: str) -> Spec:
    """The spec that ``text`` holds; ``file`` is its name for messages.

    Raises:
        InvalidSpec: with every problem found.
    """
    root, problems = yamltree.compose(text, file)
    if root is None:
        hint = "'mldata init' writes one to begin with"
        empty = Problem(Where(file, 1, 1), "the file is empty; expected 'version: 1' and 'datasets:'", hint)
        raise InvalidSpec(problems or [empty])
    raw = _raw(root)
    if isinstance(raw, dict) and isinstance(raw.get("datasets"), Scalar) and raw["datasets"].value is None:
        del raw["datasets"]  # every dataset is commented out; elsewhere an empty value is an error
    try:
        spec = Spec.model_validate(raw)
    except ValidationError as error:
        raise InvalidSpec([*problems, *_problems(error, root, file)]) from None
    plain = spec.to_plain()["datasets"]
    graph = [
        Problem(_where(root, file, fault.at), fault.message, fault.hint)
        for fault in (*graph_faults(plain), *stdin_faults(plain))
    ]
    if problems or graph:
        raise InvalidSpec([*problems, *graph])
    return spec


def parse_dataset(
    name: str, data: Mapping[str, Any], file: str = "arguments", flags: Flags | None = None
) -> dict[str, Any]:
    """The plain form of one dataset given as Python values, for what is built without a spec.

    Whether there are the datasets that it names is for :func:`mldata.specgraph.graph_faults` to say.

    Raises:
        InvalidSpec: ``file`` stands where a spec's file would, followed by the keys; or the flag that says what they do.
    """
    try:
        spec = Spec.model_validate({"version": 1, "datasets": {name: dict(data)}})
    except ValidationError as error:
        raise InvalidSpec(_problems(error, None, file, flags)) from None
    plain: dict[str, Any] = spec.to_plain()["datasets"][name]
    return plain


def parse_split(text: str) -> dict[str, float]:
    """Parts from a command line: ``0.8,0.1,0.1`` (train, val, test), ``0.8,0.2`` (train, test) or ``a=0.5,b=0.5``.

    The shares are only read here; :func:`parse_dataset` judges them.
    """
    items = text.split(",")
    names = {1: ("train",), 2: ("train", "test"), 3: ("train", "val", "test")}.get(len(items), ())
    parts: dict[str, float] = {}
    for number, item in enumerate(items):
        name, equals, share = item.rpartition("=")
        try:
            key = name.strip() if equals else names[number]
            parts[key] = float(share)
        except (ValueError, IndexError):
            raise SpecError(
                f"expected shares such as 0.8,0.1,0.1 or train=0.9,extra=0.1; found {text!r}"
            ) from None
    if len(parts) < len(items):
        raise SpecError(f"expected each part once, found {text!r}")
    return parts


def locate(text: str | bytes, file: str, *keys: str | int) -> Where:
    """Where the value under ``keys`` stands, or the innermost one around it; for messages of later stages."""
    return _where(yamltree.compose(text, file).root, file, keys)


def _raw(node: yamltree.Node) -> Any:
    if isinstance(node, yamltree.Mapping):
        return {key.text: _raw(value) for key, value in node.entries}
    return [_raw(item) for item in node.items] if isinstance(node, yamltree.Sequence) else node


def _where(root: yamltree.Node | None, file: str, keys: Iterable[str | int]) -> Where:
    if root is None:
        return Where(file)
    path = [str(key) for key in keys]
    node, span = root, root.span
    for number, key in enumerate(path):
        if isinstance(node, yamltree.Mapping) and (entry := node.find(key)):
            node = entry[1]
            absent = isinstance(node, Scalar) and not node.text and node.style is None
            span = entry[0].span if absent or path[number + 1 :] == ["[key]"] else node.span
        elif isinstance(node, yamltree.Sequence) and key.isdigit() and int(key) < len(node.items):
            node = node.items[int(key)]
            span = node.span
        else:
            break
    return Where(file, span.line, span.column)


# -- pydantic's errors in our words ----------------------------------------------------------------------------------


def argument_place(keys: Sequence[str | int], file: str, flags: Flags | None = None) -> Where:
    """Where a setting of a dataset (``keys`` below it) is said that is in no file: by its flag, or by its keys."""
    for length in range(len(keys), 0, -1):
        if flags and (flag := flags.get(tuple(map(str, keys[:length])))):
            return Where(flag)
    return Where(": ".join([file, *(str(key) for key in keys if key != "[key]")]))


def _problems(
    error: ValidationError, root: yamltree.Node | None, file: str, flags: Flags | None = None
) -> Iterator[Problem]:
    for detail in error.errors(include_url=False):
        keys = [str(key) for key in detail["loc"]]
        for fault in _faults(detail, keys):
            place = [*keys, *fault.at]
            where = _where(root, file, place)
            if root is None:
                where = argument_place(place[2:], file, flags)
            yield Problem(where, fault.message, fault.hint)


def _faults(detail: Any, keys: list[str]) -> Iterator[Fault]:
    kind, last = detail["type"], keys[-1] if keys else ""
    section, parent = _section(keys), _section(keys[:-1]) or Spec
    if kind == "spec":
        for fault in detail["ctx"]["faults"]:
            yield _mistaken(fault, last) if fault.at == values.MISTAKEN else fault
    elif kind == "extra_forbidden" and last in parent.later:
        yield Fault(f"this version of mldata does not have {last!r} yet", "remove it", ("[key]",))
    elif kind == "extra_forbidden":
        names = [field.alias or name for name, field in parent.model_fields.items()]
        yield Fault(
            f"unknown key {last!r}",
            values.did_you_mean(last, names) or f"keys here are {', '.join(names)}",
            ("[key]",),
        )
    elif kind == "missing":
        yield Fault(f"{last!r} is missing", f"for example {parent.example}")
    elif kind in ("model_type", "dict_type"):
        example = section.example if section else "{name: value}"
        yield Fault(f"expected a mapping such as {example}; found {values.shown(detail['input'])}")
    else:
        expected = "expected a list" if kind == "list_type" else detail["msg"]
        yield Fault(f"{expected}, found {values.shown(detail['input'])}")


def _mistaken(fault: Fault, key: str) -> Fault:
    """A part with an impossible share may be a setting that is misspelt."""
    return Fault(fault.message, values.did_you_mean(key, Split.model_fields))


def _section(keys: list[str]) -> type[Section] | None:
    if not keys:
        return Spec
    if keys[0] == "datasets" and keys[2:3] == ["validate"]:
        return check_section(keys[3:])
    if keys[0] == "datasets" and keys[2:3] == ["expect"]:
        return expect_section(keys[3:])
    if keys[0] != "datasets" or len(keys) not in (2, 3):
        return None
    sections: dict[str, type[Section]] = {
        "normalize": Normalize,
        "split": Split,
        "profile": Profile,
        "export": Export,
    }
    return Dataset if len(keys) == 2 else sections.get(keys[2])
