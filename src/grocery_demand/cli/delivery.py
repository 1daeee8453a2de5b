"""Commands of delivery: serve, deploy, smoke, stop, release, verdict."""

import json
import os
import sys
from pathlib import Path

import click
from kedro.framework.cli.utils import env_option

from grocery_demand.cli.mistakes import plain_errors
from grocery_demand.cli.project import refuse_unknown_env
from grocery_demand.core.errors import GroceryDemandError

_SERVE_HELP = """Serve the champion's forecasts: web page and API.

It runs in the foreground, until Ctrl+C; `kedro deploy` starts it in the background.

\b
Examples:
  kedro serve
  kedro serve --port 8080
  GROCERY_DEMAND_API_KEY=… kedro serve --host 0.0.0.0
"""

_DEPLOY_HELP = """Start the web app in the background, or replace it.

The new process is tried on a port of its own first, and takes over without a lost request.

\b
Examples:
  kedro deploy
  kedro deploy --publication path/to/publication
  kedro deploy --to kubernetes --image registry.example/grocery-demand:1.2.0
"""

_SMOKE_HELP = """Ask a deployed app what its users ask it.

The first answer that is wrong or missing fails it. The app's API key is taken from
GROCERY_DEMAND_API_KEY.

\b
Examples:
  kedro smoke
  kedro smoke --url http://127.0.0.1:8080 --model-version 3
"""

_STOP_HELP = """Stop the app that `kedro deploy` started.

\b
Examples:
  kedro stop
"""

_RELEASE_HELP = """Check, train, deploy and smoke-test a clean commit.

If the smoke test fails, the former champion is put back. An app that does not start on trial leaves
the one that ran before; one that fails after that stays for you to look at.

\b
Examples:
  kedro release
  kedro release --checks all
  kedro release --no-train
  kedro release --params training.model=random_forest
"""

_VERDICT_HELP = """Print the gate's last verdict as Markdown.

\b
Examples:
  kedro verdict
  kedro verdict >> "$GITHUB_STEP_SUMMARY"
"""

_URL = "http://127.0.0.1:5005"


@click.command(help=_SERVE_HELP)
@env_option
@click.option("--host", help="Address to listen on (127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (5005).")
@click.option("--insecure", is_flag=True, help="Listen to the network without a key.")
@click.pass_context
@plain_errors()
def serve(
    context: click.Context, /, env: str | None, host: str | None, port: int | None, insecure: bool
) -> None:
    """Become the web app, a process that holds neither Kedro nor MLflow."""
    project = context.obj.project_path
    refuse_unknown_env(project, env)
    given = {"--env": env, "--host": host, "--port": port}
    words = [word for name, value in given.items() if value for word in (name, str(value))]
    words += ["--insecure"] if insecure else []
    os.chdir(project)
    os.execv(sys.executable, [sys.executable, "-m", "grocery_demand.serving", *words])  # noqa: S606


@click.command(help=_DEPLOY_HELP)
@env_option
@click.option(
    "--to", type=click.Choice(["here", "kubernetes"]), default="here", show_default=True,
    help="Where: on this machine, or by kubectl.",
)  # fmt: skip
@click.option("--host", help="Address to listen on (127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (5005).")
@click.option("--publication", help="Here: take over the champion that this folder publishes.")
@click.option("--image", help="Of Kubernetes: image with its tag.")
@click.option("--overlay", default="production", show_default=True, help="Of Kubernetes.")
@click.pass_context
@plain_errors()
def deploy(  # noqa: PLR0913
    context: click.Context, /, env: str | None, to: str, host: str | None, port: int | None,
    publication: str | None, image: str | None, overlay: str,
) -> None:  # fmt: skip
    """Deploy here or to a cluster."""
    from grocery_demand.delivery import kubernetes, web_app

    project = context.obj.project_path
    if to == "kubernetes":
        kubernetes.deploy(project, overlay, image, click.echo)
        click.echo("The new pods are ready.\nNext:\n  make smoke URL=…  against its address")
        return
    if publication:
        _take_over(project, env, Path(publication))
    deployed = web_app.deploy(project, click.echo, env=env, host=host, port=port)
    _tell_deployed(deployed)
    click.echo("Next:\n  kedro smoke  real requests\n  kedro stop   end it")


@click.command(help=_SMOKE_HELP)
@click.option("--url", help=f"Address of the app; that of `kedro deploy`, or {_URL}.")
@click.option("--wait", default=60.0, show_default=True, help="Seconds until it has to be ready.")
@click.option("--model-version", type=int, help="The version that has to answer.")
@click.pass_context
@plain_errors()
def smoke(
    context: click.Context, /, url: str | None, wait: float, model_version: int | None
) -> None:
    """Say what works."""
    from grocery_demand.delivery import web_app
    from grocery_demand.delivery.smoke import smoke_test

    running = web_app.find_deployed(context.obj.project_path)
    url = url or (running.url if running else _URL)
    key = os.environ.get("GROCERY_DEMAND_API_KEY", "")
    tested = smoke_test(url, click.echo, key=key, wait_seconds=wait, model_version=model_version)
    click.echo(f"{tested.url} works: version {tested.model_version}.")


@click.command(help=_STOP_HELP)
@click.pass_context
@plain_errors()
def stop(context: click.Context, /) -> None:
    """Stop it and say so."""
    from grocery_demand.delivery import web_app

    stopped = web_app.stop(context.obj.project_path)
    click.echo(f"Stopped: process {stopped.pid}, {stopped.url}" if stopped else "None runs.")


@click.command(help=_RELEASE_HELP)
@env_option
@click.option(
    "--checks", type=click.Choice(["quick", "all", "none"]), default="quick", show_default=True,
    help="quick: make check and the unit tests; all: make check and make test.",
)  # fmt: skip
@click.option("--train/--no-train", default=True, help="Or release the standing champion.")
@click.option("--params", default="", help="Of the training, as for `kedro run`.")
@click.option("--allow-dirty", is_flag=True, help="Release changes that are not committed, too.")
@click.option("--port", type=int, help="Port to listen on (5005).")
@click.pass_context
@plain_errors()
def release(
    context: click.Context, /, env: str | None, checks: str, train: bool, params: str,
    allow_dirty: bool, port: int | None,
) -> None:  # fmt: skip
    """Do all steps and say what was made."""
    from grocery_demand.delivery.release import Plan
    from grocery_demand.delivery.release import release as do_release

    plan = Plan(checks, train, params, allow_dirty, env, port)
    made = do_release(context.obj.project_path, plan, click.echo)
    tested = made.tested
    before = f", instead of version {made.former_version}" if made.former_version else ""
    is_new = made.former_version != tested.model_version
    click.echo(f"\nReleased commit {made.commit[:12]}, smoke-tested:")
    click.echo(
        f"  model   version {tested.model_version}, sales up to {tested.cutoff}"
        + (before if is_new else ", as before")
    )
    _tell_deployed(made.deployed)
    click.echo("Next:\n  kedro rollback  the previous champion back\n  kedro stop      end the app")


@click.command(help=_VERDICT_HELP)
@click.pass_context
@plain_errors()
def verdict(context: click.Context, /) -> None:
    """Print the stored verdict."""
    from grocery_demand.delivery.verdict import write_verdict

    path = context.obj.project_path / "data/08_reporting/verdict.json"
    if not path.is_file():
        raise GroceryDemandError(
            f"There is no verdict in {path}; the gate gives one: kedro run --pipeline train"
        )
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise GroceryDemandError(
            f"{path} is damaged: {error}. The gate writes it anew: kedro run --pipeline promote"
        ) from error
    click.echo(write_verdict(stored), nl=False)


def _take_over(project: Path, env: str | None, source: Path) -> None:
    from grocery_demand.delivery.handing_over import copy_publication
    from grocery_demand.serving.settings import default_env, load_settings
    from grocery_demand.storage.publication import read_publication

    settings = load_settings(project, env or default_env(), os.environ, {})
    offered = read_publication(source).pointer
    published = copy_publication(source, Path(settings.publication_dir))
    if published == offered:
        click.echo(f"Taken over from {source}: version {published.model_version}.")
    else:
        click.echo(
            f"Left aside: {source} was published {offered.published_at}, before what is served "
            f"(version {published.model_version}, published {published.published_at})."
        )


def _tell_deployed(deployed: "web_app.Deployed") -> None:  # type: ignore[name-defined]  # noqa: F821
    instead = f", instead of process {deployed.replaced}" if deployed.replaced else ""
    click.echo(f"  app     {deployed.running.url}, process {deployed.running.pid}{instead}")
    click.echo(f"  log     {os.path.relpath(deployed.log)}")
