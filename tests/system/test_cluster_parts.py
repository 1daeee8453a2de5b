"""Sales, panel and forecasts by store group: made, written and read again by worker processes."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

pytest.importorskip("distributed", reason="Dask is missing: the extra `cluster`")

from distributed import Client
from pyarrow import fs

from cluster_workers import two_workers
from grocery_demand.cluster import (
    PartedForecastsDataset,
    PartedPanelDataset,
    PartedSalesDataset,
)
from grocery_demand.cluster.datasets import SALES, PartedFileError
from grocery_demand.cluster.raw_sales import ClusterRawSales
from grocery_demand.core.errors import RawDataError
from grocery_demand.core.panel import Panel
from grocery_demand.core.panel_in_parts import SmallTables, make_panel_of
from grocery_demand.core.quality.checking import check_table
from grocery_demand.core.quality.report import describe_quality, list_quarantined_rows
from grocery_demand.core.quality.rows import read_blocks
from grocery_demand.core.quality.sales_in_parts import check_sales_table
from grocery_demand.core.table_parts import derive_table, gather_table
from grocery_demand.datasets import SalesDataset, TableDataset
from grocery_demand.storage.manifest import PartedPlaceError
from grocery_demand.storage.panel_folder import read_panel
from grocery_demand.storage.panel_joining import join_parts
from grocery_demand.storage.parted_panel import PartedPlace
from grocery_demand.storage.parted_table import TablePlace
from grocery_demand.storage.place import Place
from moto_s3 import BUCKET, running_s3
from published import wait_for
from raw_sales import BOUNDS, HEADER, make_raw, rules_of, spoil
from same_panels import assert_same
from selling import make_sales

N_STORES = 7


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with running_s3() as environment:
        yield environment


@pytest.fixture(scope="module")
def client(s3) -> Iterator[Client]:
    """Two workers that reach the S3."""
    with two_workers(s3, sys.modules[__name__]) as client:
        yield client


@pytest.fixture(scope="module")
def tables() -> tuple[pl.DataFrame, SmallTables]:
    """Checked sales of some stores, one of which sells nothing, and the tables beside them."""
    return make_sales(n_stores=N_STORES, n_items=30, n_days=90)


@pytest.fixture(scope="module")
def whole(tables) -> Panel:
    sales, small = tables
    return make_panel_of(sales.lazy(), small, "d", simulated=True)


@pytest.fixture(params=["folder", "s3"])
def root(request, client, s3, tmp_path) -> str:
    if request.param == "folder":
        return str(tmp_path)
    if not s3:
        pytest.skip("moto is missing: make tools")
    return f"s3://{BUCKET}/{tmp_path.name}"


def test_the_panel_that_workers_make_and_write_is_one_machines_to_the_bit(
    root, tables, whole, tmp_path
):
    sales = PartedSalesDataset(filepath=f"{root}/sales", parts=4)
    panel = PartedPanelDataset(filepath=f"{root}/panel")
    assert not sales.exists()
    sales.save(tables[0])
    made = make_panel_of(sales.load(), tables[1], "d", simulated=True)
    assert (made.n_parts, made.n_series, made.n_planned_days) == (4, whole.n_series, 16)
    panel.save(made)
    join_parts(PartedPlace(f"{root}/panel"), tmp_path / "joined")
    assert_same(read_panel(tmp_path / "joined"), whole)
    assert panel.load().bounds[-1] == whole.n_series


def test_sales_in_parts_are_a_table_still_and_copied_for_one_machine(root, tables, tmp_path):
    home = str(tmp_path / "home")
    dataset = PartedSalesDataset(filepath=f"{root}/sales", parts=3, copy={"filepath": home})
    dataset.save(tables[0].lazy())
    order = ["date", "store_nbr", "item_nbr"]
    for table in (dataset.load().lazy(), SalesDataset(filepath=home).load()):
        assert table.collect().sort(order).equals(tables[0].sort(order))


def test_one_machine_reads_sales_that_a_cluster_left_in_its_folder_and_replaces_them(
    client, tables, tmp_path
):
    folder = str(tmp_path / "sales")
    one, cluster = SalesDataset(filepath=folder), PartedSalesDataset(filepath=folder, parts=3)
    one.save(tables[0].head(5))
    cluster.save(tables[0])
    assert one.exists()
    assert one.load().collect().height == tables[0].height
    SalesDataset(filepath=folder, by_day=True).save(tables[0].head(5))
    with pytest.raises(PartedFileError, match="kedro run --pipeline preprocess --env cluster"):
        cluster.load()
    one.save(tables[0].head(5))
    assert one.load().collect().height == 5
    with pytest.raises(PartedFileError, match="no sales table in parts"):
        cluster.load()


def list_names(root: str) -> list[str]:
    """Return all files of a folder or a prefix."""
    system, path = Place(root)._open()
    found = system.get_file_info(fs.FileSelector(path, recursive=True, allow_not_found=True))
    return [each.path for each in found if each.is_file]


def test_train_that_workers_check_is_what_one_machine_checks_to_the_bit(root, tables):
    sales, small = tables
    raw, rules = make_raw(spoil(sales, small)), rules_of(small)
    whole = check_table(raw, rules, BOUNDS)
    assert len(whole.reasons) == 11
    dataset = PartedSalesDataset(filepath=f"{root}/sales", parts=4)
    place = TablePlace(f"{root}/sales", *SALES)

    parts = check_sales_table(ClusterRawSales(raw, place, 4), rules, BOUNDS)
    assert not dataset.exists()
    dataset.save(parts.kept)

    assert describe_quality([parts], parts.kept) == describe_quality([whole], whole.kept)
    assert list_quarantined_rows([parts]).equals(list_quarantined_rows([whole]))
    in_parts = dataset.load().lazy().collect()
    for store in small.stores["store_nbr"]:
        assert in_parts.filter(store_nbr=store).equals(whole.kept.filter(store_nbr=store))
    manifest = place.read_manifest()
    assert len(list_names(root)) == 4 + 1
    dataset.save(whole.kept)
    cut_here = place.read_manifest()
    for fact in ("rows", "first_stores", "span"):
        assert manifest[fact] == cut_here[fact]


@pytest.mark.parametrize(
    ("header", "share", "said"),
    [
        (HEADER, 0.001, "too many bad rows"),
        (HEADER.replace("unit_sales", "units"), 0.5, "no column `unit_sales`"),
    ],
)
def test_train_that_is_refused_leaves_the_former_sales_and_nothing_besides(
    header, share, said, root, tables
):
    sales, small = tables
    dataset = PartedSalesDataset(filepath=f"{root}/sales", parts=3)
    dataset.save(sales.head(100))
    standing = list_names(root)
    raw, bounds = make_raw(spoil(sales, small), header), replace(BOUNDS, max_bad_share=share)
    place = TablePlace(f"{root}/sales", *SALES)
    errors = []
    for each in (raw, ClusterRawSales(raw, place, 4)):
        with pytest.raises(RawDataError, match=said) as refused:
            check_sales_table(each, rules_of(small), bounds)
        errors.append(str(refused.value))
    assert errors[0] == errors[1]
    assert list_names(root) == standing
    assert dataset.load().lazy().collect().height == 100


def count_lines_or_die(block, marker: str):
    """End the worker that is asked first; the others find that it has been."""
    with suppress(FileExistsError):
        Path(marker).touch(exist_ok=False)
        os.kill(os.getpid(), signal.SIGKILL)
    rows = pl.DataFrame({"store_nbr": [1] * block.count}, schema={"store_nbr": pl.Int32})
    return rows, block.count


def await_another(block, folder: str):
    """Wait until another worker checks a block, too."""
    Path(folder, str(os.getpid())).touch()
    deadline = time.monotonic() + 60
    while len(list(Path(folder).iterdir())) == 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    rows = pl.DataFrame({"store_nbr": [1] * block.count}, schema={"store_nbr": pl.Int32})
    return rows, {os.getpid()}


def count_lines_or_die_after_another(block, folder: str, first: tuple[int, ...]):
    """End the first workers one after another: the second when another has replaced the first."""
    new, died = Path(folder, "new"), Path(folder, "died")
    if os.getpid() in first:
        try:
            died.touch(exist_ok=False)
        except FileExistsError:
            wait_for(new.exists, seconds=60)
        os.kill(os.getpid(), signal.SIGKILL)
    new.touch()
    rows = pl.DataFrame({"store_nbr": [1] * block.count}, schema={"store_nbr": pl.Int32})
    return rows, block.count


def test_workers_that_all_are_replaced_one_after_another_cost_no_second_reading(
    client, tables, tmp_path
):
    sales, small = tables
    lines = spoil(sales, small)
    raw, rules = make_raw(lines), rules_of(small)
    place = TablePlace(str(tmp_path / "sales"), *SALES)
    client.wait_for_workers(2)
    first = tuple(client.run(os.getpid).values())
    readings = []

    def read():
        readings.append(len(readings))
        return read_blocks(raw, rules)

    with ClusterRawSales(raw, place, 2).open() as staging:
        give = count_lines_or_die_after_another
        assert staging.check_blocks(read, give, sum, str(tmp_path), first) == len(lines)
    assert not set(first) & set(client.run(os.getpid).values())
    assert readings == [0]


class DeadlyPlace(TablePlace):
    """A place at which the worker that looks first ends."""

    def has_begun(self, version: str) -> bool:
        with suppress(FileExistsError):
            Path(f"{self.uri}-died").touch(exist_ok=False)
            os.kill(os.getpid(), signal.SIGKILL)
        return super().has_begun(version)


def test_a_worker_that_ends_before_the_file_is_read_is_done_without(client, tables, tmp_path):
    sales, small = tables
    lines = spoil(sales, small)
    raw, rules = make_raw(lines), rules_of(small)
    marker = tmp_path / "counted"
    client.wait_for_workers(2)
    with ClusterRawSales(raw, DeadlyPlace(str(tmp_path / "sales"), *SALES), 2).open() as staging:
        read = partial(read_blocks, raw, rules)
        marker.touch()  # so that nobody ends while counting
        assert staging.check_blocks(read, count_lines_or_die, sum, str(marker)) == len(lines)
    assert (tmp_path / "sales-died").exists()


def test_a_folder_that_workers_do_not_share_is_told_before_the_file_is_read(
    client, tables, tmp_path, monkeypatch
):
    client.wait_for_workers(2)
    monkeypatch.chdir(tmp_path)  # the workers stay where they are: `sales` is another folder there
    raw = make_raw(tables[0].head(10).write_csv().splitlines())
    staging = ClusterRawSales(raw, TablePlace("sales", *SALES), 2).open()
    with pytest.raises(PartedPlaceError, match=r"Workers on 127.0.0.1 .* sales table .*shared one"):
        staging.__enter__()
    assert list_names(str(tmp_path)) == []


def unite(answers):
    return set().union(*answers)


def test_blocks_are_shared_out_among_the_workers(client, tables, tmp_path):
    sales, small = tables
    raw, rules = make_raw(spoil(sales, small)), rules_of(small)
    (tmp_path / "here").mkdir()
    client.wait_for_workers(2)
    place = TablePlace(str(tmp_path / "sales"), *SALES)
    with ClusterRawSales(raw, place, 2).open() as staging:
        read = partial(read_blocks, raw, rules)
        workers = staging.check_blocks(read, await_another, unite, str(tmp_path / "here"))
    assert len(workers) == 2


def test_a_worker_that_dies_while_it_checks_a_block_loses_none(client, tables, tmp_path):
    sales, small = tables
    lines = spoil(sales, small)
    raw, rules = make_raw(lines), rules_of(small)
    place = TablePlace(str(tmp_path / "sales"), *SALES)
    marker = tmp_path / "died"
    with ClusterRawSales(raw, place, 2).open() as staging:
        read = partial(read_blocks, raw, rules)
        assert staging.check_blocks(read, count_lines_or_die, sum, str(marker)) == len(lines)
        assert staging.ask_blocks(len, sum) == len(lines)
    assert marker.exists()
    assert list_names(str(tmp_path)) == [str(marker)]


def number_series(part: Panel, first: int) -> pd.DataFrame:
    return part.series[["store_nbr", "item_nbr"]].assign(number=np.arange(len(part.series)) + first)


def without_store(part: pd.DataFrame) -> pd.DataFrame:
    return part.drop(columns="store_nbr")


def test_a_table_that_workers_make_is_written_and_read_by_them(root, client, whole):
    panel = PartedPanelDataset(filepath=f"{root}/panel", parts=3)
    panel.save(whole)
    parts = panel.load()
    table = parts.tabulate(number_series, own=parts.bounds[:-1].tolist())
    dataset = PartedForecastsDataset(filepath=f"{root}/forecasts")
    dataset.save(derive_table(table, without_store))
    assert dataset.exists()
    assert dataset.load().n_parts == 3
    expected = whole.series[["item_nbr"]].assign(number=np.arange(whole.n_series))
    pd.testing.assert_frame_equal(gather_table(dataset.load()), expected)
    dataset.save(expected.head(2))
    pd.testing.assert_frame_equal(gather_table(dataset.load()), expected.head(2))


def test_one_machine_reads_forecasts_that_a_cluster_left_in_their_place_and_replaces_them(
    client, whole, tmp_path
):
    path = str(tmp_path / "forecasts.parquet")
    one, cluster = TableDataset(filepath=path), PartedForecastsDataset(filepath=path)
    panel = PartedPanelDataset(filepath=str(tmp_path / "panel"), parts=3)
    panel.save(whole)
    parts = panel.load()
    expected = number_series(whole, 0)
    one.save(expected.head(3))
    cluster.save(parts.tabulate(number_series, own=parts.bounds[:-1].tolist()))
    pd.testing.assert_frame_equal(one.load(), expected)
    pd.testing.assert_frame_equal(pd.read_parquet(path), expected)
    one.save(expected.head(3))
    pd.testing.assert_frame_equal(one.load(), expected.head(3))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["forecasts.parquet", "panel"]


def test_parts_that_workers_wrote_elsewhere_are_missed(client, tables, tmp_path):
    dataset = PartedForecastsDataset(filepath=str(tmp_path / "forecasts"))
    with pytest.raises(PartedPlaceError, match=r"Parts 0, 1 .* s3://bucket/prefix"):
        dataset._place.finish(dataset._place.new_version(), 2, {})


KILLED = """
import sys
import time
from functools import partial
from pathlib import Path

import cloudpickle

from grocery_demand.cluster import PartedForecastsDataset, PartedPanelDataset, panel, tables

FOLDER = sys.argv[1]


def number_series(part):
    return part.series[["store_nbr", "item_nbr"]].assign(number=-1)


def hesitant(write, marker, *arguments):
    # One part is written, the others never are.
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        time.sleep(600)
    return write(*arguments)


def let_hesitate(module, name):
    write = partial(hesitant, getattr(module, name), Path(FOLDER) / "begun")
    write.__name__ = name
    setattr(module, name, write)


if __name__ == "__main__":
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    parts = PartedPanelDataset(filepath=f"{FOLDER}/panel").load()
    if sys.argv[2] == "panel":
        let_hesitate(panel, "_write_part")
        parts.write(panel.PartedPlace(f"{FOLDER}/panel"))
    else:
        let_hesitate(tables, "_write_frame")
        table = parts.tabulate(number_series)
        PartedForecastsDataset(filepath=f"{FOLDER}/forecasts.parquet").save(table)
"""


@pytest.mark.parametrize(
    ("what", "written"),
    [
        ("panel", "panel/version-*/part-*"),
        ("forecasts", ".forecasts.parquet-version-*/part-*.parquet"),
    ],
)
def test_a_run_that_is_killed_while_parts_are_written_leaves_the_former_and_is_run_again(
    what, written, client, whole, tmp_path
):
    panel = PartedPanelDataset(filepath=str(tmp_path / "panel"), parts=3)
    forecasts = PartedForecastsDataset(filepath=str(tmp_path / "forecasts.parquet"))
    panel.save(whole)
    parts = panel.load()
    table = parts.tabulate(number_series, own=parts.bounds[:-1].tolist())
    forecasts.save(table)
    standing = set(tmp_path.glob(written))
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    driver = subprocess.Popen(
        [sys.executable, script, tmp_path, what], env=os.environ | {"GROCERY_DEMAND_WORKERS": "1"}
    )
    while not set(tmp_path.glob(written)) - standing and driver.poll() is None:
        time.sleep(0.05)
    driver.kill()
    assert driver.wait() == -signal.SIGKILL
    left = set(tmp_path.glob(written)) - standing
    assert left

    expected = number_series(whole, 0)
    pd.testing.assert_frame_equal(gather_table(forecasts.load()), expected)
    assert sum(panel.load().map(count_units)) == len(whole.units)
    panel.save(whole)
    panel.save(whole)
    forecasts.save(table)
    pd.testing.assert_frame_equal(gather_table(forecasts.load()), expected)
    assert not any(path.exists() for path in left)


def count_units(part: Panel) -> int:
    return len(part.units)


CHECKING = """
import sys
import time
from functools import partial
from pathlib import Path

import cloudpickle

from grocery_demand.cluster.datasets import SALES
from grocery_demand.cluster.raw_sales import ClusterRawSales
from grocery_demand.core.quality.rows import read_blocks
from grocery_demand.core.quality.sales_in_parts import check_sales_table
from grocery_demand.storage.parted_table import TablePlace
from raw_sales import BOUNDS, make_raw, rules_of, spoil
from selling import make_sales


def hesitate(folder, block):
    # The block that comes first is written, the others never are.
    if list(folder.glob(".sales-*/part-*.parquet")):
        time.sleep(600)
    return make_sales(n_stores=2, n_items=3, n_days=60)[0], 1


if __name__ == "__main__":
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    sales, small = make_sales(n_stores=4, n_items=10, n_days=200)
    raw, rules = make_raw(spoil(sales, small)), rules_of(small)
    parts = ClusterRawSales(raw, TablePlace(sys.argv[1], *SALES), 2)
    if sys.argv[2] == "killed":
        with parts.open() as staging:
            check = partial(hesitate, Path(sys.argv[1]).parent)
            staging.check_blocks(partial(read_blocks, raw, rules), check, sum)
    else:
        check_sales_table(parts, rules, BOUNDS)
        beside = sorted(path.name for path in Path(sys.argv[1]).parent.glob(".sales-*/*"))
        assert beside == ["part-00000.parquet", "part-00001.parquet"], beside
"""


@pytest.mark.parametrize("end", ["killed", "refused for another table"])
def test_a_run_that_ends_while_train_is_checked_or_after_it_leaves_the_former_sales(
    end, client, tables, tmp_path
):
    dataset = PartedSalesDataset(filepath=str(tmp_path / "sales"), parts=3)
    dataset.save(tables[0])
    script = tmp_path / "checking.py"
    script.write_text(CHECKING)
    driver = subprocess.Popen(
        [sys.executable, script, tmp_path / "sales", end],
        env=os.environ | {"GROCERY_DEMAND_WORKERS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )
    if end == "killed":
        while not list(tmp_path.glob(".sales-*/part-*.parquet")) and driver.poll() is None:
            time.sleep(0.05)
        driver.kill()
    assert driver.wait() == (-signal.SIGKILL if end == "killed" else 0)
    # Its worker would go on with what it is doing.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(driver.pid, signal.SIGKILL)
    assert bool(list(tmp_path.glob(".sales-*"))) == (end == "killed")
    assert dataset.load().lazy().collect().height == tables[0].height
    dataset.save(tables[0].head(10))
    assert not list(tmp_path.glob(".sales-*"))
