"""Kedro datasets of what lies in parts."""

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
from kedro.io import AbstractDataset, DatasetError

from grocery_demand.cluster.client import connect, list_workers
from grocery_demand.cluster.panel import ClusterPanel, cut_panel
from grocery_demand.cluster.sales import ClusterSales, let_stand, write_sales
from grocery_demand.cluster.tables import ClusterTable
from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.panel import Panel
from grocery_demand.core.quality.sales_staging import KeptSales
from grocery_demand.storage.manifest import PartedPlaceError
from grocery_demand.storage.panel_folder import read_digest
from grocery_demand.storage.panel_joining import require_newest
from grocery_demand.storage.parted_panel import PartedPlace
from grocery_demand.storage.parted_table import TablePlace, copy_table

SALES = (
    "sales table in parts",
    "Make it with `kedro run --pipeline preprocess --env cluster`.",
)
_FORECASTS = (
    "table of forecasts in parts",
    "Make it with `kedro run --pipeline forecast --env cluster`.",
)


class PartedFileError(GroceryDemandError, DatasetError):
    """What lies in parts is not there or not of this version; Kedro passes it on as it is."""


def require_number(parts: int) -> int:
    """Return the number of parts.

    Raises:
        PartedFileError: If it is none.
    """
    if not isinstance(parts, int) or isinstance(parts, bool) or parts < 1:
        raise PartedFileError(
            f"`parts` is {parts!r}; allowed: a whole number from 1, at least as many as there "
            "are workers. It is set in conf/cluster/globals.yml."
        )
    return parts


class PartedSalesDataset(AbstractDataset[pl.DataFrame | pl.LazyFrame | KeptSales, ClusterSales]):
    """The sales table cut by store into parts, in a folder or on S3.

    In its folder of `sales`, one machine reads it as the same table.

    Args:
        filepath: A folder that driver and workers reach by the same name, or `s3://bucket/prefix`.
        parts: Parts into which the table is cut; the panel is made in as many.
        copy: One machine's folder as `filepath`, into which they are copied part by part.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(
        self,
        *,
        filepath: str,
        parts: int = 8,
        copy: dict[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._place, self._n_parts = TablePlace(filepath, *SALES), require_number(parts)
        self._home = _place_of_copy(self._place, copy)
        self._filepath = None if self._place.is_remote else filepath
        self.metadata = metadata

    def load(self) -> ClusterSales:
        """Return the table; its parts are read by the workers.

        Raises:
            PartedFileError: If there is none, or `update` has put days beside it since.
        """
        home = self._home or self._place
        later = [] if home.is_remote else list(home.folder.glob("day-*.parquet"))
        if later:
            raise PartedFileError(
                f"{home.uri} holds {len(later)} files of days that `update` took in, which "
                f"are not in the parts yet. Read all raw files anew: {SALES[1]}"
            )
        try:
            return ClusterSales(connect(), self._place)
        except PartedPlaceError as error:
            raise PartedFileError(str(error)) from error

    def save(self, data: pl.DataFrame | pl.LazyFrame | KeptSales) -> None:
        """Let the parts stand; of a whole table they are written first.

        Raises:
            PartedFileError: If they were written for another place.
        """
        if isinstance(data, KeptSales):
            try:
                let_stand(data, self._place)
            except PartedPlaceError as error:
                raise PartedFileError(str(error)) from error
        else:
            write_sales(data.lazy().collect(), self._place, self._n_parts)
        if self._home:
            copy_table(self._place, self._home)

    def _exists(self) -> bool:
        return self._place.is_there()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._place.uri, "parts": self._n_parts}


class PartedForecastsDataset(AbstractDataset[pd.DataFrame | ClusterTable, ClusterTable]):
    """Forecasts in parts, in a folder or on S3, each written by the worker that made it.

    In its place of `forecasts`, one machine reads them as the same table.

    Args:
        filepath: A folder that driver and workers reach by the same name, or `s3://bucket/prefix`.
        copy: One machine's table as `filepath`, into which they are copied part by part.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(
        self,
        *,
        filepath: str,
        copy: dict[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._place = TablePlace(filepath, *_FORECASTS)
        self._home = _place_of_copy(self._place, copy)
        self._filepath = None if self._place.is_remote else filepath
        self.metadata = metadata

    def load(self) -> ClusterTable:
        """Return the table; its parts are read by the workers.

        Raises:
            PartedFileError: If there is none.
        """
        try:
            return ClusterTable.read(connect(), self._place)
        except PartedPlaceError as error:
            raise PartedFileError(str(error)) from error

    def save(self, data: pd.DataFrame | ClusterTable) -> None:
        """Have the parts written, then let all of them stand; a whole table is one part."""
        if isinstance(data, pd.DataFrame):
            version = self._place.new_version()
            self._place.write_part(version, 0, pa.Table.from_pandas(data, preserve_index=False))
            self._place.finish(version, 1, {"rows": [len(data)]})
        else:
            data.write(self._place)
        if self._home:
            copy_table(self._place, self._home)

    def _exists(self) -> bool:
        return self._place.is_there()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._place.uri}


def _place_of_copy(place: TablePlace, copy: dict[str, str] | None) -> TablePlace | None:
    """Return where one machine looks for the table, if it would not find the parts themselves."""
    home = TablePlace(copy["filepath"], place.thing, place.mend) if copy else None
    return None if home == place else home


class PartedPanelDataset(AbstractDataset[Panel | ClusterPanel, ClusterPanel]):
    """A panel cut by store into parts, in a folder or on S3, that the workers of a cluster read.

    Args:
        filepath: A folder that driver and workers reach by the same name, or `s3://bucket/prefix`.
        parts: Parts into which a whole panel is cut; one that is made of parts keeps these.
        joined: One machine's panel as `filepath`: parts that are older than it are refused.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(
        self,
        *,
        filepath: str,
        parts: int = 8,
        joined: dict[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._place, self._n_parts = PartedPlace(filepath), parts
        self._joined = Path(joined["filepath"]) if joined else None
        self._filepath = None if self._place.is_remote else filepath
        self._loaded: ClusterPanel | None = None
        self.metadata = metadata

    def load(self) -> ClusterPanel:
        """Return the panel; its parts are read by the workers.

        Raises:
            PartedFileError: If there is none, of another version, or older than the joined one.
        """
        try:
            if self._joined:
                require_newest(self._place, self._joined)
            standing = self._place.read_manifest()["panel"]
        except PartedPlaceError as error:
            raise PartedFileError(str(error)) from error
        if self._loaded is None or self._loaded.version != standing:
            self._loaded = ClusterPanel.read(connect(), self._place)
        return self._loaded

    def save(self, data: Panel | ClusterPanel) -> None:
        """Have the parts written beside the former panel, then name them as what stands."""
        beside = read_digest(self._joined) if self._joined else None
        if isinstance(data, Panel):
            cut_panel(data, self._place, self._n_parts, beside)
        else:
            data.write(self._place, beside)

    def describe_cluster(self) -> dict[str, str]:
        """Return tags for how many workers there are, and into how many parts a panel is cut."""
        return {"workers": str(len(list_workers(connect()))), "parts": str(self._n_parts)}

    def _exists(self) -> bool:
        return self._place.is_there()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._place.uri, "parts": self._n_parts}
