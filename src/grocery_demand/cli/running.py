"""Commands that run pipelines: run, daily."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import env_option

from grocery_demand.cli.mistakes import Terminated, leave_out_of_logs, plain_errors
from grocery_demand.cli.project import refuse_unknown_env, use_logging_of
from grocery_demand.core.errors import GroceryDemandError

_RUN_HELP = """Run the whole loop, or the pipeline that is named.

The whole loop goes from raw sales to forecasts and report. `kedro registry list` names the
pipelines; conf/base/parameters.yml has every parameter, with what it means.

\b
Examples:
  kedro run
  kedro run --pipeline train --params training.model=random_forest
  kedro run --env kaggle
  kedro run --params raw_dir=path/to/folder
"""

_DAILY_HELP = """Take in new files, forecast, monitor, retrain if advised.

Made for a schedule, once a day. It fails if the feed is broken, so that somebody looks.

\b
Examples:
  kedro daily
  kedro daily --env production
  kedro daily --params new_dir=data/01_raw/resent,quality.max_bad_share=0.05
"""

_PARAMS = next(param for param in kedro_run.params if param.name == "params")


@click.command(name="run", params=kedro_run.params, help=_RUN_HELP)
@click.pass_context
@plain_errors()
def run(context: click.Context, /, **options: Any) -> None:
    """Run a pipeline as Kedro does, one run at a time; say mendable errors in one message."""
    if options["pipeline"] and not options["pipelines"]:
        options["pipelines"] = [options["pipeline"]]
        options["pipeline"] = None
    with _alone(context.obj.project_path, options["env"]):
        context.invoke(kedro_run, **options)


@click.command(help=_DAILY_HELP, params=[_PARAMS])
@env_option
@click.pass_context
@plain_errors()
def daily(context: click.Context, /, env: str | None, params: dict[str, Any]) -> None:
    """Do the day's work; the exit status says whether somebody has to look."""
    from grocery_demand.core.monitoring.advice import CHECK_FEED
    from grocery_demand.daily import TAKE_IN_AND_FORECAST, Project, do_days_work

    path = context.obj.project_path
    with _alone(path, env):
        project = Project(path, env, params)
        if env:
            project.require(TAKE_IN_AND_FORECAST)
        outcome = do_days_work(project, click.echo)
    click.echo(f"\nAdvice: {outcome.advice['decision']}")
    for reason in outcome.advice["reasons"]:
        click.echo(f"  - {reason}")
    if outcome.verdict:
        click.echo(f"Gate: {outcome.verdict['reasons'][0]}")
    click.echo("Next:\n  kedro serve  then /monitoring: each check, since when, what to do")
    if outcome.advice["decision"] == CHECK_FEED:
        raise GroceryDemandError(
            "The feed of sales is broken; nothing was retrained on it. Forecasts rest on its days "
            "all the same, until corrected files are taken in."
        )


@contextmanager
def _alone(project: Path, env: str | None) -> Iterator[None]:
    """Hold the project's data for one run, which logs as conf/ says and ends in order."""
    from grocery_demand.hooks.run_lock import run_lock

    use_logging_of(project)
    leave_out_of_logs()
    signal.signal(signal.SIGTERM, _stop)
    with run_lock(project / "data"):
        refuse_unknown_env(project, env)
        yield


def _stop(*_: object) -> None:
    """End the process in order when it is told to, so that its MLflow run is closed."""
    raise Terminated(143)
