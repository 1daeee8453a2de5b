"""From Kaggle's files to 16-day forecasts by mlforecast, as its user would write it.

Reads train, items and stores of a raw folder, and writes one row per series and day ahead to
`peers.parquet`.
"""

import argparse
from pathlib import Path

import forecast_peers as peers
import numpy as np
import pandas as pd
from utilsforecast.preprocessing import fill_gaps

_TYPES = {"store_nbr": "int32", "item_nbr": "int32", "unit_sales": "float32"}


def read_history(raw_dir: Path, cutoff: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the sales up to the cutoff, days without a row as zero, and all promotions."""
    path = next(raw_dir.glob("train.csv*"))
    columns = ["date", *_TYPES, "onpromotion"]
    rows = pd.read_csv(path, usecols=columns, dtype=_TYPES, parse_dates=["date"])
    rows["unique_id"] = rows["store_nbr"].astype(np.int64) * 10_000_000 + rows["item_nbr"]
    rows["onpromotion"] = (rows["onpromotion"].astype(str) == "True").astype(np.int8)
    rows = rows.rename(columns={"date": "ds", "unit_sales": "y"})
    past = rows.loc[rows["ds"] <= cutoff, ["unique_id", "ds", "y", "onpromotion"]]
    past = fill_gaps(past, freq="D", end=cutoff)
    past["y"] = past["y"].fillna(0).clip(lower=0)
    past["onpromotion"] = past["onpromotion"].fillna(0)
    past["store_nbr"] = (past["unique_id"] // 10_000_000).astype("int32")
    past["item_nbr"] = (past["unique_id"] % 10_000_000).astype("int32")
    items = pd.read_csv(next(raw_dir.glob("items.csv*")))[["item_nbr", "family", "class"]]
    stores = pd.read_csv(next(raw_dir.glob("stores.csv*")))[["store_nbr", "type", "cluster"]]
    for table, column in ((items, "family"), (stores, "type")):
        table[column] = table[column].astype("category").cat.codes
    return past.merge(items, on="item_nbr").merge(stores, on="store_nbr"), rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw_dir", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--cutoff", type=pd.Timestamp, required=True)
    parser.add_argument("--trees", type=int, required=True)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    history, rows = read_history(options.raw_dir, options.cutoff)
    days = pd.date_range(options.cutoff + pd.Timedelta(days=1), periods=16)
    keys = pd.MultiIndex.from_product([history["unique_id"].unique(), days])
    future = keys.to_frame(index=False, name=["unique_id", "ds"])
    promotions = rows[["unique_id", "ds", "onpromotion"]]
    future = future.merge(promotions, how="left", on=["unique_id", "ds"]).fillna(0)
    peers.TREES["n_estimators"] = options.trees
    found = peers.forecast_mlforecast(history, future, options.threads)
    found[["unique_id", "ds", "point"]].to_parquet(options.output)


if __name__ == "__main__":
    main()
