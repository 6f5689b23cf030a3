"""ORC: the end of the file, its footer, and every stripe (https://orc.apache.org/specification/ORCv1).

ORC has no checksums: what is damaged in an uncompressed column may decode to other values.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.orc as orc

from mldata.formats.orc import KIND
from mldata.formats.orc import Orc as OrcFormat
from mldata.formats.streamed import sound, sound_schema
from mldata.integrity.base import WARNING
from mldata.integrity.columnar import Columnar, Look
from mldata.integrity.content import Content

__all__ = ["Orc"]

BEYOND = "out of range for nanosecond"
"""What Arrow says of a sound time before 1678 or after 2261, which it cannot hold."""


class Orc(Columnar):
    """Checks ORC."""

    kind = KIND

    def look(self, content: Content, look: Look) -> None:
        """See :class:`Columnar`."""
        OrcFormat().opened(look.source)
        with pa.OSFile(str(look.source.path)) as source:
            reader = orc.ORCFile(source)
            schema = sound_schema(reader.schema)
            look.facts |= {"rows": reader.nrows, "columns": len(schema), "stripes": reader.nstripes}
            rows = 0
            for number in range(reader.nstripes):
                if look.enough:
                    return
                with look.part("bad-stripe", f"a sound stripe {number}", row_group=number):
                    rows += sound(reader.read_stripe(number), schema).num_rows
                if look.problems and BEYOND in look.problems[-1].message:
                    look.problems[-1] = replace(look.problems[-1], code="time-range", severity=WARNING)
        if rows != reader.nrows and not look.problems:
            look.tell("row-count", f"expected {reader.nrows:,} rows as the footer says, found {rows:,}")
