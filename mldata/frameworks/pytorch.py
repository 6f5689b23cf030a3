"""PyTorch: a module with a map-style dataset, one that streams, and ``make_loader``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mldata.frameworks.literal import literal
from mldata.frameworks.naming import class_name, in_markdown
from mldata.frameworks.reading import media_of, readings
from mldata.frameworks.skeleton import module, module_doc
from mldata.frameworks.torchcode import feature_names, has_weights, torch_blocks, torch_imports

if TYPE_CHECKING:
    from mldata.frameworks.base import Described

__all__ = ["PyTorch", "batch_notes"]


class PyTorch:
    """The framework ``pytorch``."""

    def files(self, described: Described) -> Mapping[str, str]:
        """See :meth:`mldata.frameworks.base.Framework.files`."""
        doc = module_doc(described, "PyTorch", self.snippet(described))
        return {f"{described.module}.py": module(doc, torch_blocks(described), torch_imports(described))}

    def snippet(self, described: Described) -> str:
        """See :meth:`mldata.frameworks.base.Framework.snippet`."""
        part = next(iter(described.parts))
        return (
            f"from {described.module} import make_loader\n\n"
            f"for batch in make_loader({literal(part)}, batch_size=32, shuffle=True):\n"
            "    ..."
        )

    def notes(self, described: Described) -> str:
        """See :meth:`mldata.frameworks.base.Framework.notes`."""
        return batch_notes(described)


def batch_notes(described: Described) -> str:
    """Markdown: what is in a batch, and what else the module has."""
    rows = "".join(f"| {name} | {what} |\n" for name, what in _batch(described))
    lines = [f"- `{line}" for line in _beside(described)]
    return (
        "A row is a `dict`, and so is a batch of `B` rows:\n\n"
        f"| key | in a batch |\n| --- | --- |\n{rows}\n" + "\n".join(lines) + "\n"
    )


def _batch(described: Described) -> Iterator[tuple[str, str]]:
    for it in readings(described):
        tensor = it.kind != "object"
        yield in_markdown(it.column.name), f"`torch.{it.dtype}` (B,)" if tensor else f"list of `{it.dtype}`"
    media = media_of(described)
    if media is None:
        return
    channels = media.channels or "channels"
    if media.kind == "images":
        height, width = media.size or ("height", "width")
        listed = "" if media.size else "; a list of tensors where sizes differ"
        yield in_markdown(media.key), f"`torch.{media.dtype}` (B, {channels}, {height}, {width}){listed}"
    else:
        longest = "padded to the longest with zeros"
        yield in_markdown(media.key), f"`torch.{media.dtype}` (B, {channels}, frames), {longest}"
        yield in_markdown(f"{media.key}_length"), "`torch.int64` (B,), frames of each recording"


def _beside(described: Described) -> Iterator[str]:
    name = class_name(described.dataset)
    yield f"{name}Dataset(part, transform=None)` gives rows by number; `transform` takes a row and returns what you want of it."
    yield f"{name}Stream(part, transform=None)` gives them in order, a block at a time; worker processes and ranks share them."
    yield "make_loader(part, batch_size, num_workers=2, streaming=True)` is a `DataLoader` over one or the other."
    if feature_names(described):
        yield "features(batch)` is the numeric columns side by side: `torch.float32` (B, columns)."
    if has_weights(described):
        yield "class_weights(part)` is for a loss; `make_loader(part, balanced=True)` draws each class as often."
    if described.of_role("nested"):
        yield f"decode_COLUMN` methods of `{name}Dataset` say what a nested value becomes: override them."
