"""Fixed inputs of every stage, for the pins of what stages make of them (``tests/golden/stages.txt``)."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from mldata.exports import EXPORTS, find_export
from mldata.libraries import library_version
from mldata.profile.summarize import summarize
from mldata.snapshot import Snapshots
from mldata.sources import open_source
from mldata.spec import parse_dataset
from mldata.stages import STAGES
from mldata.stages.base import StageOutput
from mldata.stages.expecting import BASELINE
from mldata.stages.expecting import SCHEMA as SCHEMA_FILE
from mldata.stages.expecting import SUMMARY as SUMMARY_FILE
from mldata.stages.export import Export
from mldata.stages.fetch import Fetch
from mldata.stages.normalize import Normalize
from mldata.stages.profile import Profile
from mldata.stages.split import Split
from mldata.stages.transform import Transform
from mldata.stages.validate import Validate
from mldata.usercode import functions, read_code
from mldata.userrequest import Limits
from store import Action, Digest, Store, encode
from tests.exports.columns import fitting
from tests.pins import Pin
from tests.stages.conftest import fetched
from tests.stages.jobs import PlainJob, export_params, put_table, split_params

EXAMPLES = Path(__file__).parents[2] / "mldata" / "examples"


class PinnedJob(PlainJob):
    """A job that notes which libraries its actions write with."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.libraries: set[str] = set()

    def action(
        self,
        params: Mapping[str, Any],
        inputs: Sequence[tuple[str, Digest]],
        *,
        libraries: Sequence[str] | None = None,
    ) -> Action:
        self.libraries |= set(STAGES[self.stage].libraries if libraries is None else libraries)
        return super().action(params, inputs, libraries=libraries)


@dataclass(frozen=True)
class Place:
    """Where a case may work."""

    store: Store
    folder: Path


Run = Callable[[Place], tuple[PinnedJob, StageOutput]]


def pins(store: Store, folder: Path, cases: Mapping[str, Run]) -> Iterator[Pin]:
    """What each case makes now."""
    for number, (case, run) in enumerate(cases.items()):
        place = Place(store, folder / str(number))
        place.folder.mkdir()
        job, made = run(place)
        libraries = {name: library_version(name) for name in job.libraries}
        yield Pin(case, job.stage, STAGES[job.stage].version, made.output.digest, libraries)


# -- fetch and normalize -----------------------------------------------------------------------------------------------


def fetch(files: Mapping[str, bytes]) -> Run:
    """A folder of files."""

    def run(place: Place) -> tuple[PinnedJob, StageOutput]:
        for name, data in files.items():
            path = place.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        listing = open_source(".", place.folder).listing()
        job = PinnedJob(place.store, "fetch", {}, {})
        return job, Fetch(listing, Snapshots(place.store, str(place.folder)), {}, {}).build(job)

    return run


def normalize(files: Mapping[str, bytes] | Callable[[], Mapping[str, bytes]], **params: Any) -> Run:
    """Raw files, under a spec's ``normalize:``."""

    def run(place: Place) -> tuple[PinnedJob, StageOutput]:
        plain = parse_dataset("d", {"source": "x", "normalize": params})["normalize"]
        given = files() if callable(files) else files
        job = PinnedJob(place.store, "normalize", plain, {"fetch": fetched(place.store, given)})
        return job, Normalize().build(job)

    return run


def examples(*paths: str) -> Callable[[], Mapping[str, bytes]]:
    """Files of the examples, below the folders that are their labels."""
    return lambda: {"/".join(path.split("/")[2:]): (EXAMPLES / path).read_bytes() for path in paths}


def zipped() -> Mapping[str, bytes]:
    """An archive of two files."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a/1.csv"), "a,b\n1,x\n")
        archive.writestr(zipfile.ZipInfo("a/2.csv"), "a,b\n2,y\n")
    return {"z.zip": sink.getvalue()}


def parquet() -> Mapping[str, bytes]:
    """A file that conforms as it is, and one that must be written again."""
    sinks = io.BytesIO(), io.BytesIO()
    for sink, kind in zip(sinks, (pa.int64(), pa.int8()), strict=True):
        pq.write_table(pa.table({"a": pa.array([1, None], kind), "t": ["x", "y"]}), sink)
    return {"1.parquet": sinks[0].getvalue(), "2.parquet": sinks[1].getvalue()}


def arrow() -> Mapping[str, bytes]:
    """A Feather file."""
    sink = io.BytesIO()
    feather.write_feather(pa.table({"a": [1, 2], "l": [["x"], None]}), sink, compression="uncompressed")
    return {"1.arrow": sink.getvalue()}


def views() -> Mapping[str, bytes]:
    """An Arrow file with text as views."""
    sink = io.BytesIO()
    table = pa.table(
        {
            "t": pa.array(["a", None], pa.string_view()),
            "l": pa.array([["x"], None], pa.large_list(pa.string_view())),
        }
    )
    with pa.ipc.new_file(sink, table.schema) as out:
        out.write_table(table)
    return {"1.arrow": sink.getvalue()}


TYPED = (
    b"int,float,bool,date,time,text,code,none\n"
    b'1,1.5,true,2024-02-29,2024-02-29T23:59:58,"a ""b"", c",007,\n'
    b"-2,2e300,false,1969-12-31,2024-03-01T00:00:00,NA,042,\n"
    b",,,,,,,\n"
)
NORMALIZE: dict[str, Run] = {
    "csv": normalize({"a.csv": TYPED}),
    "csv,several": normalize({"a.csv": b"a,b\n1,x\n", "b.csv": b"a,b,c\n2.5,y,1\n", "c.csv": b"b\nz\n"}),
    "csv,dialect": normalize({"a.csv": "größe;wert\n1,5;'a;b'\n1.000,25;c\n".encode("cp1252")},
                             delimiter="semicolon", decimal="comma", encoding="windows-1252", thousands=".", quote="'"),
    "csv,options": normalize({"a.csv": b"Old Name,Drop,N\n1,2,-\n3,4,5\n"}, columns="snake_case", drop="Drop",
                             rename={"N": "n"}, nulls=["-"], types={"Old Name": "int8"}),
    "csv,rejects": normalize({"a.csv": b"a,b\n1,x\nbad\n2,y\n"}, on_bad_row="reject", max_rejects=1),
    "csv,gzip": normalize(lambda: {"a.csv.gz": gzip.compress(TYPED, mtime=0)}),
    "csv,archive": normalize(zipped),
    "tsv": normalize({"a.tsv": TYPED.replace(b'"a ""b"", c"', b"abc").replace(b",", b"\t")}),
    "json,array": normalize({"a.json": b'[{"a": 1, "b": {"c": [1.5]}}, {"a": null, "d": "x"}]'}),
    "json,records": normalize({"a.json": b'{"k": {"a": 1}, "l": {"a": 2}}'}, records="values"),
    "jsonl": normalize({"a.jsonl": b'{"a": 1, "t": "\\u00e9"}\n{"a": 12345678901234567890123, "t": null}\n'}),
    "parquet": normalize(parquet),
    "arrow": normalize(arrow),
    "arrow,views": normalize(views),
    "images": normalize(examples("fashion/data/bag/t10k-00018.png", "fashion/data/coat/t10k-00006.png")),
    "audio": normalize(examples("spoken-digits/data/eight/en-us-allison-8.wav", "spoken-digits/data/eight/fr-ca-june-8.flac",
                                "spoken-digits/data/eight/it-it-carlo-8.ogg")),
}  # fmt: skip

# -- transform -----------------------------------------------------------------------------------------------------------


def table(rows: int = 40) -> list[pa.Table]:
    """Numbers with nulls, texts and equal rows, in two fragments."""
    whole = pa.table(
        {
            "label": [f"k{number * 7 % 5}" for number in range(rows)],
            "value": pa.array([None if number % 11 == 0 else number * 37 % 20 for number in range(rows)], pa.int64()),
            "share": [number / 8 for number in range(rows)],
        }
    )  # fmt: skip
    return [whole.slice(0, 25), whole.slice(25)]


CODE = "import pyarrow as pa\n\ndef f(table):\n    return table.append_column('n', pa.array([str(table.num_rows)] * table.num_rows))\n"


def transform(*steps: Any) -> Run:
    """Steps over :func:`table`."""

    def run(place: Place) -> tuple[PinnedJob, StageOutput]:
        (place.folder / "code.py").write_text(CODE)
        plain = parse_dataset("d", {"source": "x", "transform": list(steps)})["transform"]
        inputs = {"normalize": put_table(place.store, table())}
        job = PinnedJob(place.store, "transform", {"steps": plain["steps"]}, inputs)
        code = read_code(place.folder, functions(plain))
        limits = [Limits(*pair) for pair in plain["limits"]]
        return job, Transform(code, limits, place.folder / "scratch", place.folder).build(job)

    return run


TRANSFORM: dict[str, Run] = {
    "select": transform({"select": ["value", "label"]}),
    "rename": transform({"rename": {"value": "v"}}),
    "cast": transform({"cast": {"value": "int16"}}),
    "filter": transform({"filter": "value is null or value * 2 / 3 > 2.5 and label not in ['k4']"}),
    "fill_null": transform({"fill_null": {"value": -1}}),
    "map": transform({"map": {"label": {"k1": "one", "k3": None}}}),
    "sample,share": transform({"sample": {"share": 0.5, "seed": 7}}),
    "sample,rows": transform({"sample": {"rows": 10, "seed": 3}}),
    "dedupe": transform({"dedupe": ["label"]}),
    "sort": transform({"sort": ["-label", "value"]}),
    "function": transform("code.py:f"),
    "function,table": transform({"function": "code.py:f", "scope": "table"}),
}

# -- split ---------------------------------------------------------------------------------------------------------------


def people(rows: int = 1000) -> pa.Table:
    """A table with an id, a text, a label with nulls, an uneven second label, and a part."""
    return pa.table(
        {
            "id": pa.array(range(rows), pa.int64()),
            "name": [f"name {row % 50}" for row in range(rows)],
            "label": pa.array([["cat", "dog", None, "cat"][row % 4] for row in range(rows)], pa.string()),
            "grade": pa.array([0 if row % 10 else 1 for row in range(rows)], pa.int8()),
            "score": [row / 7 for row in range(rows)],
            "part": [["train", "dev"][row % 3 == 0] for row in range(rows)],
        }
    )


def split(sources: Sequence[str] | None = None, **params: Any) -> Run:
    """A split of :func:`people`."""

    def run(place: Place) -> tuple[PinnedJob, StageOutput]:
        given = split_params({"train": 0.8, "val": 0.1, "test": 0.1}) | params
        job = PinnedJob(
            place.store, "split", given, {"normalize": put_table(place.store, [people()], sources=sources)}
        )
        return job, Split().build(job)

    return run


SPLIT: dict[str, Run] = {
    "random": split(),
    "random,seed": split(seed=7),
    "stratify": split(method="stratify", stratify="label"),
    "stratify,uneven": split(method="stratify", stratify="grade"),
    "hash": split(method="hash", by=["id", "name", "label", "grade", "score"]),
    "hash,by": split(method="hash", by=["name"]),
    "hash,seed": split(method="hash", by=["id", "score"], seed=7),
    "group": split(method="group", group=["name"]),
    "group,seed": split(method="group", group=["name", "grade"], seed=7),
    "time": split(method="time", time="id", cuts=[]),
    "time,cuts": split(method="time", time="id", cuts=[100, 900]),
    "column": split(method="column", parts=[], column="part", values={"dev": "val"}),
    "folder": split(["train/a.csv"], method="folder", parts=[], values={"train": "val"}),
    "kfold": split(method="kfold", stratify=None, group=[]),
    "kfold,stratify": split(method="kfold", stratify="label", group=[]),
    "kfold,group": split(method="kfold", stratify=None, group=["name"]),
}

# -- validate ------------------------------------------------------------------------------------------------------------


def validate(**params: Any) -> Run:
    """Checks of :func:`people`, split."""

    def run(place: Place) -> tuple[PinnedJob, StageOutput]:
        plain = parse_dataset("d", {"source": "x", "validate": params})["validate"]
        inputs = {"normalize": put_table(place.store, [people().slice(0, 600), people().slice(600)])}
        given = split_params({"train": 0.8, "test": 0.2})
        inputs["split"] = Split().build(PlainJob(place.store, "split", given, inputs)).output.digest
        job = PinnedJob(place.store, "validate", plain, inputs)
        return job, Validate().build(job)

    return run


def png() -> bytes:
    """A picture of 4 x 4 pixels, stored without compression so that every library writes it alike."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(range(12 * row, 12 * row + 12)) for row in range(4))
    head = struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows, 0))
        + chunk(b"IEND", b"")
    )


def validate_media(**params: Any) -> Run:
    """Checks of two pictures, of which one ends before its pixels do."""

    def run(place: Place) -> tuple[PinnedJob, StageOutput]:
        plain = parse_dataset("d", {"source": "x", "validate": params})["validate"]
        whole = png()
        media = {"cat/1.png": whole, "dog/1.png": whole[:-20]}
        digests = [place.store.put(data).digest for data in media.values()]
        rows = pa.table({"path": list(media), "label": ["cat", "dog"], "digest": digests})
        inputs = {"normalize": put_table(place.store, [rows], kind="images", media=media)}
        job = PinnedJob(place.store, "validate", plain, inputs)
        return job, Validate().build(job)

    return run


def validate_expect(now: Callable[[pa.Table], pa.Table], **params: Any) -> Run:
    """A contract with :func:`people`, as a rebuild finds it, of what has become of them."""

    def run(place: Place) -> tuple[PinnedJob, StageOutput]:
        plain = parse_dataset("d", {"source": "x", "expect": {"against": 1, **params}})["validate"]
        schema = encode({"rows": people().num_rows, "schema": people().schema.serialize().to_pybytes()})
        summary = summarize(people()).to_bytes()
        files = {SCHEMA_FILE: place.store.put(schema), SUMMARY_FILE: place.store.put(summary)}
        context = {BASELINE: {name: list(it) for name, it in files.items()}}
        inputs = {"normalize": put_table(place.store, [now(people())])}
        job = PinnedJob(place.store, "validate", plain, inputs, context)
        return job, Validate().build(job)

    return run


SCHEMA = {
    "columns": {
        "id": {"unique": True, "max": 900},
        "label": {"nullable": False},
        "name": {"pattern": "name [0-4]?[0-8]"},
    }
}
VALIDATE: dict[str, Run] = {
    "schema": validate(checks=["schema"], schema=SCHEMA),
    "missing": validate(checks=["missing"], missing={"max": "10%"}),
    "duplicates": validate(checks=["duplicates"], duplicates={"columns": ["name", "grade"]}),
    "files": validate_media(checks=["files"]),
    "labels": validate(checks=["labels"], labels={"inputs": ["name"], "max_ratio": 1.5}),
    "outliers": validate(checks=["outliers"], outliers={"far": 3, "constant": 0.1}),
    "duplicates,near": validate(
        checks=["duplicates"], duplicates={"near": {"columns": ["name"], "text": 0.6}}
    ),
    "expect": validate_expect(
        lambda it: it.slice(0, 500).rename_columns(["number", *it.column_names[1:]]),
        schema="same",
        drift={"max": "stable", "share": 0.1},
        rows={"max_change": "1%"},
    ),
    "expect,apart": validate_expect(lambda it: pa.table({"other": range(9)}), schema="any", drift={}),
    "leakage": validate(
        checks=["leakage"], leakage={"groups": ["name"], "near": {"columns": ["name"], "text": 0.6}}
    ),
}

# -- profile -------------------------------------------------------------------------------------------------------------


def profile(cuts: Sequence[int], **params: Any) -> Run:
    """Summaries of :func:`people`, cut into fragments and split."""

    def run(place: Place) -> tuple[PinnedJob, StageOutput]:
        table = people()
        pieces = [table.slice(a, b - a) for a, b in pairwise([0, *cuts, table.num_rows])]
        inputs = {"normalize": put_table(place.store, pieces)}
        given = split_params({"train": 0.8, "test": 0.2})
        inputs["split"] = Split().build(PlainJob(place.store, "split", given, inputs)).output.digest
        job = PinnedJob(place.store, "profile", params, inputs)
        return job, Profile().build(job)

    return run


PROFILE: dict[str, Run] = {
    "whole": profile([]),
    "fragments": profile([1, 300]),
    "parts": profile([1, 300], parts=True),
    "parts,alone": profile([], parts=True),
    "only": profile([300], only=[1]),
    "sample": profile([300], sample="1/3"),
}

# -- export --------------------------------------------------------------------------------------------------------------

CONTEXT: dict[str, Any] = {
    "mldata": "0",
    "sources": [{"source": "data/*.csv", "tree": "0" * 64, "files": 2, "bytes": 10}],
    "params": {"split": {"parts": [["train", 0.6]], "seed": 1e-05}},
    "versions": {"export": {"version": 0, "libraries": {}}},
}


def export(*formats: str, kind: str = "tabular", **params: Any) -> Run:
    """A table with a column of every type that the formats hold, split; or one of two pictures, which is not."""

    def run(place: Place) -> tuple[PinnedJob, StageOutput]:
        fit = [fitting(name) for name in formats]
        columns = {name: it for name, it in fit[0].items() if all(name in others for others in fit)}
        whole = pa.concat_tables([pa.table(columns)] * 7).combine_chunks()
        if kind == "tabular":
            inputs = {"normalize": put_table(place.store, [whole.slice(0, 10), whole.slice(10)])}
            given = split_params({"train": 0.6, "test": 0.4})
            inputs["split"] = Split().build(PlainJob(place.store, "split", given, inputs)).output.digest
        else:
            media = {"cat/1.png": b"one", "dog/1.png": b"two"}
            rows = pa.table({"path": list(media), "label": ["cat", "dog"]})
            inputs = {"normalize": put_table(place.store, [rows], kind=kind, media=media)}
        job = PinnedJob(place.store, "export", export_params(*formats, **params), inputs, CONTEXT)
        job.libraries |= {library for name in formats for library in find_export(name).libraries}
        return job, Export().build(job)

    return run


def _compressed() -> Iterator[tuple[str, Run]]:
    for name in EXPORTS:
        yield name, export(name)
        inside = find_export(name).codecs if find_export(name).wrapped is None else {}
        for codec in ("none", *inside) if inside else ():
            if codec != "zstd":  # the one that is meant where nothing is said
                yield f"{name},{codec}", export(name, compression=codec)


EXPORT: dict[str, Run] = {
    **dict(_compressed()),
    "parquet,level": export("parquet", compression="zstd:9"),
    "csv.gz,level": export("csv.gz", compression={"csv.gz": "gzip:1"}),
    "csv.zst,level": export("csv.zst", compression={"csv.zst": "zstd:9"}),
    "csv,formulas": export("csv", escape_formulas=True),
    "row_index": export("parquet", "csv", row_index=True),
    "media": export("parquet", kind="images"),
    **{f"{name},media": export(name, kind="images") for name in EXPORTS if find_export(name).embeds},
}

CASES: dict[str, Run] = {
    "fetch": fetch({"b": b"b", "a/1": b"1", "a/2": b"", ".hidden": b"h"}),
    **{f"normalize/{name}": run for name, run in NORMALIZE.items()},
    **{f"transform/{name}": run for name, run in TRANSFORM.items()},
    **{f"split/{name}": run for name, run in SPLIT.items()},
    **{f"validate/{name}": run for name, run in VALIDATE.items()},
    **{f"profile/{name}": run for name, run in PROFILE.items()},
    **{f"export/{name}": run for name, run in EXPORT.items()},
}
