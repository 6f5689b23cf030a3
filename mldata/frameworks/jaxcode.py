"""What ``dataset.py`` for JAX has beside the common part, as source. No name of a dataset is in it: those are in its constants.

``<WORD>`` stands for lines that depend on what the dataset has: see :mod:`mldata.frameworks.jax`.
"""

from __future__ import annotations

__all__ = ["BATCHES", "DEVICE", "FINISH", "LENGTH", "ORDER", "READ", "STACK", "WEIGHTS"]

READ = '''
def read(part: str, columns: Sequence[str] = COLUMNS) -> dict[str, Any]:
    """Whole columns of a part: NumPy arrays; what is no number in lists."""
    rows = Rows(part, columns)
    values = {name: rows.values(name) for name in rows.columns}
    return take_rows(values, np.arange(len(rows)))


def take_rows(values: Mapping[str, Any], places: np.ndarray) -> dict[str, Any]:
    """Some rows of columns, in the order of ``places``."""
    return {
        name: column[places]
        if isinstance(column, np.ndarray)
        else column.take(pa.array(places)).to_pylist()
        for name, column in values.items()
    }
'''

ORDER = '''
def spans(
    rows: Rows, shuffle: bool, <ORDER_BALANCED>streaming: bool, seed: int
) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """Columns that are in memory at one time, and the order in which their rows come."""
    random = np.random.default_rng(seed)
    if not streaming:
        values = {name: rows.values(name) for name in rows.columns}
        count = len(rows)
        if count:
<DRAW>            yield values, random.permutation(count) if shuffle else np.arange(count)
        return
    starts = rows.starts
    blocks = range(len(starts) - 1)
    for number in random.permutation(len(blocks)).tolist() if shuffle else blocks:
        count = starts[number + 1] - starts[number]
        order = random.permutation(count) if shuffle else np.arange(count)
        yield rows.block(number), order
'''

DRAW = """            if balanced:
                chances = np.array([*balanced_weights(rows.part), 0.0])
                chances = chances[Rows(rows.part, [LABEL]).values(LABEL)]
                chances /= chances.sum()
                yield values, random.choice(count, count, p=chances)
                return
"""

STACK = '''
def stack(values: Any) -> Any:
    """Arrays of one shape as one, numbers as an array; anything else stays a list."""
    if isinstance(values, np.ndarray):
        return values
    numeric = np.ndarray | np.generic | int | float
    if not all(isinstance(it, numeric) for it in values):
        return values
    same = len({np.shape(it) for it in values}) == 1
    return np.stack(values) if same else values
'''

LENGTH = '''
def pad(values: list[np.ndarray], length: int) -> np.ndarray:
    """Recordings with zeros at their end, or cut there, so that all have one length."""
    padded = np.zeros((len(values), length, *values[0].shape[1:]), values[0].dtype)
    for row, samples in zip(padded, values):
        row[: len(samples)] = samples[:length]
    return padded
'''

FINISH = '''
def finish(
    batch: dict[str, Any],
    transform: Callable[[dict[str, Any]], dict[str, Any]] | None,
<FINISH_FRAMES>) -> dict[str, Any]:
    """A batch as NumPy arrays and lists, of columns as they were read."""
<MEDIA>    if transform is not None:
        rows = [transform(dict(zip(batch, row))) for row in zip(*batch.values())]
        batch = {name: [row[name] for row in rows] for name in rows[0]}
<PAD>    return {name: stack(values) for name, values in batch.items()}
'''

DEVICE = '''
def put(name: str, values: Any, device: Any = None) -> Any:
    """An array on a device; text, and columns in WIDE without jax_enable_x64, as it is.

    Without jax_enable_x64, int64 becomes int32 and float64 becomes float32.
    """
    if isinstance(values, list) and all(isinstance(it, np.ndarray) for it in values):
        return [put(name, it, device) for it in values]
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf":
        return values
    wide = jax.dtypes.canonicalize_dtype(np.int64) == np.int64
    if name in WIDE and not wide:
        return values
    return jax.device_put(jnp.asarray(values), device)
'''

BATCHES = '''
def batches(
    part: str,
    batch_size: int = 32,
    *,
    shuffle: bool = False,
    seed: int = 0,
<BALANCED>    drop_remainder: bool = False,
    transform: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    columns: Sequence[str] = COLUMNS,
<FRAMES>    streaming: bool = STREAMING,
    process_index: int | None = None,
    process_count: int | None = None,
    device: Any = None,
) -> Iterator[dict[str, Any]]:
    """One pass over a part: dicts of arrays by column; what is no number in lists.

    Args:
        part: a key of ROWS.
        batch_size: rows of a batch in this process.
        shuffle: in another order for each ``seed``: give the number of the epoch.
<BALANCED_DOC>        drop_remainder: leave the last rows out if they are no whole batch: shapes never
            change, and all processes have as many batches.
        transform: is given a row (a dict of NumPy values) and returns what is put into
            batches instead.
        columns: the columns to read.
<FRAMES_DOC>        streaming: have a block of rows in memory at a time, shuffled blocks by blocks,
            instead of a part.
        process_index, process_count: the share of the rows; of JAX's own processes.
        device: a device or sharding, for ``jax.device_put``.
    """
    index = jax.process_index() if process_index is None else process_index
    count = jax.process_count() if process_count is None else process_count
    if batch_size < 1 or not 0 <= index < count:
        found = f"batch_size={batch_size}, process {index} of {count}"
        raise ValueError(f"expected rows in a batch and a process there is; {found}")
<BALANCED_CHECK>    whole = batch_size * count
    pieces: list[dict[str, Any]] = []
    filled = 0

    def ready() -> dict[str, Any]:
        made = {name: join([piece[name] for piece in pieces]) for name in pieces[0]}
        done = finish(made, transform<PASS>)
        return {name: put(name, values, device) for name, values in done.items()}

    rows = Rows(part, columns)
    for values, order in spans(rows, shuffle, <BALANCED_PASS>streaming, seed):
        place = 0
        while place < len(order):
            taken = order[place : place + whole - filled]
            mine = taken[(index - filled) % count :: count]
            if len(mine):
                pieces.append(take_rows(values, mine))
            place += len(taken)
            filled += len(taken)
            if filled == whole:
                yield ready()
                pieces, filled = [], 0
    if pieces and not drop_remainder:
        yield ready()


def join(pieces: list[Any]) -> Any:
    """A column of the rows of several blocks."""
    if isinstance(pieces[0], np.ndarray):
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    return [value for piece in pieces for value in piece]
'''

WEIGHTS = '''
def class_weights(part: str) -> jax.Array:
    """A weight for each class of the label, float32: ``loss * class_weights[label]``."""
    return jnp.asarray(balanced_weights(part), jnp.float32)
'''
