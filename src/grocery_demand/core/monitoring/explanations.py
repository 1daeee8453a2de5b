"""What the explanations show: which groups of features the forecasts rest on, week by week."""

from collections.abc import Callable

import numpy as np
import polars as pl

from grocery_demand.core.explanation import ALL_DRIVERS, Explanation
from grocery_demand.core.features import Snapshot
from grocery_demand.core.forecaster import Forecaster
from grocery_demand.core.monitoring.check import EXPLANATIONS, OK, UNKNOWN, WATCH, Check

EXPLANATION_COLUMNS = ("week", "is_training", "driver", "share", "mean")

_WEEK = 7
_WEEKS_OF_TRAINING = (1, 3, 5, 7)
_MOST_WEEKS = 4
_MOST_SERIES = 500
_DOMINANT_SHARE, _DOMINANT_GROWTH = 0.5, 1.5
_LEAST_SHARE = 0.05
_LEAST_TURN = 0.05


def explain_weeks(
    forecaster: Forecaster, snapshot_of: Callable[[int], Snapshot], rows: np.ndarray, trained: int,
    last: int,
) -> pl.DataFrame:  # fmt: skip
    """Sum up what moves the forecasts of the week after each of some cutoffs.

    Args:
        forecaster: The model.
        snapshot_of: Gives the snapshot of a day of the panel.
        rows: Positions of the series that are looked at; some of them are taken.
        trained: Last day of the panel that the model was trained on.
        last: The panel's last day.

    Returns:
        One row per cutoff and group of features: week (the cutoff's date), is_training (whether
        it lies in the training's days), driver, share (of the sum of absolute contributions) and
        mean (in ln units, so that +0.1 means 10 % more). Empty if the model cannot be explained.
    """
    explanation = Explanation.of(forecaster.model)
    if explanation is None:
        return pl.DataFrame(schema=dict.fromkeys(EXPLANATION_COLUMNS, pl.String))
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _MOST_SERIES)).astype(int))]
    before = [trained + 1 - week * _WEEK for week in _WEEKS_OF_TRAINING]
    since = list(range(last, trained, -_WEEK))[:_MOST_WEEKS]
    records = []
    for day in sorted(day for day in (*before, *since) if day >= _WEEK):
        snapshot = snapshot_of(day)
        steps = np.arange(1, _WEEK + 1)
        matrix = snapshot.features(forecaster.encoding, steps, forecaster.feature_names, rows)
        moves = explanation.contributions(matrix)
        size = np.abs(moves).mean(axis=0)
        shares, means = size / max(size.sum(), 1e-12), moves.mean(axis=0)
        week = str(snapshot.panel.date_of(day))
        records += [
            (week, day <= trained, driver, float(shares[i]), float(means[i]))
            for i, driver in enumerate(ALL_DRIVERS)
        ]
    return pl.DataFrame(records, orient="row", schema=list(EXPLANATION_COLUMNS))


def check_explanations(explanations: pl.DataFrame) -> list[Check]:
    """Flag a group of features that dominates, or whose mean contribution changed its sign."""
    name = "what forecasts rest on"
    if explanations.is_empty():
        return [Check(EXPLANATIONS, name, UNKNOWN, "This kind of model is not explained.")]
    both = _put_beside_training(explanations)
    if both.is_empty():
        told = "The sales that the model was trained on are not known any more."
        return [Check(EXPLANATIONS, name, UNKNOWN, told)]
    dominant = both.filter(
        (pl.col("share") > _DOMINANT_SHARE)
        & (pl.col("share") > _DOMINANT_GROWTH * pl.col("share_before"))
    )
    turned = both.filter((pl.col("share") > _LEAST_SHARE) & _changed_sign())
    top = both.row(0, named=True)
    told = (
        f"Most by {top['driver']} ({top['share']:.0%} of what moves forecasts; "
        f"{top['share_before']:.0%} in training)."
    )
    if dominant.is_empty() and turned.is_empty():
        return [Check(EXPLANATIONS, name, OK, told, "", top["share"], _DOMINANT_SHARE)]
    if not turned.is_empty():
        told += f" Changed sign: {', '.join(turned['driver'])}."
    mend = "See single forecasts explained on /events; retrain if the error rises, too."
    return [Check(EXPLANATIONS, name, WATCH, told, mend, top["share"], _DOMINANT_SHARE)]


def _put_beside_training(explanations: pl.DataFrame) -> pl.DataFrame:
    """Return the newest week's groups, the largest share first, with what training's were."""
    before = (
        explanations.filter("is_training")
        .group_by("driver")
        .agg(
            pl.col("share").mean().alias("share_before"),
            pl.col("mean").min().alias("lowest"),
            pl.col("mean").max().alias("highest"),
        )
    )
    newest = explanations.filter(pl.col("week") == pl.col("week").max())
    return newest.join(before, on="driver").sort("share", descending=True)


def _changed_sign() -> pl.Expr:
    """Whether the mean lies beyond zero, further than training's weeks lie apart."""
    width = pl.max_horizontal(pl.col("highest") - pl.col("lowest"), pl.lit(_LEAST_TURN))
    fell = (pl.col("lowest") > 0) & (pl.col("mean") < -width)
    rose = (pl.col("highest") < 0) & (pl.col("mean") > width)
    return fell | rose
