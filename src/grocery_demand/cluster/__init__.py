"""The same pipelines over many machines, on Dask: the one module that maps and reduces."""

from grocery_demand.cluster.datasets import PartedPanelDataset, PartedPublicationDataset

__all__ = ["PartedPanelDataset", "PartedPublicationDataset"]
