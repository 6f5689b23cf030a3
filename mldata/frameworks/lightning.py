"""Lightning: PyTorch's module and a ``LightningDataModule`` on it.

Hooks of a data module: https://lightning.ai/docs/pytorch/stable/data/datamodule.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from mldata.frameworks.literal import assignment, literal
from mldata.frameworks.naming import class_name, in_markdown
from mldata.frameworks.pytorch import batch_notes
from mldata.frameworks.skeleton import module, module_doc
from mldata.frameworks.torchcode import has_weights, torch_blocks, torch_imports

if TYPE_CHECKING:
    from mldata.frameworks.base import Described

__all__ = ["Lightning", "lightning_parts"]

_NAMES = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev", "eval"),
    "test": ("test", "testing"),
}
"""Names of parts that say what they are for, in any case of letters."""

_IMPORT = """
try:
    from lightning.pytorch import LightningDataModule
except ImportError:  # the same class in the older distribution
    from pytorch_lightning import LightningDataModule
"""

_MODULE = '''
class {name}DataModule(LightningDataModule):
    """What a Lightning ``Trainer`` trains, validates and tests with.

    Args:
        batch_size: rows of a batch.
        transform: is given a row (a dict) and returns what is put into batches instead.
        streaming: read a block at a time, in order, instead of rows by number.
{balanced_doc}        options: of every DataLoader: ``num_workers``, ``pin_memory``, ...
    """

    def __init__(
        self,
        batch_size: int = 32,
        transform: Callable[[dict[str, Any]], Any] | None = None,
        streaming: bool = STREAMING,
{balanced_arg}        **options: Any,
    ) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.transform = transform
        self.streaming = streaming
{balanced_keep}        self.options = options

    def loader(self, part: str, **options: Any) -> DataLoader[Any]:
        """A loader over a part, with what the module was given."""
        given: dict[str, Any] = self.options | options
        return make_loader(
            part,
            self.batch_size,
            transform=self.transform,
            streaming=self.streaming,
            **given,
        )
'''

_METHODS = {
    "train": '''
    def train_dataloader(self) -> DataLoader[Any]:
        """The rows to learn from, in another order in each epoch."""
        return self.loader({part}, shuffle=True{balanced})
''',
    "val": '''
    def val_dataloader(self) -> DataLoader[Any]:
        """The rows to choose a model by."""
        return self.loader({part})
''',
    "test": '''
    def test_dataloader(self) -> DataLoader[Any]:
        """The rows to judge a model by."""
        return self.loader({part})

    def predict_dataloader(self) -> DataLoader[Any]:
        """The rows to judge a model by, for what it predicts."""
        return self.loader({part})
''',
}


def lightning_parts(parts: Iterable[str]) -> dict[str, str]:
    """Which part is for what: ``train``, ``val``, ``test``. The first part trains if none says so."""
    names = list(parts)
    folded = {name.casefold(): name for name in reversed(names)}
    found = {
        use: folded[next(it for it in known if it in folded)]
        for use, known in _NAMES.items()
        if any(it in folded for it in known)
    }
    if "train" not in found:
        left = [name for name in names if name not in found.values()]
        found |= {"train": left[0]} if left else {}
    return found


def _data_module(described: Described) -> str:
    balanced = has_weights(described)
    text = _MODULE.format(
        name=class_name(described.dataset),
        balanced_doc="        balanced: train with rows of each class of the label as often.\n"
        if balanced
        else "",
        balanced_arg="        balanced: bool = False,\n" if balanced else "",
        balanced_keep="        self.balanced = balanced\n" if balanced else "",
    )
    found = lightning_parts(described.parts)
    for use, method in _METHODS.items():
        if use in found:
            text += method.format(
                part=f"PARTS[{literal(use)}]", balanced=", balanced=self.balanced" if balanced else ""
            )
    return text


class Lightning:
    """The framework ``lightning``."""

    def files(self, described: Described) -> Mapping[str, str]:
        """See :meth:`mldata.frameworks.base.Framework.files`."""
        parts = assignment(
            "PARTS", "dict[str, str]", lightning_parts(described.parts), "The part that each loader reads."
        )
        doc = module_doc(described, "Lightning", self.snippet(described))
        blocks = [_IMPORT, *torch_blocks(described), parts, _data_module(described)]
        return {f"{described.module}.py": module(doc, blocks, torch_imports(described))}

    def snippet(self, described: Described) -> str:
        """See :meth:`mldata.frameworks.base.Framework.snippet`."""
        name = f"{class_name(described.dataset)}DataModule"
        return (
            "from lightning.pytorch import Trainer\n\n"
            f"from {described.module} import {name}\n\n"
            f"Trainer(max_epochs=1).fit(model, datamodule={name}(batch_size=32))"
        )

    def notes(self, described: Described) -> str:
        """See :meth:`mldata.frameworks.base.Framework.notes`."""
        uses = {"train": "trained", "val": "validated", "test": "tested"}
        found = lightning_parts(described.parts)
        lines = [f"- {in_markdown(part)}: what is {uses[use]} on" for use, part in found.items()]
        return "\n".join([*lines, "", batch_notes(described)])
