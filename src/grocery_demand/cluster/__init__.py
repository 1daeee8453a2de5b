"""The same pipelines over many machines, on Dask: the one module that maps and reduces."""

from grocery_demand.core.errors import GroceryDemandError

try:
    from grocery_demand.cluster.datasets import (
        PartedForecastsDataset,
        PartedPanelDataset,
        PartedSalesDataset,
    )
    from grocery_demand.cluster.publication import PartedPublicationDataset
    from grocery_demand.cluster.raw_dataset import PartedRawSalesDataset
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in ("dask", "distributed"):
        raise
    raise GroceryDemandError(
        f"--env cluster needs the extra `cluster`, which brings Dask ({error}). Type `make setup`, "
        "which installs it, or `pip install '.[cluster]'` in the project's folder; or leave "
        "--env cluster out."
    ) from error

__all__ = [
    "PartedForecastsDataset",
    "PartedPanelDataset",
    "PartedPublicationDataset",
    "PartedRawSalesDataset",
    "PartedSalesDataset",
]
