"""What is asked of the table of all forecasts, which may lie in parts."""

import numpy as np
import pandas as pd

from grocery_demand.core.panel import SERIES_KEY
from grocery_demand.core.table_parts import Table, ask_table, join_tables


def list_days(forecasts: Table) -> pd.DataFrame:
    """Return date and step of the days that are forecast, ascending."""
    days = pd.concat(ask_table(forecasts, _list_days)).drop_duplicates()
    return days.sort_values("date", ignore_index=True)


def list_versions(forecasts: Table) -> list[str]:
    """Return the versions of the model that made them, in their order."""
    found = (version for part in ask_table(forecasts, _list_versions) for version in part)
    return list(dict.fromkeys(found))


def sum_points(forecasts: Table) -> pd.Series:
    """Return the units of all series together by date; those of parts are added up."""
    return pd.concat(ask_table(forecasts, _sum_points)).groupby(level=0).sum()


def select_series(forecasts: Table, keys: pd.DataFrame) -> pd.DataFrame:
    """Return the forecasts of some series.

    Args:
        forecasts: One row per series and date.
        keys: One row per series wanted: store_nbr and item_nbr.
    """
    return join_tables(ask_table(forecasts, _select_series, keys))


def _list_days(part: pd.DataFrame) -> pd.DataFrame:
    """Return the days; they are as many days ahead of one cutoff."""
    steps = np.sort(part["step"].unique())
    dates = part["date"].min() + pd.to_timedelta(steps - steps[:1], "D")
    return pd.DataFrame({"date": dates, "step": steps})


def _list_versions(part: pd.DataFrame) -> list[str]:
    return list(part["model_version"].unique())


def _sum_points(part: pd.DataFrame) -> pd.Series:
    return part.groupby("date")["point"].sum()


def _select_series(part: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    return part.merge(keys[SERIES_KEY], on=SERIES_KEY)
