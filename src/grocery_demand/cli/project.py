"""What commands need of the project: its logging, environments, registry and publication."""

from pathlib import Path
from typing import Any

import yaml
from kedro.framework.project import configure_logging

from grocery_demand.core.errors import ParameterError
from grocery_demand.core.parameters import suggestion


def use_logging_of(project: Path) -> None:
    """Take conf/logging.yml also in a subfolder: Kedro looks for it where it is called."""
    path = project / "conf" / "logging.yml"
    if path.is_file():
        configure_logging(yaml.safe_load(path.read_text(encoding="utf-8")))


def refuse_unknown_env(project: Path, env: str | None) -> None:
    """Raise a `ParameterError` if an environment has no folder in conf/."""
    conf = project / "conf"
    known = sorted(path.name for path in conf.iterdir() if path.is_dir())
    if env is not None and env not in known:
        raise ParameterError(
            f"There is no environment `{env}`{suggestion(env, known)}: {conf} holds "
            f"{', '.join(known)}."
        )


def open_registry(project: Path, env: str | None) -> Any:
    """Return the registry that the configuration names."""
    from grocery_demand.datasets.model_registry import ModelRegistry

    return ModelRegistry(load_context(project, env).config_loader["globals"]["model_name"])


def publish(project: Path, env: str | None) -> None:
    """Hand the champion over to the web app, if there is a panel to forecast from."""
    catalog = load_context(project, env).catalog
    if catalog.exists("panel"):
        catalog.save("publication", catalog.load("champion"))


def load_context(project: Path, env: str | None) -> Any:
    """Return Kedro's context: configuration, catalog and MLflow."""
    from kedro.framework.session import KedroSession

    session = KedroSession.create(project_path=project, env=env, save_on_close=False)
    return session.load_context()
