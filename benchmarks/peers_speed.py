"""Time and accuracy from CSV to 16-day forecasts, beside mlforecast with LightGBM.

python benchmarks/peers_speed.py --series 2000 20000 --rows 25000 50000 100000 200000

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
_PEERS_IMPORTS = "import csv_to_forecasts, lightgbm, mlforecast"
_STARTS = 3


def forecast_ours(raw_dir: Path, output: Path, max_training_rows: int) -> None:
    """Forecast by this project's functions and write the rows that count."""
    import numpy as np

    parameters = load_parameters()
    training = TrainingParameters(
        **parameters["training"] | {"max_training_rows": max_training_rows}
    )
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


def time_command(command: list[str], folder: Path | None = None) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, cwd=folder)
    return time.perf_counter() - start


def time_start() -> list[dict[str, object]]:
    """Return how long Python and the libraries take to start, before either does anything."""
    starts = {
        "mlforecast": ([str(PEER / ".venv/bin/python"), "-c", _PEERS_IMPORTS], PEER),
        "this project": ([sys.executable, "-c", "import peers_speed"], PEER.parent),
    }
    return [
        {"program": name, "s": min(time_command(command, folder) for _ in range(_STARTS))}
        for name, (command, folder) in starts.items()
    ]


def compare(n_series: int, budgets: list[int]) -> list[dict[str, object]]:
    """Return one record per program and number of rows it may learn from, the peer's first."""
    trees = load_parameters()["model_settings"]["lightgbm"]["n_estimators"]
    with tempfile.TemporaryDirectory() as folder:
        raw_dir, output = Path(folder) / "raw", f"{folder}/forecasts"
        simulate(n_series, raw_dir)
        peer = [str(PEER / ".venv/bin/python"), str(PEER / "csv_to_forecasts.py"), str(raw_dir)]
        peer_seconds = time_command([*peer, output, "--cutoff", _CUTOFF, "--trees", str(trees)])
        found = pd.read_parquet(output).rename(columns={"ds": "date", "point": "theirs"})
        records = []
        for budget in budgets:
            own = [sys.executable, __file__, "--forecast", str(raw_dir), output, str(budget)]
            seconds = time_command(own)
            both = _join(pd.read_parquet(output), found)
            if not records:
                records.append(_record("mlforecast", "all", peer_seconds, both, "theirs"))
            records.append(_record("this project", f"{budget:,}", seconds, both, "point"))
    speed = {"times as fast as mlforecast": lambda table: peer_seconds / table["s"]}
    return pd.DataFrame(records).assign(**speed).to_dict("records")


def _join(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    keys = ours[SERIES_KEY].astype("int64")
    ours["unique_id"] = keys["store_nbr"] * 10_000_000 + keys["item_nbr"]
    theirs = theirs.assign(date=theirs["date"].astype(ours["date"].dtype))
    return ours.merge(theirs, on=["unique_id", "date"])


def _record(
    program: str, rows: str, seconds: float, both: pd.DataFrame, column: str
) -> dict[str, object]:
    actual, forecast = both["unit_sales"].to_numpy(), both[column].clip(lower=0).to_numpy()
    return {
        "series": len(both["unique_id"].unique()),
        "program": program,
        "rows at most": rows,
        "NWRMSLE": metrics.nwrmsle(actual, forecast, row_weights(both)),
        "s": seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, nargs="+", default=[2000, 20000])
    parser.add_argument("--rows", type=int, nargs="*", default=[25_000, 50_000, 100_000, 200_000])
    parser.add_argument("--forecast", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.forecast:
        raw_dir, output, budget = options.forecast
        forecast_ours(Path(raw_dir), Path(output), int(budget))
        return
    budgets = [*options.rows, load_parameters()["training"]["max_training_rows"]]
    table = pd.DataFrame([record for n in options.series for record in compare(n, budgets)])
    notes = [
        f"Command: `python benchmarks/peers_speed.py --series {' '.join(map(str, options.series))}"
        f" --rows {' '.join(map(str, options.rows))}`. Simulated sales of {_DAYS} days, plain "
        f"CSV; 16 days after {_CUTOFF} are forecast, and scored on the series that "
        f"both forecast. Both fit the same number of trees; this project "
        f"learns from {budgets[-1]:,} rows at most by default, from fewer in the other lines "
        "(`training.max_training_rows`), mlforecast from all of them.",
    ]
    tables = {"Time and accuracy": table, "Starting alone": pd.DataFrame(time_start())}
    write_result("peers_speed", "From CSV to forecasts", notes, tables)


if __name__ == "__main__":
    main()
