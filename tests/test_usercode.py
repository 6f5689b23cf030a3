"""The code of a function is its file and the local modules that it imports, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mldata.errors import SpecError
from mldata.usercode import functions, read_code
from store import digest_bytes


def needs(root: Path, files: dict[str, str], function: str = "clean.py:f") -> tuple[str, ...]:
    """Files that a function needs in a project of ``files``."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return read_code(root, [function]).needs[function]


F = "def f(table):\n    return table\n"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import a", ["a.py"]),
        ("import a as b", ["a.py"]),
        ("from a import x", ["a.py"]),
        ("from a import *", ["a.py"]),
        ("def g():\n    try:\n        import a\n    except ImportError:\n        pass", ["a.py"]),
        ("import p", ["p/__init__.py"]),
        ("import p.m", ["p/__init__.py", "p/m.py"]),
        ("from p import m", ["p/__init__.py", "p/m.py"]),
        ("from p.m import x", ["p/__init__.py", "p/m.py"]),
        ("from p import *", ["p/__init__.py", "p/m.py", "p/other.py"]),
        ("import p.q.deep", ["p/__init__.py", "p/m.py", "p/q/__init__.py", "p/q/deep.py"]),
        ("import bare.x", ["bare/x.py"]),
        ("from bare import x", ["bare/x.py"]),
        ("from bare import y", []),
        ("from . import a", ["a.py"]),
        ("from .p import m", ["p/__init__.py", "p/m.py"]),
        ("from ... import a", []),
        ("import chain", ["a.py", "chain.py"]),
        ("import loop", ["loop.py"]),
        ("import json, random, numpy, pyarrow, nowhere, not_there.at.all", []),
        ("import importlib\nimportlib.import_module('a')", []),
    ],
)
def test_imports_are_followed(tmp_path: Path, code: str, found: list[str]) -> None:
    """Every form of import, wherever it stands, through modules and packages, with and without ``__init__.py``."""
    files = {
        "clean.py": f"{code}\n{F}",
        "a.py": "",
        "chain.py": "import a",
        "loop.py": "import clean, loop",
        "random.py": "",
        "numpy.py": "",
        "p/__init__.py": "",
        "p/m.py": "x = 1",
        "p/other.py": "",
        "p/q/__init__.py": "from .. import m",
        "p/q/deep.py": "",
        "bare/x.py": "",
        "unrelated.py": "import a",
    }
    assert needs(tmp_path, files) == tuple(sorted(["clean.py", *found]))


def test_a_file_in_a_folder(tmp_path: Path) -> None:
    """Imports are looked for in the project's folder, then in the function's; the packages around a file are part of it."""
    files = {
        "steps/__init__.py": "import top",
        "steps/clean.py": f"import near, top\nfrom . import rel\nfrom .. import top\n{F}",
        "steps/near.py": "",
        "steps/rel.py": "",
        "steps/top.py": "",
        "top.py": "",
    }
    assert needs(tmp_path, files, "steps/clean.py:f") == (
        *("steps/__init__.py", "steps/clean.py", "steps/near.py", "steps/rel.py", "top.py"),
    )


def test_bytes_and_digests_belong_together(tmp_path: Path) -> None:
    """What was read is kept, whatever becomes of the file, with the digest of just these bytes."""
    needs(tmp_path, {"clean.py": f"import a\n{F}", "a.py": "x = 1", "b.py": F})
    code = read_code(
        tmp_path, functions({"steps": [{"step": "function", "function": "clean.py:f"}, {"step": "select"}]})
    )
    (tmp_path / "a.py").write_text("x = 2")
    assert code.files["a.py"] == b"x = 1"
    assert code.digests == {path: digest_bytes(data) for path, data in code.files.items()}
    assert set(code.files) == {"clean.py", "a.py"}


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        (None, "expected a file", "expected a file with the function 'f', found no clean.py"),
        ("def f(:", "clean.py:1:7", "not Python: invalid syntax"),
        ("x = '\x00'", "clean.py", "not Python"),
        ("x = '\xff'", "clean.py", "not Python"),
        (
            "def g(): pass\nclass C:\n    def f(self): pass",
            "expected a",
            "expected a function 'f' in clean.py, found none",
        ),
        ("import broken\n" + F, "broken.py:1:", "not Python"),
    ],
)
def test_code_that_cannot_be_used(tmp_path: Path, text: str | None, where: str, message: str) -> None:
    """A missing file or function, and what is no Python, is told with its place before anything runs."""
    (tmp_path / "broken.py").write_text("a b")
    if text is not None:
        (tmp_path / "clean.py").write_bytes(text.encode("latin-1"))
    with pytest.raises(SpecError, match=message) as caught:
        read_code(tmp_path, ["clean.py:f"])
    assert str(caught.value).startswith(where)


@pytest.mark.parametrize(
    "text",
    [
        "f = lambda t: t",
        "from a import f",
        "import a as f",
        "if True:\n    def f(t): pass",
        "from a import *",
        "f: object = 1",
    ],
)
def test_ways_to_have_a_function(tmp_path: Path, text: str) -> None:
    """A function is whatever the module binds to the name."""
    assert "clean.py" in needs(tmp_path, {"clean.py": text})


def test_a_function_with_a_like_name_is_named(tmp_path: Path) -> None:
    """A misspelt function is answered with the nearest one."""
    with pytest.raises(SpecError) as caught:
        needs(tmp_path, {"clean.py": "def clean(t): pass"}, "clean.py:claen")
    assert caught.value.hint == "did you mean 'clean'?"


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs symbolic links")
def test_links_out_of_the_project_are_refused(tmp_path: Path) -> None:
    """Code lies inside the project, also behind a link; a link within it is a file like others."""
    (tmp_path / "elsewhere.py").write_text(F)
    root = tmp_path / "project"
    root.mkdir()
    (root / "clean.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(SpecError, match="expected code inside the project folder"):
        read_code(root, ["clean.py:f"])
    (root / "real.py").write_text(F)
    (root / "link.py").symlink_to("real.py")
    assert read_code(root, ["link.py:f"]).needs["link.py:f"] == ("link.py",)
