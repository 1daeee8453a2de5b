"""Refuses pipelines that an environment is not made for, before anything runs."""

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline


class RefusalHook:
    """Looks through a pipeline's inputs for what the environment's catalog refuses."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Refuse the run if it needs such an input.

        Raises:
            RefusedError: With the reason, and what to type instead.
        """
        from grocery_demand.datasets.refused import RefusedDataset

        for name in sorted(pipeline.inputs()):
            dataset = catalog.get(name)
            if isinstance(dataset, RefusedDataset):
                dataset.load()
