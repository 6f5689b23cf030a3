"""JAX: ``dataset.py`` with ``batches``, which yields dicts of arrays on the default device, and ``read``, whole columns as NumPy's.

JAX brings no data loader. Grain, the one that its authors keep, needs compiled packages of several hundred megabytes for what a
generator does here, so it is not used. Without ``jax_enable_x64`` JAX has no type of 64 bits: see
https://docs.jax.dev/en/latest/default_dtypes.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow.types as pt

from mldata.frameworks.jaxcode import BATCHES, DEVICE, DRAW, FINISH, LENGTH, ORDER, READ, STACK, WEIGHTS
from mldata.frameworks.literal import assignment, literal
from mldata.frameworks.naming import in_markdown
from mldata.frameworks.placeholders import filled
from mldata.frameworks.reading import media_of, readings
from mldata.frameworks.skeleton import CACHE, constants, media_constants, module, module_doc, reader

if TYPE_CHECKING:
    from mldata.frameworks.base import Described
    from mldata.frameworks.naming import in_markdown
from mldata.frameworks.reading import Reading

__all__ = ["Jax"]


class Jax:
    """The framework ``jax``."""

    def files(self, described: Described) -> Mapping[str, str]:
        """See :meth:`mldata.frameworks.base.Framework.files`."""
        lines = _lines(described)
        audio = described.kind == "audio" and media_of(described) is not None
        blocks = [
            *constants(described),
            *media_constants(described),
            assignment("WIDE", "list[str]", _wide(described), _WIDE),
            f'STREAMING = {described.streams}\n"""Whether batches stream by default: the data is large."""',
            CACHE,
            *reader(described),
            READ,
            filled(ORDER, lines),
            STACK,
            *([LENGTH] if audio else []),
            filled(FINISH, lines),
            DEVICE,
            filled(BATCHES, lines),
            *([WEIGHTS] if _weighted(described) else []),
        ]
        doc = module_doc(described, "JAX", self.snippet(described))
        return {f"{described.module}.py": module(doc, blocks, ["import jax", "import jax.numpy as jnp"])}

    def snippet(self, described: Described) -> str:
        """See :meth:`mldata.frameworks.base.Framework.snippet`."""
        part = next(iter(described.parts))
        return (
            f"from {described.module} import batches\n\n"
            f"for batch in batches({literal(part)}, batch_size=32, shuffle=True, seed=0):\n"
            "    ..."
        )

    def notes(self, described: Described) -> str:
        """See :meth:`mldata.frameworks.base.Framework.notes`."""
        media = media_of(described)
        said = [
            "A batch is a dict: numbers, categories (index of the class) and booleans are arrays of the shape (rows,) on the default device; "
            "text, bytes and nested values are lists. `read(PART)` gives whole columns as NumPy arrays, of the dtypes below."
        ]
        if media is not None:
            said.append(_MEDIA[media.kind].format(key=in_markdown(media.key)))
        if any(it.dtype in ("int64", "uint64", "float64") for it in readings(described)):
            said.append(
                'Without `jax.config.update("jax_enable_x64", True)` JAX has 32 bits: float64 becomes float32, int64 becomes int32, and '
                "the columns in `WIDE`, which that would change, stay NumPy arrays."
            )
        said.append(
            "The order depends on `seed` alone: give each epoch another. Several processes (`jax.process_count()`) each get a share of every "
            "batch; `drop_remainder=True` gives all of them as many batches, and `jit` one shape."
        )
        if _weighted(described):
            said.append("`class_weights(PART)` weighs a loss; `balanced=True` draws each class as often.")
        return "\n\n".join(said)


_MEDIA = {
    "images": "{key} is (rows, height, width, channels). Pictures of several sizes stay a list, unless `transform=` brings them to one.",
    "audio": "{key} is (rows, frames, channels), float32, with zeros at the end of what is shorter than the longest; `frames=` fixes the length, "
    "so that `jit` compiles once. The frames of each are beside it, under the same name with `_length`.",
}


def _weighted(described: Described) -> bool:
    label = described.column(described.label)
    return label is not None and bool(label.classes)


def _lines(described: Described) -> dict[str, str]:
    """What stands for the words in angle brackets of :mod:`mldata.frameworks.jaxcode`."""
    lines = dict.fromkeys(_WORDS, "")
    if _weighted(described):
        lines |= _BALANCED
    if media_of(described) is not None:
        lines |= {"MEDIA": _READ_MEDIA}
        if described.kind == "audio":
            lines |= _FRAMES
    return lines


_BALANCED = {
    "ORDER_BALANCED": "balanced: bool, ",
    "DRAW": DRAW,
    "BALANCED": "    balanced: bool = False,\n",
    "BALANCED_DOC": "        balanced: draw rows so that each class of the label comes as often.\n",
    "BALANCED_CHECK": "    if balanced and streaming:\n"
    '        raise ValueError("`balanced` needs `streaming=False`: it draws by number")\n',
    "BALANCED_PASS": "balanced, ",
}
_READ_MEDIA = """    if PATH in batch:
        batch[MEDIA] = [read_media(path) for path in batch[PATH]]
"""
_FRAMES = {
    "FINISH_FRAMES": "    frames: int | None,\n",
    "PAD": """    shapes = {np.shape(it)[1:] for it in batch.get(MEDIA, [])}
    if [len(shape) for shape in shapes] == [1]:
        lengths = [len(it) for it in batch[MEDIA]]
        cut = max(lengths) if frames is None else frames
        batch[f"{MEDIA}_length"] = np.array(lengths, np.int32).clip(max=cut)
        batch[MEDIA] = pad(batch[MEDIA], cut)
""",
    "FRAMES": "    frames: int | None = None,\n",
    "FRAMES_DOC": "        frames: cut or pad every recording to it; by default to the longest of a batch.\n",
    "PASS": ", frames",
}
_WORDS = ("MEDIA", *_BALANCED, *_FRAMES)

_WIDE = "Whole numbers and times that need 64 bits: NumPy's unless jax_enable_x64 is on."


def _wide(described: Described) -> list[str]:
    """Columns that lose bits in 32; floats lose precision alone, which is JAX's way."""
    return [it.column.name for it in readings(described) if _is_wide(it)]


def _is_wide(reading: Reading) -> bool:
    if reading.kind == "time":
        return True
    if reading.kind != "number" or reading.dtype not in ("int64", "uint64"):
        return False
    least, most = (0, 2**32 - 1) if pt.is_unsigned_integer(reading.column.type) else (-(2**31), 2**31 - 1)
    span = reading.column.span
    return span is not None and not (least <= span[0] and span[1] <= most)
