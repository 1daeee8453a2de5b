"""The command that plays the closed loop: rehearse."""

import os
import time

import click

from grocery_demand.cli.mistakes import plain_errors
from grocery_demand.cli.project import use_logging_of

_REHEARSE_HELP = """Play the whole loop on simulated days, in a copy.

Four quiet weeks, then demand shifts: the live error grows, a challenger is trained and promoted,
the running web app follows. A worse model is not promoted, a broken feed is not trained on.

\b
Examples:
  kedro rehearse
  kedro rehearse --quiet-days 10 --recovered-days 10 --stores 5 --items 100
"""


@click.command(help=_REHEARSE_HELP)
@click.option("--folder", default="build/loop", show_default=True, help="Where the copy is made.")
@click.option(
    "--quiet-days", default=28, show_default=True, type=click.IntRange(3, 366),
    help="Days before demand shifts.",
)  # fmt: skip
@click.option(
    "--recovered-days", default=14, show_default=True, type=click.IntRange(1, 366),
    help="Days after the retraining, until the feed breaks.",
)  # fmt: skip
@click.option("--stores", type=int, help="Stores of another, smaller world than the sample's.")
@click.option("--items", type=int, help="Items of another, smaller world than the sample's.")
@click.pass_context
@plain_errors()
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
    use_logging_of(project)
    world = {name: n for name, n in (("stores", stores), ("items", items)) if n is not None}

    def tell(line: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - begun), 60)
        click.echo(f"{minutes:>2}:{seconds:02} {line}", err=True)

    plan = Plan(quiet_days=quiet_days, recovered_days=recovered_days)
    played = play_rehearsal(project, project / folder, plan, tell, **world)
    click.echo("\nMade:")
    for path in played.paths:
        click.echo(f"  {os.path.relpath(path)}")
    click.echo(f"Next:\n  cd {folder} && kedro serve  then /monitoring and /model")
