"""Kedro datasets of our own."""

from importlib import import_module
from typing import Any

_HOMES = {
    "ChallengerDataset": "model_versions",
    "ChampionDataset": "model_versions",
    "DatedJsonDataset": "json_file",
    "EventsDataset": "events",
    "ForecastArchiveDataset": "forecast_archive",
    "IncumbentDataset": "model_versions",
    "IncomingFolderDataset": "incoming",
    "JsonDataset": "json_file",
    "NewestTrainingDataset": "model_versions",
    "OptionalJsonDataset": "json_file",
    "PanelDataset": "panel",
    "PublicationDataset": "publication",
    "PublishedCardDataset": "publication",
    "RawFolderDataset": "raw_folder",
    "RawTableDataset": "raw_table",
    "RefusedDataset": "refused",
    "SalesDataset": "sales",
    "ServedChallengerDataset": "model_versions",
    "TableDataset": "table",
    "TrainingRunsDataset": "training_runs",
}
"""The module of each dataset; imported when it is asked for, as some bring slow libraries."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
