"""What kedro-mlflow does not record: typed parameters, metrics, code, data, command."""

import atexit
import dataclasses
import json
import logging
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from kedro.config import MissingConfigException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from grocery_demand.hooks.data_version import PANEL, RAW, describe_data_version
from grocery_demand.hooks.killed_runs import describe_process, end_killed_runs
from grocery_demand.hooks.provenance import (
    describe_code,
    describe_command,
    describe_libraries,
    describe_request,
)

logger = logging.getLogger(__name__)

_SQLITE = "sqlite:///"
_MAX_MLFLOW_DIGEST = 36
_TALKATIVE = ("alembic", "kedro_mlflow", "mlflow")
"""Libraries that set their own log level when they are imported."""

_MONITORING = "monitor"
"""The pipeline whose runs have an experiment of their own."""

PARAMETERS = "parameters.json"
"""Artifact of each run: the groups of parameters as it was given them."""

_GIVEN_TO_MODEL = ("model", "feature_set")


class TrackingHook:
    """Completes what kedro-mlflow's own hook, which is registered by its package, records."""

    def __init__(self) -> None:
        self._project = Path.cwd()
        self._raw_dir = ""
        self._parameters: dict[str, Any] = {}
        self._own_uri: str | None = None
        self._environments_uri: str | None = None
        self._run_is_mine = True
        self._mlflow_config: Any = None
        self._panel: Any = None

    @hook_impl(trylast=True, specname="after_context_created")
    def note_mlflow_config(self, context: KedroContext) -> None:
        """Note what kedro-mlflow has read."""
        self._mlflow_config = getattr(context, "mlflow", None)

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Complete mlflow.yml before kedro-mlflow reads it.

        The environment's MLFLOW_TRACKING_URI, or else MLFLOW_TRACKING_URL, wins; a relative SQLite
        file belongs to the project, from whichever folder the command is called, and artifacts lie
        beside it; a server decides itself where they lie.
        """
        import mlflow

        self._run_is_mine = mlflow.active_run() is None
        loader: Any = context.config_loader
        loader.config_patterns.setdefault("mlflow", ["mlflow*", "mlflow*/**", "**/mlflow*"])
        self._project = context.project_path
        given: dict[str, Any] = loader.runtime_params or {}
        self._raw_dir = str(given.get("raw_dir") or loader["globals"].get("raw_dir", ""))
        self._parameters = _read_parameters(loader)
        loader["mlflow"] = self._complete(loader["mlflow"])
        for library in _TALKATIVE:
            logging.getLogger(library).setLevel(logging.WARNING)

    @hook_impl(tryfirst=True, specname="before_pipeline_run")
    def choose_experiment(self, run_params: dict[str, Any]) -> None:
        """Give monitoring an experiment of its own, before kedro-mlflow starts the run."""
        names = run_params.get("pipeline_names") or [run_params.get("pipeline_name")]
        if self._mlflow_config is not None and set(names) == {_MONITORING}:
            experiment = self._mlflow_config.tracking.experiment
            experiment.name = f"{experiment.name}-monitoring"
            self._mlflow_config._set_experiment()

    @hook_impl(trylast=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        """Tag the run that kedro-mlflow has started with code, command and stored data.

        The parameters as they stand after all files and --params lie on it, too, so that the run
        can be made again.
        """
        import mlflow

        self._panel = catalog.get("panel")
        if mlflow.active_run() is None:
            return
        atexit.register(_close_interrupted_run)
        mlflow.set_tags(describe_process())
        end_killed_runs()
        command = {"kedro_command": describe_command(), "raw_dir": self._raw_dir}
        libraries = {"libraries": describe_libraries()}
        reads = _find_what_is_read(pipeline)
        version = describe_data_version(self._project, self._raw_dir, reads)
        request = describe_request(run_params) | {"reads": ",".join(sorted(reads))}
        mlflow.set_tags(describe_code(self._project) | command | libraries | version | request)
        mlflow.log_dict(self._parameters, PARAMETERS)
        if "panel" in pipeline.inputs() and catalog.exists("panel"):
            self._log_data(catalog.load("panel").digest)

    @hook_impl(tryfirst=True)
    def before_node_run(self, inputs: dict[str, Any]) -> None:
        """Turn typed parameters into dictionaries, of which kedro-mlflow logs each entry.

        Kedro gives hooks a copy of the inputs; the node still gets the typed parameters. Of the
        settings of all models only those that the fitted model gets are logged, once chosen.
        """
        inputs.pop("params:model_settings", None)
        for name, value in list(inputs.items()):
            if name.startswith("params:") and dataclasses.is_dataclass(value):
                inputs[name] = dataclasses.asdict(value)  # type: ignore[arg-type]

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log the metrics, what the fitted model was given, and the digest of the data."""
        import mlflow

        if mlflow.active_run() is None:
            return
        if dataset_name in ("metrics", "monitoring_metrics"):
            mlflow.log_metrics(data)
        elif dataset_name == "retraining_advice":
            names = ("decision", "model_version", "cutoff")
            mlflow.set_tags({f"advice.{name}": str(data[name]) for name in names})
        elif dataset_name == "challenger":
            mlflow.log_params({name: data.metadata[name] for name in _GIVEN_TO_MODEL})
            mlflow.set_tags({"model_digest": data.digest} | self._describe_cluster())
        elif dataset_name == "chosen_settings":
            mlflow.log_params({f"model_settings.{name}": value for name, value in data.items()})
        elif dataset_name in ("data_quality", "new_data_quality"):
            mlflow.set_tag("simulated_data", str(data["simulated"]).lower())
        elif dataset_name == "panel":
            self._log_data(data.digest)

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """End the run as FINISHED; kedro-mlflow ends it once, but opens it again for each node."""
        import mlflow

        while self._run_is_mine and mlflow.active_run() is not None:
            mlflow.end_run()

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self, error: Exception) -> None:
        """Put the error on the run, which kedro-mlflow then ends as FAILED."""
        import mlflow

        if mlflow.active_run() is not None:
            mlflow.set_tag("error", f"{type(error).__name__}: {error}"[:1000])

    def _complete(self, conf: dict[str, Any]) -> dict[str, Any]:
        server, tracking = dict(conf.get("server") or {}), dict(conf.get("tracking") or {})
        uri = self._choose_uri(server.get("mlflow_tracking_uri"))
        server["mlflow_tracking_uri"] = uri
        experiment = dict(tracking.get("experiment") or {})
        if urlparse(uri).scheme in ("http", "https", "databricks"):
            experiment.pop("create_experiment_kwargs", None)
        elif uri.startswith(_SQLITE):
            place = dict(experiment.get("create_experiment_kwargs") or {})
            place["artifact_location"] = _beside(uri, place.get("artifact_location", "mlartifacts"))
            experiment["create_experiment_kwargs"] = place
        tracking["experiment"] = experiment
        return {**conf, "server": server, "tracking": tracking}

    def _choose_uri(self, configured: str | None) -> str:
        """Return the environment's address or the configured one, SQLite files made absolute.

        MLflow writes the address it is given into the environment, too; that one does not count, so
        that a later session of the same process finds the same address.
        """
        found = os.environ.get("MLFLOW_TRACKING_URI")
        if found != self._own_uri:
            self._environments_uri = found
        named = self._environments_uri or os.environ.get("MLFLOW_TRACKING_URL")
        given = named or configured or f"{_SQLITE}mlflow.db"
        if given.startswith(_SQLITE):
            given = f"{_SQLITE}{self._project / given.removeprefix(_SQLITE)}"
        self._own_uri = given
        return given

    def _describe_cluster(self) -> dict[str, str]:
        """Return tags for the workers that a model was fitted on, and its parts; else none."""
        describe = getattr(self._panel, "describe_cluster", None)
        return describe() if describe else {}

    def _log_data(self, digest: str) -> None:
        """Put the data on the run, as tag and as dataset input."""
        import mlflow
        from mlflow.data.dataset_source_registry import get_dataset_source_from_json
        from mlflow.data.meta_dataset import MetaDataset

        mlflow.set_tag("data_digest", digest)
        folder = Path(self._raw_dir)
        address = json.dumps({"uri": (self._project / folder).as_uri()})
        source = get_dataset_source_from_json(address, source_type="local")
        mlflow.log_input(MetaDataset(source, folder.name, digest[:_MAX_MLFLOW_DIGEST]))


def _read_parameters(loader: Any) -> dict[str, Any]:
    """Return the groups of parameters; single ones given at run time are settings of files."""
    try:
        parameters = loader["parameters"]
    except MissingConfigException:
        return {}
    return {name: group for name, group in parameters.items() if isinstance(group, dict)}


def _find_what_is_read(pipeline: Pipeline) -> set[str]:
    """Return which versioned data a pipeline begins with: raw files, the panel, or both."""
    inputs = pipeline.inputs()
    found = {RAW} if any(name.startswith("raw_") for name in inputs) else set()
    return found | ({PANEL} if inputs & {"panel", "standing_panel"} else set())


def _beside(sqlite_uri: str, artifact_location: str) -> str:
    """Return a relative folder of artifacts as one beside the SQLite file; an address as it is."""
    if urlparse(artifact_location).scheme:
        return artifact_location
    return str(Path(sqlite_uri.removeprefix(_SQLITE)).parent / artifact_location)


def _close_interrupted_run() -> None:
    """End a run that is still open when the process ends, such as after Ctrl-C, as KILLED.

    kedro-mlflow opens the same run once for each node, so there may be several to close.
    """
    import mlflow

    while mlflow.active_run() is not None:
        mlflow.end_run("KILLED")
