"""Ask the running web app as buyers do: python docs/workshop/ask_as_buyers.py [QUESTIONS].

What sells more is asked for more often; each fiftieth question is for a product that does not
exist.
"""

import collections
import json
import os
import sys
import urllib.request

import numpy as np
import pandas as pd

FORECASTS = "data/07_model_output/forecasts.parquet"
APP = f"http://127.0.0.1:{os.environ.get('GROCERY_DEMAND_PORT', '5005')}"


def choose_questions(forecasts: pd.DataFrame, number: int) -> list[dict[str, object]]:
    """Return date, store and product of each question, by chance."""
    chance = np.sqrt(forecasts["point"].to_numpy(float)) + 0.01
    rows = forecasts.sample(number, weights=chance, replace=True)
    questions = [
        {"date": str(date.date()), "store_nbr": int(store), "item_nbr": int(item)}
        for date, store, item in zip(rows["date"], rows["store_nbr"], rows["item_nbr"], strict=True)
    ]
    for question in questions[::50]:
        question["item_nbr"] = 1
    return questions


def ask(questions: list[dict[str, object]]) -> list[dict[str, object]]:
    """Send the questions in one body; return the answers in their order."""
    body = json.dumps({"requests": questions}).encode()
    headers = {"Content-Type": "application/json", "X-Client-Name": "workshop"}
    request = urllib.request.Request(f"{APP}/api/v1/forecasts", body, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            answers: list[dict[str, object]] = json.load(answer)["answers"]
    except OSError as error:
        sys.exit(f"{APP} does not answer ({error}). Start the app: make deploy")
    return answers


def main(number: str = "500") -> None:
    """Ask and count."""
    answers = ask(choose_questions(pd.read_parquet(FORECASTS), int(number)))
    counted = collections.Counter("forecast" in answer for answer in answers)
    print(f"{counted[True]} forecasts, {counted[False]} refused")


if __name__ == "__main__":
    main(*sys.argv[1:])
