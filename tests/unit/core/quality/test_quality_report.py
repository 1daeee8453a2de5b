import hashlib
from dataclasses import replace

import polars as pl
import pytest

from grocery_demand.core.quality import report
from grocery_demand.core.quality.checking import CheckedTable
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.rows import REJECTED_SCHEMA


def _raw(table: str, sha256: str = "", file: str = "") -> RawTable:
    return RawTable(table, file, "raw", sha256, 2, lambda: iter(()))


@pytest.fixture
def sales(check_sales) -> CheckedTable:
    return check_sales(
        "0,2017-01-01,1,7,3.5,True",
        "1,2017-01-01,44,7,-2,",
        "2,2017-01-02,1,7,1,False",
        "3,2017-01-02,1,7,x,False",
        "4,2017-01-02,1,7,2,False",
        "5,2017-01-03,1,105574,y,False",
    )


def test_the_digest_depends_on_names_and_bytes_and_not_on_order_or_folder():
    tables = [_raw("train", "a" * 64), _raw("items", "b" * 64)]
    expected = hashlib.sha256(f"items {'b' * 64}\ntrain {'a' * 64}\n".encode()).hexdigest()

    assert report.combine_digests(tables) == expected
    assert report.combine_digests(reversed(tables)) == expected
    assert report.combine_digests([_raw("train", "b" * 64), _raw("items", "a" * 64)]) != expected
    assert report.combine_digests([*tables, _raw("oil")]) != expected


def test_the_report_counts_rows_by_table_and_reason(sales):
    missing = CheckedTable(_raw("oil"), pl.DataFrame(), pl.DataFrame(schema=REJECTED_SCHEMA))

    quality = report.describe_quality([sales, missing], sales.kept)

    assert quality == {
        "digest": report.combine_digests([sales.raw, missing.raw]),
        "simulated": False,
        "rows_read": 6,
        "rows_quarantined": 3,
        "rows_quarantined_stored": 3,
        "sales": {
            "first_date": "2017-01-01",
            "last_date": "2017-01-02",
            "stores": 2,
            "items": 1,
            "series": 2,
            "returns": 1,
            "promotions": 1,
            "promotions_unknown": 1,
        },
        "tables": {
            "train": {
                "file": "train.csv",
                "sha256": "0" * 64,
                "rows_read": 6,
                "rows_kept": 3,
                "rows_quarantined": 3,
                "reasons": {"unparsable cell": 2, "duplicate key": 1},
            },
            "oil": {
                "file": None,
                "sha256": None,
                "rows_read": 0,
                "rows_kept": 0,
                "rows_quarantined": 0,
                "reasons": {},
            },
        },
    }


def test_the_report_says_when_a_table_is_simulated(sales):
    simulated = replace(sales, raw=replace(sales.raw, simulated=True))

    assert report.describe_quality([simulated], sales.kept)["simulated"] is True


def test_quarantined_rows_name_their_file(sales):
    rows = report.list_quarantined_rows([sales])

    assert rows.values.tolist() == [
        ["train.csv", 5, "unit_sales", "x", "unparsable cell"],
        ["train.csv", 6, "date, store_nbr, item_nbr", "2017-01-02, 1, 7", "duplicate key"],
        ["train.csv", 7, "unit_sales", "y", "unparsable cell"],
    ]
    assert list(rows.columns) == ["file", "row", "column", "value", "reason"]


def test_only_the_first_quarantined_rows_are_stored_and_the_report_says_so(sales, monkeypatch):
    monkeypatch.setattr(report, "MAX_STORED_ROWS", 2)

    assert len(report.list_quarantined_rows([sales])) == 2
    quality = report.describe_quality([sales], sales.kept)
    assert (quality["rows_quarantined"], quality["rows_quarantined_stored"]) == (3, 2)
