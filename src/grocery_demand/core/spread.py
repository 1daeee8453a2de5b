"""How large the error of a forecast will be, from what is known of its series."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lightgbm as lgb
import numpy as np

SPREAD_FEATURES = (
    "step",
    "deviation_28",
    "deviation_140",
    "sale_share_28",
    "sale_share_112",
    "days_since_sale",
    "moving_average",
)
"""Features that tell how far off a forecast may be, beside the forecast itself."""

_N_TREES = 40
_SEED = 1
_SETTINGS = {
    "objective": "regression",
    "num_leaves": 15,
    "min_child_samples": 100,
    "learning_rate": 0.1,
    "seed": _SEED,
    "deterministic": True,
    "force_col_wise": True,
    "verbose": -1,
}
_MOST_ROWS = 200_000
_LEAST_SHARE = 0.1
_NO_SPREAD = 1e-6
_FEW_ROWS = 256


@dataclass(frozen=True)
class Spread:
    """A small model of the absolute error of ln(1+units).

    Attributes:
        model_text: The booster in LightGBM's text format.
        least: Smallest spread that is given, so that no interval has no width.
    """

    model_text: str
    least: float

    @classmethod
    def fit(cls, error: np.ndarray, forecast: np.ndarray, known: np.ndarray) -> "Spread":
        """Learn from out-of-sample errors; of very many rows, from 200,000 chosen at random.

        Args:
            error: ln(1+actual) − ln(1+forecast), [row].
            forecast: ln(1+units), [row].
            known: `SPREAD_FEATURES`, float32 [row, feature].
        """
        size = np.abs(error)
        chosen = choose_rows(len(size))
        matrix = _join(forecast[chosen], known[chosen])
        rows = lgb.Dataset(matrix, size[chosen], params={"verbose": -1})
        booster = lgb.train(_SETTINGS, rows, num_boost_round=_N_TREES)
        least = max(_LEAST_SHARE * float(size.mean()), _NO_SPREAD)
        return cls(booster.model_to_string(), least)

    @cached_property
    def booster(self) -> lgb.Booster:
        """The booster, parsed from the text at first use."""
        return lgb.Booster(model_str=self.model_text)

    def predict(self, forecast: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return the expected absolute error of ln(1+units), above zero [row]."""
        threads = 1 if len(forecast) < _FEW_ROWS else 0
        size = np.asarray(self.booster.predict(_join(forecast, known), num_threads=threads))
        return np.maximum(size, self.least)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able contents; `Spread(**contents)` restores it."""
        return {"model_text": self.model_text, "least": self.least}


def choose_rows(n_rows: int) -> np.ndarray:
    """Return the positions of all rows, or of 200,000 chosen at random, ascending."""
    if n_rows <= _MOST_ROWS:
        return np.arange(n_rows)
    generator = np.random.default_rng(_SEED)
    return np.sort(generator.choice(n_rows, _MOST_ROWS, replace=False))


def _join(forecast: np.ndarray, known: np.ndarray) -> np.ndarray:
    return np.column_stack([forecast, known]).astype(np.float32)
