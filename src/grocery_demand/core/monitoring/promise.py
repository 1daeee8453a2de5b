"""What a model's backtest promises: the error to expect of it, by day, step and slice."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import polars.selectors as cs

from grocery_demand.core.intervals import INTERVAL
from grocery_demand.core.metrics import log1p_units
from grocery_demand.core.monitoring.distance import count_bins
from grocery_demand.core.monitoring.group_scores import add_errors, score_groups, sum_groups
from grocery_demand.core.monitoring.sample import SLICES, describe_series, find_series
from grocery_demand.core.panel import SERIES_KEY
from grocery_demand.core.parts import PanelParts

NEAR_STEPS = 7
"""The first steps, whose totals are looked at when forecasts are new."""

_DECIMALS = 6
_LEVELS = np.linspace(0, 1, 11)[1:-1]


@dataclass(frozen=True)
class Promise:
    """Errors out of sample of the backtest and the holdout, kept with the model.

    Attributes:
        nwrmsle: Over all rows.
        coverage: Of the 80 % intervals.
        days: One record per day and step: date, step, rows, weight, squares (weighted, of
            ln(1+units)). Promises of earlier versions hold one record per day, without the step.
        steps: One record per step ahead: step, nwrmsle.
        slices: One record per slice and value: slice, value, nwrmsle, bias, and bias_spread, the
            largest distance of a single cutoff's bias from it.
        forecast_edges: Deciles of ln(1+forecast), each once.
        bias: Over all rows, as a share of the units sold; None if nothing was.
        forecast_shares: Share of the forecasts up to each edge and above the last one; a tenth
            each, unless many forecasts are alike. Empty if it was not measured.
        near_bias: The bias of the first seven steps; None if it was not measured.
    """

    nwrmsle: float
    coverage: float
    days: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    slices: list[dict[str, Any]]
    forecast_edges: list[float]
    bias: float | None = None
    forecast_shares: list[float] = field(default_factory=list)
    near_bias: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-able."""
        return asdict(self)

    @classmethod
    def of_metadata(cls, metadata: dict[str, Any]) -> "Promise | None":
        """Return what a model's metadata hold; None if it was trained before they did."""
        return cls(**metadata["promise"]) if "promise" in metadata else None


def make_promise(panel: PanelParts, folds: pd.DataFrame, holdout: pd.DataFrame) -> Promise:
    """Sum up what a backtest found.

    Args:
        panel: The sales that the final model is fitted on.
        folds: Forecasts of the backtest beside sales, see `core.backtest.compare_with_sales`.
        holdout: The same of the holdout.
    """
    scored = find_series(panel, (folds, holdout))
    tables = pd.concat([folds, holdout], ignore_index=True)
    rows = add_errors(pl.concat(_with_slices(tables, panel, scored)))
    total, near = (
        score_groups(chosen.with_columns(slice=pl.lit("total")), ["slice"])
        for chosen in (rows, rows.filter(pl.col("step") <= NEAR_STEPS))
    )
    steps = score_groups(rows, ["step"]).select("step", "nwrmsle")
    forecast = log1p_units(rows["point"].to_numpy())
    edges = np.unique(np.quantile(forecast, _LEVELS).round(_DECIMALS))
    return Promise(
        nwrmsle=_round(total["nwrmsle"][0]),
        coverage=_round(total["coverage"][0]),
        days=_to_records(_sum_days(rows)),
        steps=_to_records(steps),
        slices=_to_records(pl.concat([_score_slice(rows, name) for name in SLICES])),
        forecast_edges=edges.tolist(),
        bias=_find_bias(total),
        forecast_shares=[_round(n / len(forecast)) for n in count_bins(forecast, edges)[:-1]],
        near_bias=_find_bias(near),
    )


def _with_slices(
    table: pd.DataFrame, panel: PanelParts, scored: np.ndarray
) -> Iterator[pl.DataFrame]:
    """Yield the rows of each cutoff with the slices of their series.

    The size of a series is what it was at the cutoff, as in live scores: by what it sold later, the
    series that sold more than was forecast would be the large ones.
    """
    columns = ["cutoff", "date", "step", "unit_sales", "point", *INTERVAL]
    columns += ["seasonal_naive", "moving_average"]
    rows = pl.from_pandas(table[[*SERIES_KEY, *columns]]).with_columns(
        pl.col("cutoff", "date").cast(pl.Date)
    )
    for part in rows.partition_by("cutoff", maintain_order=True):
        day = panel.day_of(str(part["cutoff"][0]))
        yield part.join(describe_series(panel, day, scored), on=SERIES_KEY, how="left")


def _sum_days(rows: pl.DataFrame) -> pl.DataFrame:
    days = sum_groups(rows, ["date", "step"]).select("date", "step", "rows", "weight", "squares")
    return days.with_columns(pl.col("date").cast(pl.String))


def _score_slice(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    whole = score_groups(rows, [name]).select(name, "nwrmsle", "bias")
    each = score_groups(rows, [name, "cutoff"]).select(name, pl.col("bias").alias("then"))
    spread = (
        each.join(whole, on=name)
        .group_by(name)
        .agg((pl.col("then") - pl.col("bias")).fill_nan(None).abs().max().alias("bias_spread"))
    )
    return (
        whole.join(spread, on=name)
        .sort(name)
        .rename({name: "value"})
        .select(pl.lit(name).alias("slice"), "value", "nwrmsle", "bias", "bias_spread")
    )


def _find_bias(total: pl.DataFrame) -> float | None:
    bias: float | None = _to_records(total.select("bias"))[0]["bias"]
    return bias


def _to_records(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Return rows JSON-able: rounded, NaN as None."""
    numbers = cs.float().fill_nan(None).round(_DECIMALS)
    return table.with_columns(numbers).to_dicts()


def _round(value: float) -> float:
    return round(float(value), _DECIMALS)
