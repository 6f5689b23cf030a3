"""mldata.yaml: what it may say, what it means, and how its mistakes are told."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import EXIT_USAGE, SpecError
from mldata.exports import EXPORTS
from mldata.spec import InvalidSpec, Spec, locate, parse_dataset, parse_spec, parse_split
from mldata.specsections import FORMATS, Split, part_order
from mldata.specvalues import TYPE_ALIASES, TYPES, glob_matches

PENGUINS = """\
version: 1
store: .mldata/store
datasets:
  penguins:
    source: data/penguins/*.csv
    normalize: {columns: snake_case, types: {year: int16}, nulls: ["", NA], drop: [], rename: {}}
    split: {train: 0.8, val: 0.1, test: 0.1, seed: 42, stratify: species}
    export: {to: artifacts/penguins, formats: [parquet, csv, jsonl], compression: zstd}
"""


def one(section: str) -> dict[str, Any]:
    """Plain form of a dataset whose only setting beside its source is ``section``."""
    spec = parse_spec(f"version: 1\ndatasets:\n  d:\n    source: x\n    {section}\n", "mldata.yaml")
    dataset: dict[str, Any] = spec.to_plain()["datasets"]["d"]
    return dataset


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(InvalidSpec) as caught:
        parse_spec(text, "f")
    return str(caught.value).splitlines()


def test_the_example_of_the_design() -> None:
    """Every setting arrives in the plain form, with all defaults filled in."""
    spec = parse_spec(PENGUINS, "mldata.yaml")
    assert list(spec.datasets) == ["penguins"]
    assert spec.to_plain() == {
        "version": 1,
        "store": ".mldata/store",
        "link": "auto",
        "salt": "",
        "datasets": {
            "penguins": {
                "source": ["data/penguins/*.csv"],
                "fetch": {},
                "normalize": {
                    "format": "auto",
                    "columns": "snake_case",
                    "types": {"year": "int16"},
                    "nulls": ["", "NA"],
                    "drop": [],
                    "rename": {},
                },
                "transform": None,
                "split": {
                    "parts": [["train", 0.8], ["val", 0.1], ["test", 0.1]],
                    "method": "stratify",
                    "seed": 42,
                    "stratify": "species",
                    "by": [],
                },
                "validate": None,
                "profile": None,
                "export": {
                    "to": "artifacts/penguins",
                    "formats": ["parquet", "csv", "jsonl"],
                    "compression": "zstd",
                    "row_index": False,
                },
            }
        },
    }


def test_defaults() -> None:
    """A source is enough: no split and no export unless asked for."""
    assert one("")["split"] is None
    assert one("")["export"] is None
    assert one("export: {}")["export"] == {
        "to": "artifacts/d",
        "formats": ["parquet"],
        "compression": "zstd",
        "row_index": False,
    }
    assert one("split: {a: 1}")["split"] == {
        "parts": [["a", 1.0]],
        "method": "random",
        "seed": 42,
        "stratify": None,
        "by": [],
    }


def test_no_datasets_yet() -> None:
    """A spec whose datasets are absent or all commented out is one without datasets."""
    for text in ("version: 1", "version: 1\ndatasets:\n  # a: {source: x}\n", "version: 1\ndatasets: {}"):
        assert parse_spec(text, "f").to_plain()["datasets"] == {}


def test_comments_order_and_quotes_mean_nothing() -> None:
    """Equal plain forms, so nothing is built again, whatever the text looks like."""
    other = """\
# a comment
datasets:
    "penguins":
        export: {compression: 'zstd', formats: [jsonl, parquet, csv], to: ./artifacts//x/../penguins/}
        split:
            stratify: species   # and another
            test: 0.10
            seed: 0x2A
            train: .8
            val: 1e-1
        normalize: {nulls: [NA, ""], types: {year: int16}, columns: snake_case}
        source: [data/penguins/*.csv]
version: 1
"""
    assert parse_spec(other, "f").to_plain() == parse_spec(PENGUINS, "f").to_plain()


def test_text_is_taken_as_written() -> None:
    """Words and numbers that YAML 1.1 would change stay as they are in lists and as keys."""
    nulls = '["", NA, NO, -999, 0123, 1:30, true, null, 1.50, 1e5, ~]'
    got = one(f"normalize: {{nulls: {nulls}, drop: [no, 7], types: {{1: int, on: str}}, rename: {{0x1: y}}}}")
    assert got["normalize"]["nulls"] == sorted(
        ["", "NA", "NO", "-999", "0123", "1:30", "true", "null", "1.50", "1e5", "~"]
    )
    assert got["normalize"]["drop"] == ["7", "no"]
    assert got["normalize"]["types"] == {"1": "int64", "on": "string"}
    assert got["normalize"]["rename"] == {"0x1": "y"}
    assert [part for part, _ in one("split: {on: 0.5, 2024: 0.5}")["split"]["parts"]] == ["2024", "on"]


def test_types_and_aliases() -> None:
    """Every type by Arrow's name, and the short names people type."""
    listed = ", ".join(f'"{number}": "{name}"' for number, name in enumerate(TYPES))
    assert sorted(one(f"normalize: {{types: {{{listed}}}}}")["normalize"]["types"].values()) == sorted(TYPES)
    aliases = one("normalize: {types: {a: int, b: float, c: str, d: date}}")["normalize"]["types"]
    assert aliases == {"a": "int64", "b": "float64", "c": "string", "d": "date32"}
    longer = (
        "{a: 'decimal(10,2)', b: 'timestamp[us, UTC]', c: 'timestamp[ms, tz=Europe/Berlin]', d: datetime}"
    )
    assert one(f"normalize: {{types: {longer}}}")["normalize"]["types"] == {
        "a": "decimal128(10, 2)",
        "b": "timestamp[us, tz=UTC]",
        "c": "timestamp[ms, tz=Europe/Berlin]",
        "d": "timestamp[us]",
    }


def test_every_type_exists() -> None:
    """Whatever the spec accepts, the tables can make."""
    from mldata.formats.columns import parse_type

    for name in (*TYPES, *TYPE_ALIASES.values(), "decimal128(38, 38)", "timestamp[ns, tz=UTC]"):
        assert parse_type(name) is not None


def test_a_split_method_is_implied() -> None:
    """stratify implies its method, and by implies hash."""
    assert one("split: {a: 1, stratify: y}")["split"]["method"] == "stratify"
    assert one("split: {a: 1, by: user}")["split"] | {"parts": 0} == {
        "parts": 0,
        "method": "hash",
        "seed": 42,
        "stratify": None,
        "by": ["user"],
    }
    assert one("split: {a: 1, method: hash, by: [y, x]}")["split"]["by"] == ["y", "x"]
    assert one("split: {a: 1, seed: 18446744073709551615}")["split"]["seed"] == 2**64 - 1


def test_parts_have_an_order_of_their_own() -> None:
    """Train, validation, test, then by name: how they were typed does not decide which rows they get."""
    names = ["zoo", "test", "dev", "alpha", "val", "train"]
    assert sorted(names, key=part_order) == ["train", "val", "dev", "test", "alpha", "zoo"]


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("sourc: y", "f:5:5: unknown key 'sourc'|  did you mean 'source'?"),
        ("export: {dvc: 1}", "f:5:19: expected true or false, found '1'"),
        (
            "export: {dvc: true, git_lfs: true}",
            "f:5:25: DVC and Git LFS would both keep the files of this export|  leave one of 'dvc' and 'git_lfs' out",
        ),
        ("export: {git_lfs: {above: 0}}", "f:5:31: expected a size such as 500MB or 64MiB, found '0'"),
        ("export: {shard_size: tiny}", "f:5:26: expected a size such as 500MB or 64MiB, found 'tiny'"),
        (
            "export: {compression: {csv: gzip}}",
            "f:5:28: 'csv' is not among the formats that are written: parquet",
        ),
        (
            "export: {compression: {parquet: zip}}",
            "f:5:37: expected none, zstd, zstd:1 to zstd:22, snappy, gzip, gzip:1 to gzip:9, lz4, brotli or brotli:0 to brotli:11; found 'zip'"
            "|  did you mean 'gzip'?",
        ),
        (
            "export: {framework: torch}",
            "f:5:25: expected one of pytorch, lightning, tensorflow, jax, huggingface, sklearn; found 'torch'"
            "|  did you mean 'pytorch'?",
        ),
        (
            "split: {a: 1, method: hsah}",
            "f:5:27: expected one of random, hash, stratify, group, time, column, folder, kfold, predefined; found 'hsah'|  did you mean",
        ),
        (
            "split: {a: 1, stratfy: y}",
            "f:5:28: expected the part's share of the rows as a number, found 'y'|  did you",
        ),
        (
            "split: {a: 1, sed: 42}",
            "f:5:24: expected a share above 0 and at most 1, found '42'|  did you mean 'seed'?",
        ),
        ("split: {a: 0.5, b: 0.6}", "f:5:12: expected shares that sum to 1, found 0.5 + 0.6 = 1.1"),
        ("split: {a: 0.5, b: 0.5000001}", "f:5:12: expected shares that sum to 1"),
        ("split: {a: 0, b: 1}", "f:5:16: expected a share above 0"),
        ("split: {a: -1, b: 1}", "f:5:16: expected a share above 0"),
        ("split: {a: .nan, b: 1}", "f:5:16: expected the part's share of the rows as a number, found '.nan'"),
        ("split: {a: 1e999}", "f:5:16: expected a share above 0"),
        ("split: {a: true}", "f:5:16: expected the part's share"),
        ("split: {a: 80%}", "f:5:16: expected the part's share"),
        ("split: {seed: 1}", "f:5:12: expected at least one part|  for example"),
        ("split: {}", "f:5:12: expected at least one part"),
        (
            "split: 0.8,0.1,0.1",
            "f:5:12: expected a mapping such as {train: 0.8, val: 0.1, test: 0.1}; found '0.8,0.1",
        ),
        ("split:", "f:5:5: expected a mapping such as {train: 0.8, val: 0.1, test: 0.1}; found nothing"),
        (
            "split: [0.8, 0.2]",
            "f:5:12: expected a mapping such as {train: 0.8, val: 0.1, test: 0.1}; found a list",
        ),
        ("split: {a/b: 1}", "f:5:13: expected a part name"),
        ("split: {manifest: 1}", "f:5:13: 'manifest' cannot be a part"),
        ("split: {nul: 1}", "f:5:13: expected a name that is no device on Windows"),
        ("split: {a.: 1}", "f:5:13: expected a name that does not end with a dot"),
        ("split: {a: 0.5, A: 0.5}", "f:5:13: parts 'A' and 'a' differ by case only"),
        ("split: {a: 1, seed: 1.0}", "f:5:25: expected a whole number, found '1.0'"),
        (
            "split: {a: 1, seed: 042}",
            "f:5:25: expected a whole number, found '042'|  write it without leading zeros",
        ),
        ("split: {a: 1, seed: -1}", "f:5:25: expected a seed from 0"),
        ("split: {a: 1, seed: 18446744073709551616}", "f:5:25: expected a seed from 0"),
        ("split: {a: 1, seed: true}", "f:5:25: expected a whole number, found 'true'"),
        (
            "split: {a: 1, stratify: null}",
            "f:5:29: expected text, found 'null'|  to mean the word itself, put it in",
        ),
        ("split: {a: 1, stratify: x, by: y}", "f:5:36: 'stratify' and 'by' exclude each other"),
        ("split: {a: 1, stratify: x, method: hash}", "f:5:40: 'stratify: x' contradicts 'method: hash'"),
        ("split: {a: 1, by: x, method: random}", "f:5:34: 'by: x' contradicts 'method: random'"),
        (
            "split: {a: 1, method: stratify}",
            "f:5:27: 'method: stratify' needs a column|  add 'stratify: COLUMN'",
        ),
        (
            "export:",
            "f:5:5: expected a mapping such as {formats: [parquet]}, or {} for all defaults; found nothing",
        ),
        ("export: {to: ../x}", "f:5:18: expected a folder inside the project folder; '../x' leaves it"),
        ("export: {to: a/../..}", "f:5:18: expected a folder inside"),
        (
            "export: {to: .}",
            "f:5:18: expected a folder inside the project folder; '.' is not a folder of its own",
        ),
        ("export: {to: //}", "f:5:18: expected a folder inside"),
        ('export: {to: ""}', "f:5:18: expected a path, found ''"),
        ('export: {to: "a\\0b"}', "f:5:18: expected a path"),
        ("export: {to: ~/x}", "f:5:18: expected a path, found '~/x'|  write the folder out"),
        ("export: {to: .MLdata/x}", "f:5:18: expected a folder outside .mldata"),
        ("export: {to: x}", "f:5:18: the export to 'x' would be read as part of the source 'x'"),
        ("export: {to: X/y}", "f:5:18: the export to 'x/y' would be read as part of the source 'x'"),
        (
            "export: {formats: []}",
            f"f:5:23: expected at least one of {', '.join(EXPORTS)}; found an empty list",
        ),
        ("export: {formats: [csv, csv]}", "f:5:29: 'csv' is given twice"),
        (
            "export: {formats: [csvv]}",
            f"f:5:24: expected one of {', '.join(EXPORTS)}; found 'csvv'|  did you mean",
        ),
        ("export: {formats: {csv: 1}}", "f:5:23: expected a list, found a mapping"),
        ("export: {compression: zstd:23}", "f:5:27: expected none, zstd, zstd:1 to zstd:22"),
        ("export: {compression: gzip:0}", "f:5:27: expected none"),
        ("export: {compression: brotli:12}", "f:5:27: expected none"),
        (
            "export: {formats: [parquet, arrow], compression: snappy}",
            "f:5:54: the arrow format cannot be compressed with 'snappy'; it has zstd[:1-22], lz4, none",
        ),
        (
            "export: {formats: [orc], compression: zstd:3}",
            "f:5:43: the orc format cannot be compressed with 'zstd:3'; it has zstd, snappy, gzip, lz4, none",
        ),
        (
            "export: {formats: [csv.gz, parquet], compression: {csv.gz: zstd}}",
            "f:5:64: the csv.gz format cannot be compressed with 'zstd'; it has gzip[:1-9]",
        ),
        (
            "export: {formats: [csv], compression: {csv: gzip}}",
            "f:5:49: the csv format cannot be compressed with 'gzip'; it has no compression",
        ),
        (
            "export: {formats: [csv, jsonl], compression: gzip}",
            "f:5:50: 'gzip' is for formats that compress inside, and none of these does: csv, jsonl"
            "|  to have files compressed as a whole write csv.gz, jsonl.gz: --formats csv.gz,jsonl.gz",
        ),
        (
            "export: {formats: [csv.gz], compression: gzip:9}",
            "f:5:46: 'gzip:9' is for formats that compress inside, and none of these does: csv.gz"
            "|  for the level of a file that is compressed as a whole name the format: compression: {csv.gz: gzip:9}",
        ),
        (
            "export: {formats: [tsv], compression: snappy}",
            "f:5:43: 'snappy' is for formats that compress inside, and none of these does: tsv"
            "|  leave the compression out, or write a format that has it",
        ),
        ("export: {row_index: yes}", "f:5:25: expected true or false, found 'yes'"),
        (
            "normalize: {types: {a: int17}}",
            "f:5:28: expected a column type, found 'int17'|  did you mean 'int16'?",
        ),
        (
            "normalize: {types: {a: qqqqq}}",
            "f:5:28: expected a column type, found 'qqqqq'|  types are null, bool",
        ),
        (
            "normalize: {types: {a: 'decimal(39, 2)'}}",
            "f:5:28: expected a column type, found 'decimal(39, 2)'",
        ),
        ("normalize: {types: [a]}", "f:5:24: expected a mapping such as {name: value}; found a list"),
        ("normalize: {types: {a: int8, a: int16}}", "f:5:34: 'a' is given twice, first at line 5, column 25"),
        ("normalize: {nulls: [[x]]}", "f:5:25: expected text, found a list"),
        ("normalize: {drop: [a, a]}", "f:5:27: 'a' is given twice"),
        ("normalize: {drop: [a], rename: {a: b}}", "f:5:40: 'a' is both dropped and renamed"),
        ("normalize: {rename: {a: x, b: x}}", "f:5:35: 'a' and 'b' would both be called 'x'"),
        (
            "normalize: {delimiter: ab}",
            "f:5:28: expected one of comma, semicolon, tab, bar, pipe, space, colon, or one sign; found 'ab'",
        ),
        (
            "normalize: {delimiter: semicolumn}",
            "f:5:28: expected one of comma, semicolon, tab, bar, pipe, space, colon, or one sign; found 'semicolumn'|  did you mean 'semicolon'?",
        ),
        ("normalize: {quote: x}", "f:5:24: expected one of double, single, none, '\"', \"'\"; found 'x'"),
        ("normalize: {decimal: none}", "f:5:26: expected one of point, comma, '.', ','; found 'none'"),
        ("normalize: {thousands: point}", "f:5:28: '.' is also the decimal mark"),
        (
            "normalize: {delimiter: '|', comment: '|'}",
            "f:5:42: 'delimiter' and 'comment' are the same character",
        ),
        ("normalize: {header: yes}", "f:5:25: expected true or false"),
        ("normalize: {encoding: utf-9}", "f:5:27: expected an encoding such as utf-8"),
        ("normalize: {encoding: base64}", "f:5:27: expected an encoding such as utf-8"),
        ('normalize: {records: ""}', "f:5:26: expected auto, row, values, a key or a JSON Pointer; found ''"),
        ('normalize: {rename: {a: ""}}', "f:5:29: expected a column name, found ''"),
        (
            "normalize: {format: excel}",
            "f:5:25: expected one of auto, csv, tsv, jsonl, json, parquet, arrow, orc",
        ),
        (
            "normalize: snake_case",
            "f:5:16: expected a mapping such as {columns: snake_case}; found 'snake_case'",
        ),
    ],
)
def test_mistakes_in_a_dataset(section: str, line: str) -> None:
    """Each says what was expected and found, at its place, with the nearest valid word."""
    source = "x/*.csv" if "type" in section else "x"
    got = "|".join(problems(f"version: 1\ndatasets:\n  d:\n    source: {source}\n    {section}\n"))
    assert got.startswith(line)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "f:1:1: the file is empty; expected 'version: 1' and 'datasets:'"),
        ("# nothing\n", "f:1:1: the file is empty"),
        ("- a\n", "f:1:1: expected a mapping such as 'version: 1' and 'datasets:'; found a list"),
        ("hello", "f:1:1: expected a mapping such as 'version: 1' and 'datasets:'; found 'hello'"),
        ("datasets: {}", "f:1:1: 'version' is missing"),
        ("version: 2", "f:1:10: expected version 1, found 2"),
        ("version: '1'", "f:1:10: expected a whole number, found '1'"),
        ("version: 1\nremote: s3://b", "f:2:1: this version of mldata does not have 'remote' yet"),
        ("version: 1\nlinks: copy", "f:2:1: unknown key 'links'"),
        ("version: 1\nlink: symlink", "f:2:7: expected one of auto, reflink, hardlink, copy"),
        ("version: 1\nstore: ~/s", "f:2:8: expected a path"),
        ("version: 1\nstore:", "f:2:1: expected text, found nothing"),
        ("version: 1\nsalt: [a]", "f:2:7: expected text, found a list"),
        ("version: 1\ndatasets: [a]", "f:2:11: expected a mapping such as {name: value}; found a list"),
        (
            "version: 1\ndatasets:\n  a:\n",
            "f:3:3: expected a mapping such as {source: data/*.csv}; found nothing",
        ),
        ("version: 1\ndatasets:\n  a: {}\n", "f:3:6: 'source' is missing"),
        ("version: 1\ndatasets:\n  a: {source: }\n", "f:3:7: expected text, found nothing"),
        ("version: 1\ndatasets:\n  a: {source: []}\n", "f:3:15: expected at least one source"),
        ("version: 1\ndatasets:\n  a: {source: [x, x]}\n", "f:3:19: 'x' is given twice"),
        ("version: 1\ndatasets:\n  a: {source: {x: 1}}\n", "f:3:15: expected a list, found a mapping"),
        ("version: 1\ndatasets:\n  a: {source: [x, [y]]}\n", "f:3:19: expected text, found a list"),
        ("version: 1\ndatasets:\n  Pen guins: {source: x}\n", "f:3:3: expected a dataset name of lower-case"),
        ("version: 1\ndatasets:\n  con: {source: x}\n", "f:3:3: expected a name that is no device"),
        ("version: 1\ndatasets:\n  'a:b': {source: x}\n", "f:3:3: expected a dataset name"),
        ("version: 1\ndatasets:\n  .a: {source: x}\n", "f:3:3: expected a dataset name"),
        (b"version: 1\n# \xff", "f:2:3: expected UTF-8 text"),
    ],
)
def test_mistakes_at_the_top(text: str | bytes, line: str) -> None:
    """The file as a whole, its settings, its names and its sources."""
    assert problems(text)[0].startswith(line)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("s4://a/b", "unknown scheme s4://"),
        ("s3://", "expected"),
    ],
)
def test_sources_elsewhere_are_well_formed(source: str, said: str) -> None:
    """A scheme or a text that a source elsewhere cannot mean is told with its place, and nothing is asked for."""
    lines = problems(f"version: 1\ndatasets: {{a: {{source: ['{source}']}}}}")
    assert lines[0].startswith("f:2:25: ") and said in " ".join(lines)


def test_how_to_download() -> None:
    """fetch: has the settings of downloads as people write them; a value that means nothing is told with its place."""
    text = "version: 1\ndatasets: {a: {source: x, fetch: {segments: 8, limit_rate: 5MB, stall: 1m}}}"
    plain = parse_spec(text, "f").to_plain()["datasets"]["a"]["fetch"]
    assert plain == {"limit_rate": 5_000_000, "segments": 8, "stall": 60.0}
    for said, line in (
        ("segments: 0", "f:2:45: expected a whole number from 1"),
        ("limit_rate: x", "expected a size"),
    ):
        assert line in problems(f"version: 1\ndatasets: {{a: {{source: x, fetch: {{{said}}}}}}}")[0]


def test_exports_stay_apart() -> None:
    """Two datasets may not share or nest their folders, also where only case tells them apart."""
    text = (
        "version: 1\ndatasets:\n  a: {source: x, export: {}}\n  b: {source: x, export: {to: Artifacts/A/b}}\n"
    )
    assert problems(text)[0] == "f:4:31: the exports of 'a' and 'b' would share the folder 'artifacts/a'"


@pytest.mark.parametrize(
    ("source", "to"),
    [
        ("data/*.csv", "data"),
        (".", "out"),
        ("**/*.csv", "out"),
        ("o?t/[a-z]*.csv", "out"),
        ("out/data.csv", "out"),
    ],
)
def test_exports_are_not_their_own_source(source: str, to: str) -> None:
    """A dataset that would read what it writes never comes to rest, so it is refused."""
    with pytest.raises(InvalidSpec, match="read as part of the source"):
        parse_dataset("d", {"source": source, "export": {"to": to, "formats": "csv"}})
    parse_dataset("d", {"source": "data/*.tsv", "export": {"to": "data", "formats": "csv"}})


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a/*.csv", "a/b/c.csv", False),
        ("a/**/c.csv", "a/c.csv", True),
        ("a/**/c.csv", "a/x/y/c.csv", True),
        ("a/**", "a/x/y", True),
        ("**/b/**/b", "b/a", False),
        ("a", "a/b", False),
        ("a/b", "a", False),
    ],
)
def test_globs(pattern: str, path: str, matches: bool) -> None:
    """A star stays in its folder, two stars stand for any number of folders."""
    assert glob_matches(pattern, path) is matches


def test_all_problems_at_once() -> None:
    """One run tells every mistake, in the order of the file, with the exit code of a bad spec."""
    text = "version: 1\nstor: x\ndatasets:\n  A: {source: disk://x}\n  b: {split: {a: 2}, x: 1, x: 2}\n"
    with pytest.raises(SpecError) as caught:
        parse_spec(text, "f")
    error = caught.value
    assert isinstance(error, InvalidSpec)
    assert [(p.where.line, p.where.column) for p in error.problems] == [
        *((2, 1), (4, 3), (4, 15), (5, 6), (5, 18), (5, 22), (5, 28)),
    ]
    assert str(error).count("\n  ") == len([p for p in error.problems if p.hint])
    assert error.exit_code == EXIT_USAGE
    assert error.where == error.problems[0].where


def test_many_parts() -> None:
    """255 parts are the most that a byte a row can tell apart from none."""
    parts = {f"p{number}": 1 / 255 for number in range(255)}
    assert len(parse_dataset("d", {"source": "x", "split": parts})["split"]["parts"]) == 255
    with pytest.raises(InvalidSpec, match="at most 255 parts, found 256"):
        parse_dataset("d", {"source": "x", "split": {f"p{number}": 1 / 256 for number in range(256)}})


def test_a_dataset_from_arguments() -> None:
    """Values from a command line are judged as the spec's are, and named by their keys."""
    split = parse_split("0.8,0.1,0.1")
    assert parse_dataset("d", {"source": ["a", "b"], "split": split, "export": {"row_index": True}}) == one(
        "split: {train: 0.8, val: 0.1, test: 0.1}\n    export: {row_index: true}"
    ) | {"source": ["a", "b"]}
    with pytest.raises(InvalidSpec) as caught:
        parse_dataset(
            "d", {"source": "a", "split": {"a": True}, "export": {"to": 1, "formats": None}}, "--split"
        )
    assert [str(p.where) for p in caught.value.problems] == [
        "--split: export: formats",
        "--split: export: to",
        "--split: split: a",
    ]


def test_a_split_from_the_command_line() -> None:
    """Bare shares are train, val, test; others are named."""
    assert parse_split("0.9, 0.1") == {"train": 0.9, "test": 0.1}
    assert parse_split("1") == {"train": 1.0}
    assert parse_split("a=0.5,b=.5") == {"a": 0.5, "b": 0.5}
    for bad in ("", "x", "1,2,3,4", "a=1,a=2", "a="):
        with pytest.raises(SpecError, match="found"):
            parse_split(bad)


def test_locate() -> None:
    """Later stages can say where in the spec something stands."""
    assert str(locate(PENGUINS, "f", "datasets", "penguins", "source")) == "f:5:13"
    assert str(locate(PENGUINS, "f", "datasets", "penguins", "normalize", "nulls", 1)) == "f:6:72"
    assert str(locate(PENGUINS, "f", "datasets", "penguins", "nothing", "here")) == "f:5:5"
    assert str(locate("a: [", "f", "a")) == "f"


# -- properties ------------------------------------------------------------------------------------------------------

names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,10}", fullmatch=True).filter(
    lambda name: name not in {"con", "prn", "aux", "nul", "manifest"}
)
text = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)
columns = text.filter(bool)
reserved = set(Split.model_fields)


@st.composite
def splits(draw: st.DrawFn) -> dict[str, Any]:
    chosen = draw(st.lists(names.filter(lambda n: n not in reserved), min_size=1, max_size=6, unique=True))
    weights = [draw(st.integers(1, 1000)) for _ in chosen]
    split: dict[str, Any] = {n: w / sum(weights) for n, w in zip(chosen, weights, strict=True)}
    how = draw(st.sampled_from(["", "hash", "stratify", "random"]))
    if how:
        split["method"] = how
    if how == "stratify":
        split["stratify"] = draw(columns)
    elif how == "hash":
        split["by"] = draw(st.lists(columns, max_size=3, unique=True))
    return split | draw(st.just({}) | st.fixed_dictionaries({"seed": st.integers(0, 2**64 - 1)}))


normalizes = st.fixed_dictionaries(
    {},
    optional={
        "format": st.sampled_from(["auto", "csv", "audio"]),
        "columns": st.sampled_from(["keep", "snake_case"]),
        "types": st.dictionaries(text, st.sampled_from(TYPES), max_size=4),
        "nulls": st.lists(text, max_size=4, unique=True),
        "drop": st.lists(columns, max_size=4, unique=True),
        "header": st.booleans(),
        "delimiter": st.sampled_from(["tab", ";", "|"]),
        "decimal": st.just(","),
        "encoding": st.sampled_from(["utf-8", "windows-1252", "utf-16"]),
    },
)
exports = st.fixed_dictionaries(
    {},
    optional={
        "formats": st.lists(
            st.sampled_from([name for name in FORMATS if name != "parquet"]), unique=True
        ).map(lambda names: [*names, "parquet"]),
        # Those that all formats have; others by format.
        "compression": st.sampled_from(["none", "zstd", "lz4"]),  # those that all formats have
        "row_index": st.booleans(),
    },
)
sources = st.lists(
    st.from_regex(r"raw/[A-Za-z0-9 ._-]{1,12}", fullmatch=True), min_size=1, max_size=3, unique=True
)
datasets = st.fixed_dictionaries(
    {"source": sources}, optional={"normalize": normalizes, "split": splits(), "export": exports}
)
specs = st.fixed_dictionaries(
    {"version": st.just(1), "datasets": st.dictionaries(names, datasets, max_size=3)},
    optional={"salt": text, "link": st.sampled_from(["auto", "copy"])},
)


def shuffled(value: Any, random: Any) -> Any:
    """The same mappings with their keys in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(item, random)) for key, item in value.items()]
        random.shuffle(items)
        return dict(items)
    return value


@pytest.mark.no_cover
@settings(deadline=None, max_examples=35)
@given(specs, st.randoms(use_true_random=False))
def test_what_is_written_is_read(spec: dict[str, Any], random: Any) -> None:
    """Any valid spec means the same as JSON, as block YAML, with keys in another order, and as Python values."""
    plain = parse_spec(json.dumps(spec, ensure_ascii=True), "f").to_plain() if ascii_only(spec) else None
    blocks = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True)
    read = parse_spec(blocks, "f").to_plain()
    assert read == parse_spec(f"# comment\n{yaml.safe_dump(shuffled(spec, random))}\n# end", "f").to_plain()
    assert plain in (None, read)
    assert read["datasets"] == {name: parse_dataset(name, value) for name, value in spec["datasets"].items()}
    for name, given_dataset in spec["datasets"].items():
        split = read["datasets"][name]["split"]
        parts = {key: value for key, value in given_dataset.get("split", {}).items() if key not in reserved}
        assert (dict(split["parts"]) if split else {}) == parts


def ascii_only(spec: dict[str, Any]) -> bool:
    return json.dumps(spec, ensure_ascii=False).isascii()


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_mutations_give_nothing_but_spec_errors(data: st.DataObject) -> None:
    """Whatever happens to a valid spec's bytes, it is a spec or an InvalidSpec with positions."""
    content = bytearray(PENGUINS.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        junk = data.draw(
            st.binary(max_size=3)
            | st.sampled_from([b"{", b"[", b": ", b"\n", b"~", b"'", b"- ", b"*a", b"0"])
        )
        content[at : at + data.draw(st.integers(0, 6))] = junk
    check_only_spec_errors(bytes(content))


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_random_bytes_give_nothing_but_spec_errors(content: bytes) -> None:
    """As above, of bytes that never were a spec."""
    check_only_spec_errors(content)


def check_only_spec_errors(content: bytes) -> None:
    try:
        assert isinstance(parse_spec(content, "f"), Spec)
    except InvalidSpec as error:
        assert error.problems
        assert all(problem.where.line and problem.where.column for problem in error.problems)
