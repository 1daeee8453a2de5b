"""Trials of features: what one more, or one less, does to the error on past cutoffs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from grocery_demand.core.backtest import (
    TrainingDay,
    TrainingParameters,
    choose_backtest_rows,
    plan_cutoffs,
)
from grocery_demand.core.errors import ParameterError
from grocery_demand.core.features import FEATURE_SETS, AheadFeature, Encoding
from grocery_demand.core.metrics import nwrmsle
from grocery_demand.core.models import fit_model, needs_fitting
from grocery_demand.core.panel import Panel
from grocery_demand.core.parameters import suggestion
from grocery_demand.core.training import assemble_rows, collect_rows

AS_IT_IS = "the set as it is"
"""Name of the trial that changes nothing."""

BETTER, WORSE, NO_DIFFERENCE = "better", "worse", "no difference"

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class FeatureTrial:
    """One change of a feature set: something added to it, or something left out.

    Attributes:
        name: What people call it.
        added: Features that are in no set yet, by name: see `features.candidates.CANDIDATES`.
        left_out: Names of features to leave out; a star stands for any part of a name.
    """

    name: str
    added: Mapping[str, AheadFeature] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a trial of nothing, or of two things at once, which would tell neither."""
        if bool(self.added) == bool(self.left_out):
            raise ParameterError(
                f"The trial `{self.name}` has to name features that are added, or features that "
                "are left out: one of the two."
            )

    def change(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the features of a set after the change.

        Raises:
            ParameterError: If a feature that is added is in the set, or one left out is not.
        """
        for name in self.added:
            if name in names:
                raise ParameterError(f"`{name}` of the trial `{self.name}` is in the set already.")
        for pattern in self.left_out:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise ParameterError(
                    f"No feature of the set is called `{pattern}`, which the trial `{self.name}` "
                    f"leaves out{suggestion(pattern, names)}. It has: {', '.join(names)}."
                )
        kept = [n for n in names if not any(fnmatchcase(n, p) for p in self.left_out)]
        return (*kept, *self.added)

    def decide(self, finding: str) -> str:
        """Return what becomes of the features tried, in words: they are kept if they earn it."""
        is_kept = finding == (BETTER if self.added else WORSE)
        return f"{'keep' if is_kept else 'drop'} {', '.join((*self.added, *self.left_out))}"


def compare_feature_sets(
    panel: Panel,
    trials: Iterable[FeatureTrial],
    training: TrainingParameters,
    settings: dict[str, Any],
) -> pd.DataFrame:
    """Fit with and without each change at past cutoffs, and score what came after.

    The cutoffs are those of the backtest, all before the holdout: it is never looked at, so that
    it can still judge the model that is chosen this way. All changes learn from the same rows of a
    cutoff and are scored on the same rows, so that the ratio of two errors says more than either.

    Args:
        panel: All sales.
        trials: What is changed of `training.feature_set`, each by itself.
        training: Model, budgets and cutoffs: `backtest_folds` of them, a fit for each.
        settings: The model library's own parameters.

    Returns:
        One row per cutoff and trial, `AS_IT_IS` first: trial, cutoff (date), rows (scored),
        nwrmsle, ratio (of nwrmsle to that of `AS_IT_IS` at that cutoff).

    Raises:
        ParameterError: If a trial does not fit the set, or the model reads no features.
        DataShortageError: If the sales are too short for one cutoff.
    """
    trials = list(trials)
    if not needs_fitting(training.model):
        raise ParameterError(f"`{training.model}` reads no features: there is nothing to try.")
    names = FEATURE_SETS[training.feature_set]
    sets = {AS_IT_IS: names} | {trial.name: trial.change(names) for trial in trials}
    added = {name: feature for trial in trials for name, feature in trial.added.items()}
    records: list[dict[str, Any]] = []
    for day in sorted(plan_cutoffs(panel, training).folds):
        scores = dict(_score_sets(panel, day, sets, added, training, settings))
        at = {"cutoff": pd.Timestamp(panel.date_of(day))}
        records += [{"trial": name} | at | score for name, score in scores.items()]
    table = pd.DataFrame(records)
    standard = table["nwrmsle"].where(table["trial"] == AS_IT_IS).groupby(table["cutoff"])
    return table.assign(ratio=table["nwrmsle"] / standard.transform("max"))


def summarise_trials(scores: pd.DataFrame, trials: Iterable[FeatureTrial]) -> pd.DataFrame:
    """Say of each change whether it made forecasts better, by more than chance.

    The interval is Student's for the mean over cutoffs of the ratio's logarithm: it holds the
    effect at other times, as far as these cutoffs are like them.

    Args:
        scores: See `compare_feature_sets`.
        trials: The changes that were tried.

    Returns:
        One row per trial: trial, cutoffs, better_at (cutoffs with less error), change (of NWRMSLE
        in the geometric mean, as a share; negative is better), low and high (bounds of its 95 %
        interval; NaN with one cutoff), finding (`BETTER`, `WORSE` or `NO_DIFFERENCE`), decision.
    """
    return pd.DataFrame([_summarise(scores, trial) for trial in trials])


def _summarise(scores: pd.DataFrame, trial: FeatureTrial) -> dict[str, Any]:
    logs = np.log(scores.loc[scores["trial"] == trial.name, "ratio"].to_numpy())
    n = len(logs)
    error = logs.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    half = error * stdtrit(max(n - 1, 1), (1 + _CONFIDENCE) / 2)
    change, low, high = np.expm1([logs.mean(), logs.mean() - half, logs.mean() + half])
    finding = BETTER if high < 0 else WORSE if low > 0 else NO_DIFFERENCE
    return {
        "trial": trial.name,
        "cutoffs": n,
        "better_at": int((logs < 0).sum()),
        "change": change,
        "low": low,
        "high": high,
        "finding": finding,
        "decision": trial.decide(finding),
    }


def _score_sets(
    panel: Panel,
    day: int,
    sets: Mapping[str, tuple[str, ...]],
    added: Mapping[str, AheadFeature],
    training: TrainingParameters,
    settings: dict[str, Any],
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield rows and nwrmsle of each set of features at one cutoff, by name."""
    everything = (*FEATURE_SETS[training.feature_set], *added)
    encoding = Encoding.fit(panel.series)
    matrix, target, weight = assemble_rows(panel, day, training, everything, encoding, added)
    rows = choose_backtest_rows(panel, day, training.backtest_folds, training)
    after = TrainingDay(day, np.arange(1, training.horizon + 1), rows)
    tested, sold, importance = collect_rows(panel, [after], everything, encoding, added)
    for name, chosen in sets.items():
        columns = [everything.index(feature) for feature in chosen]
        model = fit_model(
            training.model, chosen, matrix[:, columns], target, weight, settings, training.seed
        )
        forecast = np.expm1(model.predict(tested[:, columns]))
        yield name, {"rows": len(sold), "nwrmsle": nwrmsle(np.expm1(sold), forecast, importance)}
