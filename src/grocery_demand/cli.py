"""Commands of this project, added to Kedro's own."""

import logging
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import click
import yaml
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import CONTEXT_SETTINGS, env_option
from kedro.framework.project import configure_logging
from kedro.validation.exceptions import ParameterValidationError

from grocery_demand.core.errors import GroceryDemandError, ParameterError
from grocery_demand.core.parameters import suggestion
from grocery_demand.delivery.commands import COMMANDS

_RUN_HELP = """Run a pipeline; without --pipeline the whole loop, from raw sales to forecasts.

\b
Examples:
  kedro run
  kedro run --pipeline train --params training.model=random_forest
  kedro run --env kaggle
  kedro run --params raw_dir=path/to/folder
"""

_ROLLBACK_HELP = """Put the previous champion back; the one it replaces becomes `previous`.

\b
Examples:
  kedro rollback
  kedro rollback --reason "forecasts too high since Monday"
"""

_CHALLENGER_HELP = """Serve a challenger beside the champion, promote it, or end that.

Without MODE it says who is served.

\b
  shadow   it forecasts what the champion answers, for the event log alone
  canary   its answers are given, for a share of the products in the stores
  promote  it becomes the champion
  off      the champion answers alone again

The web app follows within seconds. The share is 1 (shadow) or 0.1 (canary) unless it is given or
set already; the version is the newest challenger unless one is given or served already.

\b
Examples:
  kedro challenger shadow
  kedro challenger canary --share 0.25
  kedro challenger canary --version 4 --reason "better in shadow for a week"
  kedro challenger off
"""

_SERVE_HELP = """Serve the champion's forecasts: a page for buyers, an API for programs.

\b
Examples:
  kedro serve
  kedro serve --port 8080
  GROCERY_DEMAND_API_KEY=… kedro serve --host 0.0.0.0
"""

_DAILY_HELP = """Take in new files, forecast, monitor, and retrain if that is advised.

Made for a schedule, once a day. It fails if the feed is broken, so that somebody looks.

\b
Examples:
  kedro daily
  kedro daily --env production
"""

_REHEARSE_HELP = """Play the whole loop through on simulated days, in a copy of the project.

Four quiet weeks, then demand shifts: the live error grows, a challenger is trained and promoted,
the running web app follows. A worse model is not promoted, a broken feed is not trained on.

\b
Examples:
  kedro rehearse
  kedro rehearse --quiet-days 10 --recovered-days 10 --stores 5 --items 100
"""

_DESCRIBE_SAMPLE_HELP = """Print statistics of simulated sales beside those of the real ones.

\b
Examples:
  kedro describe-sample
  kedro describe-sample > docs/sample.md
  kedro describe-sample --folder data/01_raw/longer
"""

_REPRODUCE_HELP = """Make a training run again, from its code, data and parameters, and compare.

It is made in a git worktree of its commit, with a store of its own; the champion is not touched.
The exit status is 1 if anything differs that should be equal.

\b
Examples:
  kedro reproduce 0123456789abcdef0123456789abcdef
  kedro reproduce 0123456789abcdef0123456789abcdef --env production
"""

_LOGS_ERRORS_THAT_ARE_RAISED = (
    "kedro.pipeline.node",
    "kedro.runner.sequential_runner",
    "kedro.validation.parameter_validator",
)

_WRAPPED_PARAMETER = re.compile(r"- Parameter '.*?': (?:Failed to instantiate .*? '.*?': )?(.*)")


@click.group(context_settings=CONTEXT_SETTINGS, name="grocery-demand")
def cli() -> None:
    """Commands of this project."""


@cli.command(name="run", params=kedro_run.params, help=_RUN_HELP)
@click.pass_context
def run(context: click.Context, /, **options: Any) -> None:
    """Run a pipeline as Kedro does, one run at a time; say mendable errors in one message."""
    from grocery_demand.hooks.run_lock import run_lock

    _use_logging_of(context.obj.project_path)
    for name in _LOGS_ERRORS_THAT_ARE_RAISED:
        logging.getLogger(name).addFilter(_is_no_user_error)
    if options["pipeline"] and not options["pipelines"]:
        options["pipelines"] = [options["pipeline"]]
        options["pipeline"] = None
    signal.signal(signal.SIGTERM, _stop)
    with _plain_errors(), run_lock(context.obj.project_path / "data"):
        _refuse_unknown_env(context.obj.project_path / "conf", options["env"])
        context.invoke(kedro_run, **options)


@cli.command(help=_ROLLBACK_HELP)
@env_option
@click.option("--reason", default="rolled back by hand", help="Why; kept in the history.")
@click.pass_context
def rollback(context: click.Context, /, env: str | None, reason: str) -> None:
    """Swap `champion` and `previous`, also while a run is going on."""
    _use_logging_of(context.obj.project_path)
    with _plain_errors():
        _refuse_unknown_env(context.obj.project_path / "conf", env)
        change = _open_registry(context.obj.project_path, env).roll_back(reason)
        _publish(context.obj.project_path, env)
        click.echo(
            f"Champion is version {change.champion} again, instead of version {change.replaced}, "
            f"which is `previous` now. Recorded: {change.by}, {change.at}."
        )
        click.echo("The web app follows within seconds.")
        click.echo("Next:\n  kedro run --pipeline forecast  forecasts of the restored champion")


@cli.command(help=_CHALLENGER_HELP)
@click.argument("mode", required=False, type=click.Choice(["shadow", "canary", "promote", "off"]))
@click.option("--share", type=float, help="Share of the series, above 0 and up to 1.")
@click.option("--version", type=int, help="Number of the version.")
@click.option("--reason", default="by hand", help="Why; kept in the history.")
@env_option
@click.pass_context
def challenger(
    context: click.Context,
    /,
    mode: str | None,
    share: float | None,
    version: int | None,
    reason: str,
    env: str | None,
) -> None:
    """Change what challenger is served, also while a run is going on."""
    from grocery_demand.datasets import challenger_control

    project = context.obj.project_path
    _use_logging_of(project)
    with _plain_errors():
        _refuse_unknown_env(project / "conf", env)
        registry = _open_registry(project, env)
        if mode in ("shadow", "canary"):
            challenger_control.serve_challenger(registry, mode, share, version, reason)
        elif share is not None or version is not None:
            raise ParameterError("--share and --version belong to `shadow` and `canary`.")
        elif mode == "promote":
            challenger_control.promote_challenger(registry, reason)
        elif mode == "off":
            registry.rollouts.end(reason)
        if mode is not None:
            _publish(project, env)
        for line in challenger_control.describe_served(registry):
            click.echo(line)
        if mode is not None:
            click.echo("The web app follows within seconds.")


@cli.command(help=_SERVE_HELP)
@env_option
@click.option("--host", help="Address to listen on (127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (5005).")
@click.option("--insecure", is_flag=True, help="Listen to the network without a key.")
@click.pass_context
def serve(
    context: click.Context, /, env: str | None, host: str | None, port: int | None, insecure: bool
) -> None:
    """Become the web app, a process that holds neither Kedro nor MLflow."""
    with _plain_errors():
        _refuse_unknown_env(context.obj.project_path / "conf", env)
    given = {"--env": env, "--host": host, "--port": port}
    words = [word for name, value in given.items() if value for word in (name, str(value))]
    words += ["--insecure"] if insecure else []
    os.chdir(context.obj.project_path)
    os.execv(sys.executable, [sys.executable, "-m", "grocery_demand.serving", *words])  # noqa: S606


@cli.command(help=_DAILY_HELP)
@env_option
@click.pass_context
def daily(context: click.Context, /, env: str | None) -> None:
    """Do the day's work; the exit status says whether somebody has to look."""
    from grocery_demand.core.monitoring.advice import CHECK_FEED
    from grocery_demand.daily import Project, do_days_work
    from grocery_demand.hooks.run_lock import run_lock

    project = context.obj.project_path
    _use_logging_of(project)
    signal.signal(signal.SIGTERM, _stop)
    with _plain_errors(), run_lock(project / "data"):
        _refuse_unknown_env(project / "conf", env)
        outcome = do_days_work(Project(project, env), click.echo)
        click.echo(f"\nAdvice: {outcome.advice['decision']}")
        for reason in outcome.advice["reasons"]:
            click.echo(f"  - {reason}")
        if outcome.verdict:
            click.echo(f"Gate: {outcome.verdict['reasons'][0]}")
        click.echo("Next:\n  kedro serve  then /monitoring: each check, since when, what to do")
        if outcome.advice["decision"] == CHECK_FEED:
            raise GroceryDemandError("The feed of sales is broken; nothing was retrained on it.")


@cli.command(help=_REHEARSE_HELP)
@click.option("--folder", default="build/loop", show_default=True, help="Where the copy is made.")
@click.option("--quiet-days", default=28, show_default=True, type=click.IntRange(3, 366))
@click.option("--recovered-days", default=14, show_default=True, type=click.IntRange(1, 366))
@click.option("--stores", type=int, help="Stores of another, smaller world than the sample's.")
@click.option("--items", type=int, help="Items of another, smaller world than the sample's.")
@click.pass_context
def rehearse(
    context: click.Context,
    /,
    folder: str,
    quiet_days: int,
    recovered_days: int,
    stores: int | None,
    items: int | None,
) -> None:
    """Play the story and say where its table and figure lie."""
    from grocery_demand.rehearsal.play import play_rehearsal
    from grocery_demand.rehearsal.story import Plan

    project, begun = context.obj.project_path, time.monotonic()
    _use_logging_of(project)
    world = {name: n for name, n in (("stores", stores), ("items", items)) if n is not None}

    def tell(line: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - begun), 60)
        click.echo(f"{minutes:>2}:{seconds:02} {line}", err=True)

    with _plain_errors():
        plan = Plan(quiet_days=quiet_days, recovered_days=recovered_days)
        played = play_rehearsal(project, project / folder, plan, tell, **world)
    click.echo("\nMade:")
    for path in played.paths:
        click.echo(f"  {os.path.relpath(path)}")
    click.echo(f"Next:\n  cd {folder} && kedro serve  then /monitoring and /model")


@cli.command(help=_REPRODUCE_HELP)
@click.argument("run_id")
@env_option(help="The environment whose MLflow has the run.")
@click.option(
    "--folder", default="build/reproduce", show_default=True, help="Where the copy is made."
)
@click.pass_context
def reproduce(context: click.Context, /, run_id: str, env: str | None, folder: str) -> None:
    """Say what is equal and what is not."""
    from grocery_demand.reproduction.recorded_run import ReproductionError
    from grocery_demand.reproduction.reproduce import reproduce_run

    project = context.obj.project_path
    _use_logging_of(project)
    with _plain_errors():
        _refuse_unknown_env(project / "conf", env)
        experiment = _load_context(project, env).mlflow.tracking.experiment.name

        def tell(line: str) -> None:
            click.echo(line, err=True)

        done = reproduce_run(run_id, project, project / folder, [experiment], tell)
        for finding in done.findings:
            click.echo(f"  {finding.state:<9}  {finding.subject:<18}  {finding.detail}")
        click.echo(f"\nMade again as run {done.again.run_id} in {os.path.relpath(done.copy)}")
        click.echo(f"Remove it: git worktree remove --force {os.path.relpath(done.copy)}")
        if done.differences:
            raise ReproductionError(f"Not reproduced: {', '.join(done.differences)} differ.")
    click.echo("Reproduced.")


@cli.command(name="describe-sample", help=_DESCRIBE_SAMPLE_HELP)
@click.option(
    "--folder",
    default="data/01_raw/sample",
    show_default=True,
    help="Folder that `kedro run --pipeline simulate` made.",
)
@click.pass_context
def describe_sample(context: click.Context, /, folder: str) -> None:
    """Print Markdown, the page that is kept as docs/sample.md."""
    from grocery_demand.core.simulation import statistics
    from grocery_demand.datasets.raw_folder import RawFolderDataset

    with _plain_errors():
        tables = RawFolderDataset(filepath=str(context.obj.project_path / folder)).load()
        described = statistics.describe_sample(statistics.SalesTables.of(tables))
        click.echo(statistics.render_markdown(described), nl=False)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn errors that a user can mend into one message and exit status 1."""
    try:
        yield
    except Exception as error:
        message = explain(error)
        if message is None:
            raise
        raise click.ClickException(message) from error


for _command in COMMANDS:
    _command.callback = _plain_errors()(cast("Callable[..., Any]", _command.callback))
    cli.add_command(_command)


def _use_logging_of(project: Path) -> None:
    """Take conf/logging.yml also in a subfolder: Kedro looks for it where it is called."""
    path = project / "conf" / "logging.yml"
    if path.is_file():
        configure_logging(yaml.safe_load(path.read_text(encoding="utf-8")))


def _refuse_unknown_env(conf: Path, env: str | None) -> None:
    """Raise a `ParameterError` if an environment has no folder in conf/."""
    known = sorted(path.name for path in conf.iterdir() if path.is_dir())
    if env is not None and env not in known:
        raise ParameterError(
            f"There is no environment `{env}`{suggestion(env, known)}: {conf} holds "
            f"{', '.join(known)}."
        )


def explain(error: BaseException) -> str | None:
    """Return what to tell the user about an error; None if it is a bug, not a mistake."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, GroceryDemandError):
            return str(cause)
        if isinstance(cause, ParameterValidationError):
            return "\n".join(_WRAPPED_PARAMETER.findall(str(cause))) or str(cause)
        cause = cause.__cause__ or cause.__context__
    unknown_pipeline = str(error).startswith("Failed to find the pipeline named")
    return str(error) if unknown_pipeline else None


def _is_no_user_error(_: logging.LogRecord) -> bool:
    """Keep a log record unless it is about an error that the user is told of at the end."""
    error = sys.exc_info()[1]
    return error is None or explain(error) is None


def _open_registry(project: Path, env: str | None) -> Any:
    """Return the registry that the configuration names."""
    from grocery_demand.datasets.model_registry import ModelRegistry

    return ModelRegistry(_load_context(project, env).config_loader["globals"]["model_name"])


def _publish(project: Path, env: str | None) -> None:
    """Hand the champion over to the web app, if there is a panel to forecast from."""
    catalog = _load_context(project, env).catalog
    if catalog.exists("panel"):
        catalog.save("publication", catalog.load("champion"))


def _load_context(project: Path, env: str | None) -> Any:
    from kedro.framework.session import KedroSession

    session = KedroSession.create(project_path=project, env=env, save_on_close=False)
    return session.load_context()


def _stop(*_: object) -> None:
    """End the process in order when it is told to, so that its MLflow run is closed."""
    raise SystemExit(143)
