"""Single predictions per second, beside `mlflow models serve` and the workshop's way.

python benchmarks/serving.py

All three serve the champion of this project, or what the workshop had: a decision tree with item,
store and calendar, kept as a pickle and loaded at each request by a Flask app. Ours makes the
features, the interval and the explanation, and keeps the event on the disk before it answers;
mlflow is given ready features and returns point and quantiles. Needs a champion (`kedro run`) and
`wrk` (Debian package wrk), which asks with 16 connections from one thread of the same machine.
"""

import argparse
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from common import PROJECT, write_result

from grocery_demand.storage.publication import read_publication

PUBLICATION = PROJECT / "data/07_model_output/publication"
BIN = Path(sys.executable).parent

_WORKSHOP_APP = """
import joblib, pandas as pd
from flask import Flask, request
app = Flask(__name__)

@app.route("/prediction")
def predict():
    model, names = joblib.load("model.pkl")
    day = pd.Timestamp(request.args["date"])
    row = {name: 0 for name in names} | {"item_nbr": int(request.args["item_nbr"]),
           "store_nbr": int(request.args["store_nbr"]), "month": day.month,
           "day_of_month": day.day, "weekday": day.weekday()}
    return str(model.predict(pd.DataFrame([row])[names].to_numpy())[0])

app.run(port=PORT, threaded=True)
"""


@contextmanager
def running(
    command: list[str], folder: Path, url: str, cwd: Path | None = None, **env: str
) -> Iterator[tuple[float, int]]:
    """Run a server until the block ends; give the seconds until it answered, and its process."""
    begun = time.perf_counter()
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=cwd or folder, env=os.environ | env, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        try:
            while not answers(url):
                if process.poll() is not None or time.perf_counter() - begun > 180:
                    sys.exit(f"{command[0]} did not start:\n{(folder / 'server.log').read_text()}")
                time.sleep(0.01)
            yield time.perf_counter() - begun, process.pid
        finally:
            os.killpg(process.pid, 15)
            process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return answer.status == 200
    except OSError:
        return False


def ask(url: str, script: str, seconds: int, folder: Path) -> dict[str, float]:
    """Load a server with 16 connections; return requests a second and latencies in ms."""
    path = folder / "load.lua"
    path.write_text(script)
    command = ["wrk", "-t1", "-c16", "--latency", "-s", str(path)]
    subprocess.run([*command, "-d2s", url], check=True, capture_output=True)
    told = subprocess.run(
        [*command, f"-d{seconds}s", url], check=True, capture_output=True, text=True
    ).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        sys.exit(f"{url} answered with errors:\n{told}")
    latency = {
        share: in_ms(re.search(rf"^ +{share}%\s+(\S+)", told, re.MULTILINE)[1])
        for share in (50, 99)
    }
    return {
        "requests / s": float(re.search(r"Requests/sec:\s+(\S+)", told)[1]),
        "p50 ms": latency[50],
        "p99 ms": latency[99],
    }


def in_ms(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def gets(dates: list[str], items: list[int], store: int) -> str:
    """Return a script of wrk that asks for a product and a date at random."""
    return (
        f"local d={{{','.join(repr(date) for date in dates)}}}\n"
        f"local i={{{','.join(map(str, items))}}}\n"
        "request=function() return wrk.format('GET', '/prediction?date='..d[math.random(#d)].."
        f"'&store_nbr={store}&item_nbr='..i[math.random(#i)]) end\n"
    )


def posts(body: str) -> str:
    """Return a script of wrk that posts one body."""
    head = "wrk.method='POST'\nwrk.headers['Content-Type']='application/json'\n"
    return f"{head}wrk.body=[==[{body}]==]\n"


def measure_ours(script: str, seconds: int, folder: Path) -> dict[str, float]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {"EVENTS_URL": f"sqlite:///{folder}/events.db"}
    command = [sys.executable, "-m", "grocery_demand.serving", "--port", str(port)]
    with running(command, folder, f"{url}/health/ready", PROJECT, **env) as (start, pid):
        found = ask(url, script, seconds, folder)
        status = Path(f"/proc/{pid}/status").read_text()
    resident = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
    return found | {"start s": start, "peak MB": resident}


def measure_mlflow(seconds: int, folder: Path) -> dict[str, float]:
    model = read_publication(PUBLICATION)
    example = model.model.input_example.iloc[:1].fillna(0.5)
    body = json.dumps({"dataframe_split": example.to_dict(orient="split", index=False)})
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    uri = f"models:/{model.pointer.model_name}@champion"
    command = [str(BIN / "mlflow"), "models", "serve", "-m", uri, "-p", str(port),
               "--env-manager", "local", "-w", "2"]  # fmt: skip
    env = {"MLFLOW_TRACKING_URI": f"sqlite:///{PROJECT}/mlflow.db",
           "PATH": f"{BIN}:{os.environ['PATH']}"}  # fmt: skip
    with running(command, folder, f"{url}/ping", **env) as (start, _):
        return ask(f"{url}/invocations", posts(body), seconds, folder) | {"start s": start}


def measure_workshop(script: str, url_path: str, seconds: int, folder: Path) -> dict[str, float]:
    import joblib
    import numpy as np
    from sklearn.tree import DecisionTreeRegressor

    names = ["item_nbr", "store_nbr", "class", "perishable", "month", "day_of_month", "weekday"]
    source = np.random.default_rng(0)
    rows = source.integers(0, 50, (100_000, len(names))).astype(float)
    model = DecisionTreeRegressor(random_state=0).fit(rows, source.random(100_000))
    joblib.dump((model, names), folder / "model.pkl")
    port = free_port()
    (folder / "app.py").write_text(_WORKSHOP_APP.replace("PORT", str(port)))
    url = f"http://127.0.0.1:{port}"
    with running([sys.executable, "app.py"], folder, url + url_path) as (start, _):
        return ask(url, script, seconds, folder) | {"start s": start}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=10, help="seconds of load for each (10)")
    seconds = parser.parse_args().seconds
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk")
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )
    publication = read_publication(PUBLICATION)
    panel, pointer = publication.panel, publication.pointer
    store = int(panel.series["store_nbr"].iloc[-1])
    items = panel.series.loc[panel.series["store_nbr"] == store, "item_nbr"].tolist()[:150]
    dates = [str(panel.cutoff + step) for step in range(1, 17)]
    script = gets(dates, items, store)
    path = f"/prediction?date={dates[0]}&store_nbr={store}&item_nbr={items[0]}"
    found: dict[str, dict[str, float]] = {}
    for name, measured in (
        ("this project", lambda folder: measure_ours(script, seconds, folder)),
        ("mlflow models serve, 2 workers", lambda folder: measure_mlflow(seconds, folder)),
        ("the workshop's way", lambda folder: measure_workshop(script, path, seconds, folder)),
    ):
        with tempfile.TemporaryDirectory() as folder:
            found[name] = measured(Path(folder))
        print(name, found[name], flush=True)
    table = pd.DataFrame(found).T.rename_axis("server").reset_index()
    ours = table["requests / s"].iloc[0]
    table.insert(2, "this project / it", ours / table["requests / s"])
    notes = [
        f"Command: `python benchmarks/serving.py --seconds {seconds}`.",
        f"Champion version {pointer.model_version} ({publication.model.metadata['model']}) on "
        f"{len(panel.series):,} series; 16 connections, one thread of wrk, all on this machine.",
        "This project keeps each prediction as an event (SQLite, synchronous=FULL) before it "
        "answers; the others keep nothing.",
    ]  # fmt: skip
    write_result("serving", "Single predictions", [" ".join(notes)], {"By server": table})


if __name__ == "__main__":
    main()
