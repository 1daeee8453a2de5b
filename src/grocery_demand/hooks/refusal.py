"""Refuses pipelines that an environment is not made for, before anything runs."""

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

_PLACES = ("sales_parts", "panel_parts", "forecast_parts")


class RefusalHook:
    """Looks through a pipeline's inputs for what the environment's catalog refuses.

    Where things lie in parts, it looks through their places, too.
    """

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Refuse places of parts that are not apart from each other and from the joined panel.

        Raises:
            PlacesError: With the names of the settings.
        """
        known = context.config_loader["globals"]
        uris = {f"`{name}` of globals.yml": known[name] for name in _PLACES if name in known}
        if not uris:
            return
        from grocery_demand.storage.place import Place, require_apart

        joined = context.config_loader["catalog"]["panel"]["joined"]["filepath"]
        uris["the folder of the joined panel"] = joined
        folder = context.project_path
        require_apart(
            {name: Place(uri if "://" in uri else str(folder / uri)) for name, uri in uris.items()}
        )

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
