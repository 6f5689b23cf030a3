"""The code that reads rows and media in generated modules, as text: the same for every framework and dataset.

It uses the constants that :func:`mldata.frameworks.skeleton.constants` writes before it, pyarrow and NumPy (and Pillow or soundfile).
It is laid out as ``ruff format`` leaves it at 88 columns.
"""

from __future__ import annotations

__all__ = ["BLOCKS", "CACHE", "DECODE", "PICTURES", "READER", "SOUNDS", "TIMES", "TIMES_CALL", "WEIGHTS"]

DECODE = '''
def decode_column(name: str, column: Any) -> Any:
    """An Arrow column as it is read: numbers as a NumPy array, others as Arrow has them.

    Numbers have the dtype that NUMBERS says, categories and times are int64.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if name in CATEGORIES:
        classes = pa.array(CATEGORIES[name]).cast(column.type)
        places = pc.fill_null(pc.index_in(column, value_set=classes), -1)
        return places.to_numpy(zero_copy_only=False).astype(np.int64)
    if name in TIMES:
        return decode_times(column, TIMES[name])
    if name not in NUMBERS:
        return column
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8()).fill_null(-1)
    elif pa.types.is_decimal(column.type) or pa.types.is_null(column.type):
        column = column.cast(pa.float64(), safe=False)
    numbers = column.to_numpy(zero_copy_only=False)
    return numbers.astype(NUMBERS[name], copy=False)
'''

TIMES = '''
def decode_times(column: Any, unit: str) -> Any:
    """Dates and times as int64 in ``unit``, which files may not have as their own."""
    kind = column.type
    if pa.types.is_date(kind):
        column = column.cast(pa.date32())
    elif pa.types.is_timestamp(kind) and kind.unit != unit:
        column = column.cast(pa.timestamp(unit, kind.tz))
    elif pa.types.is_time32(kind) and kind.unit != unit:
        column = column.cast(pa.time32(unit))
    if column.type.bit_width == 32:
        column = column.cast(pa.int32())
    numbers = pc.fill_null(column.cast(pa.int64()), -(2**63))
    return numbers.to_numpy(zero_copy_only=False)
'''

TIMES_CALL = """    if name in TIMES:
        return decode_times(column, TIMES[name])
"""

BLOCKS_OF_PARQUET = '''
def file_blocks(path: Path) -> list[int]:
    """How many rows each block (row group) of a file has."""
    with pq.ParquetFile(path) as file:
        groups = range(file.metadata.num_row_groups)
        return [file.metadata.row_group(number).num_rows for number in groups]


def read_block(path: Path, number: int, columns: Sequence[str]) -> Any:
    """A block of a file as an Arrow table, without reading the others."""
    with pq.ParquetFile(path, memory_map=True) as file:
        return file.read_row_group(number, columns=list(columns), use_threads=False)
'''

BLOCKS_OF_ARROW = '''
def fields(columns: Sequence[str]) -> pa.ipc.IpcReadOptions:
    """What Arrow is to read of a file: others are not decompressed. None: all."""
    places = [COLUMNS.index(name) for name in columns]
    return pa.ipc.IpcReadOptions(included_fields=places or None)


def file_blocks(path: Path) -> list[int]:
    """How many rows each block (record batch) of a file has."""
    options = fields(COLUMNS[:1])
    with (
        pa.memory_map(str(path)) as data,
        pa.ipc.open_file(data, options=options) as file,
    ):
        blocks = range(file.num_record_batches)
        return [file.get_batch(number).num_rows for number in blocks]


def read_block(path: Path, number: int, columns: Sequence[str]) -> Any:
    """A block of a file as an Arrow table, from memory-mapped pages."""
    with (
        pa.memory_map(str(path)) as data,
        pa.ipc.open_file(data, options=fields(columns)) as file,
    ):
        batch = file.get_batch(number)
        return pa.Table.from_batches([batch]).select(list(columns))
'''

READER = '''
def pick(block: dict[str, Any], places: Sequence[int]) -> list[dict[str, Any]]:
    """Rows of a decoded block, as Python values."""
    if not block:
        return [{} for _ in places]
    if len(places) == 1:
        one = [column[places[0]] for column in block.values()]
        values = [it.as_py() if isinstance(it, pa.Scalar) else it.item() for it in one]
        return [dict(zip(block, values))]
    index = np.asarray(places, np.int64)
    columns = [
        column[index].tolist()
        if isinstance(column, np.ndarray)
        else column.take(pa.array(index)).to_pylist()
        for column in block.values()
    ]
    return [dict(zip(block, values)) for values in zip(*columns)]


class Rows:
    """The rows of a part by number, read a block at a time.

    Decoded blocks are kept up to CACHE bytes, the last used ones. No file stays open,
    so it can be pickled and used in forked and in spawned processes.
    """

    def __init__(self, part: str, columns: Sequence[str] = COLUMNS) -> None:
        if part not in FILES:
            raise KeyError(f"expected one of {', '.join(FILES)}; found {part!r}")
        self.part = part
        self.columns = list(columns)
        self._blocks: list[tuple[Path, int]] = []
        self._starts: list[int] = [0]
        self._cache: OrderedDict[int, tuple[dict[str, Any], int]] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_cache": OrderedDict()}

    def __len__(self) -> int:
        return ROWS[self.part]

    @property
    def starts(self) -> list[int]:
        """The number of the first row of each block, and of the row after the last."""
        if not self._blocks:
            blocks: list[tuple[Path, int]] = []
            starts = [0]
            for name in FILES[self.part]:
                for number, rows in enumerate(file_blocks(FOLDER / name)):
                    blocks.append((FOLDER / name, number))
                    starts.append(starts[-1] + rows)
            if starts[-1] != len(self):
                found = f"expected {len(self)} rows in part {self.part!r}, found"
                raise ValueError(f"{found} {starts[-1]}: write the export again")
            self._blocks, self._starts = blocks, starts
        return self._starts

    def block(self, number: int) -> dict[str, Any]:
        """The decoded columns of a block."""
        if number in self._cache:
            self._cache.move_to_end(number)
            return self._cache[number][0]
        starts = self.starts
        path, place = self._blocks[number]
        table = read_block(path, place, self.columns)
        if table.num_rows != starts[number + 1] - starts[number]:
            raise ValueError(f"{path} was changed while it was read")
        values = {
            name: decode_column(name, table[name].combine_chunks())
            for name in self.columns
        }
        self._cache[number] = (values, sum(it.nbytes for it in values.values()))
        while len(self._cache) > 1 and self._size() > CACHE:
            self._cache.popitem(last=False)
        return values

    def _size(self) -> int:
        return sum(size for _, size in self._cache.values())

    def row(self, index: int) -> dict[str, Any]:
        """Row number ``index`` (from 0; below 0: from the end), as Python values."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"expected a row below {len(self)}, found {index}")
        return self.take([index % len(self)])[0]

    def take(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """Rows by their numbers, in that order: a block is read once for all of its."""
        places: dict[int, list[int]] = {}
        for place, index in enumerate(indices):
            number = bisect_right(self.starts, index) - 1
            places.setdefault(number, []).append(place)
        found: dict[int, dict[str, Any]] = {}
        for number, wanted in places.items():
            start = self.starts[number]
            inside = [indices[place] - start for place in wanted]
            found.update(zip(wanted, pick(self.block(number), inside)))
        return [found[place] for place in range(len(indices))]

    def values(self, name: str) -> Any:
        """A whole column, as decode_column gives it: for numbers, one NumPy array."""
        blocks = []
        for number in range(len(self.starts) - 1):
            path, place = self._blocks[number]
            table = read_block(path, place, [name])
            blocks.append(decode_column(name, table[name].combine_chunks()))
        if not blocks:
            return np.empty(0, NUMBERS.get(name, "int64"))
        numbers = isinstance(blocks[0], np.ndarray)
        return np.concatenate(blocks) if numbers else pa.chunked_array(blocks)
'''

WEIGHTS = '''
def class_counts(part: str) -> list[int]:
    """Rows of each class of the label in a part, in the order of CATEGORIES[LABEL]."""
    return list(COUNTS[part])


def balanced_weights(part: str) -> list[float]:
    """A weight for each class: rows / (classes * rows of the class); 0 without rows.

    Every class then weighs the same in a sum over all rows of the part.
    """
    counts = COUNTS[part]
    present = sum(count > 0 for count in counts)
    return [sum(counts) / (present * count) if count else 0.0 for count in counts]
'''

PICTURES = '''
def read_media(path: str) -> np.ndarray:
    """The pixels of a picture: (height, width, channels), turned as EXIF says."""
    with Image.open(FOLDER / path) as image:
        upright = ImageOps.exif_transpose(image)
        pixels = np.array(upright if upright.mode == MODE else upright.convert(MODE))
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
'''

SOUNDS = '''
def read_media(path: str) -> np.ndarray:
    """The samples of a recording: (frames, channels), float32 from -1 to 1."""
    samples, _ = soundfile.read(FOLDER / path, dtype="float32", always_2d=True)
    return samples
'''

BLOCKS = {"parquet": BLOCKS_OF_PARQUET, "arrow": BLOCKS_OF_ARROW}
"""Reading a block of a file, by format."""

CACHE = '''
CACHE = 256 << 20
"""Bytes of decoded rows that are kept in memory, for each part and process."""
'''
