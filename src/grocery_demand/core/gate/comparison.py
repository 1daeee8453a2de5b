"""Two forecasts of the same rows compared, paired over series."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from grocery_demand.core.metrics import log1p_units
from grocery_demand.core.panel import SERIES_KEY
from grocery_demand.core.scores import row_weights

_SLICES = ["family", "type"]


@dataclass(frozen=True)
class Comparison:
    """The NWRMSLE of a challenger and of a reference on the same rows.

    Attributes:
        challenger: NWRMSLE of the challenger.
        reference: NWRMSLE of the reference.
        lower: Lower bound of the interval of the difference challenger − reference; NaN if there
            are too few series to tell.
        upper: Its upper bound.
        series: Number of series.
    """

    challenger: float
    reference: float
    lower: float
    upper: float
    series: int

    @property
    def loss(self) -> float:
        """How much worse the challenger is, as a share of the reference's NWRMSLE."""
        if self.challenger == self.reference:
            return 0.0
        return self.challenger / self.reference - 1 if self.reference else float("inf")

    @property
    def significantly_worse(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.lower > 0


def sum_errors(holdout: pd.DataFrame, challenger: str, reference: str) -> pd.DataFrame:
    """Sum the weighted squared errors of ln(1+units) by series.

    Args:
        holdout: One row per series and day: store_nbr, item_nbr, family, type, perishable,
            unit_sales, and the two forecasts in units.
        challenger: Column of the challenger's forecast.
        reference: Column of the forecast to compare with.

    Returns:
        One row per series: family, type, weight, challenger, reference (the latter three summed
        over the days).
    """
    actual, weight = log1p_units(holdout["unit_sales"].to_numpy()), row_weights(holdout)
    code = holdout.groupby(SERIES_KEY, sort=False).ngroup().to_numpy()
    _, first = np.unique(code, return_index=True)
    sums = {"weight": np.bincount(code, weight)}
    for name, column in (("challenger", challenger), ("reference", reference)):
        error = log1p_units(holdout[column].to_numpy()) - actual
        sums[name] = np.bincount(code, weight * error**2)
    return holdout[_SLICES].iloc[first].reset_index(drop=True).assign(**sums)


def compare(sums: pd.DataFrame, confidence: float) -> Comparison:
    """Compare over all series of the table, with a confidence interval of the difference.

    The difference of the mean squared errors is a ratio of sums over series; its variance is
    estimated by linearisation with series as the sampling units (Cochran 1977, section 6.4),
    so errors of one series may depend on each other. Divided by the sum of the two NWRMSLE it
    is the difference of the NWRMSLE, as a² − b² = (a − b)(a + b).

    Args:
        sums: One row per series, see `sum_errors`.
        confidence: Share of such intervals that cover the true difference, between 0 and 1.
    """
    columns = ("weight", "challenger", "reference")
    weight, errors, reference_errors = (sums[name].to_numpy() for name in columns)
    n_series, worse_by = len(sums), errors - reference_errors
    difference = worse_by.sum() / weight.sum()
    challenger, reference = (
        float(np.sqrt(each.sum() / weight.sum())) for each in (errors, reference_errors)
    )
    scale = challenger + reference
    if n_series < 2 or scale == 0:  # noqa: PLR2004
        bound = 0.0 if scale == 0 else float("nan")
        return Comparison(challenger, reference, bound, bound, n_series)
    spread = np.sum((worse_by - difference * weight) ** 2) * n_series / (n_series - 1)
    margin = stdtrit(n_series - 1, (1 + confidence) / 2) * np.sqrt(spread) / weight.sum()
    lower, upper = (difference - margin) / scale, (difference + margin) / scale
    return Comparison(challenger, reference, float(lower), float(upper), n_series)


def compare_slices(sums: pd.DataFrame, confidence: float) -> dict[tuple[str, str], Comparison]:
    """Compare within each store type and each family.

    The confidence holds for all slices together (Bonferroni): the more slices are looked at, the
    wider each interval, so that chance alone seldom makes one look worse.

    Returns:
        A comparison by column (`type`, `family`) and its value.
    """
    groups = [
        (column, str(value), rows)
        for column in reversed(_SLICES)
        for value, rows in sums.groupby(column, observed=True)
    ]
    each = 1 - (1 - confidence) / max(len(groups), 1)
    return {(column, value): compare(rows, each) for column, value, rows in groups}
