"""The datasets of the registered model's roles, made from a catalog's entries."""

import pytest
from kedro.io import DataCatalog, DatasetError

from grocery_demand.core.model_version import Decision, ModelVersion
from grocery_demand.datasets.registered_versions import CHAMPION, PREVIOUS

KINDS = {
    "challenger": "ChallengerDataset",
    "incumbent": "IncumbentDataset",
    "champion": "ChampionDataset",
}


@pytest.fixture
def catalog(registry) -> DataCatalog:
    """The three roles of the registered model `demand`, as in conf/base/catalog.yml."""
    return DataCatalog.from_config(
        {
            role: {
                "type": f"grocery_demand.datasets.{kind}",
                "name": registry.name,
                "metadata": {"kedro-viz": {"layer": "models"}},
            }
            for role, kind in KINDS.items()
        }
    )


@pytest.mark.parametrize("role", KINDS)
def test_no_role_is_taken_before_a_model_is_trained(catalog, role):
    assert not catalog.exists(role)


def test_a_saved_challenger_is_loaded_with_its_number(catalog, trained):
    for number, name in enumerate(("moving_average", "seasonal_naive"), 1):
        catalog.save("challenger", trained[name])
        loaded = catalog.load("challenger")
        assert isinstance(loaded, ModelVersion)
        assert loaded.number == number
        assert loaded.model.digest == trained[name].digest
    assert catalog.exists("challenger")
    assert not catalog.exists("champion")


@pytest.mark.parametrize("role", ["challenger", "champion"])
def test_loading_what_is_not_there_says_how_to_make_it(catalog, role):
    with pytest.raises(DatasetError, match=rf"no {role} yet.*--pipeline train"):
        catalog.load(role)


def test_the_first_challenger_has_no_incumbent(catalog, trained):
    catalog.save("challenger", trained["moving_average"])
    assert not catalog.exists("incumbent")
    assert catalog.load("incumbent") is None


def test_a_promoted_challenger_is_the_champion_and_the_next_ones_incumbent(catalog, trained):
    catalog.save("challenger", trained["moving_average"])
    catalog.save("champion", Decision(True, 1, None, "Promoted."))
    for role in ("incumbent", "champion"):
        assert catalog.exists(role)
        assert catalog.load(role).number == 1
        assert catalog.load(role).model.digest == trained["moving_average"].digest


def test_a_challenger_that_is_not_promoted_changes_nothing(catalog, trained, registry):
    catalog.save("challenger", trained["moving_average"])
    catalog.save("champion", Decision(True, 1, None, "Promoted."))
    before = registry.history()

    catalog.save("challenger", trained["seasonal_naive"])
    catalog.save("champion", Decision(False, 2, 1, "Not promoted."))

    assert catalog.load("champion").number == 1
    assert registry.find(PREVIOUS) is None
    assert registry.history() == before


def test_a_decision_on_another_champion_is_refused(catalog, trained, registry):
    catalog.save("challenger", trained["moving_average"])
    with pytest.raises(DatasetError, match="meanwhile none is champion"):
        catalog.save("champion", Decision(True, 1, 5, "Promoted."))
    assert registry.find(CHAMPION) is None


def test_the_incumbent_is_only_read(catalog):
    with pytest.raises(DatasetError, match="only read; save to `champion`"):
        catalog.save("incumbent", Decision(True, 1, None, "Promoted."))


@pytest.mark.parametrize(
    ("role", "alias"),
    [("challenger", "challenger"), ("incumbent", "champion"), ("champion", "champion")],
)
def test_a_role_describes_itself_by_name_and_alias(catalog, role, alias):
    described = str(catalog[role])
    assert "demand" in described
    assert f"alias='{alias}'" in described
    assert catalog[role].metadata == {"kedro-viz": {"layer": "models"}}
