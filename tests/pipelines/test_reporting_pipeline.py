"""The reporting pipeline in memory: its web page, and parts that do not belong together."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from grocery_demand.pipelines.reporting.subject import MixedReportError
from reports import FIGURES, report

HOSTILE = '<script>alert("sold")</script><img src=x onerror=alert(1)>|</td>`'


def test_all_figures_the_card_and_the_page_are_made(made):
    assert set(made) == {"report_subject", "model_card", "report"} | FIGURES


class Page(HTMLParser):
    """The tags of a web page, its text outside of scripts, and the cells of its tables' rows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.rows: list[list[str]] = []
        self._script = self._cell = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._script = tag == "script"
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag):
        self._script = False
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data):
        if not self._script:
            self.text += data
        if self._cell:
            self.rows[-1][-1] += data

    def count(self, tag: str) -> int:
        return [name for name, _ in self.tags].count(tag)


@pytest.fixture(scope="module")
def page(made) -> Page:
    return Page(made["report"])


def test_the_page_holds_the_card_and_every_figure(page, made):
    identities = [values.get("id", "") for tag, values in page.tags if tag == "div"]
    assert [i for i in identities if i.startswith("figure-")] == [
        f"figure-{n}" for n in range(1, 8)
    ]
    assert "Model card: grocery demand, version 3" in page.text
    assert "Grocery demand, version 3 (lightgbm)" in page.text
    assert page.count("table") >= 8
    for name in FIGURES:
        assert json.dumps(made[name].layout.title.text)[1:-1] in made["report"]


def test_the_page_needs_no_network(page):
    assert page.count("link") == 0
    assert page.count("img") == 0
    assert [values["src"] for tag, values in page.tags if "src" in values] == []


def test_the_same_parts_make_the_same_page(made, parts):
    again = report(parts)
    assert again["report"] == made["report"]
    assert again["model_card"] == made["model_card"]


def test_names_in_the_data_cannot_change_the_page(parts, page):
    def rename(table, column):
        return table.assign(**{column: table[column].replace({"DAIRY": HOSTILE})})

    panel = parts["panel"]
    told = f"In family {HOSTILE} NWRMSLE falls behind."
    hostile = Page(
        report(
            parts,
            panel=replace(panel, series=rename(panel.series, "family")),
            scores=rename(parts["scores"], "value"),
            holdout_forecasts=rename(parts["holdout_forecasts"], "family"),
            verdict=parts["verdict"] | {"reasons": [*parts["verdict"]["reasons"], told]},
        )["report"]
    )
    assert HOSTILE.replace("`", "") in hostile.text.replace("`", "")
    for tag in ("script", "div", "table"):
        assert hostile.count(tag) == page.count(tag)
    assert hostile.count("img") == 0
    assert sorted(hostile.rows) == sorted(
        [cell.replace("DAIRY", HOSTILE) for cell in row] for row in page.rows
    )
    handlers = [name for _, values in hostile.tags for name in values if name.startswith("on")]
    assert handlers == []


def scores_of_another_training(parts):
    scores = parts["scores"]
    return {"scores": scores.assign(nwrmsle=scores["nwrmsle"] + 0.001)}


def scores_of_another_model(parts):
    return {"scores": parts["scores"].replace({"model": {"lightgbm": "adaboost"}})}


def panel_of_other_data(parts):
    return {"panel": replace(parts["panel"], digest="f00d" * 16)}


def forecasts_by_another_version(parts):
    return {"forecasts": parts["forecasts"].assign(model_version="2")}


def forecasts_by_two_versions(parts):
    forecasts = parts["forecasts"]
    other = forecasts_by_another_version(parts)["forecasts"][:5]
    return {"forecasts": pd.concat([forecasts[5:], other])}


def forecasts_of_last_week(parts):
    forecasts = parts["forecasts"]
    return {"forecasts": forecasts.assign(date=forecasts["date"] - pd.Timedelta(days=7))}


TRAIN = "kedro run --pipelines train,forecast,report"

FORECAST = "kedro run --pipelines forecast,report"


@pytest.mark.parametrize(
    ("change", "told", "mend"),
    [
        (panel_of_other_data, "but the panel is of data f00df00df00d:", TRAIN),
        (scores_of_another_training, "The scores are not those of the verdict", TRAIN),
        (scores_of_another_model, "The scores are not those of the verdict", TRAIN),
        (forecasts_by_another_version, "of model version 2 and begin on 2015-12-18", FORECAST),
        (forecasts_by_two_versions, "of model version 3, 2 and begin on 2015-12-18", FORECAST),
        (forecasts_of_last_week, "of model version 3 and begin on 2015-12-11", FORECAST),
    ],
)
def test_parts_of_different_data_or_models_are_refused(parts, change, told, mend):
    made = {}
    with pytest.raises(MixedReportError) as caught:
        report(parts, made, **change(parts))
    assert told in str(caught.value)
    assert str(caught.value).endswith(mend)
    assert made == {}
