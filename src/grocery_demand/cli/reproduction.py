"""The command that makes a recorded run again: reproduce."""

import os

import click
from kedro.framework.cli.utils import env_option

from grocery_demand.cli.mistakes import plain_errors
from grocery_demand.cli.project import load_context, refuse_unknown_env, use_logging_of

_REPRODUCE_HELP = """Make a training run again and compare what comes out.

It is made from its code, data and parameters, in a git worktree of its commit, with a store of its
own; the champion is not touched. The exit status is 1 if anything differs that should be equal.

\b
Examples:
  kedro reproduce 0123456789abcdef0123456789abcdef
  kedro reproduce 0123456789abcdef0123456789abcdef --env production
"""


@click.command(help=_REPRODUCE_HELP)
@click.argument("run_id")
@env_option(help="The environment whose MLflow has the run.")
@click.option(
    "--folder", default="build/reproduce", show_default=True, help="Where the copy is made."
)
@click.pass_context
@plain_errors()
def reproduce(context: click.Context, /, run_id: str, env: str | None, folder: str) -> None:
    """Say what is equal and what is not."""
    from grocery_demand.reproduction.recorded_run import ReproductionError
    from grocery_demand.reproduction.reproduce import reproduce_run

    project = context.obj.project_path
    use_logging_of(project)
    refuse_unknown_env(project, env)
    experiment = load_context(project, env).mlflow.tracking.experiment.name

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
