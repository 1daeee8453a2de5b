"""The command about the sample: describe-sample."""

import click

from grocery_demand.cli.mistakes import plain_errors

_DESCRIBE_SAMPLE_HELP = """Print statistics of simulated sales beside real ones.

\b
Examples:
  kedro describe-sample
  kedro describe-sample > docs/sample.md
  kedro describe-sample --folder data/01_raw/longer
"""


@click.command(name="describe-sample", help=_DESCRIBE_SAMPLE_HELP)
@click.option(
    "--folder",
    default="data/01_raw/sample",
    show_default=True,
    help="Folder that `kedro run --pipeline simulate` made.",
)
@click.pass_context
@plain_errors()
def describe_sample(context: click.Context, /, folder: str) -> None:
    """Print Markdown, the page that is kept as docs/sample.md."""
    from grocery_demand.core.simulation import statistics
    from grocery_demand.datasets.raw_folder import RawFolderDataset

    tables = RawFolderDataset(filepath=str(context.obj.project_path / folder)).load()
    described = statistics.describe_sample(statistics.SalesTables.of(tables))
    click.echo(statistics.render_markdown(described), nl=False)
