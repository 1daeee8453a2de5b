"""Settings of the web app: from conf/, the environment and the command line."""

import dataclasses
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

import yaml

from grocery_demand.core.errors import GroceryDemandError, ParameterError
from grocery_demand.core.parameters import parameters, require

FILE = "serving.yml"

_VARIABLES = {
    "EVENTS_URL": "events_url",
    "FLUENTD_HOST": "fluentd_host",
    "FLUENTD_PORT": "fluentd_port",
    "GROCERY_DEMAND_API_KEY": "api_key",
    "GROCERY_DEMAND_HOST": "host",
    "GROCERY_DEMAND_PORT": "port",
    "MONITORING_FILE": "monitoring_file",
    "PUBLICATION_DIR": "publication_dir",
    "TENANT": "tenant",
}
"""Environment variables and the settings that they override."""

_NONE_IF_EMPTY = ("FLUENTD_HOST",)
"""Variables that turn off what a file sets; others count only if they say something."""

_HIGHEST_PORT = 65535


class UnsafeStartError(GroceryDemandError):
    """The app would be open to the network without a key."""


@parameters("serving")
class ServingSettings:
    """What the web app is told.

    Attributes:
        host: Address that it listens on.
        port: Port that it listens on; 0 for any free one.
        publication_dir: Folder that the pipelines publish the champion to.
        monitoring_file: Summary that pipeline `monitor` writes.
        tenant: First part of the events' tag.
        default_store: Store that is meant when none is given.
        product_names: Names of products by item_nbr, shown first.
        max_batch: Number of forecasts in one body at most.
        max_body_bytes: Largest body, in bytes.
        request_timeout_seconds: Longest time that a request's head, and its body, may take, in
            seconds.
        challenger_timeout_seconds: Time that a canary has for an answer, in seconds; then the
            champion gives it.
        events_url: SQLAlchemy address of the database of events.
        max_event_age_days: Age, in days, after which an event is removed.
        max_events: Number of events kept at most.
        fluentd_host: Where Fluentd listens; empty to forward nothing.
        fluentd_port: Fluentd's port.
        max_events_to_forward: Number of events kept for Fluentd while it is away.
        api_key: Key that requests have to bring; empty for none.
        insecure: Whether to listen to the network without a key.

    Raises:
        ParameterError: When a value is not allowed.
    """

    host: str = "127.0.0.1"
    port: int = 5005
    publication_dir: str = "data/07_model_output/publication"
    monitoring_file: str = "data/08_reporting/monitoring/summary.json"
    tenant: str = "local"
    default_store: int = 47
    product_names: dict[int, str] = field(default_factory=dict)
    max_batch: int = 10_000
    max_body_bytes: int = 4_000_000
    request_timeout_seconds: float = 30.0
    challenger_timeout_seconds: float = 1.0
    events_url: str = "sqlite:///data/07_model_output/events.db"
    max_event_age_days: int = 400
    max_events: int = 1_000_000
    fluentd_host: str = ""
    fluentd_port: int = 24224
    max_events_to_forward: int = 1_000_000
    api_key: str = ""
    insecure: bool = False

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        for name in ("port", "fluentd_port"):
            value = getattr(self, name)
            require(0 <= value <= _HIGHEST_PORT, f"serving.{name}", value, "0 to 65535")
        for name in ("max_batch", "max_body_bytes", "max_event_age_days", "max_events"):
            require(getattr(self, name) > 0, f"serving.{name}", getattr(self, name), "above 0")
        timeout = self.challenger_timeout_seconds
        require(timeout > 0, "serving.challenger_timeout_seconds", timeout, "above 0")
        is_plain = all(part.isalnum() for part in self.tenant.replace("-", "_").split("_"))
        require(is_plain, "serving.tenant", self.tenant, "letters, digits, - and _")

    @property
    def tag(self) -> str:
        """The events' tag."""
        return f"{self.tenant}.prediction"

    @property
    def refusal_tag(self) -> str:
        """The tag of questions that could not be answered."""
        return f"{self.tenant}.refusal"


def load_settings(
    project: Path, env: str, environ: Mapping[str, str], given: Mapping[str, Any]
) -> ServingSettings:
    """Return the settings: conf/base, conf/<env>, environment variables, command line.

    Args:
        project: The project's folder; relative paths in settings are meant from there.
        env: Name of a folder in conf/.
        environ: Environment variables.
        given: What the command line says; None where it says nothing.

    Raises:
        ParameterError: If a file or value is not allowed.
        UnsafeStartError: If it would be open to the network without a key.
    """
    values: dict[str, Any] = {}
    for folder in dict.fromkeys(("base", env)):
        values |= _read(project / "conf" / folder / FILE)
    for variable, name in _VARIABLES.items():
        if environ.get(variable) or (variable in environ and variable in _NONE_IF_EMPTY):
            values[name] = _as_number(environ[variable]) if "port" in name else environ[variable]
    values |= {name: value for name, value in given.items() if value is not None}
    settings = ServingSettings(**values)
    settings = dataclasses.replace(
        settings,
        publication_dir=str(project / settings.publication_dir),
        monitoring_file=str(project / settings.monitoring_file),
        events_url=_from_project(settings.events_url, project),
    )
    refuse_open_door(settings)
    return settings


def refuse_open_door(settings: ServingSettings) -> None:
    """Raise an `UnsafeStartError` if the network could reach the app without a key."""
    if settings.api_key or settings.insecure or _is_loopback(settings.host):
        return
    raise UnsafeStartError(
        f"The web app would listen on {settings.host}, where others can reach it, without a key. "
        "Set GROCERY_DEMAND_API_KEY, or listen on 127.0.0.1, or say --insecure if something "
        "before it keeps the door."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        contents = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ParameterError(f"{path} is not YAML: {error}") from error
    if not isinstance(contents, dict):
        raise ParameterError(f"{path} has to hold settings as `name: value`.")
    return contents


def _as_number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text


def _from_project(url: str, project: Path) -> str:
    """Return a SQLite address whose relative path is meant from the project's folder."""
    scheme, _, path = url.partition(":///")
    if scheme.startswith("sqlite") and path and not path.startswith(("/", ":")):
        return f"{scheme}:///{(project / path).resolve()}"
    return url


def project_folder() -> Path:
    """Return the nearest folder upwards that holds conf/base, else the present one."""
    here = Path.cwd()
    return next((p for p in (here, *here.parents) if (p / "conf" / "base").is_dir()), here)


def default_env() -> str:
    """Return the environment that is used unless one is named."""
    return os.environ.get("KEDRO_ENV") or "local"
