"""PyTorch: ``dataset.py`` with a map-style dataset, one that streams, and ``make_loader``.

The names that the generated module uses are those of ``torch.utils.data``:
https://docs.pytorch.org/docs/stable/data.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mldata.frameworks.hooks import hook_constants, hook_methods
from mldata.frameworks.literal import assignment, literal
from mldata.frameworks.naming import class_name
from mldata.frameworks.reading import media_of, readings
from mldata.frameworks.skeleton import CACHE, constants, media_constants, module, module_doc, reader

if TYPE_CHECKING:
    from mldata.frameworks.base import Described

__all__ = ["IMPORTS", "PyTorch", "torch_blocks"]

IMPORTS = (
    "import torch",
    "from torch.utils.data import DataLoader, Dataset, IterableDataset, default_collate",
)

_DATASET = '''
class {name}Dataset(Dataset[Any]):
    """The rows of a part by number; each a dict, handed through ``transform``.

    Args:
        part: a key of ROWS.
        transform: is given a row and returns what the dataset gives instead.
        columns: the columns to read; all of them by default.
    """

    def __init__(
        self,
        part: str,
        transform: Callable[[dict[str, Any]], Any] | None = None,
        columns: Sequence[str] = COLUMNS,
    ) -> None:
        self.rows = Rows(part, columns)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        return self.decode(self.rows.row(index))

    def decode(self, row: dict[str, Any]) -> Any:
        """A row as it is read, made into what the dataset gives."""
{decode}        return self.transform(row) if self.transform else row
{hooks}'''

_STREAM = '''
class {name}Stream(IterableDataset[Any]):
    """The rows of a part one after the other, with a block at a time in memory.

    Worker processes, and ranks of ``torch.distributed``, each have a share of their own.
    ``shuffle`` mixes the blocks of a share and the rows of each block, as the seed of
    torch (``torch.manual_seed``) says.
    """

    def __init__(
        self,
        part: str,
        transform: Callable[[dict[str, Any]], Any] | None = None,
        columns: Sequence[str] = COLUMNS,
        shuffle: bool = False,
    ) -> None:
        self.dataset = {name}Dataset(part, transform, columns)
        self.shuffle = shuffle

    def __iter__(self) -> Iterator[Any]:
        rows = self.dataset.rows
        first, last = share(len(rows))
        starts = rows.starts
        spans = [
            (number, max(first, start) - start, min(last, stop) - start)
            for number, (start, stop) in enumerate(pairwise(starts))
            if max(first, start) < min(last, stop)
        ]
        generator = torch.Generator()
        if self.shuffle:
            generator.manual_seed(int(torch.randint(2**62, ()).item()))
            order = torch.randperm(len(spans), generator=generator).tolist()
            spans = [spans[place] for place in order]
        for number, start, stop in spans:
            block = rows.block(number)
            places: Sequence[int] = range(start, stop)
            if self.shuffle:
                mixed = torch.randperm(stop - start, generator=generator)
                places = (mixed + start).tolist()
            for place in places:
                yield self.dataset.decode(rows.pick(block, place))
'''

_SHARE = '''
def share(rows: int) -> tuple[int, int]:
    """The first row of this process, and the row after its last."""
    worker = torch.utils.data.get_worker_info()
    number, count = (worker.id, worker.num_workers) if worker else (0, 1)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        number += torch.distributed.get_rank() * count
        count *= torch.distributed.get_world_size()
    return rows * number // count, rows * (number + 1) // count
'''

_COLLATE = '''
def collate(rows: Sequence[Any]) -> Any:
    """Rows as one batch: numbers and arrays as tensors, all others as lists.

    {media}
    """
    if not isinstance(rows[0], dict):
        return default_collate(list(rows))
    batch: dict[str, Any] = {{}}
    for name in rows[0]:
        values = [row[name] for row in rows]
        first = values[0]
        if isinstance(first, torch.Tensor):
{tensors}        elif name in DTYPES and all(isinstance(it, int | float) for it in values):
            batch[name] = torch.tensor(values, dtype=DTYPES[name])
        elif all(type(it) in (int, float, bool) for it in values):
            batch[name] = torch.tensor(values)
        else:
            batch[name] = values
    return batch
'''

_STACK = """            same = all(it.shape == first.shape for it in values)
            batch[name] = torch.stack(values) if same else values
"""

_PAD = """            if name == MEDIA and first.ndim == 2:
                lengths = [it.shape[1] for it in values]
                batch[f"{name}_length"] = torch.tensor(lengths)
                room = [max(lengths) - length for length in lengths]
                pad = torch.nn.functional.pad
                values = [pad(it, (0, more)) for it, more in zip(values, room)]
            same = all(it.shape == values[0].shape for it in values)
            batch[name] = torch.stack(values) if same else values
"""

_LOADER = '''
def make_loader(
    part: str,
    batch_size: int = 32,
    *,
    shuffle: bool = False,
{balanced_arg}    transform: Callable[[dict[str, Any]], Any] | None = None,
    columns: Sequence[str] = COLUMNS,
    streaming: bool = STREAMING,
    **options: Any,
) -> DataLoader[Any]:
    """A DataLoader over a part.

    Args:
        shuffle: rows in another order in each epoch.
{balanced_doc}        transform: is given a row (a dict) and returns what is put into batches instead.
        columns: the columns to read.
        streaming: read a block at a time, in order, instead of rows by number.
        options: of the DataLoader: ``num_workers``, ``pin_memory``, ``drop_last``, ...
    """
    options = {{"batch_size": batch_size, "collate_fn": collate}} | options
    if streaming:
{balanced_stream}        stream = {name}Stream(part, transform, columns, shuffle)
        return DataLoader(stream, **options)
    dataset = {name}Dataset(part, transform, columns)
{balanced_use}    return DataLoader(dataset, shuffle=shuffle, **options)
'''

_BALANCED_ARG = "    balanced: bool = False,\n"
_BALANCED_DOC = "        balanced: draw rows so that each class of the label comes as often.\n"
_BALANCED_STREAM = """        if balanced:
            raise ValueError("`balanced` needs `streaming=False`: it draws by number")
"""
_BALANCED_USE = """    if balanced:
        return DataLoader(dataset, sampler=balanced_sampler(part), **options)
"""

_WEIGHTS = '''
def class_weights(part: str) -> torch.Tensor:
    """A weight for each class of the label: ``CrossEntropyLoss(weight=...)``."""
    return torch.tensor(balanced_weights(part), dtype=torch.float32)


def balanced_sampler(part: str) -> WeightedRandomSampler:
    """Draws rows so that each class of the label comes as often; none without label."""
    index = torch.from_numpy(Rows(part, [LABEL]).values(LABEL))
    weights = torch.cat([class_weights(part), torch.zeros(1)])[index]
    return WeightedRandomSampler(weights.tolist(), len(weights))
'''

_FEATURES = '''
def features(
    batch: Mapping[str, Any], columns: Sequence[str] = FEATURES
) -> torch.Tensor:
    """Numeric columns of a batch side by side: (rows, columns), float32; NaN is missing."""
    return torch.stack([batch[name].to(torch.float32) for name in columns], dim=1)
'''


def torch_blocks(described: Described) -> list[str]:
    """The blocks of the module, for those that build on it."""
    name, media = class_name(described.dataset), media_of(described)
    label = described.column(described.label)
    balanced = label is not None and bool(label.classes)
    numbers = [
        it.column.name
        for it in readings(described)
        if it.kind == "number" and media is None and it.column.name != described.label
    ]
    nested = hook_methods(described)
    decode = _media_decode(described) + ("        self.decode_nested(row)\n" if nested else "")
    sizes = "Audio is padded with zeros; ``MEDIA_length`` has the frames of each recording."
    if media is None or media.kind != "audio":
        sizes = "Tensors of one shape are stacked; those of several shapes stay a list."
    return [
        *constants(described),
        *media_constants(described),
        *hook_constants(described),
        *(
            [assignment("FEATURES", "list[str]", numbers, "The numeric columns but for the label.")]
            if numbers
            else []
        ),
        f'STREAMING = {described.streams}\n"""Whether loaders stream by default: the data is large."""',
        CACHE,
        "DTYPES = {name: getattr(torch, dtype) for name, dtype in NUMBERS.items()}\n"
        "DTYPES.update(dict.fromkeys([*CATEGORIES, *TIMES], torch.int64))\n"
        '"""Of columns in a batch."""',
        *reader(described),
        _DATASET.format(name=name, decode=decode, hooks=f"\n{nested}" if nested else ""),
        _SHARE,
        _STREAM.format(name=name),
        _COLLATE.format(media=sizes, tensors=_PAD if media and media.kind == "audio" else _STACK),
        _LOADER.format(
            name=name,
            balanced_arg=_BALANCED_ARG if balanced else "",
            balanced_doc=_BALANCED_DOC if balanced else "",
            balanced_stream=_BALANCED_STREAM if balanced else "",
            balanced_use=_BALANCED_USE if balanced else "",
        ),
        *([_WEIGHTS] if balanced else []),
        *([_FEATURES] if numbers else []),
    ]


def torch_imports(described: Described) -> list[str]:
    """What :func:`torch_blocks` imports of torch."""
    label = described.column(described.label)
    more = (
        ["from torch.utils.data import WeightedRandomSampler"] if label is not None and label.classes else []
    )
    return [*IMPORTS, *more]


def _media_decode(described: Described) -> str:
    media = media_of(described)
    if media is None:
        return ""
    order = "(2, 0, 1)" if media.kind == "images" else "(1, 0)"
    return (
        "        if PATH in row:\n"
        f"            values = read_media(row[PATH]).transpose{order}\n"
        "            row[MEDIA] = torch.from_numpy(np.ascontiguousarray(values))\n"
    )


class PyTorch:
    """The framework ``pytorch``."""

    def files(self, described: Described) -> Mapping[str, str]:
        """See :meth:`mldata.frameworks.base.Framework.files`."""
        doc = module_doc(described, "PyTorch", self.snippet(described))
        return {f"{described.module}.py": module(doc, torch_blocks(described), torch_imports(described))}

    def snippet(self, described: Described) -> str:
        """See :meth:`mldata.frameworks.base.Framework.snippet`."""
        part = next(iter(described.parts))
        shuffle = ", shuffle=True"
        return (
            f"from {described.module} import make_loader\n\n"
            f"for batch in make_loader({literal(part)}, batch_size=32{shuffle}):\n"
            "    ..."
        )

    def notes(self, described: Described) -> str:
        """See :meth:`mldata.frameworks.base.Framework.notes`."""
        return ""
