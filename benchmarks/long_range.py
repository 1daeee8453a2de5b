"""Try how far the trees are to be trusted on dates beyond the horizon, beside the year before.

python benchmarks/long_range.py --raw-dir data/01_raw/sample --until 2016-07-15 2016-11-15
python benchmarks/long_range.py --raw-dir FOLDER --until 2016-12-11 2016-06-11 2015-12-11 \
    --last 2017-06-11

The sales end on each of some days, which are all older than the last cutoff that forecasts are
judged by, and are known from the start, and for shorter times. Each time the long range is
backtested and fitted as `kedro run --pipeline train` does. Then it forecasts the year after that
day, which no part of it has seen, and is compared with what was sold then, as far as sales go.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from common import load_parameters, name_folder, read_panel, shorten, write_result

from grocery_demand.core.backtest import TrainingParameters, compare_with_sales
from grocery_demand.core.features import Encoding
from grocery_demand.core.intervals import INTERVAL
from grocery_demand.core.long_range import YEARLY_NAIVE, LongRange, train_long_range
from grocery_demand.core.metrics import coverage, nwrmsle
from grocery_demand.core.panel import Panel
from grocery_demand.core.scores import row_weights

_ROWS_TO_TRUST = {"in full": None, "50,000 rows": 50_000, "200,000 rows": 200_000}
_HISTORY_DAYS = (None, 700, 420, 200)
_STEPS = 24


def compare(panel: Panel, end: str, last: int, history_days: int | None) -> dict[str, object]:
    """Return the errors of one backtest, by how far the corrections are trusted, and later ones."""
    parameters = load_parameters()
    training = TrainingParameters(**parameters["training"])
    settings = parameters["model_settings"]["lightgbm"]
    day = panel.day_of(end)
    known = shorten(panel.until(day), day, history_days)
    row: dict[str, object] = {"sales up to": end, "days of sales": known.n_days}
    for title, rows_to_trust in _ROWS_TO_TRUST.items():
        chosen = settings | {"rows_to_trust": rows_to_trust}
        fitted, table = train_long_range(known, training, chosen, Encoding.fit(known.series))
        row[title] = _score(table, "point")
        if rows_to_trust == settings["rows_to_trust"]:
            row["coverage"] = _cover(table)
            later = shorten(panel.until(last), day, history_days)
            after = _forecast_after(fitted, later, known.n_days - 1, training)
    row["the year before"] = _score(table, YEARLY_NAIVE)
    row["days after"] = int(after["step"].max())
    return row | {"NWRMSLE after": _score(after, "point"), "coverage after": _cover(after)}


def _forecast_after(
    fitted: LongRange, later: Panel, day: int, training: TrainingParameters
) -> pd.DataFrame:
    """Forecast days that were not yet known, and put their sales beside them."""
    furthest = min(later.n_days - 1 - day, fitted.furthest_step)
    steps = np.unique(np.linspace(training.horizon + 1, furthest, _STEPS).astype(int))
    rows = np.flatnonzero(later.first_sale <= day)
    few = max(training.max_long_range_rows // len(steps), 1)
    if len(rows) > few:
        generator = np.random.default_rng(training.seed)
        rows = np.sort(generator.choice(rows, few, replace=False))
    return compare_with_sales(fitted.forecaster, later, day, steps, rows)


def _score(table: pd.DataFrame, column: str) -> float:
    actual, found = table["unit_sales"].to_numpy(), table[column].to_numpy()
    return nwrmsle(actual, found, row_weights(table))


def _cover(table: pd.DataFrame) -> float:
    low, high = (table[name].to_numpy() for name in INTERVAL)
    return coverage(table["unit_sales"].to_numpy(), low, high)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw-dir", type=Path, required=True)
    parser.add_argument("--until", nargs="+", required=True, help="last days of sales, ISO")
    parser.add_argument("--last", help="last day that is looked at, ISO; the sales' last")
    parser.add_argument("--name", help="of the result; the folder's by default")
    options = parser.parse_args()
    name = options.name or options.raw_dir.name
    panel = read_panel(options.raw_dir)
    last = panel.day_of(options.last) if options.last else panel.n_days - 1
    ends, horizon = options.until, load_parameters()["training"]["horizon"]
    if late := [end for end in ends if panel.day_of(end) + horizon >= last]:
        parser.error(f"No sales are known more than {horizon} days after {', '.join(late)}.")
    rows = []
    for end in ends:
        for history_days in _HISTORY_DAYS:
            if (history_days or 0) <= panel.day_of(end):
                rows.append(compare(panel, end, last, history_days))
                print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    means = {
        title: float(np.exp(np.log(table[title] / table["in full"]).mean()))
        for title in [*_ROWS_TO_TRUST, "the year before"]
    }
    until = f" --until {' '.join(ends)}" + (f" --last {options.last}" if options.last else "")
    named = f" --name {options.name}" if options.name else ""
    notes = [
        f"Command: `python benchmarks/long_range.py --raw-dir {name_folder(options.raw_dir)}{until}"
        f"{named}`. NWRMSLE of 17 to 365 days ahead, or as far as the sales allow, where the "
        "trees' corrections of the moving average are applied in full, or in full from so many "
        "rows on (`rows_to_trust`); beside the sales of the year before. Coverage is that of the "
        "80 % intervals as configured, each fold's learnt from the other folds. `After`: up to "
        "as many days after the end of the sales as are known or a backtest tried, which nothing "
        "of that model had seen; these are the intervals that users get."
    ]
    ratios = pd.DataFrame([means | {"coverage after": float(table["coverage after"].mean())}])
    tables = {"Errors": table, "To corrections in full, mean of the ratios; mean coverage": ratios}
    write_result(f"long_range_{name}", f"Dates beyond the horizon on {name}", notes, tables)


if __name__ == "__main__":
    main()
