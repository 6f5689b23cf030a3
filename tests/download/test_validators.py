"""What tells two states of a file apart, and what does not."""

from __future__ import annotations

import pytest

from mldata.download.base import Validator
from mldata.download.validators import difference, may_be_joined, merged

DAY, NEXT = "Wed, 21 Oct 2015 07:28:00 GMT", "Thu, 22 Oct 2015 07:28:00 GMT"


@pytest.mark.parametrize(
    ("before", "now", "word"),
    [
        (Validator('"1"'), Validator('"2"'), "ETag"),
        (Validator('W/"1"'), Validator('W/"2"'), "ETag"),
        (Validator(None, DAY), Validator(None, NEXT), "modified"),
        (Validator('"1"', size=5), Validator('"1"', size=6), "bytes"),
        (Validator(size=5), Validator('"1"', DAY, 6), "bytes"),
    ],
)
def test_it_changed(before: Validator, now: Validator, word: str) -> None:
    """An ETag, else a time, and a size that differ tell."""
    assert word in str(difference(before, now))


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (Validator('"1"', DAY, 5), Validator('"1"', DAY, 5)),
        (Validator('"1"', DAY, 5), Validator('"1"', NEXT, 5)),
        (Validator('"1"', DAY, 5), Validator()),
        (Validator(None, DAY, 5), Validator('"1"', None, 5)),
    ],
)
def test_nothing_tells(before: Validator, now: Validator) -> None:
    """An equal ETag proves more than a time; what only one says proves nothing."""
    assert difference(before, now) is None
    assert merged(before, now).size == 5


@pytest.mark.parametrize(
    ("seen", "promised", "may"),
    [
        (Validator('"1"'), False, True),
        (Validator('W/"1"', size=5), False, False),
        (Validator('W/"1"', DAY, 5), False, True),
        (Validator(None, DAY), False, False),
        (Validator(None, None, 5), False, False),
        (Validator(None, None, 5), True, True),
        (Validator(), True, False),
    ],
)
def test_what_parts_need(seen: Validator, promised: bool, may: bool) -> None:
    """A strong ETag; a time and the size; or a digest of the whole and the size."""
    assert may_be_joined(seen, promised) is may
