"""Print all trained models beside each other, the best first: python docs/workshop/compare_runs.py.

Each line is a run of MLflow: what it was given, what came out.
"""

import mlflow
import pandas as pd

EXPERIMENT, MODEL = "grocery-demand", "grocery-demand"
SETTINGS = {
    "params.training.model": "model",
    "params.training.feature_set": "features",
    "params.model_settings.n_estimators": "trees",
    "params.model_settings.learning_rate": "rate",
    "metrics.nwrmsle": "NWRMSLE",
    "metrics.r2_score": "R²",
    "metrics.coverage": "coverage",
    "tags.git_commit": "commit",
}


def name_versions() -> dict[str, str]:
    """Return version and aliases of the registered model by the run that made it."""
    client = mlflow.MlflowClient()
    aliases = client.get_registered_model(MODEL).aliases
    names = {}
    for version in client.search_model_versions(f"name = '{MODEL}'"):
        told = sorted(alias for alias, number in aliases.items() if number == version.version)
        names[version.run_id] = " ".join([f"v{version.version}", *told])
    return names


def tabulate_runs() -> pd.DataFrame:
    """Return one row per run that trained a model, the lowest error first."""
    runs = mlflow.search_runs(
        experiment_names=[EXPERIMENT],
        filter_string="metrics.nwrmsle > 0",
        order_by=["metrics.nwrmsle ASC"],
    )
    table = runs.reindex(columns=list(SETTINGS)).rename(columns=SETTINGS)
    table.insert(0, "version", runs["run_id"].map(name_versions()))
    changed = runs["tags.git_dirty"].map({"true": " + changes"}).fillna("")
    return table.assign(commit=table["commit"].str[:7] + changed)


if __name__ == "__main__":
    print(tabulate_runs().to_string(index=False, na_rep="–", float_format="{:.4f}".format))
