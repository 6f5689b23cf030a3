"""Hugging Face: ``dataset.py`` around ``datasets.load_from_disk`` of the folder itself.

The export format ``huggingface`` has the features, pictures and recordings in its files, so there is little to generate. It is no
loading script: ``datasets`` runs none since version 4. Both ``load_dataset(FOLDER)`` and ``load_from_disk(FOLDER)`` work without it:
https://huggingface.co/docs/datasets/loading
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mldata.frameworks.literal import assignment, literal
from mldata.frameworks.rowscode import WEIGHTS as COUNTED
from mldata.frameworks.skeleton import module, summary

if TYPE_CHECKING:
    from mldata.frameworks.base import Described

__all__ = ["HuggingFace"]

_LOAD = '''
def load() -> DatasetDict:
    """All parts, as splits: rows are mapped into memory, files decoded when looked at."""
    return load_from_disk(str(FOLDER))


def load_part(
    part: str,
    *,
    transform: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    streaming: bool = STREAMING,
) -> Any:
    """A part.

    Args:
        part: a key of ROWS.
        transform: is given some rows (lists by column) when they are looked at, and
            returns what is used instead: see ``Dataset.with_transform``.
        streaming: an IterableDataset, in as many shards as workers may share.
    """
    if part not in SPLITS:
        raise KeyError(f"expected one of {', '.join(SPLITS)}; found {part!r}")
    data = load()[SPLITS[part]]
    if streaming:
        stream = data.to_iterable_dataset(num_shards=max(1, min(64, len(data))))
        return stream if transform is None else stream.map(transform, batched=True)
    return data if transform is None else data.with_transform(transform)


def push(repository: str, **options: Any) -> Any:
    """Upload all parts to the Hub: ``OWNER/NAME``. Options: see ``push_to_hub``."""
    return load().push_to_hub(repository, **options)
'''

_WEIGHTS = '''
def class_weights(part: str) -> list[float]:
    """A weight for each class of the label, in the order of CATEGORIES[LABEL]."""
    return balanced_weights(part)


def balanced(part: str, seed: int = 0) -> Dataset:
    """As many rows of a part, drawn so that each class of the label comes as often."""
    data = load_part(part, streaming=False)
    values = data.data.column(LABEL).to_pylist()
    feature = data.features[LABEL]
    if isinstance(feature, ClassLabel):
        values = [None if it is None or it < 0 else feature.names[it] for it in values]
    weights = dict(zip(CATEGORIES[LABEL], balanced_weights(part)))
    chances = np.array([weights.get(value, 0.0) for value in values])
    draw = np.random.default_rng(seed).choice
    return data.select(draw(len(data), len(data), p=chances / chances.sum()))
'''


class HuggingFace:
    """The framework ``huggingface``."""

    def files(self, described: Described) -> Mapping[str, str]:
        """See :meth:`mldata.frameworks.base.Framework.files`."""
        label = described.column(described.label)
        weighted = label is not None and bool(label.classes)
        imports = ["from datasets import DatasetDict, load_from_disk"]
        if weighted:
            imports += ["import numpy as np", "from datasets import ClassLabel, Dataset"]
        blocks = [*_constants(described), _LOAD, *([COUNTED, _WEIGHTS] if weighted else [])]
        return {f"{described.module}.py": module(_doc(described, self.snippet(described)), blocks, imports)}

    def snippet(self, described: Described) -> str:
        """See :meth:`mldata.frameworks.base.Framework.snippet`."""
        splits = list(_splits(described).values())
        shown = literal(splits[0]) if splits else '"train"'
        return f"from {described.module} import load\n\ndata = load()\nprint(data[{shown}])"

    def notes(self, described: Described) -> str:
        """See :meth:`mldata.frameworks.base.Framework.notes`."""
        said = [
            "`datasets.load_dataset(FOLDER)` and `datasets.load_from_disk(FOLDER)` give the same, without this module. Features are the "
            "library's own: a label is a `ClassLabel`, missing values are None, pictures and recordings are decoded when looked at.",
            "`load_part(PART, transform=FUNCTION)` hands rows through a function; `streaming=True` gives an `IterableDataset`, whose shards "
            "workers of a DataLoader share. `push(OWNER/NAME)` uploads all parts to the Hub, after `hf auth login`.",
            f"Do not call the folder `{described.module}`: `load_dataset` takes `{described.module}.py` in it for a script then, which it refuses.",
        ]
        label = described.column(described.label)
        if label is not None and label.classes:
            said.append("`class_weights(PART)` weighs a loss; `balanced(PART)` draws each class as often.")
        return "\n\n".join(said)


def _splits(described: Described) -> dict[str, str]:
    """The folder of a part is its split."""
    return {file.part: file.path.split("/", 1)[0] for file in described.files if file.format == "huggingface"}


def _constants(described: Described) -> list[str]:
    label = described.column(described.label)
    blocks = [
        'FOLDER = Path(__file__).resolve().parent\n"""Files are read from beside this module."""',
        assignment("ROWS", "dict[str, int]", dict(described.parts), "Rows of each part."),
        assignment("SPLITS", "dict[str, str]", _splits(described), "What a part is called as a split."),
        f'STREAMING = {described.streams}\n"""Whether a part streams by default: the data is large."""',
    ]
    if label is None or not label.classes:
        return blocks
    counts = {part: list(label.counts.get(part, (0,) * len(label.classes))) for part in described.parts}
    return [
        *blocks,
        assignment("LABEL", "str", label.name, "The column to be learnt."),
        assignment(
            "CATEGORIES", "dict[str, list[Any]]", {label.name: list(label.classes)}, "Classes of the label."
        ),
        assignment("COUNTS", "dict[str, list[int]]", counts, "Rows of each class of the label, by part."),
    ]


def _doc(described: Described, snippet: str) -> str:
    lines = "".join(f"    {line}\n" if line else "\n" for line in snippet.splitlines())
    return (
        f"{summary(described)}, for the datasets library of Hugging Face.\n\n{lines}\n"
        "Written by mldata for the files in this folder."
    )
