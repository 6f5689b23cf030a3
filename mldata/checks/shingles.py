"""Texts as sets of shingles, and sketches of these sets from which it can be told how alike two texts are.

Case, punctuation and blanks do not count: letters become small, all else a blank (of the scripts up to U+33FF; later characters stand for themselves), and
of several blanks one is left. A shingle is what any five neighbouring characters are (Broder: "On the resemblance and containment of documents",
SEQUENCES 1997); how alike texts are is the share of shingles that both have among those that one has (Jaccard).

A sketch has 128 bins. Each shingle's hash falls into one, which keeps the smallest: one permutation (Li, Owen, Zhang: "One permutation hashing", NIPS
2012), so that a text costs a look at each character. A record is the lowest bits of each bin's hash, 1 to 255, or 0 for an empty bin; the share of
bins in which two records agree, of those that are not empty in both, estimates how alike the texts are, with a standard error of 0.027 at 0.9 and less for
short texts. Keys are of bands of bins, of which the empty ones borrow from another one (Shrivastava: "Optimal densification for fast and accurate
minwise hashing", ICML 2017).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mldata.splitmix import GAMMA, mix64, mix64_int

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Characters = NDArray[np.uint32]
    Hashes = NDArray[np.uint64]
    Numbers = NDArray[np.int64]

__all__ = ["BANDS", "BINS", "SHINGLE", "Sketched", "agreement", "band_rows", "sketch_texts"]

SHINGLE = 5
"""Characters. Shorter ones are in any text of a language; of longer ones a misspelt letter changes too many."""
BINS = 128
BANDS = 12
MOST_BAND_ROWS = BINS // BANDS
RECALL = 0.99
"""Of pairs exactly as alike as the threshold says, the share that has a key in common; of pairs more alike it is more."""
LONGEST = 1 << 22
"""Bytes of a text by which it is compared."""
STEP_BYTES = 1 << 20
"""Text that is looked at at a time. Tests shrink it; what comes out does not depend on it."""
BLANKS = 4
"""Between the words of what reads like text, at least: five words."""
_BLANK = 32
_CLASSED = 0x3400
_EMPTY = np.uint32(0xFFFFFFFF)
_FACTORS = np.array([mix64_int(number * GAMMA) | 1 for number in range(1, BINS + 1)], np.uint64)


class Sketched(NamedTuple):
    """Some texts: those that are compared have a row each in all but the first."""

    present: NDArray[np.bool_]
    """Of all texts, which are compared."""
    keys: Hashes
    """(texts, 1 + BANDS): of the whole content, and of each band."""
    records: NDArray[np.uint8]
    """(texts, BINS)."""


def band_rows(threshold: float) -> int:
    """How many bins a band has, so that texts as alike as ``threshold`` or more share one with a probability of ``RECALL``: the fewest wrong candidates."""
    fit = [rows for rows in range(1, MOST_BAND_ROWS + 1) if 1 - (1 - threshold**rows) ** BANDS >= RECALL]
    return max(fit, default=1)


def agreement(records: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How alike texts are, estimated, from 0 to 1."""
    filled = (records | others) != 0
    same = (records == others) & filled
    both: NDArray[np.float64] = same.sum(1) / np.maximum(filled.sum(1), 1)
    return both


def sketch_texts(texts: pa.Array, rows: int, *, least: int, prose: bool) -> Sketched:
    """Sketches of texts.

    Args:
        texts: of type string or large_string.
        rows: how many bins a band has.
        least: characters that a text has, once blanks are taken together, if it is compared.
        prose: compare only what reads like text: with blanks between words, or mostly of letters that are not Latin.
    """
    pieces = [_sketch(*it, rows, least, prose) for it in _steps(texts)]
    if not pieces:
        return Sketched(
            np.zeros(len(texts), np.bool_),
            np.empty((0, 1 + BANDS), np.uint64),
            np.empty((0, BINS), np.uint8),
        )
    return Sketched(*(np.concatenate(arrays) for arrays in zip(*pieces, strict=True)))


def _steps(texts: pa.Array) -> Iterator[tuple[NDArray[np.uint8], Numbers]]:
    """Bytes of some texts at a time, and where each begins and ends in them. Nulls have none."""
    import pyarrow as pa
    import pyarrow.types as pt

    if texts.null_count:
        texts = texts.fill_null("")
    wide = np.int64 if pt.is_large_string(texts.type) else np.int32
    _, offset_buffer, data = texts.buffers()
    if not len(texts) or offset_buffer is None:
        return
    offsets = np.frombuffer(offset_buffer, wide, len(texts) + 1, texts.offset * np.dtype(wide).itemsize)
    offsets = offsets.astype(np.int64)
    letters = np.frombuffer(data if data is not None else pa.py_buffer(b""), np.uint8)
    first = 0
    while first < len(texts):
        last = int(np.searchsorted(offsets, offsets[first] + STEP_BYTES, "right")) - 1
        last = min(max(last, first + 1), len(texts))
        bounds = offsets[first : last + 1] - offsets[first]
        if last - first == 1:
            bounds = np.minimum(bounds, LONGEST)
        yield letters[offsets[first] : offsets[first] + bounds[-1]], bounds
        first = last


@cache
def _classes() -> Characters:
    """What each of the first characters counts as."""
    found = np.arange(_CLASSED, dtype=np.uint32)
    for code in range(_CLASSED):
        letter = chr(code)
        if unicodedata.category(letter)[0] in "ZPSC":
            found[code] = _BLANK
        elif len(small := letter.lower()) == 1:
            found[code] = ord(small)
    return found


def _decoded(data: NDArray[np.uint8], offsets: Numbers) -> tuple[Characters, Numbers]:
    """UTF-8 as numbers of characters, with the offsets in these (RFC 3629, section 3). Bytes that are none give some number or other."""
    if not (data & 0x80).any():
        return data.astype(np.uint32), offsets
    leading = np.flatnonzero((data & 0xC0) != 0x80)
    lead = data[leading].astype(np.uint32)
    more = (lead >= 0xC0).astype(np.int64) + (lead >= 0xE0) + (lead >= 0xF0)
    codes = lead & np.array([0x7F, 0x1F, 0x0F, 0x07], np.uint32)[more]
    for step in range(1, 4):
        longer = np.flatnonzero(more >= step)
        following = data[np.minimum(leading[longer] + step, len(data) - 1)]
        codes[longer] = codes[longer] << np.uint32(6) | (following & np.uint32(0x3F))
    return codes, np.searchsorted(leading, offsets)


def _plain(characters: Characters, offsets: Numbers) -> tuple[Characters, Numbers, Numbers, Numbers]:
    """Characters as they count, where each text begins and ends in them, and of each text how many blanks and how many not Latin it has."""
    real = (characters <= _BLANK) | (characters == 0x3000)
    blanks = _sums(real & ~np.append(False, real[:-1]), offsets)
    foreign = _sums(characters >= 0x250, offsets)
    counted = _classes().take(characters, mode="clip")
    late = characters >= _CLASSED
    if late.any():
        counted[late] = characters[late]
    kept = counted != _BLANK
    # A blank is kept behind something else, and not at the beginning of a text.
    kept[1:] |= counted[:-1] != _BLANK
    starts = offsets[:-1][offsets[:-1] < offsets[1:]]
    kept[starts] = counted[starts] != _BLANK
    ends = offsets[1:][offsets[:-1] < offsets[1:]] - 1
    kept[ends] &= counted[ends] != _BLANK
    return counted[kept], np.append(0, np.cumsum(kept))[offsets], blanks, foreign


def _sums(flags: NDArray[np.bool_], offsets: Numbers) -> Numbers:
    sums: Numbers = np.diff(np.append(0, np.cumsum(flags))[offsets])
    return sums


def _sketch(
    data: NDArray[np.uint8], offsets: Numbers, rows: int, least: int, prose: bool
) -> tuple[NDArray[np.bool_], Hashes, NDArray[np.uint8]]:
    characters, bounds, blanks, foreign = _plain(*_decoded(data, offsets))
    sizes = np.diff(bounds)
    present = sizes >= max(least, SHINGLE)
    if prose:
        present &= (blanks >= BLANKS) | (2 * foreign >= sizes)
    chosen = np.flatnonzero(present)
    counts = sizes[chosen] - (SHINGLE - 1)
    smallest = np.full(len(chosen) * BINS, _EMPTY, np.uint32)
    sums = np.zeros(len(chosen), np.uint64)
    if len(chosen):
        hashes = _shingles(characters, bounds[:-1][chosen], counts)
        owner = np.repeat(np.arange(len(chosen)) * BINS, counts)
        owner += (hashes & np.uint64(BINS - 1)).astype(np.int64)
        np.minimum.at(smallest, owner, (hashes >> np.uint64(33)).astype(np.uint32))
        sums = np.add.reduceat(hashes, np.append(0, np.cumsum(counts)[:-1]))
    sums += counts.astype(np.uint64)
    table = smallest.reshape(-1, BINS)
    records = np.where(table == _EMPTY, 0, 1 + table % np.uint32(255)).astype(np.uint8)
    keys = np.empty((len(chosen), 1 + BANDS), np.uint64)
    keys[:, 0] = mix64(sums)
    _borrow(table)
    used = table[:, : BANDS * rows].astype(np.uint64) * _FACTORS[: BANDS * rows]
    keys[:, 1:] = mix64(used.reshape(-1, BANDS, rows).sum(2, dtype=np.uint64))
    return present, keys, records


def _shingles(characters: Characters, starts: Numbers, counts: Numbers) -> Hashes:
    """Hashes of all shingles of the texts that begin at ``starts``, one after the other."""
    wide = characters.astype(np.uint64)
    length = len(wide) - (SHINGLE - 1)
    hashes = wide[:length] * _FACTORS[0]
    for number in range(1, SHINGLE):
        hashes += wide[number : number + length] * _FACTORS[number]
    if int(counts.sum()) == length:
        return mix64(hashes)
    places = np.arange(int(counts.sum()))
    places += np.repeat(starts - np.append(0, np.cumsum(counts)[:-1]), counts)
    return mix64(hashes[places])


@cache
def _lenders() -> NDArray[Any]:
    """[attempt, bin]: whom an empty bin asks."""
    numbers = np.arange(64 * BINS, dtype=np.uint64) * np.uint64(GAMMA)
    return (mix64(numbers) & np.uint64(BINS - 1)).astype(np.int64).reshape(64, BINS)


def _borrow(table: NDArray[np.uint32]) -> None:
    """Fill empty bins, each from the first that is not empty among those that it asks; what is still empty, from the first bin that is not."""
    flat = table.reshape(-1)
    empty = np.flatnonzero(flat == _EMPTY)
    found = np.full(len(empty), _EMPTY)
    left = np.arange(len(empty))
    for asked in _lenders():
        if not len(left):
            break
        at = empty[left]
        lent = flat[(at & ~(BINS - 1)) + asked[at & (BINS - 1)]]
        found[left] = lent
        left = left[lent == _EMPTY]
    if len(left):
        any_bin = (table != _EMPTY).argmax(1)
        owner = empty[left] // BINS
        found[left] = table[owner, any_bin[owner]]
    flat[empty] = found
