"""What happens to each kind of row of train.csv."""

from datetime import date

import polars as pl
import pytest

GOOD = "0,2017-01-01,1,7,3.5,True"


def test_good_rows_are_kept_with_their_types_in_file_order(check_sales):
    checked = check_sales(
        "0,2017-01-02,44,105574,3.5,True", "1,2017-01-01,1,7,-2,False", "2,2017-01-03,1,7,4,"
    )

    assert checked.kept.schema == {
        "date": pl.Date,
        "store_nbr": pl.Int32,
        "item_nbr": pl.Int32,
        "unit_sales": pl.Float64,
        "onpromotion": pl.Boolean,
    }
    assert checked.kept.rows() == [
        (date(2017, 1, 2), 44, 105574, 3.5, True),
        (date(2017, 1, 1), 1, 7, -2.0, False),
        (date(2017, 1, 3), 1, 7, 4.0, None),
    ]
    assert checked.rejected.is_empty()
    assert checked.reasons == {}


@pytest.mark.parametrize(
    ("line", "column", "value", "reason"),
    [
        ("1,2017-02-30,1,7,1,", "date", "2017-02-30", "impossible date"),
        ("1,2017-13-01,1,7,1,", "date", "2017-13-01", "impossible date"),
        ("1,1999-12-31,1,7,1,", "date", "1999-12-31", "impossible date"),
        ("1,2100-01-02,1,7,1,", "date", "2100-01-02", "impossible date"),
        ("1,03/01/2017,1,7,1,", "date", "03/01/2017", "unparsable cell"),
        ("1,20170103,1,7,1,", "date", "20170103", "unparsable cell"),
        ("1,yesterday,1,7,1,", "date", "yesterday", "unparsable cell"),
        ("1,,1,7,1,", "date", "", "empty key"),
        ("1,2017-01-03,,7,1,", "store_nbr", "", "empty key"),
        ("1,2017-01-03,1, ,1,", "item_nbr", "", "empty key"),
        ("1,2017-01-03,x,7,1,", "store_nbr", "x", "unparsable cell"),
        ("1,2017-01-03,1.5,7,1,", "store_nbr", "1.5", "unparsable cell"),
        ("1,2017-01-03,-1,7,1,", "store_nbr", "-1", "unparsable cell"),
        ("1,2017-01-03,99999999999,7,1,", "store_nbr", "99999999999", "unparsable cell"),
        ("1,2017-01-03,2,7,1,", "store_nbr", "2", "unknown store"),
        ("1,2017-01-03,1,8,1,", "item_nbr", "8", "unknown item"),
        ("1,2017-01-03,1,7,,", "unit_sales", "", "empty cell"),
        ("1,2017-01-03,1,7,many,", "unit_sales", "many", "unparsable cell"),
        ("1,2017-01-03,1,7,1.2.3,", "unit_sales", "1.2.3", "unparsable cell"),
        ("1,2017-01-03,1,7,inf,", "unit_sales", "inf", "infinite quantity"),
        ("1,2017-01-03,1,7,-inf,", "unit_sales", "-inf", "infinite quantity"),
        ("1,2017-01-03,1,7,nan,", "unit_sales", "nan", "infinite quantity"),
        ("1,2017-01-03,1,7,1000000.5,", "unit_sales", "1000000.5", "absurd quantity"),
        ("1,2017-01-03,1,7,-1e7,", "unit_sales", "-1e7", "absurd quantity"),
        ("1,2017-01-03,1,7,1,maybe", "onpromotion", "maybe", "unparsable cell"),
        ('1,2017-01-03,1,7,"7,5",', "unit_sales", "7,5", "unparsable cell"),
        ('1,2017-01-03,1,7,"5,1",', "unit_sales", "5,1", "unparsable cell"),
        ("1,2017-01-03,1,7,7,5,True", "", "1,2017-01-03,1,7,7,5,True", "surplus cell"),
        ("garbage", "date", "", "empty key"),
        ("2017-01-01", "date", "", "empty key"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_place_and_reason(check_sales, line, column, value, reason):
    checked = check_sales(GOOD, line, "2,2017-01-04,44,7,1,False")

    assert checked.rejected.rows() == [(3, column, value, reason)]
    assert checked.kept["date"].to_list() == [date(2017, 1, 1), date(2017, 1, 4)]
    assert checked.reasons == {reason: 1}


def test_the_later_of_two_rows_with_one_key_is_set_aside(check_sales):
    checked = check_sales(
        GOOD, "1,2017-01-01,44,7,1,", "2,2017-01-01,1,7,9,", "3,2017-01-01,1,7,8,False"
    )

    assert checked.kept["unit_sales"].to_list() == [3.5, 1.0]
    assert checked.rejected.rows() == [
        (4, "date, store_nbr, item_nbr", "2017-01-01, 1, 7", "duplicate key"),
        (5, "date, store_nbr, item_nbr", "2017-01-01, 1, 7", "duplicate key"),
    ]


def test_a_bad_row_does_not_make_a_good_row_with_its_key_a_duplicate(check_sales):
    checked = check_sales("0,2017-01-01,1,7,inf,", "1,2017-01-01,1,7,2,")

    assert checked.reasons == {"infinite quantity": 1}
    assert checked.kept["unit_sales"].to_list() == [2.0]


def test_a_row_decades_after_the_others_is_a_stray_date(check_sales):
    checked = check_sales(GOOD, "1,2017-01-02,1,7,1,", "2,2071-01-02,1,7,1,")

    assert checked.rejected.rows() == [(4, "date", "2071-01-02", "stray date")]


def test_a_gap_of_the_allowed_length_is_no_stray_date(check_sales):
    checked = check_sales(GOOD, "1,2017-01-02,1,7,1,", "2,2017-03-03,1,7,1,", max_gap_days=60)

    assert checked.rejected.is_empty()


@pytest.mark.parametrize(
    "line",
    [
        "0,2017-01-01,1.0,7.0,3.5,True",
        "0, 2017-01-01 , 1 ,7 , 3.5 , True ",
        '"0","2017-01-01","1","7","3.5","True"',
        "0,2017-01-01,1,7,3.5,true",
        "0,2017-01-01,1,7,3.5,1",
        "0,2017-01-01,1,7,3.5,1.0",
        "0,2017-01-01,+1,007,35e-1,TRUE",
        "not a number,2017-01-01,1,7,3.5,True",
        "0,2017-01-01,1,7,3.5,True,",
        "0,2017-01-01,1,7,3.5,True\r",
    ],
)
def test_other_ways_of_writing_a_good_row_mean_the_same(check_sales, line):
    assert check_sales(line).kept.rows() == [(date(2017, 1, 1), 1, 7, 3.5, True)]


@pytest.mark.parametrize("cell", [",", "", ',""', ", "])
def test_an_empty_promotion_stays_unknown(check_sales, cell):
    assert check_sales("0,2017-01-01,1,7,3.5" + cell).kept["onpromotion"].to_list() == [None]


def test_blank_lines_are_no_rows_but_count_as_lines(check_sales):
    checked = check_sales(GOOD, "", "   ", "1,2017-01-02,1,7,x,", "", "")

    assert checked.rows_read == 2
    assert checked.rejected.rows() == [(5, "unit_sales", "x", "unparsable cell")]


def test_a_stray_quotation_mark_costs_its_own_line_only(check_sales):
    checked = check_sales(
        GOOD, '1,2017-01-02,"1,7,2,', "2,2017-01-03,1,7,3,", '3,2017-01-04,"1",7,4,', 'x"', GOOD
    )

    assert checked.kept["unit_sales"].to_list() == [3.5, 3.0, 4.0]
    assert checked.rejected.rows() == [
        (3, "store_nbr", "1,7,2,", "unparsable cell"),
        (6, "date", "", "empty key"),
        (7, "date, store_nbr, item_nbr", "2017-01-01, 1, 7", "duplicate key"),
    ]


def test_text_behind_a_closing_quotation_mark_is_part_of_the_cell(check_sales):
    checked = check_sales(GOOD, '1,2017-01-02,1,7,"2"x,', '2,2017-01-03,1,7,"2",')

    assert checked.rejected.rows() == [(3, "unit_sales", "2x", "unparsable cell")]
    assert checked.rows_read == 3


def test_columns_may_stand_in_any_order_among_others(check_sales):
    checked = check_sales(
        'True,3.5,"a, b",7,1,2017-01-01,x',
        'maybe,3.5,"a, b",7,1,2017-01-02,x',
        header="onpromotion,unit_sales,row,item_nbr,store_nbr,date,surplus\n",
    )

    assert checked.kept.rows() == [(date(2017, 1, 1), 1, 7, 3.5, True)]
    assert checked.rejected.rows() == [(3, "onpromotion", "maybe", "unparsable cell")]


def test_a_long_bad_cell_is_stored_in_part(check_sales):
    checked = check_sales(GOOD, f"1,2017-01-02,1,7,{'9x' * 5000},")

    assert checked.rejected["value"].str.len_chars().to_list() == [200]


def test_a_cell_too_long_for_csv_is_a_bad_row(check_sales):
    checked = check_sales(GOOD, f'1,2017-01-02,1,7,"{"9" * 200_000}",', '2,2017-01-03,1,7,"1"')

    assert checked.rows_read == 3
    assert checked.kept.height == 2
