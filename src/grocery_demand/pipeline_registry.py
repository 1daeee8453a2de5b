"""The pipelines that `kedro run --pipeline NAME` knows."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """Return every registered pipeline by name; `__default__` is the whole loop."""
    found = find_pipelines(raise_errors=True)
    preprocess, forecast, report = found["preprocessing"], found["forecasting"], found["reporting"]
    train = preprocess + found["training"] + found["promotion"]
    return {
        "__default__": train + forecast + report,
        "preprocess": preprocess,
        "train": train,
        "promote": found["promotion"],
        "forecast": forecast,
        "report": report,
        "retrain": train + forecast + report,
        "simulate": found["simulate"],
    }
