"""What filling in past promotions of unsold days brings, where the plan is complete.

Sales files have no row for what was not sold, so that past promotions are known only of what was
sold, while a plan names all. The simulated world knows both: models are trained on the sample with
promotions as recorded, filled in (`core.promotion_filling`), and without any, and forecast the 16
days after it from its complete plan.

    python benchmarks/promotion_filling.py
"""

import dataclasses
from datetime import date, timedelta

import numpy as np
import pandas as pd
from common import PROJECT, load_parameters, read_panel, write_result

from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.features import MOVING_AVERAGE, Encoding, Snapshot
from grocery_demand.core.panel import SERIES_KEY, Panel
from grocery_demand.core.simulation.daily_files import simulate_days
from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.training import fit_point_model


def main() -> None:
    parameters = load_parameters()
    training = TrainingParameters(**parameters["training"])
    settings = parameters["model_settings"]["lightgbm"]
    panel = read_panel(PROJECT / "data/01_raw/sample")
    sold = _find_sales_ahead(panel, parameters["simulation"], training.horizon)
    steps = np.arange(1, training.horizon + 1)
    day, encoding = panel.n_days - 1, Encoding.fit(panel.series)
    promoted = panel.promotions[:, panel.n_days :][:, : training.horizon] > 0
    records = []
    for name, changed in _change_promotions(panel).items():
        model = fit_point_model(changed, day, training, settings, encoding)
        known = Snapshot(changed, day)
        matrix = known.features(encoding, steps, model.feature_names)
        found = np.maximum(model.predict(matrix), 0).reshape(sold.shape)
        records.append({"past promotions": name} | _score(panel, found, sold, promoted))
    average = Snapshot(panel, day).features(encoding, steps, (MOVING_AVERAGE,))
    baseline = _score(panel, average.reshape(sold.shape), sold, promoted)
    records.append({"past promotions": "(moving average)"} | baseline)
    note = (
        "Command: `python benchmarks/promotion_filling.py`. NWRMSLE of the 16 days after the "
        "simulated sample, whose plan names every promotion; on promoted rows alone in the last "
        "column."
    )
    write_result(
        "promotion_filling", "Past promotions filled in", [note], {"Scores": pd.DataFrame(records)}
    )


def _find_sales_ahead(panel: Panel, simulation: dict, horizon: int) -> np.ndarray:
    """Return ln(1+units) of the days after the panel, [series, day]."""
    first = date.fromisoformat(str(panel.cutoff)) + timedelta(days=1)
    last = first + timedelta(days=horizon - 1)
    world = SimulationParameters(**simulation | {"end_date": last.isoformat()})
    index = pd.MultiIndex.from_frame(panel.series[SERIES_KEY])
    units = np.zeros((len(index), horizon))
    for step, day in enumerate(simulate_days(world, first)):
        rows = day.train.to_pandas()
        place = index.get_indexer(pd.MultiIndex.from_frame(rows[SERIES_KEY]))
        units[place[place >= 0], step] = rows["unit_sales"].clip(lower=0)[place >= 0]
    return np.log1p(units)


def _change_promotions(panel: Panel) -> dict[str, Panel]:
    recorded, none = panel.promotions.copy(), panel.promotions.copy()
    recorded[:, : panel.n_days] *= panel.units > 0
    none[:] = 0
    return {
        "filled in": panel,
        "as recorded": dataclasses.replace(panel, promotions=recorded),
        "none at all": dataclasses.replace(panel, promotions=none),
    }


def _score(panel: Panel, found: np.ndarray, sold: np.ndarray, promoted: np.ndarray) -> dict:
    started = panel.series["first_sale"].to_numpy()[:, None] < panel.n_days
    weight = panel.weights[:, None] * started * np.ones_like(sold)
    squares = weight * (found - sold) ** 2
    return {
        "NWRMSLE": float(np.sqrt(squares.sum() / weight.sum())),
        "on promotion": float(np.sqrt(squares[promoted].sum() / weight[promoted].sum())),
    }


if __name__ == "__main__":
    main()
