"""How a dataset's sources elsewhere are downloaded: ``fetch:`` in the spec.

None of it changes what is built, so none of it is in a receipt, an action key or a manifest. What the spec says goes before the settings of
whoever runs mldata (:mod:`mldata.config`), and flags go before both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator

from mldata.config import SETTINGS
from mldata.errors import UsageError
from mldata.specsection import Section
from mldata.specvalues import Fault, as_written, refuse

__all__ = ["Fetch"]


def _as(name: str) -> BeforeValidator:
    """The setting called so, as the user's own settings read it."""
    read: Callable[[str], Any] = SETTINGS[name].read

    def value(raw: Any) -> Any:
        try:
            return read(as_written(raw))
        except UsageError as error:
            refuse(Fault(error.message, error.hint or SETTINGS[name].about))

    return BeforeValidator(value)


class Fetch(Section):
    """How to download."""

    example: ClassVar[str] = "{segments: 8, limit_rate: 5MB}"

    segments: Annotated[int | None, _as("segments")] = None
    connections: Annotated[int | None, _as("connections")] = None
    limit_rate: Annotated[int | None, _as("limit_rate")] = None
    stall: Annotated[float | None, _as("stall")] = None
    retries: Annotated[int | None, _as("retries")] = None

    def to_plain(self) -> dict[str, Any]:
        """What is said, by the names of :class:`mldata.download.options.DownloadOptions`."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}
