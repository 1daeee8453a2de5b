from dataclasses import replace

import pandas as pd

from grocery_demand.analysis.tables import SIMULATED, note_of_data, show_table

TABLE = pd.DataFrame({"family": ["EGGS", None], "units": [1234.5678, float("nan")]})


def test_simulated_sales_are_called_so_and_real_ones_not(panel):
    assert note_of_data(replace(panel, simulated=True)) == SIMULATED
    assert note_of_data(replace(panel, simulated=False)) == ""


def test_a_table_says_what_it_is_and_of_which_data():
    html = show_table(TABLE, "Units", SIMULATED, {"units": "{:,.1f}"}).to_html()
    assert "<caption>Units · simulated data</caption>" in html
    assert "1,234.6" in html
    assert "–" in html
    assert "<caption>Units</caption>" in show_table(TABLE, "Units").to_html()


def test_what_came_from_outside_is_shown_as_text():
    table = pd.DataFrame({"client": ["<script>alert(1)</script>"]})
    assert "<script>" not in show_table(table, "Clients").to_html()


def test_an_index_of_names_is_shown_and_one_of_numbers_not():
    named = show_table(TABLE.set_index("family"), "Units").to_html()
    assert "EGGS" in named
    assert "row0" not in show_table(TABLE[["units"]], "Units").to_html().split("</thead>")[0]
