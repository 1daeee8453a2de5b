"""The champion is handed over to the web app, and nobody else."""

import pytest
from kedro.io import DatasetError

from grocery_demand.datasets import PanelDataset, PublicationDataset, PublishedCardDataset
from grocery_demand.datasets.registered_versions import CHALLENGER, CHAMPION
from grocery_demand.storage.publication import read_card


@pytest.fixture
def dataset(tmp_path, panel):
    PanelDataset(filepath=str(tmp_path / "panel")).save(panel)
    return PublicationDataset(
        filepath=str(tmp_path / "published"),
        panel={"filepath": str(tmp_path / "panel")},
        name="demand",
    )


def test_the_champion_is_published_with_history_and_versions(champions, dataset, panel):
    champion = champions.load(CHAMPION)
    assert not dataset.exists()
    dataset.save(champion)
    assert dataset.exists()
    found = dataset.load()
    assert found.model.to_files() == champion.model.to_files()
    assert found.pointer.model_version == champion.number == 2
    assert found.pointer.cutoff == str(panel.cutoff)
    assert [change["champion"] for change in found.pointer.history] == [1, 2]
    versions = {v["version"]: v for v in found.pointer.versions}
    assert list(versions) == [3, 2, 1]
    assert versions[2]["aliases"] == ["champion"]
    assert versions[3]["aliases"] == ["challenger"]
    assert versions[1]["model"] == "moving_average"


def test_a_version_that_is_not_champion_is_not_published(champions, dataset):
    dataset.save(champions.load(CHALLENGER))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="No champion is published"):
        dataset.load()


def test_after_a_rollback_the_restored_champion_is_published(champions, dataset):
    dataset.save(champions.load(CHAMPION))
    champions.roll_back("too high")
    dataset.save(champions.load(CHAMPION))
    found = dataset.load()
    assert found.pointer.model_version == 1
    assert found.pointer.history[-1]["kind"] == "rollback"


def test_the_card_is_put_beside_the_model(champions, dataset, tmp_path):
    dataset.save(champions.load(CHAMPION))
    PublishedCardDataset(filepath=str(tmp_path / "published")).save((2, "# Card"))
    assert dataset.load().model_card == "# Card"
    assert read_card(tmp_path / "published", 1) is None
