"""The pipelines that `kedro run --pipeline NAME` knows."""

from kedro.pipeline import Pipeline

from grocery_demand.pipelines import (
    forecasting,
    monitoring,
    preprocessing,
    promotion,
    publishing,
    reporting,
    simulate,
    training,
    update,
)


def register_pipelines() -> dict[str, Pipeline]:
    """Return every registered pipeline by name; `__default__` is the whole loop.

    Modules are named one by one: `find_pipelines` looks for a module by the requested pipeline's
    name, and ours are registered as verbs.
    """
    preprocess = preprocessing.create_pipeline()
    promote = promotion.create_pipeline()
    publish = publishing.create_pipeline()
    fit = training.create_pipeline()
    train = preprocess + fit + promote + publish
    forecast = forecasting.create_pipeline() + publish
    report = reporting.create_pipeline() + publishing.create_card_pipeline()
    refit = fit + promote + publish + forecast + report
    take_in = update.create_pipeline()
    return {
        "__default__": train + forecast + report,
        "preprocess": preprocess,
        "fit": fit,
        "train": train,
        "promote": promote + publish,
        "publish": publish,
        "forecast": forecast,
        "report": report,
        "retrain": take_in + refit,
        "update": take_in + forecasting.create_forecasts_pipeline() + publish,
        "refit": refit,
        "monitor": monitoring.create_pipeline(),
        "simulate": simulate.create_pipeline(),
        "simulate_days": simulate.create_days_pipeline(),
    }
