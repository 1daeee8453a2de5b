"""Try how far the trees are to be trusted on dates beyond the horizon, beside the year before.

python benchmarks/long_range.py --raw-dir data/01_raw/sample
python benchmarks/long_range.py --raw-dir FOLDER --until 2017-06-11 2016-12-11 2016-06-11

The sales end on each of some days, which are all older than the last cutoff that forecasts are
judged by, and are known from the start, and for shorter times. Each time the long range is
backtested as `kedro run --pipeline train` does: fitted up to 91, 182 and 365 days before, and
compared with what was sold since.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from common import load_parameters, name_folder, read_panel, shorten, write_result

from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.features import Encoding
from grocery_demand.core.long_range import YEARLY_NAIVE, train_long_range
from grocery_demand.core.metrics import coverage, nwrmsle
from grocery_demand.core.panel import Panel
from grocery_demand.core.scores import row_weights

_ROWS_TO_TRUST = {"in full": None, "50,000 rows": 50_000, "200,000 rows": 200_000}
_HISTORY_DAYS = (None, 700, 420, 200)


def compare(panel: Panel, end: str, history_days: int | None) -> dict[str, object]:
    """Return the errors of one backtest, by how far the corrections are trusted."""
    parameters = load_parameters()
    training = TrainingParameters(**parameters["training"])
    settings = parameters["model_settings"]["lightgbm"]
    known = panel.until(panel.day_of(end))
    known = shorten(known, known.n_days - 1, history_days)
    row: dict[str, object] = {"sales up to": end, "days of sales": known.n_days}
    for title, rows_to_trust in _ROWS_TO_TRUST.items():
        chosen = settings | {"rows_to_trust": rows_to_trust}
        _, table = train_long_range(known, training, chosen, Encoding.fit(known.series))
        actual, weights = table["unit_sales"].to_numpy(), row_weights(table)
        row[title] = nwrmsle(actual, table["point"].to_numpy(), weights)
        if rows_to_trust == settings["rows_to_trust"]:
            low, high = (table[name].to_numpy() for name in ("interval_low", "interval_high"))
            row["coverage"] = coverage(actual, low, high)
    row["the year before"] = nwrmsle(actual, table[YEARLY_NAIVE].to_numpy(), weights)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw-dir", type=Path, required=True)
    parser.add_argument("--until", nargs="*", help="last days of sales, ISO; 16 days ago")
    parser.add_argument("--name", help="of the result; the folder's by default")
    options = parser.parse_args()
    name = options.name or options.raw_dir.name
    panel = read_panel(options.raw_dir)
    horizon = load_parameters()["training"]["horizon"]
    ends = options.until or [str(panel.date_of(panel.n_days - 1 - horizon))]
    rows = []
    for end in ends:
        for history_days in _HISTORY_DAYS:
            if (history_days or 0) <= panel.day_of(end):
                rows.append(compare(panel, end, history_days))
                print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    means = {
        title: float(np.exp(np.log(table[title] / table["in full"]).mean()))
        for title in [*_ROWS_TO_TRUST, "the year before"]
    }
    until = f" --until {' '.join(ends)}" if options.until else ""
    named = f" --name {options.name}" if options.name else ""
    notes = [
        f"Command: `python benchmarks/long_range.py --raw-dir {name_folder(options.raw_dir)}{until}"
        f"{named}`. NWRMSLE of 17 to 365 days ahead, or as far as the sales allow, where the "
        "trees' corrections of the moving average are applied in full, or in full from so many "
        "rows on (`rows_to_trust`); beside the sales of the year before. Coverage is that of the "
        "80 % intervals as configured."
    ]
    ratios = pd.DataFrame([means])
    tables = {"Errors": table, "To corrections in full, mean of the ratios": ratios}
    write_result(f"long_range_{name}", f"Dates beyond the horizon on {name}", notes, tables)


if __name__ == "__main__":
    main()
