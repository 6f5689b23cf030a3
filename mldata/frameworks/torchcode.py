"""The code of generated modules that is PyTorch's, as text: a map-style dataset, one that streams, batches, ``make_loader``.

The names that it uses are those of ``torch.utils.data``: https://docs.pytorch.org/docs/stable/data.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mldata.frameworks.hooks import hook_constants, hook_methods
from mldata.frameworks.literal import assignment
from mldata.frameworks.naming import class_name
from mldata.frameworks.reading import media_of, readings
from mldata.frameworks.skeleton import CACHE, constants, media_constants, reader

if TYPE_CHECKING:
    from mldata.frameworks.base import Described

__all__ = ["feature_names", "has_weights", "torch_blocks", "torch_imports"]

ROW_INDEX = "row_index"
"""The column of row numbers that an export may have: a number, and no feature."""
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

    def __getitems__(self, indices: list[int]) -> list[Any]:
        return [self.decode(row) for row in self.rows.take(indices)]

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
            for at in range(0, len(places), AT_ONCE):
                for row in pick(block, places[at : at + AT_ONCE]):
                    yield self.dataset.decode(row)
'''

_AT_ONCE = '''
AT_ONCE = 256
"""Rows that a stream takes from Arrow at a time."""
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
    given: dict[str, Any] = {{"batch_size": batch_size, "collate_fn": collate}}
    given |= options
    if streaming:
{balanced_stream}        stream = {name}Stream(part, transform, columns, shuffle)
        return DataLoader(stream, **given)
    dataset = {name}Dataset(part, transform, columns)
{balanced_use}    return DataLoader(dataset, shuffle=shuffle, **given)
'''

_DTYPES = '''
DTYPES = {name: getattr(torch, dtype) for name, dtype in NUMBERS.items()}
DTYPES.update(dict.fromkeys([*CATEGORIES, *TIMES], torch.int64))
"""Of columns in a batch."""
'''
_SAID = "Tensors of one shape are stacked; those of several shapes stay a list."
_SAID_OF_AUDIO = "Audio is padded with zeros; ``audio_length`` has the frames of each recording."
_BALANCED_ARG = "    balanced: bool = False,\n"
_BALANCED_DOC = "        balanced: draw rows so that each class of the label comes as often.\n"
_BALANCED_STREAM = """        if balanced:
            raise ValueError("`balanced` needs `streaming=False`: it draws by number")
"""
_BALANCED_USE = """    if balanced:
        return DataLoader(dataset, sampler=balanced_sampler(part), **given)
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
    name, media, balanced = class_name(described.dataset), media_of(described), has_weights(described)
    numbers, nested = feature_names(described), hook_methods(described)
    decode = _media_decode(described) + ("        self.decode_nested(row)\n" if nested else "")
    audio = media is not None and media.kind == "audio"
    blocks = [*constants(described), *media_constants(described), *hook_constants(described)]
    if numbers:
        blocks.append(assignment("FEATURES", "list[str]", numbers, "Numeric columns but for the label."))
    blocks += [
        f'STREAMING = {described.streams}\n"""Whether loaders stream by default: the data is large."""',
        CACHE,
        _AT_ONCE,
        _DTYPES,
        *reader(described),
        _DATASET.format(name=name, decode=decode, hooks=f"\n{nested}" if nested else ""),
        _SHARE,
        _STREAM.format(name=name),
        _COLLATE.format(media=_SAID_OF_AUDIO if audio else _SAID, tensors=_PAD if audio else _STACK),
        _LOADER.format(
            name=name,
            balanced_arg=_BALANCED_ARG if balanced else "",
            balanced_doc=_BALANCED_DOC if balanced else "",
            balanced_stream=_BALANCED_STREAM if balanced else "",
            balanced_use=_BALANCED_USE if balanced else "",
        ),
    ]
    return blocks + ([_WEIGHTS] if balanced else []) + ([_FEATURES] if numbers else [])


def torch_imports(described: Described) -> list[str]:
    """What :func:`torch_blocks` imports of torch."""
    more = ["from torch.utils.data import WeightedRandomSampler"] if has_weights(described) else []
    return [*IMPORTS, *more]


def has_weights(described: Described) -> bool:
    """Whether there is a label with classes that could be weighed."""
    label = described.column(described.label)
    return label is not None and bool(label.classes)


def feature_names(described: Described) -> list[str]:
    """The numeric columns of a table that a model may be given: not the label, nor row numbers."""
    left_out = {described.label, ROW_INDEX}
    names = [it.column.name for it in readings(described) if it.kind == "number"]
    return [name for name in names if name not in left_out] if media_of(described) is None else []


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
