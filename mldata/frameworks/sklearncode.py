"""What ``dataset.py`` for scikit-learn has beside the common part, as source. No name of a dataset is in it: those are in its constants."""

from __future__ import annotations

__all__ = [
    "LOAD_MEDIA",
    "LOAD_TABLE",
    "PICTURE_VECTOR",
    "PREPROCESS_MEDIA",
    "PREPROCESS_TABLE",
    "SOUND_VECTOR",
    "WEIGHTS",
]

LOAD_TABLE = '''
def load(
    part: str,
    *,
    label: str | None = LABEL,
    hooks: Mapping[str, Callable[[Any], float]] | None = None,
    transform: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
) -> tuple[pd.DataFrame, Any]:
    """X and y of a part, in the order of its rows.

    Args:
        part: a key of ROWS.
        label: the column that is y: the index of a class (missing: -1) or a number. None:
            y is None.
        hooks: make a number of each value of a nested column.
        transform: is given X and returns what is used instead.
    """
    rows = Rows(part)
    values = {name: rows.values(name) for name in rows.columns}
    return features(values, label, hooks, transform)


def batches(
    part: str,
    rows: int = 65_536,
    *,
    label: str | None = LABEL,
    hooks: Mapping[str, Callable[[Any], float]] | None = None,
    transform: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
) -> Iterator[tuple[pd.DataFrame, Any]]:
    """What ``load`` gives in pieces of up to so many rows: for ``partial_fit``."""
    reader = Rows(part)
    for number, (first, last) in enumerate(pairwise(reader.starts)):
        block = reader.block(number)
        for start in range(0, last - first, rows):
            piece = {name: it[start : start + rows] for name, it in block.items()}
            yield features(piece, label, hooks, transform)


def features(
    values: Mapping[str, Any],
    label: str | None,
    hooks: Mapping[str, Callable[[Any], float]] | None,
    transform: Callable[[pd.DataFrame], pd.DataFrame] | None,
) -> tuple[pd.DataFrame, Any]:
    """X and y of rows that were read."""
    hooks = hooks or {}
    if unknown := sorted(hooks.keys() - set(NESTED)):
        raise KeyError(f"expected hooks for {NESTED}; found {unknown}")
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        if name == label:
            continue
        if name in CATEGORIES:
            columns[name] = pd.Categorical.from_codes(values[name], CATEGORIES[name])
        elif name in NUMBERS or name in TIMES:
            columns[name] = as_floats(name, values[name])
        elif name in TEXTS:
            texts = [text or "" for text in values[name].to_pylist()]
            columns[name] = np.array(texts, object)
        elif name in hooks:
            made = [hooks[name](value) for value in values[name].to_pylist()]
            columns[name] = np.array(made, np.float64)
    index = range(len(values[COLUMNS[0]])) if COLUMNS else range(0)
    X = pd.DataFrame(columns, index=index)
    y = None if label is None else target(label, values[label])
    return (transform(X) if transform else X), y


def as_floats(name: str, values: np.ndarray) -> np.ndarray:
    """Numbers and times as float64, NaN where one is missing."""
    floats = values.astype(np.float64)
    if name in TIMES:
        floats[values == -(2**63)] = np.nan
    elif name in FLAGS:
        floats[values < 0] = np.nan
    return floats


def target(label: str, values: Any) -> Any:
    """y: indices of classes, or numbers."""
    if label in CATEGORIES:
        return values
    if label in NUMBERS:
        return as_floats(label, values)
    wanted = [*CATEGORIES, *NUMBERS]
    raise KeyError(f"expected a label among {wanted}; found {label!r}")


def class_names(label: str | None = LABEL) -> list[Any]:
    """The class of each index in y."""
    return CATEGORIES[label] if label is not None else []
'''

PREPROCESS_TABLE = '''
def make_preprocessor(
    *,
    label: str | None = LABEL,
    ordinal: bool = False,
    words: int = 2**14,
    hooks: Sequence[str] = (),
) -> ColumnTransformer:
    """A step that makes numbers without gaps of what ``load`` gives as X.

    Numbers: the median for missing ones, then scaled to mean 0 and deviation 1.
    Categories: one column a class, all zero if missing. Text: hashed words, scaled to
    length 1.

    Args:
        label: the column that is y and not in X.
        ordinal: categories as the index of their class (missing: -1), for trees.
        words: columns that the words of a text are hashed to.
        hooks: the nested columns that ``load`` was given hooks for.
    """
    numbers = [it for it in COLUMNS if it in NUMBERS or it in TIMES or it in hooks]
    categories = [name for name in CATEGORIES if name != label]
    classes = [CATEGORIES[name] for name in categories]
    encoder: Any = OneHotEncoder(categories=classes, handle_unknown="ignore")
    if ordinal:
        encoder = OrdinalEncoder(
            categories=classes,
            handle_unknown="use_encoded_value",
            unknown_value=-1,
            encoded_missing_value=-1,
        )
    filled = SimpleImputer(strategy="median", keep_empty_features=True)
    steps: list[Any] = [
        (
            "numbers",
            make_pipeline(filled, StandardScaler()),
            [name for name in numbers if name != label],
        ),
        ("categories", encoder, categories),
    ]
    for number, name in enumerate(TEXTS):
        hashed = HashingVectorizer(n_features=words, alternate_sign=False)
        steps.append((f"text_{number}", hashed, name))
    return ColumnTransformer([step for step in steps if len(step[2])])
'''

LOAD_MEDIA = '''
def load(
    part: str,
    *,
    label: str | None = LABEL,
<SIZE>    transform: <KIND> = <DEFAULT>,
) -> tuple[np.ndarray, Any]:
    """X and y of a part, in the order of its rows: a vector for each file, the index of its class.

    Args:
        part: a key of ROWS.
        label: the column that is y: the index of a class (missing: -1) or a number. None:
            y is None.
<SIZE_DOC>        transform: <DOC>
    """
    pieces = list(batches(part, <PASS>))
    if not pieces:
        return np.empty((0, 0), np.float32), None if label is None else np.empty(0)
    y = None if label is None else np.concatenate([piece[1] for piece in pieces])
    return np.concatenate([piece[0] for piece in pieces]), y


def batches(
    part: str,
    rows: int = 256,
    *,
    label: str | None = LABEL,
<SIZE>    transform: <KIND> = <DEFAULT>,
) -> Iterator[tuple[np.ndarray, Any]]:
    """What ``load`` gives in pieces of up to so many rows: for ``partial_fit``."""
    reader = Rows(part, [PATH] if label is None else [PATH, label])
    first: Any = None
    for number, (start, stop) in enumerate(pairwise(reader.starts)):
        block = reader.block(number)
        for place in range(0, stop - start, rows):
            vectors = []
            for path in block[PATH][place : place + rows].to_pylist():
                found = np.asarray(<CALL>, np.float32)
                first = found.shape if first is None else first
                if found.shape != first or found.ndim != 1:
                    shapes = f"vectors of the shape {first}; {path!r} has {found.shape}"
                    raise ValueError(f"expected {shapes}: give `transform`")
                vectors.append(found)
            y = None if label is None else target(label, block[label])
            yield np.stack(vectors), None if y is None else y[place : place + rows]


def target(label: str, values: Any) -> Any:
    """y: indices of classes, or numbers."""
    if label in CATEGORIES or label in NUMBERS:
        return values
    wanted = [*CATEGORIES, *NUMBERS]
    raise KeyError(f"expected a label among {wanted}; found {label!r}")


def class_names(label: str | None = LABEL) -> list[Any]:
    """The class of each index in y."""
    return CATEGORIES[label] if label is not None else []
'''

PICTURE_VECTOR = '''
def flat(pixels: np.ndarray) -> np.ndarray:
    """All pixels of a picture one after the other, from 0 to 1."""
    return pixels.astype(np.float32).ravel() / SCALE


def vector(
    path: str, transform: Callable[[np.ndarray], Any], size: tuple[int, int] | None
) -> Any:
    """A picture as a row of X."""
    pixels = read_media(path)
    if size is not None and pixels.shape[:2] != size:
        image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        pixels = np.array(image.resize((size[1], size[0])))
        pixels = pixels.reshape(*size, -1)
    elif size is None and transform is flat and pixels.shape[:2] != SIZE:
        found = f"{path!r} has {pixels.shape[:2]}: give `size` or `transform`"
        raise ValueError(f"expected pictures of {SIZE or 'one size'}; {found}")
    return transform(pixels)
'''

SOUND_VECTOR = '''
def spectrum(samples: np.ndarray, rate: int) -> np.ndarray:
    """Mean, then deviation, over time of the log energy in BANDS bands: 2 * BANDS numbers.

    Frames of 25 ms, one each 10 ms, under Hann's window; channels are averaged. The mel
    scale is 2595 * log10(1 + Hz / 700).
    """
    mono = samples.mean(axis=1)
    width, hop = max(rate // 40, 1), max(rate // 100, 1)
    mono = np.pad(mono, (0, max(width - len(mono), 0)))
    frames = np.lib.stride_tricks.sliding_window_view(mono, width)[::hop]
    hertz = np.fft.rfftfreq(width, 1 / rate)
    edges = np.linspace(0, 2595 * np.log10(1 + TOP / 700), BANDS + 2)
    mel = 2595 * np.log10(1 + hertz / 700)
    step = edges[1]
    bands = np.maximum(0, 1 - np.abs(mel[:, np.newaxis] - edges[1:-1]) / step)
    logs = []
    for start in range(0, len(frames), 4096):
        piece = frames[start : start + 4096] * np.hanning(width)
        energy = np.abs(np.fft.rfft(piece, axis=1)) ** 2 @ bands
        logs.append(np.log(energy + 1e-10))
    whole = np.concatenate(logs)
    return np.concatenate([whole.mean(axis=0), whole.std(axis=0)])


def vector(path: str, transform: Callable[[np.ndarray, int], Any]) -> Any:
    """A recording as a row of X."""
    return transform(read_media(path), soundfile.info(FOLDER / path).samplerate)
'''

PREPROCESS_MEDIA = '''
def make_preprocessor() -> Pipeline:
    """A step that scales each column of X to mean 0 and deviation 1."""
    return make_pipeline(StandardScaler())
'''

WEIGHTS = '''
def class_weights(part: str) -> dict[int, float]:
    """A weight for the index of each class: ``class_weight=`` of a classifier."""
    return dict(enumerate(balanced_weights(part)))


def sample_weights(part: str) -> Any:
    """The weight of each row's class, 0 without label: ``sample_weight=`` of ``fit``."""
    weights = np.array([*balanced_weights(part), 0.0])
    return weights[Rows(part, [LABEL]).values(LABEL)]
'''
