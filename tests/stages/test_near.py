"""What is nearly equal, as a stage of a build: sketched once for all checks that ask for it, a fragment at a time."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import soundfile
from PIL import Image

from mldata.checks.report import Report
from mldata.spec import parse_dataset
from mldata.stages.split import Split
from mldata.stages.validate import Validate, read_report
from store import Store
from tests.stages.jobs import PlainJob, put_table, split_params

CHECKS = ["duplicates", "leakage"]


def run(store: Store, table: Any, **validate: Any) -> tuple[PlainJob, Report]:
    inputs = {"normalize": table}
    inputs["split"] = (
        Split().build(PlainJob(store, "split", split_params({"a": 0.5, "b": 0.5}), inputs)).output.digest
    )
    plain = parse_dataset("d", {"source": "x", "validate": {"checks": CHECKS} | validate})["validate"]
    job = PlainJob(store, "validate", plain, inputs)
    return job, read_report(store, Validate().build(job).output.digest)


def piece(number: int) -> pa.Table:
    texts = [
        f"What number {n} of piece {number} says is said by no other row of {n * number + 7}"
        for n in range(8)
    ]
    texts[6] = texts[5] + "!"
    texts[7] = "Words that every piece has in its last row, and in no other row"
    return pa.table({"id": range(number * 8, number * 8 + 8), "t": texts})


def test_a_text_is_taken_apart_once(store: Store) -> None:
    """For two checks there is one sketch a fragment, and of a changed fragment one that is new; a change of what may be is none."""
    pieces = [piece(number) for number in range(4)]
    job, report = run(store, put_table(store, pieces))
    assert sorted(job.runs) == sorted(
        [f"{name}: {number}.csv" for name in (*CHECKS, "near-text") for number in range(4)]
        + [f"{name}: 32 rows" for name in CHECKS]
    )
    found = {name: sum(it.rows for it in check.findings) for name, check in report.checks.items()}
    # Seven rows have a text that is nearly that of an earlier row: four in pairs, three of a row that is in all pieces.
    assert found["duplicates"] > 0 and found["leakage"] > 0
    pieces[2] = piece(9)
    changed, _ = run(store, put_table(store, pieces))
    assert changed.runs == ["duplicates: 2.csv", "near-text: 2.csv", "leakage: 2.csv"] + [
        f"{name}: 32 rows" for name in CHECKS
    ]
    again, report = run(store, put_table(store, pieces), duplicates={"near": {"most": 0}})
    assert not again.runs and report.failed == ["duplicates"]


def test_pictures_are_read_from_the_store(store: Store) -> None:
    """They are found by their digest; one that is no picture is noted."""
    random = np.random.default_rng(2)
    image = Image.fromarray(random.integers(0, 255, (8, 8), np.uint8)).resize(
        (64, 64), Image.Resampling.BICUBIC
    )
    media, digests = {}, []
    for number, kind in enumerate(["PNG", "JPEG", "BMP", "GIF"]):
        sink = io.BytesIO()
        image.save(sink, kind)
        media[f"{number}.img"] = sink.getvalue()
    media["4.img"] = b"no picture"
    digests = [str(store.put(data).digest) for data in media.values()]
    rows = pa.table({"path": list(media), "digest": digests})
    job, report = run(store, put_table(store, [rows], kind="images", media=media))
    codes = [it.code for check in report.checks.values() for it in check.findings]
    assert "unseen-image" in codes and "near-duplicate-image" in codes and "near-image-across" in codes
    assert job.runs.count("near-images: 0.csv") == 1


def test_recordings_are_read_from_the_store(store: Store) -> None:
    """As pictures are, once for both checks."""
    random, media = np.random.default_rng(3), {}
    loud = np.repeat(random.uniform(0, 0.5, 20), 400)
    samples = loud * np.sin(2 * np.pi * np.cumsum(np.repeat(random.uniform(200, 3000, 40), 200)) / 8_000)
    for name in ("wav", "flac", "ogg", "mp3"):
        sink = io.BytesIO()
        soundfile.write(sink, samples, 8_000, format=name)
        media[f"a.{name}"] = sink.getvalue()
    media["b.wav"] = b"no recording"
    digests = [str(store.put(data).digest) for data in media.values()]
    rows = pa.table({"path": list(media), "digest": digests})
    job, report = run(store, put_table(store, [rows], kind="audio", media=media))
    codes = [it.code for check in report.checks.values() for it in check.findings]
    assert "unseen-audio" in codes and {"near-duplicate-audio", "near-audio-across"} & {*codes}
    assert job.runs.count("near-audio: 0.csv") == 1
