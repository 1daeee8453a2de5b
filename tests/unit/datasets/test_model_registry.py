"""The registered model: versions, aliases, and who was champion when, in a real MLflow store."""

import getpass
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlparse

import mlflow
import pytest
from mlflow import MlflowClient

from grocery_demand.core.errors import ModelFileError, RegistryError
from grocery_demand.core.model_version import Decision
from grocery_demand.datasets.model_registry import ChampionChange, ModelRegistry
from grocery_demand.datasets.registered_versions import ALIASES, CHALLENGER, CHAMPION, PREVIOUS


def aliases_of(registry: ModelRegistry) -> dict[str, int | None]:
    return {alias: registry.find(alias) for alias in ALIASES}


def promote(registry: ModelRegistry, version: int, replaces: int | None) -> None:
    registry.promote(Decision(True, version, replaces, f"Version {version} is better."))


class PowerCut(BaseException):
    """Ends a process at once."""


@contextmanager
def power_cut_after(steps: int) -> Iterator[None]:
    """Let the store set so many aliases and tags of the registered model, and no more."""
    taken = []

    def until_then(write):
        def count(*arguments):
            if len(taken) == steps:
                raise PowerCut
            taken.append(arguments)
            return write(*arguments)

        return count

    with pytest.MonkeyPatch.context() as patch:
        for name in ("set_registered_model_alias", "set_registered_model_tag"):
            patch.setattr(MlflowClient, name, until_then(getattr(MlflowClient, name)))
        with pytest.raises(PowerCut):
            yield


@pytest.fixture
def files(champions, tmp_path) -> Iterator[dict[str, Path]]:
    """The folders of the versions' own files, by alias; put right again after the test."""
    client, folders = MlflowClient(), {}
    for alias in ALIASES:
        uri = client.get_model_version_download_uri("demand", str(champions.find(alias)))
        folders[alias] = Path(urlparse(uri).path)
        shutil.copytree(folders[alias], tmp_path / alias)
    yield {alias: folder / "data" / "trained_model" for alias, folder in folders.items()}
    for alias, folder in folders.items():
        shutil.copytree(tmp_path / alias, folder, dirs_exist_ok=True)


def test_each_registered_model_is_the_challenger_and_no_champion(registry, register):
    assert register("moving_average") == 1
    assert aliases_of(registry) == {CHALLENGER: 1, CHAMPION: None, PREVIOUS: None}
    assert register("seasonal_naive") == 2
    assert aliases_of(registry) == {CHALLENGER: 2, CHAMPION: None, PREVIOUS: None}


def test_a_version_says_what_it_is_and_which_run_made_it(registry, trained):
    model = trained["moving_average"]
    with mlflow.start_run() as run:
        registry.register(model)
    version = MlflowClient().get_model_version("demand", "1")
    described = ("model", "feature_set", "data_digest", "cutoff")
    expected = {name: model.metadata[name] for name in described} | {"model_digest": model.digest}
    assert version.tags == expected
    assert version.run_id == run.info.run_id
    assert mlflow.get_run(run.info.run_id).data.tags["model_version"] == "1"
    assert registry.load(CHALLENGER).run_id == run.info.run_id


def test_a_model_registered_outside_of_a_run_names_none(registry, register):
    register("moving_average")
    assert registry.load(CHALLENGER).run_id is None


@pytest.mark.parametrize(
    ("alias", "number", "name"),
    [(PREVIOUS, 1, "moving_average"), (CHAMPION, 2, "decision_tree"), (CHALLENGER, 3, "lightgbm")],
)
def test_an_alias_loads_its_version_as_it_was_registered(champions, trained, alias, number, name):
    assert champions.find(alias) == number
    loaded = champions.load(alias)
    assert loaded.number == number
    assert loaded.model.digest == trained[name].digest
    assert loaded.model.to_files() == trained[name].to_files()


def test_another_process_would_find_the_same(champions):
    assert aliases_of(ModelRegistry("demand")) == aliases_of(champions)
    assert ModelRegistry("demand").history() == champions.history()


def test_a_name_that_mlflow_refuses_is_said(mlflow_store, trained):
    with pytest.raises(mlflow.MlflowException, match="demand/of/shops"):
        ModelRegistry("demand/of/shops").register(trained["moving_average"])


def test_registered_models_of_other_names_are_none_of_its_business(champions):
    other = ModelRegistry("other demand")
    assert aliases_of(other) == {CHALLENGER: None, CHAMPION: None, PREVIOUS: None}


@pytest.mark.parametrize("alias", ALIASES)
def test_nothing_is_found_before_anything_is_registered(registry, alias):
    assert registry.find(alias) is None
    with pytest.raises(RegistryError, match=rf"`demand` has no {alias} yet; .*--pipeline train"):
        registry.load(alias)


def test_a_challenger_alone_is_no_champion_to_load(registry, register):
    register("moving_average")
    with pytest.raises(RegistryError, match=r"`demand` has no champion yet"):
        registry.load(CHAMPION)


def test_a_store_that_cannot_be_read_is_not_taken_for_an_empty_one(champions, tmp_path):
    registry = ModelRegistry("demand")
    assert registry.find(CHAMPION) == 2
    (tmp_path / "mlflow.db").write_bytes(b"no database")
    with pytest.raises(mlflow.MlflowException, match="database"):
        registry.find(CHAMPION)


def test_gone_files_are_named_with_the_folder_and_the_mend(champions, files):
    folder = files[PREVIOUS].parents[1]
    shutil.rmtree(folder)
    with pytest.raises(RegistryError) as caught:
        champions.load(PREVIOUS)
    assert "The files of `demand` version 1 should be in" in str(caught.value)
    assert str(folder) in str(caught.value)
    assert "move it back, or remove mlflow.db and train again" in str(caught.value)


@pytest.mark.parametrize(
    ("alias", "number", "name", "damage"),
    [
        (PREVIOUS, 1, "metadata.json", lambda contents: contents[:-20]),
        (PREVIOUS, 1, "final/forecaster.json", lambda contents: b""),
        (PREVIOUS, 1, "holdout/forecaster.json", lambda contents: b"{}"),
        (PREVIOUS, 1, "input_example.json", lambda contents: b"\xff" + contents),
        (CHAMPION, 2, "final/model.skops", lambda contents: contents[:200]),
        (CHALLENGER, 3, "final/model.lgb", lambda contents: contents[:100]),
        (CHALLENGER, 3, "holdout/model.lgb", lambda contents: b""),
        (CHALLENGER, 3, "final/model.lgb", lambda contents: contents[: len(contents) // 2]),
        (CHALLENGER, 3, "final/model.lgb", lambda contents: contents.replace(b"0.", b"1.", 9)),
        (PREVIOUS, 1, "metadata.json", lambda contents: b"null"),
        (PREVIOUS, 1, "checksums.json", lambda contents: b"no JSON"),
    ],
)
def test_a_damaged_file_is_no_model_and_the_mend_is_said(
    champions, files, alias, number, name, damage
):
    path = files[alias] / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RegistryError) as caught:
        champions.load(alias)
    assert f"`demand` version {number} cannot be used." in str(caught.value)
    assert "tag git_commit of its MLflow run" in str(caught.value)
    assert isinstance(caught.value.__cause__, ModelFileError)


def test_a_missing_file_is_named(champions, files):
    (files[CHAMPION] / "final" / "model.skops").unlink()
    with pytest.raises(RegistryError, match=r"version 2 cannot be used.*model\.skops"):
        champions.load(CHAMPION)


def test_promotions_move_the_champion_and_the_previous_one(registry, register):
    for _ in range(3):
        register("moving_average")
    promote(registry, 1, None)
    assert aliases_of(registry) == {CHALLENGER: 3, CHAMPION: 1, PREVIOUS: None}
    promote(registry, 2, 1)
    assert aliases_of(registry) == {CHALLENGER: 3, CHAMPION: 2, PREVIOUS: 1}
    promote(registry, 3, 2)
    assert aliases_of(registry) == {CHALLENGER: 3, CHAMPION: 3, PREVIOUS: 2}


@pytest.mark.parametrize(("judged_against", "named"), [(1, "version 1"), (None, "none")])
def test_a_promotion_is_refused_when_another_champion_came_in_between(
    champions, judged_against, named
):
    before, history = aliases_of(champions), champions.history()
    expected = rf"Version 3 was judged against {named}, .*version 2 is champion.*--pipeline promote"
    with pytest.raises(RegistryError, match=expected):
        promote(champions, 3, judged_against)
    assert aliases_of(champions) == before
    assert champions.history() == history


def test_a_promotion_is_refused_when_the_champion_it_was_judged_against_is_gone(registry, register):
    register("moving_average")
    with pytest.raises(RegistryError, match=r"against version 7, .*none is champion"):
        promote(registry, 1, 7)
    assert registry.find(CHAMPION) is None


def test_a_rollback_swaps_champion_and_previous(champions):
    champions.roll_back("Forecasts too high.")
    assert aliases_of(champions) == {CHALLENGER: 3, CHAMPION: 1, PREVIOUS: 2}
    champions.roll_back("They were right.")
    assert aliases_of(champions) == {CHALLENGER: 3, CHAMPION: 2, PREVIOUS: 1}


def test_a_rollback_records_who_did_it_when_and_why(champions):
    before = datetime.now(UTC).replace(microsecond=0)
    change = champions.roll_back("Forecasts too high.")
    after = datetime.now(UTC)
    assert change == ChampionChange(
        at=change.at,
        by=getpass.getuser(),
        kind="rollback",
        replaced=2,
        champion=1,
        reason="Forecasts too high.",
    )
    assert before <= datetime.fromisoformat(change.at) <= after
    assert champions.history()[-1] == change


def test_a_user_without_a_name_is_unknown(champions, monkeypatch):
    def fail():
        raise OSError("No username set in the environment")

    monkeypatch.setattr("getpass.getuser", fail)
    assert champions.roll_back("Forecasts too high.").by == "unknown"


@pytest.mark.parametrize("promoted", [0, 1])
def test_a_rollback_needs_a_previous_champion(registry, register, promoted):
    register("moving_average")
    if promoted:
        promote(registry, 1, None)
    before = aliases_of(registry)
    with pytest.raises(RegistryError, match=r"no previous champion of `demand`.*--pipeline train"):
        registry.roll_back("Forecasts too high.")
    assert aliases_of(registry) == before


def test_a_rollback_of_what_was_never_registered_says_what_to_do(registry):
    with pytest.raises(RegistryError, match=r"the champion is none.*--pipeline train"):
        registry.roll_back("Forecasts too high.")


def test_a_rollback_brings_back_a_champion_that_somebody_removed(champions):
    MlflowClient().delete_registered_model_alias("demand", CHAMPION)
    change = champions.roll_back("There was none.")
    assert (change.replaced, change.champion) == (None, 1)
    assert champions.load(CHAMPION).number == 1


def test_the_history_tells_every_change_the_oldest_first(champions):
    champions.roll_back("Forecasts too high.")
    promote(champions, 3, 1)
    champions.roll_back("Too low.")
    told = [(c.kind, c.replaced, c.champion, c.reason) for c in champions.history()]
    assert told == [
        ("promotion", None, 1, "Version 1 is better."),
        ("promotion", 1, 2, "Version 2 is better."),
        ("rollback", 2, 1, "Forecasts too high."),
        ("promotion", 1, 3, "Version 3 is better."),
        ("rollback", 3, 1, "Too low."),
    ]


def test_a_registered_model_without_champions_has_no_history(registry, register):
    register("moving_average")
    assert registry.history() == []


def test_tags_of_others_are_not_part_of_the_history(champions):
    before = champions.history()
    MlflowClient().set_registered_model_tag("demand", "owner", json.dumps({"team": "demand"}))
    assert champions.history() == before


@pytest.mark.parametrize(("steps", "champion"), [(0, 2), (1, 2), (2, 3)])
def test_a_promotion_that_breaks_off_leaves_the_old_champion_or_the_new(champions, steps, champion):
    with power_cut_after(steps):
        promote(champions, 3, 2)
    assert champions.find(CHAMPION) == champion
    assert champions.load(CHAMPION).number == champion


@pytest.mark.parametrize("steps", [0, 1])
def test_a_promotion_that_left_the_old_champion_can_be_made_again(champions, steps):
    with power_cut_after(steps):
        promote(champions, 3, 2)
    promote(champions, 3, 2)
    assert aliases_of(champions) == {CHALLENGER: 3, CHAMPION: 3, PREVIOUS: 2}


@pytest.mark.parametrize(("steps", "champion"), [(0, 2), (1, 1), (2, 1)])
def test_a_rollback_that_breaks_off_leaves_a_champion(champions, steps, champion):
    with power_cut_after(steps):
        champions.roll_back("Forecasts too high.")
    assert champions.load(CHAMPION).number == champion


@pytest.mark.parametrize("steps", [1, 2])
def test_a_promotion_that_broke_off_can_be_rolled_back(champions, steps):
    with power_cut_after(steps):
        promote(champions, 3, 2)
    left, before = champions.find(CHAMPION), {2: 1, 3: 2}
    change = champions.roll_back("Forecasts too high.")
    assert (change.replaced, change.champion) == (left, before[left])
    assert champions.find(PREVIOUS) == left


def test_a_promotion_that_broke_off_before_its_record_is_recorded_afterwards(champions):
    with power_cut_after(2):
        promote(champions, 3, 2)
    assert champions.history()[-1].champion == 2
    champions.roll_back("Forecasts too high.")
    told = [(change.kind, change.replaced, change.champion) for change in champions.history()]
    assert told[-2:] == [("promotion", 2, 3), ("rollback", 3, 2)]


def test_a_rollback_that_broke_off_between_its_steps_can_be_made_undone(champions):
    with power_cut_after(1):
        champions.roll_back("Forecasts too high.")
    assert champions.find(CHAMPION) == champions.find(PREVIOUS) == 1
    assert champions.roll_back("It was right after all.").champion == 2


def test_there_is_no_history_before_anything_is_registered(registry):
    assert registry.history() == []
