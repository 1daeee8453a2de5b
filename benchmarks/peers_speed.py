"""Time and accuracy from CSV to 16-day forecasts, beside mlforecast with LightGBM.

python benchmarks/peers_speed.py --series 2000 20000

Both read the same simulated files, learn from 400 days, fit the same number of trees on all cores
and forecast the point of each series and day; starting Python is counted, intervals and backtest
are in neither. mlforecast runs in the peers' environment; see `accuracy.py`.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
from common import PROJECT, load_parameters, read_panel, write_result

from grocery_demand.core import metrics
from grocery_demand.core.backtest import TrainingParameters, compare_with_sales
from grocery_demand.core.features import Encoding
from grocery_demand.core.forecaster import Forecaster
from grocery_demand.core.intervals import Intervals
from grocery_demand.core.panel import SERIES_KEY
from grocery_demand.core.scores import row_weights
from grocery_demand.core.training import fit_point_model

PEER = Path(__file__).parent / "peers"
_START = date(2016, 1, 1)
_DAYS = 400
_HORIZON = 16
_CUTOFF = str(_START + timedelta(_DAYS - 1))
_STORES = 10


def forecast_ours(raw_dir: Path, output: Path) -> None:
    """Forecast by this project's functions and write the rows that count."""
    import numpy as np

    parameters = load_parameters()
    training = TrainingParameters(**parameters["training"])
    settings = parameters["model_settings"]["lightgbm"]
    panel = read_panel(raw_dir)
    day = panel.day_of(_CUTOFF)
    encoding = Encoding.fit(panel.series)
    model = fit_point_model(panel, day, training, settings, encoding)
    forecaster = Forecaster("lightgbm", model, encoding, Intervals.unknown(), _CUTOFF)
    table = compare_with_sales(forecaster, panel, day, np.arange(1, _HORIZON + 1))
    table.to_parquet(output)


def simulate(n_series: int, folder: Path) -> None:
    """Make files with about so many series by the project's own pipeline."""
    last = _START + timedelta(_DAYS + _HORIZON - 1)
    values = {
        "simulation.stores": _STORES,
        "simulation.items": round(n_series / _STORES * 1.16),
        "simulation.start_date": _START,
        "simulation.end_date": last,
        "simulated_dir": folder,
        "simulated_compression": "none",
    }
    given = ",".join(f"{name}={value}" for name, value in values.items())
    program = [str(Path(sys.executable).with_name("kedro")), "run", "--pipeline", "simulate"]
    subprocess.run([*program, "--params", given], cwd=PROJECT, check=True, capture_output=True)


def time_command(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def compare(n_series: int) -> list[dict[str, object]]:
    """Return one record per program."""
    trees = load_parameters()["model_settings"]["lightgbm"]["n_estimators"]
    with tempfile.TemporaryDirectory() as folder:
        raw_dir, ours, theirs = Path(folder) / "raw", f"{folder}/ours", f"{folder}/theirs"
        simulate(n_series, raw_dir)
        own = [sys.executable, __file__, "--forecast", str(raw_dir), ours]
        peer = [str(PEER / ".venv/bin/python"), str(PEER / "csv_to_forecasts.py"), str(raw_dir)]
        peer += [theirs, "--cutoff", _CUTOFF, "--trees", str(trees)]
        seconds = {"this project": time_command(own), "mlforecast": time_command(peer)}
        table = pd.read_parquet(ours)
        keys = table[SERIES_KEY].astype("int64")
        table["unique_id"] = keys["store_nbr"] * 10_000_000 + keys["item_nbr"]
        found = pd.read_parquet(theirs).rename(columns={"ds": "date", "point": "mlforecast"})
        found["date"] = found["date"].astype(table["date"].dtype)
    both = table.merge(found, on=["unique_id", "date"]).rename(columns={"point": "this project"})
    actual, weight = both["unit_sales"].to_numpy(), row_weights(both)
    n_found = len(both["unique_id"].unique())
    return [
        {
            "series": n_found,
            "program": name,
            "s": seconds[name],
            "times as fast as mlforecast": seconds["mlforecast"] / seconds[name],
            "NWRMSLE": metrics.nwrmsle(actual, both[name].clip(lower=0).to_numpy(), weight),
        }
        for name in seconds
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, nargs="+", default=[2000, 20000])
    parser.add_argument("--forecast", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.forecast:
        forecast_ours(*options.forecast)
        return
    table = pd.DataFrame([record for n in options.series for record in compare(n)])
    notes = [
        f"Command: `python benchmarks/peers_speed.py --series {' '.join(map(str, options.series))}`"
        f". Simulated sales of {_DAYS} days, plain CSV; 16 days after {_CUTOFF} are forecast, and "
        "scored on the series that both forecast. Both fit the same number of trees; this project "
        f"learns from {load_parameters()['training']['max_training_rows']:,} rows at most, "
        "mlforecast from all of them.",
    ]
    write_result("peers_speed", "From CSV to forecasts", notes, {"Time and accuracy": table})


if __name__ == "__main__":
    main()
