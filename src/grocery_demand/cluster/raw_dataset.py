"""The dataset of train as the workers of a cluster check it."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset

from grocery_demand.cluster.datasets import SALES, require_number
from grocery_demand.cluster.raw_sales import ClusterRawSales
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.datasets.preview import ROWS, TablePreview
from grocery_demand.datasets.raw_table import RawTableDataset
from grocery_demand.storage.parted_table import TablePlace


class PartedRawSalesDataset(AbstractDataset[RawTable, ClusterRawSales]):
    """Train, read by the driver and checked by the workers, who write its rows in parts.

    Args:
        filepath: The folder of the raw files; only the driver has to reach it.
        table: Kaggle's name of the table.
        sales: Where the parts are to lie, as `filepath`: the place of the dataset `sales`.
        parts: Parts into which the sales are cut.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(
        self,
        *,
        filepath: str,
        table: str,
        sales: dict[str, str],
        parts: int = 8,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._raw = RawTableDataset(filepath=filepath, table=table)
        self._folder, self._n_parts = Path(filepath), require_number(parts)
        self._place = TablePlace(sales["filepath"], *SALES)
        self.metadata = metadata

    def load(self) -> ClusterRawSales:
        """Find the file and hash it; reading and checking it come later.

        Raises:
            RawFileError: If the folder or the file is missing, or there are two such files.
        """
        return ClusterRawSales(self._raw.load(), self._place, self._n_parts)

    def preview(self, nrows: int = ROWS) -> TablePreview:
        """Return the first rows as they stand in the file, for kedro-viz."""
        return self._raw.preview(nrows)

    def save(self, data: RawTable) -> NoReturn:
        """Refuse: raw files are never written to."""
        self._raw.save(data)

    def _exists(self) -> bool:
        return self._raw.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder), "sales": self._place.uri, "parts": self._n_parts}
