"""What a run made, where it lies, and what can be done next."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol

from grocery_demand.core.errors import GateError
from grocery_demand.datasets.model_registry import ModelRegistry
from grocery_demand.datasets.registered_versions import ALL_ALIASES

if TYPE_CHECKING:
    import pandas as pd

_SCORES = {"nwrmsle": "NWRMSLE", "r2_score": "R²", "wape": "WAPE", "bias": "bias"}

_FILES = {"taken_in": "taken in", "known": "with nothing new", "refused": "refused"}

_ON_SIMULATED = "the whole loop on the simulated sales"
_ON_INCOMING = "take these files in, forecast again"
_NEXT_STEPS: tuple[tuple[str, set[str], str, str], ...] = (
    ("new_sales", set(), "kedro run --pipeline monitor", "the forecasts so far beside these sales"),
    (
        "new_data_quality",
        {"new_sales"},
        "kedro run --pipeline monitor",
        "whether sales keep arriving, and what else is wrong",
    ),
    ("new_sales", set(), "kedro run --pipeline refit", "train again, on all these days"),
    (
        "panel",
        {"challenger", "new_sales"},
        "kedro run --pipeline train",
        "train a model and judge it",
    ),
    ("challenger", {"champion"}, "kedro run --pipeline promote", "let the gate judge it"),
    ("champion", {"forecasts"}, "kedro run --pipeline forecast", "forecast with the champion"),
    ("forecasts", {"model_card"}, "kedro run --pipeline report", "figures and model card"),
    ("publication", set(), "kedro serve", "the buyers' page, on http://127.0.0.1:5005"),
    ("monitoring_summary", set(), "kedro serve", "then /monitoring: each check, what to do"),
)
"""What was made, what must not have been made with it, the next command and what it gives."""

_DEFAULT_ENVIRONMENT = "local"
"""That of a run which names none."""


class SummaryHook:
    """Writes the end of a run to standard output, of what this run has made only."""

    def __init__(self) -> None:
        self._saved: set[str] = set()
        self._project = Path.cwd()
        self._new_dir = self._environment = ""
        self._registry = ModelRegistry("")

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Note the project's folder, its registered model, a folder of new files given by hand."""
        self._project = context.project_path
        self._new_dir = str((context.config_loader.runtime_params or {}).get("new_dir", ""))
        self._registry = ModelRegistry(context.config_loader["globals"]["model_name"])

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Begin anew; note the environment, as the next step is taken in the same one."""
        self._saved = set()
        given = run_params.get("env")
        self._environment = f" --env {given}" if given and given != _DEFAULT_ENVIRONMENT else ""

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Note what was made."""
        self._saved.add(dataset_name)

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self, catalog: CatalogProtocol) -> None:
        """Write quality, files, scores, verdict, paths and next steps."""
        parts = [
            [*self._tell_quality(catalog), *self._tell_files(catalog)],
            self._tell_scores(catalog),
            self._tell_verdict(catalog),
            self._tell_advice(catalog),
            self._tell_places(catalog),
            self._tell_next_steps(catalog),
        ]
        click.echo("\n" + "\n\n".join("\n".join(part) for part in parts if part))

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self, error: Exception, catalog: CatalogProtocol) -> None:
        """Write the scores of a challenger that the gate rejected."""
        if isinstance(error, GateError):
            click.echo("\n" + "\n".join(self._tell_scores(catalog)))

    def _tell_quality(self, catalog: CatalogProtocol) -> list[str]:
        lines = []
        for kind in ("", "new_"):
            if f"{kind}data_quality" not in self._saved:
                continue
            report = catalog.load(f"{kind}data_quality")
            aside = report["rows_quarantined"]
            rows = "simulated rows" if report["simulated"] else "rows"
            told = f"Read {report['rows_read']:,} {rows}, set {aside:,} aside"
            where = f"; see data/02_intermediate/{kind}quarantined_rows.parquet" if aside else ""
            lines.append(told + where)
        return lines

    def _tell_files(self, catalog: CatalogProtocol) -> list[str]:
        """Say what became of the files that arrived; what was left as it was is not made."""
        if "new_data_quality" not in self._saved:
            return []
        files = catalog.load("new_data_quality")["files"]
        if all(file["status"] != "taken_in" for file in files):
            self._saved -= {"new_sales", "panel"}
        many = [sum(file["status"] == status for file in files) for status in _FILES]
        told = [f"{n} {word}" for n, word in zip(many, _FILES.values(), strict=True) if n]
        refused = [
            f"  - {(file['reason'] or '').splitlines()[0]}"
            for file in files
            if file["status"] == "refused"
        ]
        return [f"Files that arrived: {', '.join(told) or 'none'}", *refused]

    def _tell_scores(self, catalog: CatalogProtocol) -> list[str]:
        return tabulate_scores(catalog.load("scores")) if "scores" in self._saved else []

    def _tell_verdict(self, catalog: CatalogProtocol) -> list[str]:
        if "verdict" not in self._saved:
            return []
        verdict = catalog.load("verdict")
        headline, *reasons = verdict["reasons"]
        version = verdict["challenger"]["version"]
        told = [f"Verdict on version {version}: {headline}", *(f"  - {text}" for text in reasons)]
        return [*told, *self._tell_rollout(version)]

    def _tell_rollout(self, version: int) -> list[str]:
        """Say that a challenger is served beside the champion first, if it is."""
        rollout = self._registry.rollouts.find()
        if rollout is None or rollout.model_version != version:
            return []
        return [
            f"It is served as {rollout.mode} for {rollout.share:.0%} of the series: `kedro "
            "challenger promote` makes it champion, `kedro challenger off` ends that."
        ]

    def _tell_advice(self, catalog: CatalogProtocol) -> list[str]:
        """Return the advice, and the checks that need a look."""
        if "retraining_advice" not in self._saved:
            return []
        advice, checks = catalog.load("retraining_advice"), catalog.load("monitored_checks")
        bad = checks[checks["state"].isin(["alarm", "watch"])].to_dict(orient="records")
        lines = [f"Advice: {advice['decision']}, since {advice['since']}. {advice['next']}"]
        for check in bad:
            told = f"  {check['state']:<5}  {check['area']}, {check['name']}: {check['detail']}"
            lines.append(f"{told} {check['mend']}".rstrip())
        counts = ", ".join(f"{n} {state}" for state, n in checks["state"].value_counts().items())
        return [*lines, f"  {len(checks)} checks: {counts}"]

    def _tell_places(self, catalog: CatalogProtocol) -> list[str]:
        """Return one line per folder with the files made in it."""
        folders: dict[str, list[str]] = {}
        for name in sorted(self._saved - {"published_card"}):
            for path in _paths_of(catalog.get(name)):
                shown = path.relative_to(self._project) if _is_in(path, self._project) else path
                folders.setdefault(str(shown.parent), []).append(shown.name)
        lines = [f"  {folder}/  {', '.join(files)}" for folder, files in sorted(folders.items())]
        lines += self._tell_versions() + self._tell_run()
        return ["Made:", *lines] if lines else []

    def _tell_versions(self) -> list[str]:
        if not self._saved & {"challenger", "champion"}:
            return []
        found = {alias: self._registry.find(alias) for alias in ALL_ALIASES}
        told = [f"{alias} is version {number}" for alias, number in found.items() if number]
        return [f"  Registered model {self._registry.name}: {', '.join(told)}"]

    def _tell_run(self) -> list[str]:
        import mlflow

        run = mlflow.active_run()
        if run is None:
            return []
        experiment = mlflow.get_experiment(run.info.experiment_id).name
        return [f"  MLflow run {run.info.run_id} in experiment {experiment}"]

    def _tell_next_steps(self, catalog: CatalogProtocol) -> list[str]:
        import mlflow

        steps = {self._run_on(catalog): _ON_SIMULATED} if "simulated_raw" in self._saved else {}
        if "incoming_files" in self._saved:
            steps[self._update_from()] = _ON_INCOMING
        steps |= {
            command.replace("kedro run", f"kedro run{self._environment}"): what
            for made, unless, command, what in _NEXT_STEPS
            if made in self._saved and not self._saved & unless
        }
        if mlflow.active_run() is not None:
            steps[self._ui_command(mlflow.get_tracking_uri())] = "runs, metrics, models"
        steps["kedro viz"] = "the graph, with what lies in it"
        width = max(len(step) for step in steps)
        return ["Next:", *(f"  {step:<{width}}  {what}" for step, what in steps.items())]

    def _run_on(self, catalog: CatalogProtocol) -> str:
        """Return how to run the loop on the folder that was simulated."""
        folder = _path_of(catalog.get("simulated_raw"))
        if folder == _path_of(catalog.get("raw_sales")):
            return "kedro run"
        return shlex.join(["kedro", "run", "--params", f"raw_dir={folder}"])

    def _update_from(self) -> str:
        """Return how to take in the files that were written."""
        given = ["--params", f"new_dir={self._new_dir}"] if self._new_dir else []
        return shlex.join(["kedro", "run", "--pipeline", "update", *given])

    def _ui_command(self, uri: str) -> str:
        """Return how to open the tracked runs; MLflow finds mlflow.db where it is called."""
        if uri == f"sqlite:///{Path.cwd() / 'mlflow.db'}":
            return "mlflow ui"
        return shlex.join(["mlflow", "ui", "--backend-store-uri", uri])


def tabulate_scores(scores: "pd.DataFrame") -> list[str]:
    """Return the total scores of the holdout as lines, the best model first."""
    holdout = (scores["evaluation"] == "holdout") & (scores["slice"] == "total")
    rows = scores[holdout].sort_values("nwrmsle").to_dict(orient="records")
    width = max(len(row["model"]) for row in rows)
    head = "".join(f"{label:>10}" for label in _SCORES.values())
    lines = [
        f"  {row['model']:<{width}}" + "".join(f"{row[name]:>10.4f}" for name in _SCORES)
        for row in rows
    ]
    return [f"Scores on the holdout, {rows[0]['rows']:,} rows:", f"  {'':<{width}}{head}", *lines]


def _path_of(dataset: Any) -> Path | None:
    """Return where a dataset lies, if it lies in a file or folder."""
    path = getattr(dataset, "_filepath", None) or getattr(dataset, "_folder", None)
    return Path(str(path)) if path else None


def _paths_of(dataset: Any) -> list[Path]:
    """Return where a dataset lies, and where it has put what one machine goes on from."""
    home = getattr(dataset, "_home", None)
    found = [_path_of(dataset), home.folder if home else None]
    return [path for path in found if path is not None]


def _is_in(path: Path, folder: Path) -> bool:
    return folder in path.parents
