"""Commands that change which model answers: rollback, challenger."""

import click
from kedro.framework.cli.utils import env_option

from grocery_demand.cli.mistakes import plain_errors
from grocery_demand.cli.project import open_registry, publish, refuse_unknown_env, use_logging_of
from grocery_demand.core.errors import ParameterError

_ROLLBACK_HELP = """Put the previous champion back.

The one it replaces becomes `previous`, so that a second rollback undoes the first.

\b
Examples:
  kedro rollback
  kedro rollback --reason "forecasts too high since Monday"
"""

_CHALLENGER_HELP = """Serve a challenger beside the champion, or promote it.

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


@click.command(help=_ROLLBACK_HELP)
@env_option
@click.option("--reason", default="rolled back by hand", help="Why; kept in the history.")
@click.pass_context
@plain_errors()
def rollback(context: click.Context, /, env: str | None, reason: str) -> None:
    """Swap `champion` and `previous`, also while a run is going on."""
    project = context.obj.project_path
    use_logging_of(project)
    refuse_unknown_env(project, env)
    change = open_registry(project, env).roll_back(reason)
    publish(project, env)
    click.echo(
        f"Champion is version {change.champion} again, instead of version {change.replaced}, "
        f"which is `previous` now. Recorded: {change.by}, {change.at}."
    )
    click.echo("The web app follows within seconds.")
    click.echo("Next:\n  kedro run --pipeline forecast  forecasts of the restored champion")


@click.command(help=_CHALLENGER_HELP)
@click.argument("mode", required=False, type=click.Choice(["shadow", "canary", "promote", "off"]))
@click.option("--share", type=float, help="Share of the series, above 0 and up to 1.")
@click.option("--version", type=int, help="Number of the version.")
@click.option("--reason", default="by hand", help="Why; kept in the history.")
@env_option
@click.pass_context
@plain_errors()
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
    use_logging_of(project)
    refuse_unknown_env(project, env)
    registry = open_registry(project, env)
    if mode in ("shadow", "canary"):
        challenger_control.serve_challenger(registry, mode, share, version, reason)
    elif share is not None or version is not None:
        raise ParameterError("--share and --version belong to `shadow` and `canary`.")
    elif mode == "promote":
        challenger_control.promote_challenger(registry, reason)
    elif mode == "off":
        registry.rollouts.end(reason)
    if mode is not None:
        publish(project, env)
    for line in challenger_control.describe_served(registry):
        click.echo(line)
    if mode is not None:
        click.echo("The web app follows within seconds.")
