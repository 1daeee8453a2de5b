"""The simulate pipeline on an in-memory catalog, and the sample that it made."""

import gzip
import zlib
from pathlib import Path

import pytest
import yaml
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.runner import SequentialRunner

from grocery_demand.core.simulation.daily_files import DailyFilesParameters
from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.datasets.incoming import IncomingFolderDataset
from grocery_demand.datasets.raw_folder import RawFolderDataset
from grocery_demand.pipelines.simulate import create_days_pipeline, create_pipeline

PROJECT = Path(__file__).parents[2]
SAMPLE = PROJECT / "data" / "01_raw" / "sample"
MIB = 2**20


def simulate(parameters: SimulationParameters, folder: Path) -> None:
    catalog = DataCatalog(
        {
            "params:simulation": MemoryDataset(parameters),
            "simulated_raw": RawFolderDataset(filepath=str(folder), compression="gzip"),
        }
    )
    SequentialRunner().run(create_pipeline(), catalog)


def test_the_pipeline_takes_typed_parameters_and_gives_a_folder() -> None:
    pipeline = create_pipeline()
    assert pipeline.inputs() == {"params:simulation"}
    assert pipeline.outputs() == {"simulated_raw"}
    assert [node.name for node in pipeline.nodes] == ["simulate_raw_tables"]


def test_the_pipeline_writes_a_small_world(tmp_path: Path) -> None:
    parameters = SimulationParameters(
        seed=1, stores=2, items=5, start_date="2016-01-01", end_date="2016-01-31"
    )
    simulate(parameters, tmp_path / "raw")
    tables = RawFolderDataset(filepath=str(tmp_path / "raw")).load()
    assert tables["train"].collect().height > 50
    assert tables["stores"].collect()["store_nbr"].to_list() == [44, 47]


@pytest.fixture(scope="module")
def sample_again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample as the committed parameters make it today."""
    text = (PROJECT / "conf" / "base" / "parameters.yml").read_text(encoding="utf-8")
    folder = tmp_path_factory.mktemp("again") / "sample"
    simulate(SimulationParameters(**yaml.safe_load(text)["simulation"]), folder)
    return folder


def test_the_committed_sample_is_what_its_parameters_make(sample_again: Path) -> None:
    for path in sorted(sample_again.iterdir()):
        committed = (SAMPLE / path.name).read_bytes()
        assert _unpack(committed) == _unpack(path.read_bytes()), path.name
    assert {path.name for path in SAMPLE.iterdir()} == {p.name for p in sample_again.iterdir()}


@pytest.mark.skipif("ng" in zlib.ZLIB_RUNTIME_VERSION, reason="zlib-ng packs otherwise")
def test_the_committed_sample_is_packed_byte_for_byte_alike(sample_again: Path) -> None:
    for path in sample_again.glob("*.gz"):
        assert path.read_bytes() == (SAMPLE / path.name).read_bytes(), path.name


def test_the_committed_sample_is_small_and_says_that_it_is_simulated() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 5_000_000 < 5 * MIB
    assert "SIMULATED" in (SAMPLE / "README.md").read_text(encoding="utf-8")


def _unpack(content: bytes) -> bytes:
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def test_single_days_are_written_into_a_folder_of_simulated_files_only(tmp_path: Path) -> None:
    parameters = SimulationParameters(
        seed=1, stores=2, items=5, start_date="2016-01-01", end_date="2016-01-31"
    )
    folder = IncomingFolderDataset(filepath=str(tmp_path / "incoming"))
    catalog = DataCatalog(
        {
            "params:simulation": MemoryDataset(parameters),
            "params:daily_files": MemoryDataset(DailyFilesParameters(first_day="2016-01-30")),
            "incoming_files": folder,
        }
    )
    SequentialRunner().run(create_days_pipeline(), catalog)
    found = folder.load()
    assert [raw.file for raw in found.files] == [
        "test-2016-01-30.csv",
        "test-2016-01-31.csv",
        "train-2016-01-30.csv",
        "train-2016-01-31.csv",
    ]
    assert all(raw.simulated for raw in found.files)
    (tmp_path / "incoming" / "README.md").unlink()
    with pytest.raises(DatasetError, match="not simulated"):
        SequentialRunner().run(create_days_pipeline(), catalog)
