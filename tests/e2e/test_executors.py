"""Where actions run does not show in what they make, and a process that is lost costs its own actions only."""

from __future__ import annotations

import gzip
import json
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from store import Store, as_digest
from tests.e2e.project import Project, environment
from tests.e2e.small import assert_sound, outputs, runs, small_project

pytestmark = pytest.mark.no_cover

EVERYTHING = """\
version: 1
datasets:
  flowers:
    source: [data/flowers, data/more.zip]
    normalize: {columns: snake_case, types: {year: int16}}
    transform:
      - {filter: "size > 1.5"}
      - {function: transforms.py:double}
      - {sort: size}
    split: {train: 0.7, test: 0.3, seed: 7, method: hash, by: name}
    profile: {parts: true}
    export: {to: out/flowers, formats: [parquet, csv, jsonl, arrow]}
  grouped:
    source: data/events.jsonl.gz
    split: {train: 0.5, test: 0.5, group: who}
    export: {to: out/grouped, formats: [parquet]}
  timed:
    source: data/events.jsonl.gz
    normalize: {types: {at: date}}
    split: {train: 0.5, test: 0.5, time: at}
    export: {to: out/timed, formats: [jsonl]}
"""


@pytest.fixture
def everything(project: Project) -> Project:
    """A project that goes through every stage in several ways."""
    rows = "".join(f"f{row},{row / 7:.3f},{1990 + row % 30}\n" for row in range(60))
    project.write("data/flowers/0.csv", "Name,Size,Year\n" + rows)
    with zipfile.ZipFile(project / "data/more.zip", "w") as archive:
        archive.writestr("a/last.csv", "Name,Size,Year\nx,2.5,2001\n")
    events = "".join(
        json.dumps({"who": row % 7, "at": f"2024-01-{1 + row % 28:02d}"}) + "\n" for row in range(50)
    )
    (project / "data/events.jsonl.gz").write_bytes(gzip.compress(events.encode(), mtime=0))
    project.write(
        "transforms.py",
        "import pyarrow.compute as pc\n\ndef double(table):\n"
        "    return table.set_column(1, 'size', pc.multiply(table['size'], 2))\n",
    )
    project.write("mldata.yaml", EVERYTHING)
    return project


def test_processes_make_what_threads_make(everything: Project, tmp_path: Path) -> None:
    """Every stage ends with the same digest, every export with the same bytes, and either finds the other's results."""
    other = everything.copy(tmp_path / "other")
    threads, processes = everything.build(), other.build("--executor", "processes", "-j", "2")
    for name, dataset in threads.items():
        for stage, told in dataset["stages"].items():
            assert processes[name]["stages"][stage]["output"] == told["output"], f"{stage}:{name}"
            assert processes[name]["stages"][stage]["actions"] == told["actions"], f"{stage}:{name}"
    assert everything.files("out") == other.files("out")
    for project, executor in ((everything, "processes"), (other, "threads")):
        shutil.rmtree(project / ".mldata/receipts")
        for dataset in project.build("--executor", executor).values():
            ran = [told["actions"]["run"] for stage, told in dataset["stages"].items() if stage != "fetch"]
            assert not any(ran)
    assert_sound(other)


def test_a_bad_row_is_the_same_error(project: Project) -> None:
    """What goes wrong in a process is told with file, line and hint, as from a thread; what ended well is kept."""
    small_project(project.root, files=8)
    project.write("data/3.csv", "x,y\n1,a,2\n")
    told = [
        project.json("build", "--executor", executor, expect=1)["errors"]
        for executor in ("threads", "processes")
    ]
    assert told[0] == told[1]
    assert told[0][0]["where"] == "3.csv:2:1"
    project.write("data/3.csv", "x,y\n1,a\n")
    assert project.build("--executor", "processes")["d"]["build"] == 1


def test_lost_objects_are_made_again(project: Project) -> None:
    """A process that finds a fragment damaged has it made again, as a thread does."""
    small_project(project.root)
    before = project.build()
    project.replace("mldata.yaml", "stratify: y", "method: hash")
    with Store.open(project / ".mldata/store") as store:
        fragments = store.tree(as_digest(outputs(before)["normalize"])).get("fragments")
        assert fragments is not None
        for entry in store.tree(fragments.digest):
            path = store.path(entry.digest)
            path.chmod(0o644)
            path.write_bytes(b"PAR1 no longer")
    after = project.build("--executor", "processes")
    assert outputs(after)["normalize"] == outputs(before)["normalize"]
    assert_sound(project)


def test_an_interrupt_ends_the_processes(project: Project) -> None:
    """Ctrl-C in the middle: exit code 130, no process left behind, finished actions kept, and the next build goes on."""
    rows = "".join(f"{row},text {row},{row / 3}\n" for row in range(150_000))
    for number in range(8):
        project.write(f"data/{number}.csv", f"x,y,z\n{number},a,0.5\n" + rows)
    project.write(
        "mldata.yaml",
        "version: 1\ndatasets:\n  d:\n    source: data/*.csv\n    export: {to: out/d, formats: [parquet]}\n",
    )
    build = subprocess.Popen(
        [sys.executable, "-m", "mldata", "build", "--executor", "processes", "-j", "2"],
        cwd=project.root,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    results = project / ".mldata/store/actions"
    until = time.monotonic() + 60
    while build.poll() is None and not any(results.glob("*/*")) and time.monotonic() < until:
        time.sleep(0.01)
    children = [int(pid) for pid in _children(build.pid)]
    build.send_signal(signal.SIGINT)
    _, err = build.communicate(timeout=60)
    if build.returncode != 0:  # it may have been done
        assert build.returncode == 130, err
        assert "to go on" in err
    assert children, "the actions were to run in processes"
    until = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < until:
        time.sleep(0.01)
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    told = project.build()["d"]["stages"]["normalize"]["actions"]
    assert told["hit"] >= 1
    assert_sound(project)


def _children(pid: int) -> list[str]:
    return [
        child for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()
    ]


def test_one_at_a_time_needs_no_second_process(project: Project) -> None:
    """-j is the number of processes; the results of a build by threads are hits for one by processes."""
    small_project(project.root)
    assert runs(project.build("--executor", "processes", "-j", "1")) > 0
    project.write("data/9.csv", "x,y\n99,a\n100,b\n")
    assert project.build("-j", "1")["d"]["stages"]["normalize"]["actions"] == {"hit": 3, "run": 1}
