"""What a plug-in must do, as tests that its own test suite can run.

Each contract is a class whose ``test_`` methods pytest collects from a subclass; the subclass says what is tested and how
a sample is made or read back. The built-in sources, formats, checks and exports pass the same suites.

- :class:`TabularFormatContract`, :class:`MediaFormatContract`: formats (entry points of the group ``mldata.formats``).
- :class:`CheckContract`: checks (``mldata.checks``).
- :class:`ExportContract`: export formats (``mldata.exports``).
- :class:`FrameworkContract`: frameworks that exports are made ready for (``mldata.frameworks``).
- :class:`SourceContract`: sources of files (``mldata.sources``); :class:`RemoteSourceContract`: those that need the network.

Example, in a plug-in's test file::

    from mldata.testing import TabularFormatContract

    class TestFixedWidth(TabularFormatContract):
        info = my_plugin.FIXED_WIDTH

        def write(self, table):
            return my_plugin.to_bytes(table)
"""

from __future__ import annotations

from mldata.testing.checks import CheckContract
from mldata.testing.exports import ExportContract
from mldata.testing.frameworks import FrameworkContract
from mldata.testing.media import MediaFormatContract
from mldata.testing.places import Asked, RemotePlace
from mldata.testing.reading import read_fragments, read_table
from mldata.testing.remote import RemoteSourceContract
from mldata.testing.sources import SourceContract
from mldata.testing.tabular import TabularFormatContract

__all__ = [
    "Asked",
    "CheckContract",
    "ExportContract",
    "FrameworkContract",
    "MediaFormatContract",
    "RemotePlace",
    "RemoteSourceContract",
    "SourceContract",
    "TabularFormatContract",
    "read_fragments",
    "read_table",
]
