"""Scores of a forecast beside the baselines, in total and by slice."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from grocery_demand.core import metrics
from grocery_demand.core.intervals import INTERVAL, LEVELS, QUANTILES
from grocery_demand.core.models import BASELINES
from grocery_demand.core.panel import PERISHABLE_WEIGHT

SLICES = {
    "step": "step",
    "family": "family",
    "store_nbr": "store_nbr",
    "type": "type",
    "new": "is_new",
}
"""Slices by name, with the column whose values divide the rows.

There are two more: `total` is all rows, `interval` divides them by where their interval begins.
"""

FROM_ZERO, ABOVE_ZERO = "from zero", "above zero"
"""Values of the slice `interval`."""


def score_table(
    forecasts: pd.DataFrame, model: str, evaluation: str, baselines: tuple[str, ...] = BASELINES
) -> pd.DataFrame:
    """Score a model and the baselines on the same rows.

    Args:
        forecasts: Forecasts beside units sold; see `core.backtest.compare_with_sales`.
        model: Name of the model whose forecast is `point`.
        evaluation: Name of the evaluation: `backtest`, `holdout` or `long_range`.
        baselines: Columns that the model is put beside.

    Returns:
        One row per model and slice value: evaluation, model, slice, value, rows, zero_share (of
        rows without a sale), nwrmsle, r2_score, wape, bias, pinball_loss (mean over the levels,
        in units) and coverage of the 80 % interval; the last two are NaN for baselines, which
        have no quantiles.
    """
    columns = {model: "point"} | {name: name for name in baselines if name != model}
    records = [
        {"evaluation": evaluation, "model": name, "slice": slice_name, "value": value}
        | _score(rows, column)
        for slice_name, value, rows in _slices(forecasts)
        for name, column in columns.items()
    ]
    return pd.DataFrame(records)


def summarise_scores(scores: pd.DataFrame, model: str) -> dict[str, float]:
    """Return the total scores as named numbers, the baselines' beside them.

    Those of the holdout bear the plain name, others that of their evaluation before it.
    """
    names = ["nwrmsle", "r2_score", "wape", "bias", "pinball_loss", "coverage"]
    totals = scores[scores["slice"] == "total"]
    summary: dict[str, float] = {}
    for record in totals.to_dict(orient="records"):
        kept = names if record["model"] == model else ["nwrmsle"]
        baseline = "" if record["model"] == model else f"baseline_{record['model']}_"
        evaluation = record["evaluation"]
        prefix = ("" if evaluation == "holdout" else f"{evaluation}_") + baseline
        summary |= {prefix + name: float(record[name]) for name in kept}
    return {name: value for name, value in summary.items() if np.isfinite(value)}


def compare_errors(scores: pd.DataFrame, model: str, slice_name: str) -> pd.DataFrame:
    """Put a model's NWRMSLE on the holdout beside the baselines', by the values of a slice.

    Returns:
        One row per value, in the order of the score table: `value`, `model`, and one column for
        each baseline that the model is not itself.
    """
    rows = scores[(scores["evaluation"] == "holdout") & (scores["slice"] == slice_name)]
    order = rows["value"].drop_duplicates()
    wide = rows.pivot(index="value", columns="model", values="nwrmsle").loc[order]
    names = [model, *(name for name in BASELINES if name != model)]
    return wide[names].rename(columns={model: "model"}).rename_axis(columns=None).reset_index()


def row_weights(forecasts: pd.DataFrame) -> np.ndarray:
    """Return the metric's weight of each row."""
    return np.where(forecasts["perishable"] == 1, PERISHABLE_WEIGHT, 1.0)


def _slices(forecasts: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    yield "total", "all", forecasts
    for name, column in SLICES.items():
        for value, rows in forecasts.groupby(column, sort=True, observed=True):
            yield name, str(value), rows
    is_above = forecasts[INTERVAL[0]].to_numpy() > 0
    for value, chosen in ((ABOVE_ZERO, is_above), (FROM_ZERO, ~is_above)):
        if chosen.any():
            yield "interval", value, forecasts[chosen]


def _score(rows: pd.DataFrame, column: str) -> dict[str, float]:
    actual, forecast = rows["unit_sales"].to_numpy(), rows[column].to_numpy()
    scores: dict[str, float] = {
        "rows": len(rows),
        "zero_share": float(np.mean(actual <= 0)),
        "nwrmsle": metrics.nwrmsle(actual, forecast, row_weights(rows)),
        "r2_score": metrics.r2_score(actual, forecast),
        "wape": metrics.wape(actual, forecast),
        "bias": metrics.bias(actual, forecast),
        "pinball_loss": float("nan"),
        "coverage": float("nan"),
    }
    if column == "point":
        quantiles = [rows[name].to_numpy() for name in QUANTILES]
        pairs = zip(quantiles, LEVELS, strict=True)
        scores["pinball_loss"] = float(
            np.mean([metrics.pinball_loss(actual, q, level) for q, level in pairs])
        )
        scores["coverage"] = metrics.coverage(actual, *(rows[name].to_numpy() for name in INTERVAL))
    return scores
