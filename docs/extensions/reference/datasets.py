"""Every dataset of the catalog, and every file below data/."""

from collections.abc import Iterator
from typing import Any

from reference.docstrings import first_sentence
from reference.markdown import code, join, section, table
from reference.project import catalog, entry_of, pipelines

_LAYERS = {
    "01 raw": "Raw: what arrives, and what is read as if it did",
    "02 intermediate": "Intermediate: checked tables",
    "03 primary": "Primary: the panel",
    "06 models": "Models: versions by alias, and the gate's verdict",
    "05 backtest": "Backtest: what intervals and scores are made from",
    "07 model output": "Model output: forecasts, and what is handed to the web app",
    "08 reporting": "Reporting: figures, cards, what monitoring found",
    "other": "Beside the layers: what the registry says",
}


def write_catalog() -> str:
    """Return a section for each layer, with a table of its datasets."""
    layers: dict[str, list[str]] = {}
    for name, entry in catalog().items():
        layers.setdefault(layer_of(entry), []).append(name)
    parts = []
    for layer, names in layers.items():
        title = _LAYERS.get(layer, layer.capitalize())
        rows = [
            (code(n), description_of(catalog()[n]), _type_of(catalog()[n]), _place(catalog()[n]))
            for n in names
        ]
        body = table(("dataset", "what it is", "type", "where"), rows)
        parts.append(section(2, title, body, *_write_named(names)))
    return join(parts)


def layer_of(entry: dict[str, Any]) -> str:
    """Return an entry's layer in the lineage."""
    return str(entry.get("metadata", {}).get("kedro-viz", {}).get("layer", "other"))


def description_of(entry: dict[str, Any]) -> str:
    """Return what an entry says that it is; empty if it does not."""
    return str(entry.get("metadata", {}).get("description", ""))


def made_by_pattern(pattern: str) -> list[str]:
    """Return the datasets of the pipelines that a pattern stands for, in order."""
    used = set().union(*(pipeline.datasets() for pipeline in pipelines().values()))
    return sorted(name for name in used if entry_of(name) == pattern)


def _write_named(names: list[str]) -> Iterator[str]:
    """Return a table for each pattern: what it stands for, by the nodes that make it."""
    nodes = [node for pipeline in pipelines().values() for node in pipeline.nodes]
    makers = {name: node for node in nodes for name in node.outputs}
    for pattern in (name for name in names if "{" in name):
        rows = [
            (code(name), code(makers[name].name), first_sentence(makers[name].func))
            for name in made_by_pattern(pattern)
        ]
        yield f"{code(pattern)} stands for:"
        yield table(("dataset", "made by", "which does"), rows)


def _type_of(entry: dict[str, Any]) -> str:
    """Return the dataset's class; of an artifact of the MLflow run, the class of its file."""
    inner = entry.get("dataset")
    kind = str((inner or entry)["type"]).rpartition(".")[2]
    return code(kind) + (", on the MLflow run" if inner else "")


def _place(entry: dict[str, Any]) -> str:
    path = (entry.get("dataset") or entry).get("filepath")
    if path:
        return code(path)
    return f"registered model {code(entry['name'])}" if "name" in entry else ""
