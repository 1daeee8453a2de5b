"""What the code says of itself, written as Markdown for the pages in docs/reference."""

from collections.abc import Callable

from reference.commands import write_commands, write_targets
from reference.datasets import write_catalog
from reference.nodes import write_pipelines
from reference.parameters import write_globals, write_parameters
from reference.web import write_api, write_events, write_metrics, write_settings
from reference.written_files import write_advice, write_summary, write_verdict

WRITERS: dict[str, Callable[[], str]] = {
    "parameters": write_parameters,
    "globals": write_globals,
    "catalog": write_catalog,
    "pipelines": write_pipelines,
    "commands": write_commands,
    "make-targets": write_targets,
    "api": write_api,
    "metrics": write_metrics,
    "settings": write_settings,
    "events": write_events,
    "verdict": write_verdict,
    "advice": write_advice,
    "summary": write_summary,
}
"""What stands for `<!-- generated: NAME -->`, by name."""
