"""Pipelines that an environment is not made for, refused before their first node."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from kedro.io import DataCatalog

from grocery_demand.datasets import RefusedDataset
from grocery_demand.datasets.refused import RefusedError
from grocery_demand.hooks import RefusalHook
from grocery_demand.pipeline_registry import register_pipelines
from grocery_demand.storage.place import PlacesError

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
