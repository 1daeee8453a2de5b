"""One forecast taken apart: what it starts from, and what each driver makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from grocery_demand.core.errors import GroceryDemandError, HorizonError
from grocery_demand.core.explanation import ALL_DRIVERS, Explanation
from grocery_demand.core.features import MOVING_AVERAGE, Snapshot
from grocery_demand.core.forecaster import FORECAST
from grocery_demand.core.panel import Panel
from grocery_demand.core.spread import SPREAD_FEATURES
from grocery_demand.core.trained_model import TrainedModel

AVERAGE_CORRECTION = "correction on average"
"""What the trees add to every forecast, whatever its features."""

_AS_PLANNED = -1


class NothingToExplainError(GroceryDemandError):
    """There is no such series, or the model does not say what moves its forecasts."""


@dataclass(frozen=True)
class ForecastInParts:
    """A forecast and its parts.

    Attributes:
        store_nbr: The store.
        item_nbr: The item.
        date: The day, ISO.
        onpromotion: The promotion that it was made with.
        long_range: Whether the day lies beyond the horizon.
        usual: What recent weeks let expect on that weekday, in units: the starting point.
        units: `FORECAST` by name, in units.
        drivers: One row per driver, the largest move first, after `AVERAGE_CORRECTION`: driver,
            move (in ln(1+units)), factor (on 1 + units), units (that are reached after it). The
            last of them is the point forecast, but where that would be below zero.
    """

    store_nbr: int
    item_nbr: int
    date: str
    onpromotion: bool
    long_range: bool
    usual: float
    units: dict[str, float]
    drivers: pd.DataFrame


def explain_forecast(
    model: TrainedModel,
    panel: Panel,
    store_nbr: int,
    item_nbr: int,
    date: str,
    onpromotion: bool | None = None,
) -> ForecastInParts:
    """Forecast one series on one day after the panel's sales, and take the forecast apart.

    Args:
        model: The model, as it is served.
        panel: Sales and plan.
        store_nbr: The store.
        item_nbr: The item.
        date: The day, ISO.
        onpromotion: The promotion to assume; as planned by default.

    Raises:
        NothingToExplainError: If there is no such series, or the model is not made of trees.
        HorizonError: If the day is not ahead of the sales, or further ahead than is answered.
    """
    row, day = find_series(panel, store_nbr, item_nbr), panel.n_days - 1
    step = panel.day_of(date) - day
    _refuse_step(model, panel, step)
    forecaster = model.forecaster_of(step)
    explanation = Explanation.of(forecaster.model)
    if explanation is None:
        raise NothingToExplainError(
            f"The model `{forecaster.name}` does not say what moves its forecasts; LightGBM does: "
            "kedro run --pipeline train --params training.model=lightgbm"
        )
    names = tuple(dict.fromkeys((*forecaster.input_names, MOVING_AVERAGE, "onpromotion")))
    what_if = np.array([[_AS_PLANNED if onpromotion is None else int(onpromotion)]], np.int8)
    features = Snapshot(panel, day).features(
        forecaster.encoding, np.array([step]), names, np.array([row]), what_if
    )
    known = dict(zip(names, features[0].tolist(), strict=True))
    matrix = features[:, [names.index(name) for name in forecaster.feature_names]]
    spread = features[:, [names.index(name) for name in SPREAD_FEATURES]]
    start = known[MOVING_AVERAGE] if explanation.model.relative else 0.0
    moves = explanation.contributions(matrix)[0]
    units = forecaster.predict_units(matrix, spread)[0].tolist()
    return ForecastInParts(
        store_nbr=store_nbr,
        item_nbr=item_nbr,
        date=date,
        onpromotion=known["onpromotion"] > 0,
        long_range=step > model.horizon,
        usual=float(np.expm1(start)),
        units=dict(zip(FORECAST, units, strict=True)),
        drivers=_tabulate(start, explanation.expected, moves),
    )


def tabulate_units(answers: Mapping[str, ForecastInParts]) -> pd.DataFrame:
    """Put forecasts side by side: one row per name, with `FORECAST` in units.

    Args:
        answers: Forecasts by what they are called.
    """
    table = pd.DataFrame.from_dict(
        {name: answer.units for name, answer in answers.items()}, orient="index"
    )
    return table.rename_axis("forecast").reset_index()


def find_series(panel: Panel, store_nbr: int, item_nbr: int) -> int:
    """Return the position of a series in the panel.

    Raises:
        NothingToExplainError: If there is none, with stores that have the item.
    """
    of_item = panel.series[panel.series["item_nbr"] == item_nbr]
    found = of_item.index[of_item["store_nbr"] == store_nbr]
    if len(found):
        return int(found[0])
    stores = ", ".join(str(store) for store in of_item["store_nbr"])
    raise NothingToExplainError(
        f"Store {store_nbr} has no item {item_nbr}. "
        + (f"Stores that have it: {stores}." if stores else "No store has it: choose another one.")
    )


def find_promoted_best_seller(panel: Panel) -> tuple[int, int, str]:
    """Return store, item and date of the best seller among the planned promotions.

    Of the days of the plan, the first on which the series is on promotion; the best-selling series
    and the day after the sales, if none is.
    """
    recent = panel.units[:, -28:].sum(axis=1)
    plan = panel.promotions[:, panel.n_days :]
    promoted = np.asarray(plan).max(axis=1, initial=0) > 0
    row = int(np.argmax(recent * promoted if (recent * promoted).any() else recent))
    step = int(np.argmax(plan[row])) + 1 if promoted[row] else 1
    series = panel.series.iloc[row]
    date = str(panel.date_of(panel.n_days - 1 + step))
    return int(series["store_nbr"]), int(series["item_nbr"]), date


def _refuse_step(model: TrainedModel, panel: Panel, step: int) -> None:
    if not 1 <= step <= model.furthest_step:
        first, last = panel.cutoff + 1, panel.cutoff + model.furthest_step
        raise HorizonError(
            f"{panel.cutoff + step} is not a day that this model forecasts: {first} … {last}."
        )


def _tabulate(start: float, expected: float, moves: np.ndarray) -> pd.DataFrame:
    order = np.argsort(-np.abs(moves), kind="stable")
    names = [AVERAGE_CORRECTION, *(ALL_DRIVERS[i] for i in order)]
    steps = np.concatenate([[expected], moves[order]])
    table = pd.DataFrame({"driver": names, "move": steps, "factor": np.exp(steps)})
    table["units"] = np.expm1(start + np.cumsum(steps))
    return table
