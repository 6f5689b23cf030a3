"""Texts that are nearly equal."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldata.checks import CHECKS, base, clusters, near, shingles
from mldata.checks.base import Finding, Sketch
from mldata.checks.neartext import NearText
from mldata.checks.shingles import SHINGLE, agreement, band_rows, sketch_texts
from mldata.errors import SpecError
from mldata.testing.checks import MemoryRows, check_pieces

PARAMS = {"text": 0.9, "images": 4, "audio": 8, "columns": [], "most": None}
RANDOM = random.Random(7)
WORDS = ["".join(RANDOM.choices("abcdefghijklmnopqrstuvwxyz", k=RANDOM.randint(2, 9))) for _ in range(3000)]


def check(table: pa.Table, pieces: int = 1, **params: Any) -> list[Finding]:
    plain = {"within": None, "across": 0, "columns": [], "near": PARAMS | params}
    size = -(-len(table) // pieces)
    cut = [table.slice(at, size) for at in range(0, len(table), size)]
    found = check_pieces(CHECKS["duplicates"], plain, cut)
    assert not isinstance(found, str), found
    return found


def sentence(words: int = 30) -> str:
    return " ".join(RANDOM.choices(WORDS, k=words))


def changed(text: str, words: int = 1) -> str:
    """The text with other words in the place of some."""
    made = text.split()
    for place in RANDOM.sample(range(len(made)), words):
        made[place] = RANDOM.choice(WORDS)
    return " ".join(made)


def shingled(text: str) -> set[str]:
    return {text[at : at + SHINGLE] for at in range(len(text) - SHINGLE + 1)}


def jaccard(one: str, other: str) -> float:
    first, second = shingled(one), shingled(other)
    return len(first & second) / len(first | second)


def test_a_text_with_another_word() -> None:
    """It is a warning that names the row, what is in it, and the earlier row that it is like."""
    texts = [sentence() for _ in range(8)]
    texts[5] = changed(texts[2])
    [finding] = check(pa.table({"id": range(8), "t": texts}))
    assert (finding.severity, finding.code, finding.column, finding.rows) == (
        "warning",
        "near-duplicate-text",
        "t",
        1,
    )
    [place] = finding.places
    assert place.row == 5 and place.like is not None and place.like.row == 2
    assert finding.message == (
        "1 row (12.5%) has a text in 't' that is nearly that of an earlier row; 1 group of rows that are alike, the largest of 2 from row 2 on"
    )


def test_copies_of_whole_rows_are_told_once() -> None:
    """A row that is there again is told as such, and not as one that is nearly there; one with another id is."""
    text = sentence()
    [finding] = check(pa.table({"id": [1, 1, 2], "t": [text, text, sentence()]}))
    assert finding.code == "duplicate-within"
    [finding] = check(pa.table({"id": [1, 2, 3], "t": [text, text, sentence()]}))
    assert (finding.code, finding.rows) == ("near-duplicate-text", 1)


def test_how_many_may_be() -> None:
    """More than the spec allows are an error; else they are told and no more; and texts may be left alone."""
    text = sentence(60)
    table = pa.table({"id": range(4), "t": [text, changed(text), sentence(), sentence()]})
    assert [it.severity for it in check(table, most=0)] == ["error"]
    assert [it.severity for it in check(table, most="25%")] == ["info"]
    assert not check(table, text=None)


def test_what_is_no_text() -> None:
    """Names, addresses of pages, codes and texts of a few words are not compared, unless the column is named."""
    table = pa.table(
        {
            "url": [f"https://example.com/pictures/of/animals/{n:04}.jpeg" for n in range(50)],
            "code": ["0123456789abcdef" * 4] * 50,
            "short": ["the cat sat on a mat"] * 50,
            "n": range(50),
        }
    )
    assert not check(table)
    assert [it.column for it in check(table, text=0.7, columns=["short", "url"])] == ["short", "url"]


def test_case_blanks_and_punctuation_do_not_count() -> None:
    """In any script: texts that differ in nothing else are equal."""
    texts = [
        "Ein Gruß, der ÜBER die Straße geht - und zurückkehrt!",
        "ein  gruß der über\ndie straße geht und zurückkehrt",
    ]
    texts += [
        "これは日本語の文章です。" * 5,
        "これは日本語の文章です、" * 5,
        "Совсем другое предложение, которого больше нигде нет",
    ]
    [finding] = check(pa.table({"id": range(5), "t": texts}), text=1.0)
    assert [(it.row, it.like and it.like.row) for it in finding.places] == [(1, 0), (3, 2)]


def test_a_column_of_few_texts_is_a_category() -> None:
    """Descriptions of a few classes are there again and again by their nature: they are noted, and compared if they are named."""
    described = [sentence() for _ in range(3)]
    table = pa.table({"id": range(300), "t": [described[n % 3] for n in range(300)]})
    [finding] = check(table)
    assert (finding.severity, finding.code) == ("info", "repeated-text")
    [finding] = check(table, columns=["t"])
    assert (finding.code, finding.rows) == ("near-duplicate-text", 297)


def test_columns_that_are_no_text() -> None:
    """A name that is no column, and a column of numbers, are refused."""
    with pytest.raises(SpecError, match="expected a column of text, found 'n' of type int64"):
        check(pa.table({"n": [1]}), columns=["n"])
    with pytest.raises(SpecError, match="found 'm'"):
        check(pa.table({"n": [1]}), columns=["m"])


def test_cuts_and_limits_of_memory_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings are the same for one fragment and many, and however little is held at a time."""
    texts = [sentence(12) for _ in range(120)]
    for _ in range(60):
        texts.append(changed(RANDOM.choice(texts[:60])) if RANDOM.random() < 0.7 else RANDOM.choice(texts))
    RANDOM.shuffle(texts)
    table = pa.table({"id": range(180), "t": texts})
    whole = check(table, text=0.7)
    assert [it.code for it in whole] == ["near-duplicate-text"] and whole[0].rows > 40
    assert whole == check(table, 7, text=0.7)
    monkeypatch.setattr(base, "BLOCK_ROWS", 50)
    monkeypatch.setattr(near, "PAIRS", 3)
    monkeypatch.setattr(clusters, "CHUNK_ROWS", 40)
    monkeypatch.setattr(clusters, "IN_MEMORY", 0)
    monkeypatch.setattr(shingles, "STEP_BYTES", 200)
    assert whole == check(table, 3, text=0.7)
    monkeypatch.setattr(near, "GATHER_ROWS", 30)
    assert whole == check(table, 3, text=0.7)


@pytest.mark.parametrize("threshold", [0.9, 0.7])
def test_against_all_pairs(threshold: float) -> None:
    """Of pairs a little more alike than the threshold 98 in 100 are found; nearly none that is much less alike."""
    pairs = []
    for _ in range(1500):
        text = sentence(RANDOM.randint(8, 60))
        pairs.append((text, changed(text, RANDOM.randint(0, 4))))
    alike = np.array([jaccard(*pair) for pair in pairs])
    one, other = (
        sketch_texts(pa.array(side), band_rows(threshold), least=5, prose=False)
        for side in zip(*pairs, strict=True)
    )
    found = (one.keys == other.keys).any(1) & (agreement(one.records, other.records) >= threshold)
    surely, not_at_all = alike >= threshold + 0.05, alike <= threshold - 0.1
    assert surely.sum() > 150 and not_at_all.sum() > 150
    assert found[surely].mean() >= 0.98
    assert found[not_at_all].mean() <= 0.01


def test_estimates_are_close() -> None:
    """How alike texts are is estimated to within three standard errors, nearly always, for short texts and long ones."""
    for words in (8, 40, 400):
        texts = [sentence(words) for _ in range(150)]
        others = [changed(text, max(1, words // 15)) for text in texts]
        one, other = (sketch_texts(pa.array(side), 10, least=5, prose=False) for side in (texts, others))
        error = agreement(one.records, other.records) - [
            jaccard(*it) for it in zip(texts, others, strict=True)
        ]
        assert (np.abs(error) <= 0.1).mean() >= 0.98
        assert abs(error.mean()) < 0.01


def test_odd_texts() -> None:
    """Nulls, empty texts, bytes that are no UTF-8, and a text longer than what is compared do not hurt."""
    broken = pa.Array.from_buffers(
        pa.string(),
        2,
        [None, pa.py_buffer(np.array([0, 40, 80], np.int32)), pa.py_buffer(b"\xff\xf0\x80\xc3 " * 16)],
    )
    odd = pa.chunked_array([pa.array([None, "", " \n ", "\U0001f600" * 60]), broken])
    found = sketch_texts(odd.combine_chunks(), 10, least=5, prose=False)
    assert found.present.tolist()[:4] == [False, False, False, True]
    assert len(found.keys) == len(found.records) == found.present.sum()
    assert len(sketch_texts(pa.array([], pa.string()), 10, least=5, prose=True).present) == 0


def test_memory_does_not_grow_with_the_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of three times as many rows, with crowds of equal texts and of texts that are alike, as much is held at a time, but for what is in files."""
    monkeypatch.setattr(base, "BLOCK_ROWS", 500)
    monkeypatch.setattr(near, "GATHER_ROWS", 500)
    monkeypatch.setattr(near, "PAIRS", 200)
    monkeypatch.setattr(clusters, "CHUNK_ROWS", 500)
    monkeypatch.setattr(clusters, "IN_MEMORY", 0)
    kinds = [sentence(12) for _ in range(300)]

    def peak(rows: int) -> int:
        looked = NearText(("t",), ("id",), 0.8, True)
        sketches = []
        for start in range(0, rows, 500):
            texts = [kinds[0] if n % 3 else changed(kinds[n % 300]) for n in range(500)]
            batch = pa.record_batch({"id": range(start, start + 500), "t": texts})
            [blob] = looked.look.sketch(iter([batch]))
            path = tmp_path / f"{rows}-{start}"
            path.write_bytes(blob.data)
            sketches.append(Sketch(start, 500, {blob.kind: [path]}))
        table = MemoryRows(pa.table({"t": pa.nulls(rows, pa.string())}), ["data"], np.zeros(rows, np.uint8))
        tracemalloc.start()
        merged = looked.merge(sketches, table)["t"]
        assert merged["within"]["data"]["rows"] > rows * 0.6
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    small = peak(1000)
    assert peak(3000) < small * 1.5
