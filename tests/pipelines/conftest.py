"""What trainings left behind, made once for the pipelines that come after it."""

import pytest

from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.gate import GateParameters
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.panel import Panel
from grocery_demand.core.rollout import RolloutParameters
from grocery_demand.pipelines import promotion, training
from reports import forecast, report
from runs import run_pipeline
from worlds import SMALL_MODELS


def train(panel: Panel, model: str) -> dict[str, object]:
    """Run the training pipeline with a small model."""
    contents = {
        "panel": panel,
        "params:training": TrainingParameters(model=model, max_training_rows=3000),
        "params:model_settings": SMALL_MODELS,
    }
    return run_pipeline(training.create_pipeline(), contents)


@pytest.fixture(scope="session")
def lightgbm(panel) -> dict[str, object]:
    """All that the training of a model better than the baselines made, by name."""
    return train(panel, "lightgbm")


@pytest.fixture(scope="session")
def seasonal_naive(panel) -> dict[str, object]:
    """All that the training of a model worse than the other baseline made, by name."""
    return train(panel, "seasonal_naive")


@pytest.fixture(scope="session")
def parts(panel, lightgbm) -> dict[str, object]:
    """What a run leaves behind that made its challenger, version 3, the first champion."""
    version = ModelVersion(3, lightgbm["challenger"], "0123abcd")
    judged = {
        "challenger": version,
        "challenger_identity": lightgbm["challenger_identity"],
        "incumbent": None,
        "holdout_forecasts": lightgbm["holdout_forecasts"],
        "panel": panel,
        "params:gate": GateParameters(max_nwrmsle=2.0),
        "params:rollout": RolloutParameters(),
    }
    return {
        "champion": version,
        "verdict": run_pipeline(promotion.create_pipeline(), judged)["verdict"],
        "data_quality": {
            "digest": panel.digest,
            "simulated": False,
            "rows_read": 12345,
            "rows_quarantined": 67,
            "sales": {"returns": 8, "promotions": 901, "promotions_unknown": 5},
        },
        "panel": panel,
        "forecasts": forecast(version, panel),
    } | {name: lightgbm[name] for name in ("scores", "holdout_forecasts", "feature_importance")}


@pytest.fixture(scope="session")
def made(parts) -> dict[str, object]:
    """All that the reporting pipeline makes of these parts."""
    return report(parts)


@pytest.fixture(scope="session")
def other_champion(parts, panel, seasonal_naive) -> dict[str, object]:
    """What is left when the champion, version 2, is another model than was trained last."""
    champion = ModelVersion(2, seasonal_naive["challenger"], "4567ef00")
    return parts | {"champion": champion, "forecasts": forecast(champion, panel)}
