"""Whether two answers are of the same state of a file (RFC 9110, section 8.8): pure decisions."""

from __future__ import annotations

from mldata.download.base import Validator

__all__ = ["difference", "may_be_joined", "merged"]


def difference(before: Validator, now: Validator) -> str | None:
    """What tells that an answer is of another state than an earlier one, for people; None if nothing does.

    An answer for a part need not say everything again: what only one of them says proves nothing.
    """
    if before.etag is not None and now.etag is not None:
        if before.etag != now.etag:
            return f"the file there has changed (its ETag was {before.etag} and is {now.etag})"
    elif before.modified is not None and now.modified is not None and before.modified != now.modified:
        return f"the file there has changed (it was modified on {before.modified} and then on {now.modified})"
    if before.size is not None and now.size is not None and before.size != now.size:
        return f"the file there has changed (it had {before.size:,} bytes and has {now.size:,} now)"
    return None


def merged(before: Validator, now: Validator) -> Validator:
    """What both say of one state."""
    return Validator(now.etag or before.etag, now.modified or before.modified, before.size)


def may_be_joined(seen: Validator, promised: bool) -> bool:
    """Whether bytes of several answers may be put together: something tells one state from another, or a digest of the whole will (``promised``)."""
    return seen.strong or ((promised or seen.modified is not None) and seen.size is not None)
