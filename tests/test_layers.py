"""The import rules of DESIGN.md, section 2, hold for this tree, and the checker notices when they do not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.layers import violations

ROOT = Path(__file__).resolve().parent.parent

HEAVY = (
    "pyarrow",
    "numpy",
    "PIL",
    "soundfile",
    "pydantic",
    "yaml",
    "rich",
    "sqlite3",
    "httpx",
    "keyring",
    "doit",
)
"""Never loaded for `mldata --version`: each costs more than the answer."""

GOOD = {
    "store/__init__.py": "from store.store import Store\n__all__ = ['Store']\n",
    "store/errors.py": "",
    "store/digest.py": "from store.errors import StoreError\n",
    "store/layout.py": "from store.digest import Digest\n",
    "store/atomic.py": "from store.layout import Layout\n",
    "store/refs.py": "from store.atomic import publish\n",
    "store/gc.py": "from store.refs import Refs\n",
    "store/store.py": "from store import gc\nfrom .refs import Refs\n",
    "mldata/__init__.py": "",
    "mldata/__main__.py": "from mldata.cli import main\n",
    "mldata/cli/__init__.py": "from mldata.cli import build\n",
    "mldata/cli/build.py": "from mldata.build import build\nprint('built')\n",
    "mldata/build.py": "from store import Store\nfrom mldata import stages\n",
    "mldata/stages/__init__.py": "",
    "mldata/stages/normalize.py": "from mldata import formats\nfrom mldata.formats.columns import snake\n",
    "mldata/stages/base.py": "",
    "mldata/formats/__init__.py": "FORMATS = {'csv': 'mldata.formats.csv'}\n",
    "mldata/formats/columns.py": "",
    "mldata/formats/csv.py": "from .base import Format\n",
    "mldata/formats/base.py": "import sys\n",
}

BAD = {
    "store imports mldata": ("store/gc.py", "import mldata.build", "store must not import mldata"),
    "a lower layer imports a higher one": (
        "store/layout.py",
        "from store.atomic import publish",
        "store.layout must not import store.atomic",
    ),
    "a layer imports its peer": (
        "store/atomic.py",
        "import store.lock",
        "store.atomic must not import store.lock",
    ),
    "refs know of objects": (
        "store/refs.py",
        "from . import objects",
        "store.refs must not import store.objects",
    ),
    "gc imports check": ("store/gc.py", "from store import check", "store.gc must not import store.check"),
    "a store module goes through the package": (
        "store/refs.py",
        "from store import Store",
        "store.refs must not import store",
    ),
    "an upward import inside a function": (
        "store/digest.py",
        "def f():\n    from store.refs import Refs",
        "store.digest must not import store.refs",
    ),
    "an upward import for types only": (
        "store/digest.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from store.refs import Refs",
        "store.digest must not import store.refs",
    ),
    "a module without a layer": ("store/extra.py", "", "store.extra has no place in the layers"),
    "mldata reaches behind the store's face": (
        "mldata/build.py",
        "from store.objects import put",
        "mldata must import from store, not from store.objects",
    ),
    "mldata takes a private name": (
        "mldata/build.py",
        "from store import Hidden",
        "Hidden is not in store.__all__",
    ),
    "mldata imports the store as a whole": (
        "mldata/build.py",
        "import store",
        "write `from store import NAME`",
    ),
    "a format imports a source": (
        "mldata/formats/csv.py",
        "from mldata.sources.local import scan",
        "a member of formats must not import mldata.sources.local",
    ),
    "a stage imports one format": (
        "mldata/stages/normalize.py",
        "from ..formats.csv import parse",
        "a stage must not import mldata.formats.csv",
    ),
    "someone prints": ("mldata/build.py", "print('hello')", "only cli and reporter print"),
    "someone writes to stderr": (
        "store/gc.py",
        "import sys\nsys.stderr.write('x')",
        "only cli and reporter use sys.stderr",
    ),
    "someone draws": (
        "mldata/build.py",
        "from rich.console import Console",
        "only cli and reporter use rich",
    ),
    "someone imports the command line": (
        "mldata/build.py",
        "from mldata import cli",
        "only __main__ may import mldata.cli",
    ),
    "a cycle": (
        "mldata/stages/base.py",
        "from mldata.build import build",
        "cycle: mldata.build -> mldata.stages",
    ),
    "a cycle for types only": (
        "mldata/formats/base.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mldata.formats.csv import Csv",
        "cycle: mldata.formats.base -> mldata.formats.csv -> mldata.formats.base",
    ),
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.no_cover
def test_imports_keep_the_layers() -> None:
    """No file of this tree breaks an import rule."""
    assert violations(ROOT) == []


def test_a_good_tree_has_no_violation(tmp_path: Path) -> None:
    """The rules allow what DESIGN.md draws."""
    assert violations(write(tmp_path, GOOD)) == []


@pytest.mark.parametrize("what", BAD)
def test_the_checker_notices(what: str, tmp_path: Path) -> None:
    """Each rule, broken alone, is reported with the file and the reason."""
    name, line, expected = BAD[what]
    extra = {"store/lock.py": "", "store/objects.py": "", "store/check.py": "", "mldata/sources/local.py": ""}
    if what == "a cycle":
        extra["mldata/stages/__init__.py"] = "from mldata.stages import base\n"
    files = GOOD | extra
    files[name] = files.get(name, "") + line + "\n"
    found = violations(write(tmp_path, files))
    assert any(expected in text for text in found), found
    assert any(text.startswith((f"{name}:", "cycle:")) for text in found), found


@pytest.mark.parametrize(
    "statement",
    [
        "import mldata",
        "import mldata.cli",
        "from mldata.cli import main; main(['--version'])",
        "import store",
    ],
)
def test_nothing_heavy_is_loaded(statement: str) -> None:
    """Importing the command line, or asking for the version, loads no heavy library."""
    code = (
        "import sys\n"
        f"try:\n    {statement}\nexcept SystemExit as e:\n    assert not e.code, e.code\n"
        f"print('loaded:', *sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("COV")},  # coverage itself loads sqlite3
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded:"
