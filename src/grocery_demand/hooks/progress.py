"""One line per node: which of how many, the seconds it took, and which is next."""

import logging
import time

from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

logger = logging.getLogger(__name__)


class ProgressHook:
    """Logs the progress of a run.

    A node's time goes from the loading of its inputs to the beginning of the next node, so that
    it includes what is saved: hooks are not told when a node's last output has been saved.
    """

    def __init__(self) -> None:
        self._total = 0
        self._begun: list[str] = []
        self._since = 0.0

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Count the nodes."""
        self._total, self._begun = len(pipeline.nodes), []

    @hook_impl(tryfirst=True)
    def before_dataset_loaded(self, node: Node) -> None:
        """Note that a node begins, at its first input."""
        self._begin(node.short_name)

    @hook_impl(tryfirst=True)
    def before_node_run(self, node: Node) -> None:
        """Note that a node without inputs begins."""
        self._begin(node.short_name)

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self) -> None:
        """Log the last node."""
        self._log("")

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self) -> None:
        """Log the node that failed."""
        self._log(", failed")

    def _begin(self, name: str) -> None:
        if name in self._begun:
            return
        if self._begun:
            self._log(f", next: {name}")
        else:
            logger.info("%d nodes, first: %s", self._total, name)
        self._begun.append(name)
        self._since = time.perf_counter()

    def _log(self, end: str) -> None:
        if self._begun:
            place = f"{len(self._begun):>{len(str(self._total))}}/{self._total}"
            seconds = time.perf_counter() - self._since
            logger.info("%s %s: %.1f s%s", place, self._begun[-1], seconds, end)
