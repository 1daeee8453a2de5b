"""Rows of the event log."""

NOW = 1_780_000_000_000
"""Milliseconds since 1970: a moment in 2026."""


def make_row(i: int, **values: object) -> dict[str, object]:
    """Return the event of `i` minutes before that moment."""
    return {
        "id": f"{i:032x}", "time_ms": NOW - 60_000 * i, "tag": f"user{i % 3}.prediction",
        "client": "50%_off", "model_name": "grocery-demand", "model_version": i % 2,
        "run_id": None if i % 2 else "abc", "cutoff": "2017-05-31", "date": "2017-06-14",
        "step": 14, "long_range": False, "store_nbr": 40 + i, "item_nbr": 99197,
        "family": "GROCERY I" if i % 2 else "DAIRY", "class": 1067, "perishable": i % 2 == 0,
        "onpromotion": False, "promotion_assumed": False, "prediction": float(i),
        "quantile_10": 0.0, "quantile_50": 1.0, "quantile_90": 2.5, "contributions": "[]",
        "features": "{}", "latency_ms": 1.0,
    } | values  # fmt: skip
