"""What a report is about: which model made which numbers, from which data."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.forecast_table import list_days, list_versions
from grocery_demand.core.gate import PROMOTE
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.table_parts import Table

SIMULATED = "Simulated data"


class MixedReportError(GroceryDemandError):
    """The parts of a report stem from different data or models."""


@dataclass(frozen=True)
class Subject:
    """The models and data that a report speaks of, in words for titles and sentences.

    The scores, the holdout and the importance of the features belong to the model that was trained
    last; the coming days belong to the champion. These are two models whenever a challenger was
    not promoted, or a champion was put back.

    Attributes:
        champion: The champion: `version 3 (lightgbm)`.
        scored: The model that was trained last, with its standing.
        scored_model: Its model's name, as in the table of scores.
        champion_is_scored: Whether they are the same fitted model.
        simulated: Whether the data are simulated; None if it is not known.
    """

    champion: str
    scored: str
    scored_model: str
    champion_is_scored: bool
    simulated: bool | None

    @property
    def data_note(self) -> str:
        """What the reader of a figure has to know of the data; empty for real data."""
        return SIMULATED if self.simulated else ""


def describe_subject(
    champion: ModelVersion, verdict: dict[str, Any], data_quality: dict[str, Any]
) -> Subject:
    """Say in words which model is the champion and which one the scores stand for."""
    challenger = verdict["challenger"]
    is_same = champion.model.digest == challenger["model_digest"]
    name = f"version {challenger['version']} ({challenger['model']})"
    if verdict["outcome"] == PROMOTE:
        standing = f"{name}, which passed the gate and is not the champion now"
    else:
        standing = f"{name}, a challenger that was not promoted"
    champion_name = f"version {champion.number} ({champion.model.metadata['model']})"
    return Subject(
        champion=champion_name,
        scored=f"{champion_name}, the champion" if is_same else standing,
        scored_model=challenger["model"],
        champion_is_scored=is_same,
        simulated=champion.model.metadata.get("simulated") or data_quality.get("simulated"),
    )


def refuse_mixed_parts(
    champion: ModelVersion,
    verdict: dict[str, Any],
    panel: PanelParts,
    scores: pd.DataFrame,
    forecasts: Table,
) -> None:
    """Refuse parts that runs of different data or models have left behind.

    Raises:
        MixedReportError: Saying which parts do not fit, and which command makes them anew.
    """
    if verdict["data_digest"] != panel.digest:
        raise MixedReportError(
            f"The scores are of data {verdict['data_digest'][:12]}, but the panel is of data "
            f"{panel.digest[:12]}: no report can speak of both. Train on the panel's data: "
            "kedro run --pipelines train,forecast,report"
        )
    if not np.isclose(_judged_nwrmsle(verdict), _scored_nwrmsle(scores, verdict), equal_nan=True):
        raise MixedReportError(
            "The scores are not those of the verdict: a training broke off before its challenger "
            "was judged. Judge it: kedro run --pipelines train,forecast,report"
        )
    made_by = ", ".join(list_versions(forecasts))
    first = list_days(forecasts)["date"].min().to_datetime64().astype("datetime64[D]")
    if made_by != str(champion.number) or first != panel.cutoff + 1:
        raise MixedReportError(
            f"The forecasts are of model version {made_by} and begin on {first}, but the champion "
            f"is version {champion.number} and the sales end on {panel.cutoff}. Forecast again: "
            "kedro run --pipelines forecast,report"
        )


def _judged_nwrmsle(verdict: dict[str, Any]) -> float:
    values = (check.get("value") for check in verdict["checks"] if check["name"] == "nwrmsle")
    value = next(values)
    return np.nan if value is None else float(value)


def _scored_nwrmsle(scores: pd.DataFrame, verdict: dict[str, Any]) -> float:
    wanted = {"evaluation": "holdout", "slice": "total", "model": verdict["challenger"]["model"]}
    matching = (scores[list(wanted)] == pd.Series(wanted)).all(axis=1)
    return float(scores.loc[matching, "nwrmsle"].iloc[0]) if matching.any() else np.nan
