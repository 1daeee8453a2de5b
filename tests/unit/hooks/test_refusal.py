"""Pipelines that an environment is not made for, refused before their first node."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from kedro.io import DataCatalog
from pyarrow import fs

from grocery_demand.datasets import RefusedDataset
from grocery_demand.datasets.refused import RefusedError
from grocery_demand.hooks import RefusalHook
from grocery_demand.pipeline_registry import register_pipelines
from grocery_demand.storage.place import PlacesError
from moto_s3 import BUCKET, running_s3

CLUSTER = Path(__file__).parents[3] / "conf/cluster/catalog.yml"
PIPELINES = register_pipelines()
REFUSED = {"update", "retrain", "monitor"}


@pytest.fixture(scope="module")
def catalog() -> DataCatalog:
    """What the cluster's catalog refuses."""
    entries = yaml.safe_load(CLUSTER.read_text(encoding="utf-8"))
    refused = {
        name: RefusedDataset(reason=entry["reason"])
        for name, entry in entries.items()
        if entry["type"] == "grocery_demand.datasets.RefusedDataset"
    }
    return DataCatalog(refused)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_one_machine_does_is_refused_over_a_cluster(catalog, name):
    instead = "monitor" if name == "monitor" else "update"
    with pytest.raises(RefusedError, match=f"kedro run --pipeline {instead}`, without --env"):
        RefusalHook().before_pipeline_run(PIPELINES[name], catalog)


@pytest.mark.parametrize("name", sorted(PIPELINES.keys() - REFUSED))
def test_all_else_runs_over_a_cluster(catalog, name):
    RefusalHook().before_pipeline_run(PIPELINES[name], catalog)


def test_nothing_is_refused_where_the_catalog_refuses_nothing():
    for pipeline in PIPELINES.values():
        RefusalHook().before_pipeline_run(pipeline, DataCatalog())


def configured(**places: str) -> SimpleNamespace:
    """What the hook needs of a context whose globals.yml names the cluster's places."""
    loader = {
        name: yaml.safe_load((CLUSTER.parent / f"{name}.yml").read_text(encoding="utf-8"))
        for name in ("globals", "catalog")
    }
    loader["globals"] |= places
    return SimpleNamespace(config_loader=loader, project_path=CLUSTER.parents[2])


def test_the_places_that_are_configured_are_apart():
    RefusalHook().after_context_created(configured())
    RefusalHook().after_context_created(
        SimpleNamespace(config_loader={"globals": {"raw_dir": "data"}}, project_path=Path())
    )


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ({"sales_parts": "s3://b/p", "forecast_parts": "s3://b/p"}, "`sales_parts`.*`forecast_p"),
        ({"panel_parts": "data/02_intermediate/sales"}, "`sales_parts` of globals.*`panel_parts`"),
        ({"panel_parts": "data/03_primary/panel"}, "`panel_parts` .*the joined panel"),
    ],
)
def test_equal_places_are_refused_with_the_settings_that_name_them(places, said):
    with pytest.raises(PlacesError, match=said):
        RefusalHook().after_context_created(configured(**places))


def begin(pipeline: str, **places: str) -> None:
    """Begin a run of a pipeline, its parts in these places."""
    hook = RefusalHook()
    hook.after_context_created(configured(**places))
    hook.before_pipeline_run(PIPELINES[pipeline], DataCatalog())


def places_in(folder: Path) -> dict[str, str]:
    return {f"{name}_parts": str(folder / name) for name in ("sales", "panel", "forecast")}


def test_a_run_that_cannot_write_all_its_parts_is_refused_before_it_begins(tmp_path):
    (tmp_path / "file").touch()
    bad = {name: str(tmp_path / "file" / name) for name in ("panel_parts", "forecast_parts")}
    with pytest.raises(PlacesError) as refused:
        begin("__default__", **places_in(tmp_path) | bad)
    first, second = str(refused.value).splitlines()
    assert first.startswith(f"`panel_parts` of globals.yml ({bad['panel_parts']}) cannot be")
    assert second.startswith("`forecast_parts` of globals.yml")
    assert "globals.yml." in first


def test_a_run_that_only_reads_parts_needs_no_right_to_write(tmp_path):
    (tmp_path / "file").touch()
    begin("fit", **places_in(tmp_path) | {"panel_parts": str(tmp_path / "file" / "panel")})


def test_trying_to_write_leaves_nothing(tmp_path):
    (tmp_path / "panel").mkdir()
    begin("__default__", **places_in(tmp_path))
    assert [path.name for path in tmp_path.rglob("*")] == ["panel"]


def test_a_bucket_that_is_not_there_is_refused_and_one_that_is_stays_empty(tmp_path, monkeypatch):
    with running_s3() as variables:
        if not variables:
            pytest.skip("moto is missing: make tools")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(PlacesError, match=r"`panel_parts` .*s3://nowhere/p.*AWS_ACCESS_KEY_ID"):
            begin("__default__", **places_in(tmp_path) | {"panel_parts": "s3://nowhere/panel"})
        place = f"s3://{BUCKET}/panel"
        begin("__default__", **places_in(tmp_path) | {"panel_parts": place})
        system, _ = fs.FileSystem.from_uri(place)
        found = system.get_file_info(fs.FileSelector(BUCKET, recursive=True))
        assert not [entry.path for entry in found if entry.is_file]
