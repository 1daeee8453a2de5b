"""What the event log says of the web app's use."""

import pandas as pd

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.monitoring.served import ServedEvents


class NoEventsError(GroceryDemandError):
    """Nobody has asked the web app anything yet."""


def describe_usage(served: ServedEvents) -> pd.Series:
    """Return the sums of the last weeks in words, by what they count.

    Raises:
        NoEventsError: If nobody has asked anything yet, or the log cannot be read.
    """
    if not served.requests + served.refused:
        raise NoEventsError(
            served.problem
            or "The event log is empty: nobody has asked the web app yet. Start it with `kedro "
            "serve`, ask for some forecasts on http://127.0.0.1:5005, and run this notebook again."
        )
    days = served.by_day["date"]
    return pd.Series(
        {
            "First and last day with questions": f"{days.min()} … {days.max()}",
            "Forecasts given": f"{served.requests:,}",
            "Beyond the horizon (long range)": f"{served.long_range_share:.1%}",
            "Questions refused": f"{served.refused:,} ({served.refused_share:.1%} of all)",
        },
        name="answer",
    ).rename_axis("question")


def name_products(served: ServedEvents, items: pd.DataFrame) -> pd.DataFrame:
    """Return the products most asked for: item_nbr, family, class, requests, share.

    Args:
        served: The event log.
        items: One row per item: item_nbr, family, class.
    """
    known = items[["item_nbr", "family", "class"]]
    table = served.products.merge(known, on="item_nbr", how="left")
    table = table.assign(share=table["requests"] / max(served.requests, 1))
    return table[["item_nbr", "family", "class", "requests", "share"]]


def count_days_ahead(served: ServedEvents) -> pd.Series:
    """Return how many of the newest forecasts were how far ahead: requests by range of days."""
    edges = [0, 1, 7, 16, 28, 91, 182, 366]
    names = ["1 day", "2–7", "8–16", "17–28", "29–91", "92–182", "183–366"]
    ranges = pd.cut(served.newest["step"].astype(int), edges, labels=names)
    counts = ranges.value_counts().reindex(names)
    return counts.astype(int).rename("requests").rename_axis("days ahead")
