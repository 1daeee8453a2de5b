"""Every registered pipeline with its nodes."""

from reference.docstrings import first_sentence
from reference.markdown import code, codes, join, section, table
from reference.project import pipelines

MEANINGS = {
    "__default__": "The whole loop, as `kedro run` without `--pipeline`: from raw files to a "
    "champion, its forecasts and the report.",
    "preprocess": "Check the raw files, set bad rows aside, make the panel.",
    "fit": "Backtest, train a challenger on the panel, score and register it.",
    "train": "`preprocess`, `fit`, `promote`, `publish`.",
    "promote": "Judge the challenger; make it champion if it is better.",
    "publish": "Hand the champion and the panel to the web app.",
    "forecast": "Forecast every series with the champion.",
    "report": "Draw the figures, write the model card and the report.",
    "retrain": "Take in new files as `update` does, then `refit`.",
    "update": "Take in new files, forecast every series again, hand it to the web app.",
    "refit": "Train, judge, forecast and report on the panel as it stands.",
    "monitor": "Look at what was served and what was sold; advise.",
    "simulate": "Make the simulated world's raw files.",
    "simulate_days": "Make files of new days of the simulated world, as they would arrive.",
}


def write_pipelines() -> str:
    """Return a table of the pipelines, and a section with the nodes of each part.

    A node that several pipelines share stands in the first one that is no sum of others.
    """
    rows = [
        (code(name), MEANINGS.get(name, ""), len(pipeline.nodes))
        for name, pipeline in pipelines().items()
    ]
    overview = table(("pipeline", "what it does", "nodes"), rows)
    return join([overview, *_write_parts()])


def _write_parts() -> list[str]:
    """Return a section of nodes for each pipeline, the smallest first, without those told of."""
    told: set[str] = set()
    parts = []
    smallest_first = sorted(pipelines().items(), key=lambda named: len(named[1].nodes))
    for name, pipeline in smallest_first:
        rows = [
            (code(node.name), first_sentence(node.func), codes(node.inputs), codes(node.outputs))
            for node in pipeline.nodes
            if node.name not in told
        ]
        told |= {node.name for node in pipeline.nodes}
        if rows:
            body = table(("node", "what it does", "reads", "writes"), rows)
            parts.append(section(2, f"Nodes of {code(name)}", body))
    return parts
