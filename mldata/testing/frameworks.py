"""What every framework promises."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from unittest import SkipTest

import pyarrow as pa

from mldata.exports import exports
from mldata.frameworks import FrameworkInfo
from mldata.frameworks.base import LARGE, Column, DataFile, Described

__all__ = ["FrameworkContract", "code_faults", "sample_described"]

HOSTILE = (
    'a"""\nINJECTED()\n"""',
    "'; INJECTED(); '",
    "\\",
    "{INJECTED()}",
    "class",
    "",
    " ",
    "日本語 \u202e\u200b",
    "a\x00b",
    "| `a` |",
    "x" * 200,
)
"""Names of columns, classes and parts that code must survive."""


def sample_described(formats: Sequence[str], kind: str = "tabular", names: Sequence[str] = ()) -> Described:
    """A described dataset of each role, with files of the first of ``formats``.

    Args:
        kind: ``tabular``, ``images`` or ``audio``.
        names: more columns, categories and nested ones in turn, with ``names`` as their classes as well.
    """
    format_name = formats[0]
    parts = {"train": 4, "test": 2}
    columns = [
        Column("label", pa.string(), "category", 0, ("no", "yes"), {"train": (3, 1), "test": (1, 1)}),
        Column("count", pa.int32(), "number", 0, span=(0, 9)),
        Column("share", pa.float64(), "number", 1),
        Column("known", pa.bool_(), "boolean", 2),
        Column("when", pa.timestamp("us", "UTC"), "time", 1),
        Column("note", pa.string(), "text", 1),
        Column("bytes", pa.binary(), "binary", 0),
        Column("tags", pa.list_(pa.string()), "nested", 0),
    ]
    if kind != "tabular":
        size = {"images": ("width", "height"), "audio": ("sample_rate", "channels")}[kind]
        columns = [
            Column("path", pa.string(), "media", 0),
            columns[0],
            *(Column(name, pa.int32(), "number", 0, span=(8, 8)) for name in size),
        ]
    classes = tuple(sorted(set(names)))
    counts = {part: (1,) * len(classes) for part in parts}
    for number, name in enumerate(names):
        nested = number % 2
        kept = Column(name, pa.list_(pa.int8()), "nested", 0)
        columns.append(kept if nested else Column(name, pa.string(), "category", 0, classes, counts))
    suffix = exports()[format_name].suffix
    files = [DataFile(f"{part}{suffix}", format_name, part, rows, 100) for part, rows in parts.items()]
    return Described("sample", kind, columns, parts, files, "label", 1000)


def code_faults(texts: Mapping[str, str]) -> list[str]:
    """What ruff says of Python files, by its default rules and format, as they stand in a folder of their own.

    Raises:
        SkipTest: ruff is not installed.
    """
    if find_spec("ruff") is None:
        raise SkipTest("ruff is not installed")
    with TemporaryDirectory() as folder:
        for name, text in texts.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        found: list[str] = []
        for told in (["format", "--diff"], ["check", "--output-format=concise"]):
            command = [sys.executable, "-m", "ruff", *told, "--isolated", "--no-cache", "."]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                found.append(done.stdout + done.stderr)
        return found


class FrameworkContract:
    """A framework. Set :attr:`info`; :attr:`kinds` where it is not for all kinds of datasets."""

    info: ClassVar[FrameworkInfo]
    """The framework, as its entry point gives it."""
    kinds: ClassVar[tuple[str, ...]] = ("tabular", "images", "audio")

    def make(self) -> Any:
        """The framework (:class:`~mldata.frameworks.base.Framework`)."""
        return getattr(import_module(self.info.module), self.info.factory)()

    def samples(self) -> Iterator[Described]:
        """Datasets of all kinds: large, with several files a part, without label, with hostile names."""
        for kind in self.kinds:
            plain = sample_described(self.info.formats, kind)
            yield plain
            yield replace(plain, size=LARGE + 1, module="dataset_other")
            yield replace(plain, label=None, columns=[it for it in plain.columns if it.name != "label"])
            hostile = sample_described(self.info.formats, kind, HOSTILE)
            yield replace(hostile, dataset=HOSTILE[0], label=HOSTILE[0])
        for column in sample_described(self.info.formats).columns if "tabular" in self.kinds else ():
            yield replace(sample_described(self.info.formats), columns=[column], label=None)

    def test_describes_itself(self) -> None:
        """Its formats are known, and it has a version."""
        assert self.info.name and self.info.version >= 1
        assert self.info.formats and set(self.info.formats) <= set(exports())

    def test_files_depend_on_the_dataset_alone(self) -> None:
        """The same dataset gives the same files, in the folder itself or below, which end with a line's end."""
        for described in self.samples():
            files = dict(self.make().files(described))
            assert files == dict(self.make().files(described))
            assert f"{described.module}.py" in files
            for path, text in files.items():
                pure = PurePosixPath(path)
                assert not pure.is_absolute() and ".." not in pure.parts, path
                assert text.endswith("\n") and "\r" not in text
                assert path not in ("README.md", "labels.json", "manifest.yaml")

    def test_code_is_sound(self) -> None:
        """Python files can be compiled, are documented, and need nothing of mldata; no name of the dataset is run."""
        for described in self.samples():
            for path, text in self.make().files(described).items():
                if path.endswith(".py"):
                    tree = ast.parse(text)
                    assert ast.get_docstring(tree), path
                    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
                    assert "INJECTED" not in named, path
                    assert not {name for name in _imported(tree) if name.split(".")[0] in ("mldata", "store")}

    def test_code_is_as_ruff_leaves_it(self) -> None:
        """Neither ``ruff format`` nor ``ruff check`` has anything to say."""
        texts = {
            f"m{number}_{path.replace('/', '_')}": text
            for number, described in enumerate(self.samples())
            for path, text in self.make().files(described).items()
            if path.endswith(".py")
        }
        faults = code_faults(texts)
        assert not faults, "\n".join(faults)

    def test_snippets_are_code(self) -> None:
        """The snippet can be parsed and names the module; notes are text."""
        for described in self.samples():
            snippet = self.make().snippet(described)
            ast.parse(snippet)
            assert "INJECTED" not in {n.id for n in ast.walk(ast.parse(snippet)) if isinstance(n, ast.Name)}
            assert isinstance(self.make().notes(described), str)


def _imported(tree: ast.Module) -> set[str]:
    """Names of the modules that code imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found
