"""Commands of this project, added to Kedro's own: `kedro --help` lists them.

Kedro imports this package for every command, so that slow libraries are imported by the commands
that need them.
"""

import click
from kedro.framework.cli.utils import CONTEXT_SETTINGS

from grocery_demand.cli import champion, delivery, loop, reproduction, running, sample

COMMANDS = (
    running.run,
    running.daily,
    champion.rollback,
    champion.challenger,
    delivery.serve,
    delivery.deploy,
    delivery.smoke,
    delivery.stop,
    delivery.release,
    delivery.verdict,
    loop.rehearse,
    reproduction.reproduce,
    sample.describe_sample,
)


@click.group(context_settings=CONTEXT_SETTINGS, name="grocery-demand")
def cli() -> None:
    """Forecasts of grocery demand: begin with `kedro run`, then `kedro serve`."""


for _command in COMMANDS:
    cli.add_command(_command)
