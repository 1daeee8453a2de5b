"""The web app as a process of its own, and buyers who ask it."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.errors import GroceryDemandError

_WAIT_SECONDS, _PAUSE_SECONDS = 60, 0.1
_LONG_RANGE_SHARE, _WRONG_SHARE = 0.03, 0.02
_UNKNOWN_ITEM = 1
_CLIENTS = ("buyer-north", "buyer-south", "buyer-fresh", "planning")


class WebAppError(GroceryDemandError):
    """The web app did not start, or does not follow the champion."""


@dataclass(frozen=True)
class WebApp:
    """A running web app.

    Attributes:
        url: Its address.
    """

    url: str

    def ask(self, forecasts: pd.DataFrame, n_questions: int, seed: int) -> int:
        """Ask as buyers do: more for what sells more, a few far ahead, a few wrongly.

        Args:
            forecasts: The newest batch forecasts: what can be asked for.
            n_questions: How many.
            seed: Makes them repeatable.

        Returns:
            How many were answered.
        """
        generator = np.random.default_rng(seed)
        chance = np.sqrt(forecasts["point"].clip(lower=0).to_numpy(float)) + 0.01
        chosen = generator.choice(len(forecasts), n_questions, p=chance / chance.sum())
        rows = forecasts.iloc[chosen]
        dates = rows["date"].to_numpy().astype("datetime64[D]")
        far = generator.random(n_questions) < _LONG_RANGE_SHARE
        wrong = generator.random(n_questions) < _WRONG_SHARE
        dates = np.where(far, dates + np.timedelta64(40, "D"), dates)
        items = np.where(wrong, _UNKNOWN_ITEM, rows["item_nbr"])
        questions = [
            {"date": str(date), "store_nbr": int(store), "item_nbr": int(item)}
            for date, store, item in zip(dates, rows["store_nbr"], items, strict=True)
        ]
        parts = np.array_split(np.array(questions, dtype=object), len(_CLIENTS))
        answered = 0
        for client, part in zip(_CLIENTS, parts, strict=True):
            answers = self._call("/api/v1/forecasts", {"requests": list(part)}, client)["answers"]
            answered += sum("forecast" in answer for answer in answers)
        return answered

    def wait_until_ready(self) -> None:
        """Wait until it can forecast.

        Raises:
            WebAppError: If it cannot within a minute, with what it says.
        """
        start = time.monotonic()
        while True:
            try:
                self._call("/health/ready")
            except urllib.error.HTTPError as error:
                if time.monotonic() - start > _WAIT_SECONDS:
                    told = error.read().decode(errors="replace")
                    raise WebAppError(f"{self.url} cannot forecast: {told}") from error
            else:
                return
            time.sleep(_PAUSE_SECONDS)

    def wait_for(self, version: int, cutoff: str) -> int:
        """Wait until a version forecasts from sales up to a day; return the version served.

        Raises:
            WebAppError: If it does not within a minute.
        """
        start = time.monotonic()
        while True:
            served = self._call("/api/v1/model")
            if (served["model_version"], served["cutoff"]) == (version, cutoff):
                return int(served["model_version"])
            if time.monotonic() - start > _WAIT_SECONDS:
                raise WebAppError(
                    f"{self.url} still serves version {served['model_version']} with sales up to "
                    f"{served['cutoff']}, not version {version} up to {cutoff}."
                )
            time.sleep(_PAUSE_SECONDS)

    def _call(
        self, path: str, body: dict[str, Any] | None = None, client: str = "rehearsal"
    ) -> dict[str, Any]:
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json", "X-Client-Name": client}
        request = urllib.request.Request(self.url + path, data, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=_WAIT_SECONDS) as answer:  # noqa: S310
            found: dict[str, Any] = json.loads(answer.read())
        return found


@contextmanager
def run_web_app(project: Path) -> Iterator[WebApp]:
    """Start the web app of a project on a free port; stop it at the end.

    Raises:
        WebAppError: If it does not start, with what it said.
    """
    program = [sys.executable, "-m", "grocery_demand.serving", "--port", "0"]
    with (project / "web-app.log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(  # noqa: S603
            program, cwd=project, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            app = WebApp(_read_address(process, project / "web-app.log"))
            app.wait_until_ready()
            yield app
        finally:
            process.terminate()
            process.wait(_WAIT_SECONDS)


def _read_address(process: "subprocess.Popen[str]", log: Path) -> str:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    line = process.stdout.readline()
    if "http://" not in line:
        raise WebAppError(f"The web app did not start: {log.read_text(encoding='utf-8').strip()}")
    return "http://" + line.partition("http://")[2].split()[0]
