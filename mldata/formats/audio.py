"""Audio: one row a file, from its header alone (libsndfile decodes no samples)."""

from __future__ import annotations

import soundfile

from mldata.errors import DataError, Where
from mldata.formats.base import SourceFile


class Audio:
    """The ``audio`` format. ``duration`` is in seconds, frames / sample rate; ``sample_rate`` in Hz."""

    fields = (("duration", "float64"), ("sample_rate", "int32"), ("channels", "int32"))
    library = "soundfile"

    def read(self, file: SourceFile) -> tuple[int | float | str | None, ...]:
        """Duration, sample rate and number of channels."""
        try:
            info = soundfile.info(str(file.path))
        except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
            raise DataError(
                f"expected audio, found something libsndfile cannot open ({error}); its digest is {file.digest}",
                where=Where(file.name),
                hint="remove the file or replace it with a sound one",
            ) from error
        return info.frames / info.samplerate, info.samplerate, info.channels
