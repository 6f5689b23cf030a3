"""Profiles say of columns what other programs say of them."""

from __future__ import annotations

import pyarrow as pa

from mldata.profile.statistics import make_profile
from mldata.profile.summarize import summarize
from mldata.profiling import Summaries


def test_a_part_is_told_over_the_bins_of_the_whole() -> None:
    """Histograms of parts have the edges of the whole, so that they can be laid over each other."""
    table = pa.table({"x": [1.5, 2.0, 7.25, 9.0, 11.0]})
    made = make_profile(
        "t", "tabular", Summaries(summarize(table), {"few": summarize(table.slice(3))}), schema=table.schema
    )
    whole, part = made.columns[0].spread, made.parts["few"].columns[0].spread
    assert (
        whole is not None and whole.histogram is not None and part is not None and part.histogram is not None
    )
    assert part.histogram.edges == whole.histogram.edges
    assert sum(part.histogram.counts) == 2
