"""The same pipelines over many machines, on Dask: the one module that maps and reduces."""

from grocery_demand.cluster.datasets import (
    PartedForecastsDataset,
    PartedPanelDataset,
    PartedPublicationDataset,
    PartedSalesDataset,
)

__all__ = [
    "PartedForecastsDataset",
    "PartedPanelDataset",
    "PartedPublicationDataset",
    "PartedSalesDataset",
]
