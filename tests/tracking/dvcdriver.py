"""Run by an interpreter that has DVC 3: says what the real DVC makes of a repository. Prints one JSON object.

python dvcdriver.py REPOSITORY CLONE
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any


def main(repository: str, clone: str) -> None:
    from dvc.repo import Repo

    told: dict[str, Any] = {}
    os.chdir(repository)
    repo = Repo(".")
    told["status"] = repo.status()
    told["pushed"] = repo.push()
    subprocess.run(["git", "clone", "-q", repository, clone], check=True)
    # What `dvc add` itself makes of the same files, elsewhere in the repository.
    shutil.copytree("artifacts/d", "again/d")
    repo.add("again/d")
    told["added"] = Path("again/d.dvc").read_text()
    told["gitignore"] = Path("again/.gitignore").read_text()
    told["ignored"] = [repo.scm.is_ignored(str(Path("artifacts/d").resolve()))]
    # What it makes of our own folder: nothing new.
    repo.add("artifacts/d")
    told["kept"] = Path("artifacts/d.dvc").read_text()
    told["each"] = each(repo)
    shutil.rmtree("artifacts/d")
    told["missing"] = bool(repo.status())
    repo.checkout(["artifacts/d.dvc"])
    told["checked out"] = repo.status()
    os.chdir(clone)
    cloned = Repo(".")
    cloned.pull()
    told["cloned"] = cloned.status()
    print(json.dumps(told))


def each(repo: Any) -> dict[str, Any]:
    """The same of an export of which each file is tracked."""
    names = ["data.csv", "data.jsonl"]
    os.makedirs("again/e")
    for name in names:
        shutil.copy(f"artifacts/e/{name}", "again/e")
    repo.add([f"again/e/{name}" for name in names])
    repo.add([f"artifacts/e/{name}" for name in names])
    added, kept = (
        {f"{name}.dvc": Path(folder, f"{name}.dvc").read_text() for name in names}
        for folder in ("again/e", "artifacts/e")
    )
    return {"added": added, "kept": kept, "gitignore": Path("again/e/.gitignore").read_text()}


if __name__ == "__main__":
    main(*sys.argv[1:])
