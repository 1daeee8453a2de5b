"""Questions are understood, or it is said what is wrong and what would be right."""

import pytest

from grocery_demand.serving.assortment import Assortment
from grocery_demand.serving.question import AS_PLANNED, Question


@pytest.fixture(scope="module")
def panel(long_panel):
    return long_panel


@pytest.fixture(scope="module")
def goods(panel):
    names = {int(panel.series["item_nbr"].iloc[2]): "Milk", 1: "Not sold"}
    return Assortment(panel, 100, names, 47)


@pytest.fixture(scope="module")
def pair(panel):
    first = panel.series.iloc[0]
    return int(first["store_nbr"]), int(first["item_nbr"])


def fields(goods, pair, **others):
    asked = {"date": str(goods.first_ahead), "item_nbr": pair[1], "store_nbr": pair[0]}
    return asked | others


def test_numbers_may_be_written_as_text(goods, pair):
    asked = fields(goods, pair, item_nbr=str(pair[1]), store_nbr=str(pair[0]))
    question = goods.ask(asked)
    assert isinstance(question, Question)
    assert (question.row, question.step, question.what_if) == (0, 1, AS_PLANNED)


def test_without_a_store_the_default_one_is_meant(goods, panel):
    assert goods.default_store == panel.stores["store_nbr"].iloc[0]
    assert (
        Assortment(panel, 9, {}, int(panel.stores["store_nbr"].iloc[1])).default_store
        == (panel.stores["store_nbr"].iloc[1])
    )


@pytest.mark.parametrize(
    ("word", "what_if"),
    [(True, 1), (False, 0), ("yes", 1), ("0", 0), (None, -1), ("", -1), ("True", 1)],
)
def test_promotions_are_assumed_ruled_out_or_as_planned(goods, pair, word, what_if):
    assert goods.ask(fields(goods, pair, onpromotion=word)).what_if == what_if


@pytest.mark.parametrize(
    ("wrong", "field", "told"),
    [
        ({"date": "2016-02-30"}, "date", "is not a date"),
        ({"date": "14.06.2017"}, "date", "is not a date"),
        ({"date": "2017-6-1"}, "date", "is not a date"),
        ({"date": 20170601}, "date", "is not a date"),
        ({"date": None}, "date", "is missing"),
        ({"date": "2030-01-01"}, "date", "too far ahead"),
        ({"date": "2015-06-02"}, "date", "is past"),
        ({"date": "1999-01-01"}, "date", "before the first"),
        ({"item_nbr": "１２"}, "item_nbr", "no product"),
        ({"item_nbr": 0}, "item_nbr", "no product"),
        ({"item_nbr": None}, "item_nbr", "is missing"),
        ({"item_nbr": True}, "item_nbr", "no product"),
        ({"item_nbr": [1]}, "item_nbr", "no product"),
        ({"store_nbr": 99}, "store_nbr", "no store"),
        ({"store_nbr": "x" * 500}, "store_nbr", "…"),
        ({"store_nbr": {}}, "store_nbr", "no store"),
        ({"onpromotion": "perhaps"}, "onpromotion", "perhaps"),
        ({"onpromotoin": True}, "onpromotoin", "did you mean `onpromotion`"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_valid(goods, pair, wrong, field, told):
    problems = goods.ask(fields(goods, pair, **wrong))
    assert [problem.field for problem in problems] == [field]
    assert told in problems[0].message
    assert problems[0].valid
    assert len(problems[0].message) < 250


def test_everything_wrong_is_told_at_once(goods):
    problems = goods.ask({"date": "x", "item_nbr": "y", "store_nbr": "z", "onpromotion": "?"})
    assert {p.field for p in problems} == {"date", "item_nbr", "store_nbr", "onpromotion"}


def test_a_store_that_never_sold_the_product_is_refused_with_those_that_did(goods, panel):
    pairs = set(zip(panel.series["store_nbr"], panel.series["item_nbr"], strict=True))
    store, item = next(
        (store, item)
        for store in goods.store_numbers
        for item in goods.products
        if (store, item) not in pairs
    )
    problem = goods.ask(fields(goods, (store, item)))[0]
    assert problem.field == "store_nbr"
    assert problem.valid == ", ".join(map(str, goods.stores_of(item)))


def test_a_past_day_may_be_asked_for_where_sales_are_shown(goods, pair, panel):
    assert goods.ask(fields(goods, pair, date=str(panel.cutoff)), past=True).step == 0
    assert goods.ask(fields(goods, pair, date=str(panel.date_of(3))), past=True).step == (
        4 - panel.n_days
    )


def test_named_products_come_first_and_are_found_by_name_number_and_family(goods):
    listed = list(goods.products.values())
    assert listed[0].name == "Milk"
    assert goods.search("mil")[0].name == "Milk"
    assert goods.named("milk") == goods.named(f"{listed[0].item_nbr} Milk")
    assert goods.search(str(listed[3].item_nbr)[:5])[0] == listed[3]
    assert all(p.family == "DAIRY" for p in goods.search("dairy"))
    assert goods.search("no such thing") == []
    assert goods.named("no such thing") == "no such thing"
