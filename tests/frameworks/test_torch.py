"""What is generated for PyTorch and Lightning, run: all rows come, as they are in the table."""

from __future__ import annotations

import io
import math
import pickle
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.e2e.project import Project, copy_examples
from tests.exports.columns import ALL
from tests.frameworks.making import export_folder, load_module
from tests.workers import worker_options

torch: Any


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    """Imported by the process that runs these tests, and not by every one that collects them."""
    global torch
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")


EXAMPLES = ("penguins", "fashion", "spoken-digits")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The example datasets, exported for both frameworks."""
    project = Project(copy_examples(tmp_path_factory.mktemp("torch") / "project"))
    spec = (project / "mldata.yaml").read_text()
    spec = spec.replace("export: {", "export: {framework: [pytorch, lightning], ")
    project.write("mldata.yaml", spec)
    project.build()
    return {name: project / f"artifacts/{name}" for name in EXAMPLES}


def plain(module: ModuleType, name: str, value: Any) -> Any:
    """A value of a batch as the table has it."""
    value = value.item() if isinstance(value, torch.Tensor) else value
    if name in module.CATEGORIES:
        return None if value == -1 else module.CATEGORIES[name][value]
    return None if isinstance(value, float) and math.isnan(value) else value


def rows_of(module: ModuleType, batches: Any) -> Iterator[dict[str, Any]]:
    """The rows of batches, columns of the table only."""
    for batch in batches:
        for number in range(len(batch[module.COLUMNS[0]])):
            yield {name: plain(module, name, batch[name][number]) for name in module.COLUMNS}


WAYS = [
    (name, workers, streaming)
    for name in EXAMPLES
    for workers, streaming in ((0, False), (0, True), (2, False))
]


@pytest.mark.parametrize(("name", "workers", "streaming"), [*WAYS, ("penguins", 2, True)])
def test_every_row_of_every_part_comes(
    folders: dict[str, Path], name: str, workers: int, streaming: bool
) -> None:
    """A DataLoader gives the rows of the table, whatever the number of its processes, streaming or not."""
    module = load_module(folders[name], "dataset_pytorch")
    for part in module.ROWS:
        table = pq.read_table(folders[name] / f"{part}.parquet").to_pylist()
        found = list(
            rows_of(module, module.make_loader(part, 16, streaming=streaming, **worker_options(workers)))
        )
        if workers and streaming:  # processes take turns
            table, found = (sorted(rows, key=repr) for rows in (table, found))
        assert found == table


def test_pictures_are_pixels(folders: dict[str, Path]) -> None:
    """A row has the pixels of its file, in the order that torch wants; a batch stacks them."""
    module = load_module(folders["fashion"], "dataset_pytorch")
    data = module.FashionDataset("train")
    batch = next(iter(module.make_loader("train", 8)))
    assert batch["image"].shape == (8, 1, 28, 28) and batch["image"].dtype == torch.uint8
    for number in range(8):
        row = data[number]
        pixels = np.asarray(Image.open(folders["fashion"] / row["path"]))
        assert (row["image"][0].numpy() == pixels).all() and torch.equal(batch["image"][number], row["image"])


def test_recordings_are_padded(folders: dict[str, Path]) -> None:
    """Recordings of several lengths are one tensor, with zeros after their ends, and their lengths."""
    import soundfile

    module = load_module(folders["spoken-digits"], "dataset_pytorch")
    batch = next(iter(module.make_loader("train", 8)))
    assert batch["audio"].shape == (8, 1, int(batch["audio_length"].max()))
    assert len(set(batch["audio_length"].tolist())) > 1
    for path, samples, length in zip(batch["path"], batch["audio"], batch["audio_length"], strict=True):
        expected, _ = soundfile.read(folders["spoken-digits"] / path, dtype="float32")
        assert length == len(expected) and not samples[0, length:].any()
        assert (samples[0, :length].numpy() == expected).all()


def test_labels_can_be_balanced(folders: dict[str, Path]) -> None:
    """Class weights make up for what is rare, and balanced sampling draws each class about as often."""
    module = load_module(folders["penguins"], "dataset_pytorch")
    weights, counts = module.class_weights("train"), torch.tensor(module.COUNTS["train"])
    assert torch.allclose(weights * counts, torch.full((3,), counts.sum() / 3))
    torch.manual_seed(1)
    loader = module.make_loader("train", 275, balanced=True)
    drawn = torch.cat([batch["species"] for _ in range(8) for batch in loader])
    assert (torch.bincount(drawn) / len(drawn) - 1 / 3).abs().max() < 0.05
    with pytest.raises(ValueError, match="balanced"):
        module.make_loader("train", balanced=True, streaming=True)


def test_a_transform_and_a_model(folders: dict[str, Path]) -> None:
    """``transform`` says what a batch has; ``features`` is what a model is given, and it learns something."""
    module = load_module(folders["penguins"], "dataset_pytorch")
    pairs = module.make_loader("train", 8, transform=lambda row: (row["year"], row["species"]))
    years, species = next(iter(pairs))
    assert years.shape == species.shape == (8,)
    [batch] = module.make_loader("train", 275)
    x, y = module.features(batch), batch["species"]
    assert x.shape == (275, len(module.FEATURES)) and x.dtype == torch.float32
    x = torch.nan_to_num((x - x.nanmean(0)) / x[~x.isnan().any(1)].std(0))
    model = torch.nn.Linear(x.shape[1], 3)
    losses = []
    for _ in range(50):
        loss = torch.nn.functional.cross_entropy(model(x), y, weight=module.class_weights("train"))
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for weights in model.parameters():
                weights -= 0.2 * weights.grad
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_lightning_trains(folders: dict[str, Path]) -> None:
    """A Trainer takes the data module: every row is trained, validated, tested and predicted on once."""
    lightning = pytest.importorskip("lightning.pytorch", reason="Lightning is not installed")
    module = load_module(folders["penguins"], "dataset_lightning")
    seen: dict[str, int] = {}

    class Model(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(len(module.FEATURES), 3)

        def loss(self, batch: Any, what: str) -> Any:
            seen[what] = seen.get(what, 0) + len(batch["species"])
            x = torch.nan_to_num(module.features(batch))
            return torch.nn.functional.cross_entropy(self.layer(x), batch["species"])

        def training_step(self, batch: Any) -> Any:
            return self.loss(batch, "train")

        def validation_step(self, batch: Any) -> None:
            self.loss(batch, "val")

        def test_step(self, batch: Any) -> None:
            self.loss(batch, "test")

        def predict_step(self, batch: Any) -> Any:
            return self.loss(batch, "predict")

        def configure_optimizers(self) -> None:
            """None: what is tested is which rows come, and optimizers take seconds to import."""

    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    quiet |= {"enable_model_summary": False, "num_sanity_val_steps": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few batches and no worker processes
        trainer = lightning.Trainer(max_epochs=1, accelerator="cpu", **quiet)
        data = module.PenguinsDataModule(batch_size=64)
        trainer.fit(Model(), datamodule=data)
        trainer.test(Model(), datamodule=data, verbose=False)
        trainer.predict(Model(), datamodule=data)
    assert seen == {"train": 275, "val": 35, "test": 34, "predict": 34}
    assert {name: len(module.make_loader(part)) for name, part in module.PARTS.items()} == {
        "train": 9,
        "val": 2,
        "test": 2,
    }


def expected(module: ModuleType, name: str, value: pa.Scalar) -> Any:
    """What a row has for a value of the table, by the rules that the module tells."""
    plain = value.as_py()
    if name in module.CATEGORIES:
        return -1 if plain is None else module.CATEGORIES[name].index(plain)
    if name in module.TIMES:
        days = value.cast("date32") if module.TIMES[name] == "days" else value
        number = (days.cast("int32") if days.type.bit_width == 32 else days).cast("int64").as_py()
        return -(2**63) if number is None else number
    if name not in module.NUMBERS:
        return plain
    if pa.types.is_boolean(value.type):
        return -1 if plain is None else int(plain)
    if plain is None:
        return math.nan
    return float(plain) if module.NUMBERS[name].startswith("float") else plain


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_every_type_is_read(tmp_path: Path, name: str) -> None:
    """Columns of every type come as they are documented, missing values too, from each format that is read."""
    table = pa.table(ALL)
    full = table.slice(2).drop_columns(["null"])
    for number, rows in enumerate((table, full)):
        folder, _ = export_folder(tmp_path / str(number), [rows, rows.slice(0, 1)], "pytorch", formats=[name])
        module = load_module(folder)
        data = module.DemoDataset("data")
        for row in range(rows.num_rows + 1):
            for column in rows.column_names:
                wanted = expected(module, column, rows[column][row % rows.num_rows])
                found = data[row][column]
                assert found == wanted or (found != found and wanted != wanted), column
        [batch] = module.make_loader("data", 9)
        assert all(batch[column].dtype == dtype for column, dtype in module.DTYPES.items())
        with pytest.raises(IndexError, match=f"below {len(data)}"):
            data[len(data)]
        assert data[-1]["text"] == data[len(data) - 1]["text"]


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.data())
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_names_are_safe(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Columns and classes of any name are data: the module reads them."""
    names = data.draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    classes = data.draw(st.lists(NAMES, min_size=1, max_size=3))
    texts = [classes[row % len(classes)] for row in range(8)]
    columns: dict[str, pa.Array] = {}
    for number, name in enumerate(names):
        kinds = pa.array(texts), pa.array(range(8)), pa.array([[text] for text in texts])
        columns[name] = kinds[number % 3]
    table = pa.table(columns)
    folder, _ = export_folder(tmp_path_factory.mktemp("names"), [table], "pytorch")
    module = load_module(folder)
    rows = module.DemoDataset("data")
    for number, row in enumerate(table.to_pylist()):
        assert {name: plain(module, name, value) for name, value in rows[number].items()} == row


def numbered(rows: int) -> pa.Table:
    return pa.table({"n": pa.array(range(rows)), "text": [f"row {n}" for n in range(rows)]})


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoded rows are kept up to the limit, whatever order they are asked for in; what was read can be pickled."""
    monkeypatch.setattr("mldata.exports.parquetfile.GROUP_ROWS", 1000)
    folder, _ = export_folder(tmp_path, [numbered(30_000), numbered(500)], "pytorch", compression="zstd:3")
    module = load_module(folder)
    assert len(module.file_blocks(folder / "data.parquet")) > 5
    data = module.DemoDataset("data")
    one = sum(column.nbytes for column in data.rows.block(0).values())
    module.CACHE = 2 * one + one // 2
    order = torch.randperm(30_500, generator=torch.Generator().manual_seed(3)).tolist()[:300]
    for number in order:
        assert data[number]["n"] == number % 30_000
        assert data.rows._size() <= module.CACHE
    again = pickle.loads(pickle.dumps(data))
    assert not again.rows._cache and again[30_499] == {"n": 499, "text": "row 499"}


def test_shards_are_one_part(tmp_path: Path) -> None:
    """A part that is cut into files is read in the order of its rows, across their bounds too."""
    folder, _ = export_folder(tmp_path, [numbered(30_000)], "pytorch", compression="none", shard_size=100_000)
    assert len(list(folder.glob("*.parquet"))) > 3
    module = load_module(folder)
    for streaming in (False, True):
        loader = module.make_loader("data", 1000, streaming=streaming)
        assert [n for batch in loader for n in batch["n"].tolist()] == list(range(30_000))
    assert [row["n"] for row in module.DemoDataset("data").rows.take([29_999, 0, 15_000])] == [
        29_999,
        0,
        15_000,
    ]


def test_streams_are_shared_and_mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes have equal shares; a mixed stream has every row once, in an order that torch's seed says."""
    monkeypatch.setattr("mldata.exports.parquetfile.GROUP_ROWS", 4096)
    folder, _ = export_folder(tmp_path, [numbered(10_001)], "pytorch", compression="zstd:3")
    module = load_module(folder)

    def drawn(**options: Any) -> list[int]:
        loader = module.make_loader("data", 100, streaming=True, **options)
        return [n for batch in loader for n in batch["n"].tolist()]

    assert drawn() == list(range(10_001))
    torch.manual_seed(5)
    first, second = drawn(shuffle=True), drawn(shuffle=True)
    torch.manual_seed(5)
    assert drawn(shuffle=True) == first != second
    assert sorted(first) == sorted(second) == list(range(10_001))
    assert sorted(drawn(shuffle=True, **worker_options(2))) == list(range(10_001))
    shares = []
    for number in range(4):
        monkeypatch.setattr(torch.utils.data, "get_worker_info", lambda number=number: _Worker(number, 4))
        shares.append([row["n"] for row in module.DemoStream("data")])
    assert [len(share) for share in shares] == [2500, 2500, 2500, 2501]
    assert [n for share in shares for n in share] == list(range(10_001))


class _Worker:
    def __init__(self, number: int, count: int) -> None:
        self.id, self.num_workers = number, count


def test_nested_values_go_through_a_method(tmp_path: Path) -> None:
    """They are Python objects until a subclass says otherwise."""
    table = pa.table({"tags": [["a"], None, ["b", "c"]], "at x": [{"y": 1}] * 3})
    folder, _ = export_folder(tmp_path, [table], "pytorch")
    module = load_module(folder)
    assert module.DemoDataset("data")[2] == {"tags": ["b", "c"], "at x": {"y": 1}}

    assert module.DemoDataset("data", columns=["at x"])[0] == {"at x": {"y": 1}}

    class Counted(module.DemoDataset):  # type: ignore[misc, name-defined]
        def decode_tags(self, value: Any) -> int:
            return len(value or ())

        def decode_at_x(self, value: Any) -> int:
            return int(value["y"])

    rows = Counted("data")
    assert [rows[number] for number in range(3)] == [{"tags": n, "at x": 1} for n in (1, 0, 2)]
    [batch] = torch.utils.data.DataLoader(rows, 3, collate_fn=module.collate)
    assert batch["tags"].tolist() == [1, 0, 2]


def test_pictures_of_several_sizes_and_modes(tmp_path: Path) -> None:
    """Pictures of several modes become RGB; those of several sizes are a list; a column called image keeps its name."""
    media, rows = {}, []
    for name, mode, size in (("a.png", "L", (2, 3)), ("b.png", "RGB", (4, 1)), ("c.png", "P", (1, 1))):
        sink = io.BytesIO()
        Image.new(mode, size, 7 if mode != "RGB" else (1, 2, 3)).save(sink, "png")
        media[name] = sink.getvalue()
        rows.append({"path": name, "image": "x", "width": size[0], "height": size[1], "mode": mode})
    folder, _ = export_folder(tmp_path, [pa.Table.from_pylist(rows)], "pytorch", kind="images", media=media)
    module = load_module(folder)
    assert module.MEDIA == "image_1" and module.MODE == "RGB"
    [batch] = module.make_loader("data", 3)
    assert [tuple(it.shape) for it in batch["image_1"]] == [(3, 3, 2), (3, 1, 4), (3, 1, 1)]
    assert batch["image_1"][1][:, 0, 0].tolist() == [1, 2, 3]
    assert "image_1" not in module.DemoDataset("data", columns=["width"])[0]


def test_a_changed_export_is_noticed(tmp_path: Path) -> None:
    """A file of other rows than the module knows is an error that says so, as is a part that there is not."""
    folder, _ = export_folder(tmp_path, [numbered(5)], "pytorch")
    pq.write_table(numbered(4), folder / "data.parquet")
    module = load_module(folder)
    with pytest.raises(ValueError, match="expected 5 rows in part 'data', found 4"):
        module.DemoDataset("data")[0]
    with pytest.raises(KeyError, match="expected one of data; found 'trian'"):
        module.DemoDataset("trian")
