"""Refuses pipelines that an environment is not made for, before anything runs."""

from typing import TYPE_CHECKING

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

if TYPE_CHECKING:
    from grocery_demand.storage.place import Place

_PLACES = {"sales_parts": "sales", "panel_parts": "panel", "forecast_parts": "forecasts"}
"""The settings that name places of parts, and the dataset that lies in each."""


class RefusalHook:
    """Looks through a pipeline's inputs for what the environment's catalog refuses.

    Where things lie in parts, it looks through their places, too.
    """

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Refuse places of parts that are not apart from each other and from the joined panel.

        Raises:
            PlacesError: With the names of the settings.
        """
        known = context.config_loader["globals"]
        self._places = {}
        if not known.keys() & _PLACES.keys():
            return
        from grocery_demand.storage.place import Place, require_apart

        def find(uri: str) -> Place:
            return Place(uri if "://" in uri else str(context.project_path / uri))

        self._places = {name: find(known[name]) for name in _PLACES if name in known}
        joined = context.config_loader["catalog"]["panel"]["joined"]["filepath"]
        require_apart(
            {_say_setting(name): place for name, place in self._places.items()}
            | {"the folder of the joined panel": find(joined)}
        )

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Refuse the run if it needs such an input, or cannot write parts where they are to lie.

        Raises:
            RefusedError: With the reason, and what to type instead.
            PlacesError: With the names of the settings, and the causes.
        """
        require_offered(pipeline, catalog)
        made, read = pipeline.all_outputs(), pipeline.inputs()
        written = {
            _say_setting(name): place
            for name, place in self._places.items()
            if _PLACES[name] in made or (name == "sales_parts" and "raw_sales" in read)
        }
        if written:
            from grocery_demand.storage.place import require_writable

            require_writable(written)


def require_offered(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Refuse a pipeline that needs what the environment's catalog does not offer.

    Raises:
        RefusedError: With the reason, and what to type instead.
    """
    from grocery_demand.datasets.refused import RefusedDataset

    for name in sorted(pipeline.inputs()):
        dataset = catalog.get(name)
        if isinstance(dataset, RefusedDataset):
            dataset.load()


def _say_setting(name: str) -> str:
    return f"`{name}` of globals.yml"
