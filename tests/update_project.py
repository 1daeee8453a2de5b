"""A folder with a panel, its sales table and a folder where files arrive, for `update`."""

import gzip
import json
from pathlib import Path

import polars as pl
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from grocery_demand.core.panel import Panel
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.datasets import (
    IncomingFolderDataset,
    JsonDataset,
    OptionalJsonDataset,
    PanelDataset,
    SalesDataset,
    TableDataset,
)
from grocery_demand.pipelines.update import create_pipeline
from small_sales import build, holidays, items, stores, to_table

HEADER = "id,date,store_nbr,item_nbr,unit_sales,onpromotion\n"
PLAN = "id,date,store_nbr,item_nbr,onpromotion\n"
OLD = {(0, 1, 5): (3.0, None), (1, 1, 5): (2.0, None), (1, 3, 7): (4.0, True)}
"""Sales of 2017-01-01 and 2017-01-02."""


class UpdateProject:
    """The files that the pipeline `update` reads and writes, in the project's own datasets."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.incoming = folder, folder / "incoming"
        self.panel_folder, self.sales_folder = folder / "panel", folder / "sales"
        self.monitored = folder / "summary.json"

    def preprocess(self, sales: dict | None = None, plan: dict | None = None) -> None:
        """Store sales and the panel made of them, as `preprocess` does."""
        sales = OLD if sales is None else sales
        SalesDataset(filepath=str(self.sales_folder)).save(to_table(sales))
        PanelDataset(filepath=str(self.panel_folder)).save(build(sales, plan or {}))

    def put(self, name: str, rows: str) -> None:
        """Put a file of sales or of a plan into the incoming folder."""
        self.incoming.mkdir(exist_ok=True)
        text = (HEADER if name.startswith("train") else PLAN) + rows
        content = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
        (self.incoming / name).write_bytes(content)

    def update(self, **bounds: object) -> dict[str, dict]:
        """Run the pipeline; return what the report says of each file."""
        SequentialRunner().run(create_pipeline(), self.catalog(**bounds))
        return {file["file"]: file for file in self.report()["files"]}

    def update_on_another_date(self) -> dict[str, object]:
        """Run the pipeline as if the former run had been on an earlier date; return its report."""
        if (stored := self.folder / "quality.json").exists():
            stored.write_text(json.dumps(self.report() | {"updated_on": "2017-01-02"}))
        self.update()
        return self.report()

    def catalog(self, **bounds: object) -> DataCatalog:
        quality = {
            "max_bad_share": 0.5,
            "max_units": 1e6,
            "first_date": "2000-01-01",
            "last_date": "2100-01-01",
            "max_gap_days": 60,
        }
        panel, sales = str(self.panel_folder), str(self.sales_folder)
        return DataCatalog(
            {
                "incoming_files": IncomingFolderDataset(filepath=str(self.incoming)),
                "standing_panel": PanelDataset(filepath=panel),
                "panel": PanelDataset(filepath=panel),
                "sales": SalesDataset(filepath=sales),
                "new_sales": SalesDataset(filepath=sales, by_day=True),
                "items": MemoryDataset(items),
                "stores": MemoryDataset(stores),
                "holidays_events": MemoryDataset(holidays),
                "params:quality": MemoryDataset(QualityParameters(**quality | bounds)),
                "former_monitoring": OptionalJsonDataset(filepath=str(self.monitored)),
                "new_data_quality": JsonDataset(filepath=str(self.folder / "quality.json")),
                "new_data_report": OptionalJsonDataset(filepath=str(self.folder / "quality.json")),
                "new_quarantined_rows": TableDataset(filepath=str(self.folder / "bad.parquet")),
            }
        )

    def panel(self) -> Panel:
        return PanelDataset(filepath=str(self.panel_folder)).load()

    def sales(self) -> pl.DataFrame:
        table = SalesDataset(filepath=str(self.sales_folder)).load().collect()
        return table.sort("date", "store_nbr", "item_nbr")

    def report(self) -> dict:
        return json.loads((self.folder / "quality.json").read_text())

    def bytes(self) -> dict[str, bytes]:
        """All that sales table and panel hold."""
        paths = [*self.panel_folder.rglob("*"), *self.sales_folder.rglob("*")]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in paths}
