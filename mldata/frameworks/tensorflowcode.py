"""What ``dataset.py`` for TensorFlow has beside the constants, as source. No name of a dataset is in it.

``<WORD>`` stands for lines that depend on what the dataset has: see :mod:`mldata.frameworks.tensorflow`.
"""

from __future__ import annotations

__all__ = ["DATASET", "DECODE", "PARSE", "PICTURE", "PIXELS", "SOUND", "WEIGHTS"]

PARSE = '''
def parsing_spec(columns: Sequence[str] = COLUMNS) -> dict[str, Any]:
    """What ``tf.io.parse_example`` is to look for."""
    spec: dict[str, Any] = {}
    for name in columns:
        if name in LISTS:
            spec[name] = tf.io.RaggedFeature(tf.as_dtype(LISTS[name]))
        elif name in FEATURES:
            dtype = tf.as_dtype(FEATURES[name])
            default = ABSENT.get(name)
            if dtype == tf.float32 and default is not None:
                default = float(default)
            spec[name] = tf.io.FixedLenFeature([], dtype, default)
        else:
            raise KeyError(f"expected columns among {COLUMNS}; found {name!r}")
    return spec


@cache
def lookup(name: str) -> Any:
    """The table from the classes of a category to their places in CATEGORIES."""
    classes = CATEGORIES[name]
    with tf.init_scope():
        places = tf.range(len(classes), dtype=tf.int64)
        whole = FEATURES[name] == "int64"
        keys = tf.constant(np.array(classes).astype(np.int64) if whole else classes)
        pairs = tf.lookup.KeyValueTensorInitializer(keys, places)
        return tf.lookup.StaticHashTable(pairs, -1)
'''

DECODE = '''
def decode_value(name: str, value: Any) -> Any:
    """A feature as it was parsed, as what it means: see CATEGORIES and NUMBERS."""
    if name in CATEGORIES:
        return lookup(name).lookup(value)
    if name not in NUMBERS:
        return value
    dtype = tf.as_dtype(NUMBERS[name])
    if value.dtype == tf.string:
        return tf.strings.to_number(value, tf.float64)
    number = tf.bitcast(value, tf.uint64) if name in UNSIGNED else value
    number = tf.cast(number, dtype)
    if value.dtype == tf.int64 and name in ABSENT and dtype == tf.float64:
        nan = tf.constant(float("nan"), tf.float64)
        return tf.where(value == ABSENT[name], nan, number)
    return number
'''

PICTURE = '''
def decode_media(data: Any, ending: Any) -> Any:
    """The pixels of a picture: (height, width, channels), turned as EXIF says."""
    dtype = tf.as_dtype(PIXEL)
<NATIVE>    pixels = <PIXELS>
    return tf.ensure_shape(pixels, SHAPE)


def pillow_pixels(data: bytes) -> np.ndarray:
    """The pixels of a picture as Pillow reads them<WHEN>."""
    with Image.open(BytesIO(data)) as image:
        upright = ImageOps.exif_transpose(image)
        pixels = np.array(upright if upright.mode == MODE else upright.convert(MODE))
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
'''

PIXELS = """
    def png() -> Any:
        return tf.io.decode_png(data, CHANNELS, dtype)

    def jpeg() -> Any:
        return tf.io.decode_jpeg(data, CHANNELS, dct_method="INTEGER_ACCURATE")

    def other() -> Any:
        return tf.numpy_function(pillow_pixels, [data], dtype)

    cases = [(tf.equal(ending, "png"), png)]
    cases += [(tf.equal(ending, it), jpeg) for it in ("jpg", "jpeg")]
"""

SOUND = '''
def decode_media(data: Any, frames: int | None) -> Any:
    """The samples of a recording: (frames, channels), float32 from -1 to 1."""
    samples = tf.numpy_function(sound_samples, [data], tf.float32)
    samples = tf.ensure_shape(samples, SHAPE)
    if frames is None:
        return samples
    samples = samples[:frames]
    rest = frames - tf.shape(samples)[0]
    return tf.ensure_shape(tf.pad(samples, [[0, rest], [0, 0]]), [frames, SHAPE[1]])


def sound_samples(data: bytes) -> Any:
    """The samples of a recording in any format of libsndfile."""
    samples, _ = soundfile.read(BytesIO(data), dtype="float32", always_2d=True)
    return samples
'''

DATASET = '''
def make_dataset(
    part: str,
    batch_size: int | None = 32,
    *,
    shuffle: bool = False,
    seed: int | None = None,
    buffer: int = 10_000,
<BALANCED>    drop_remainder: bool = False,
    transform: Callable[[dict[str, Any]], Any] | None = None,
    columns: Sequence[str] = COLUMNS,
<FRAMES>    worker_index: int = 0,
    worker_count: int = 1,
) -> tf.data.Dataset:
    """The rows of a part: dicts of tensors by column.

    Args:
        part: a key of ROWS.
        batch_size: rows of a batch; None: rows one by one.
        shuffle: in another order in each epoch, as ``seed`` says.
        buffer: rows in memory of which the next one is drawn when shuffled.
<BALANCED_DOC>        drop_remainder: leave the last rows out if they are no whole batch.
        transform: is given a row, in graph mode, and returns what is used instead:
            ``lambda row: (row[...], row[...])`` gives what ``Model.fit`` wants.
        columns: the columns to read.
<FRAMES_DOC>        worker_index, worker_count: the share of the rows, every so many-th one.
    """
    if part not in FILES:
        raise KeyError(f"expected one of {', '.join(FILES)}; found {part!r}")
    files = tf.constant([str(FOLDER / name) for name in FILES[part]], tf.string)
    data: Any = tf.data.TFRecordDataset(files, COMPRESSION)
    data = data.apply(tf.data.experimental.assert_cardinality(ROWS[part]))
    if worker_count > 1:
        data = data.shard(worker_count, worker_index)
<BALANCED_USE>    if shuffle:
        data = data.shuffle(min(buffer, max(ROWS[part], 1)), seed)
    spec = parsing_spec(columns)
<SPEC>
    def decode(row: dict[str, Any]) -> dict[str, Any]:
<DECODE>

    parallel = tf.data.AUTOTUNE
<WHOLE>    data = data.map(lambda it: decode(tf.io.parse_single_example(it, spec)), parallel)
    if transform is not None:
        data = data.map(transform, parallel)
    if batch_size is not None:
        shapes = [it.shape for it in tf.nest.flatten(data.element_spec)]
        fixed = all(shape.is_fully_defined() for shape in shapes)
        batch = data.batch if fixed else data.ragged_batch
        data = batch(batch_size, drop_remainder=drop_remainder)
    return data.prefetch(parallel)
'''

WEIGHTS = '''
def class_weights(part: str) -> dict[int, float]:
    """A weight for the index of each class of the label: ``Model.fit(class_weight=...)``."""
    return dict(enumerate(balanced_weights(part)))


def balanced_records(data: Any, part: str, seed: int | None) -> Any:
    """Records as often as their class is to weigh: as many as before, but for chance."""
    weights = tf.constant([0.0, *balanced_weights(part)], tf.float32)
    spec = parsing_spec([LABEL])

    def copies(record: Any) -> Any:
        label = tf.io.parse_single_example(record, spec)[LABEL]
        weight = tf.gather(weights, decode_value(LABEL, label) + 1)
        count = tf.floor(weight + tf.random.uniform([], seed=seed))
        return tf.data.Dataset.from_tensors(record).repeat(tf.cast(count, tf.int64))

    return data.flat_map(copies)
'''
