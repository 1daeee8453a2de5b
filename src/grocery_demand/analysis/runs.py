"""Training runs side by side."""

import pandas as pd

from grocery_demand.analysis.tables import SIMULATED
from grocery_demand.core.scores import compare_errors
from grocery_demand.figure_style import in_words

_SCORES = {
    "nwrmsle": "nwrmsle",
    "baseline_moving_average_nwrmsle": "moving average's",
    "r2_score": "r2_score",
    "wape": "wape",
    "bias": "bias",
    "coverage": "coverage",
}
_IDENTITY = ("data_digest", "git_commit")
_NOT_OF_TRAINING = ("gate.", "rollout.", "monitoring.", "forecasting.", "quality.")


def note_of_runs(runs: pd.DataFrame) -> str:
    """Return what has to stand beside the runs' scores: whether they are of simulated data.

    Args:
        runs: See `datasets.training_runs`.
    """
    simulated = runs["simulated"] == "true"
    return SIMULATED if simulated.all() else f"partly {SIMULATED}" if simulated.any() else ""


def label_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs with `label`, by which they are told apart: version, model and role.

    Args:
        runs: See `datasets.training_runs`.
    """
    models = runs["model"].fillna("?")
    roles = runs["roles"].map(lambda role: f", {role}" if role else "")
    return runs.assign(label="version " + runs["version"].astype(str) + ": " + models + roles)


def tabulate_scores(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the scores on the holdout, the least error first.

    Runs on other data have another holdout: `data_digest` says whose scores may be compared.

    Args:
        runs: See `datasets.training_runs`.

    Returns:
        One row per run: version, model, roles, started, seconds, data_digest (its beginning), the
        scores, and beside nwrmsle the moving average's on the same rows.
    """
    table = runs.sort_values("nwrmsle", ignore_index=True)
    table = table.assign(data_digest=table["data_digest"].str[:8])
    table = table.assign(started=table["started"].dt.strftime("%Y-%m-%d %H:%M"))
    shown = ["version", "model", "roles", "started", "seconds", "data_digest", *_SCORES]
    return table.reindex(columns=shown).rename(columns=_SCORES)


def relate_to_baselines(scores: pd.DataFrame, model: str) -> pd.DataFrame:
    """Return the model's error in each family over the baselines' there, on the holdout.

    Args:
        scores: See `core.scores.score_table`.
        model: Name of the model scored.

    Returns:
        One row per family, the worst first, and one column per baseline: below 1 where the model is
        better.
    """
    families = compare_errors(scores, model, "family").set_index("value").rename_axis("family")
    relative = families.drop(columns="model").rdiv(families["model"], axis=0)
    relative.columns = [f"over the {in_words(str(name))}" for name in relative]
    return relative.loc[relative.max(axis=1).sort_values(ascending=False).index]


def list_differences(runs: pd.DataFrame) -> pd.DataFrame:
    """Return what the runs were given that is not the same for all: data, code, parameters.

    Parameters of what happens after training do not count: they change no score.

    Args:
        runs: See `datasets.training_runs`.

    Returns:
        One row per thing that differs and one column per run, by its label; `–` where a run was
        not given it. Empty with a single run, or with equal ones.
    """
    labelled = label_runs(runs).set_index("label")
    given = [
        name
        for name in labelled
        if name in _IDENTITY or ("." in str(name) and not str(name).startswith(_NOT_OF_TRAINING))
    ]
    table = labelled[given].astype(object).where(labelled[given].notna(), "–").T
    differs = table.nunique(axis=1) > 1
    shown = table[differs].map(lambda value: str(value)[:12])
    return shown.rename_axis(index="given", columns=None)
