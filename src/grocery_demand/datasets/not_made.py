"""What is said of a dataset that no run has made yet."""

from kedro.io import DatasetError

from grocery_demand.core.errors import GroceryDemandError


class NotMadeYetError(GroceryDemandError, DatasetError):
    """A dataset is asked for before a run has made it; Kedro passes it on as it is."""
