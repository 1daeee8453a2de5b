"""The buyer's path, the events and the model page, in a real browser."""

import pytest
from chromium import OPTIONS, find_chromium
from playwright.sync_api import expect, sync_playwright

from monitored import HOSTILE, make_summary, with_every_text, write_summary
from published import make_project, publish_small, serve, started_rows

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def panel(long_panel):
    return long_panel


@pytest.fixture(scope="module")
def milk(panel):
    row = int(started_rows(panel)[0])
    return panel.series.iloc[row]


@pytest.fixture(scope="module")
def served(tmp_path_factory, panel, long_model, milk):
    project = make_project(
        tmp_path_factory.mktemp("browsed"), tenant="user1",
        product_names={int(milk["item_nbr"]): "Milk"}, default_store=int(milk["store_nbr"]),
    )  # fmt: skip
    publish_small(project, panel, long_model, 1)
    with serve(project) as app:
        yield app


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, served):
    context = browser.new_context(base_url=served.url, viewport={"width": 1000, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    yield page
    assert [c for c in complaints if "422" not in c] == []
    assert all(url.startswith(served.url) for url in asked)
    context.close()


def test_a_buyer_finds_a_product_by_name_with_the_keyboard_alone(page, panel, milk):
    page.goto("/")
    page.focus("#item_nbr")
    page.keyboard.type("milk")
    expect(page.locator("#products option")).to_have_count(1)
    page.fill("#date", str(panel.cutoff + 3))
    page.focus("#item_nbr")
    page.keyboard.press("Enter")
    page.wait_for_selector(".answer .number")
    assert page.locator(".answer h2").inner_text().startswith("Milk in store")
    assert "on four days of five" in page.locator(".answer").inner_text()
    assert page.locator("svg[role=img] polyline.forecast").count() == 1
    assert page.locator(".effects li").count() >= 2
    assert page.input_value("#store_nbr") == str(milk["store_nbr"])


def test_only_valid_dates_can_be_chosen_and_a_wrong_one_is_explained(page, panel, milk):
    page.goto("/")
    assert page.get_attribute("#date", "min") == str(panel.start_date)
    last = page.get_attribute("#date", "max")
    assert last > str(panel.cutoff)
    page.goto(f"/?item_nbr={milk['item_nbr']}&date=2040-01-01")
    assert last in page.locator("#date-wrong").inner_text()
    assert page.get_attribute("#date", "aria-invalid") == "true"


def test_the_page_fits_a_phone(browser, served, panel, milk):
    context = browser.new_context(base_url=served.url, viewport={"width": 360, "height": 700})
    page = context.new_page()
    answer = f"/?item_nbr={milk['item_nbr']}&date={panel.cutoff + 2}"
    for path in ("/events", "/model", "/monitoring", answer):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    chosen = page.locator(".answer circle.chosen").bounding_box()
    assert 0 <= chosen["x"] < 360, "the forecast is in sight"
    context.close()


def test_the_bare_answer_needs_no_script(browser, served, panel, milk):
    context = browser.new_context(base_url=served.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.fill("#item_nbr", "Milk")
    page.fill("#date", str(panel.cutoff + 1))
    page.click("button[type=submit]")
    assert page.locator(".number").inner_text()
    context.close()


def test_events_are_searched_and_unfolded(page, panel, milk):
    page.goto(f"/?item_nbr={milk['item_nbr']}&date={panel.cutoff + 2}")
    event = page.locator(".answer .small").inner_text().split("Event ")[1].strip(".")
    page.goto("/events")
    page.fill("#q", f'tag:"user1.prediction" id:{event}')
    page.click("button[type=submit]")
    assert page.locator("table.events tbody").count() == 1
    page.click("table.events summary")
    assert page.locator("table.events dt", has_text="moving_average").first.is_visible()
    assert page.locator("rect.bar").count() >= 1
    page.fill("#q", "store:47")
    page.click("button[type=submit]")
    assert "store_nbr" in page.locator(".wrong").inner_text()


def test_the_model_page_shows_scores_and_history(page):
    page.goto("/model")
    assert "Model version 1 (lightgbm)" in page.locator("h1").inner_text()
    assert "Promoted: it passes every bar." in page.locator("main").inner_text()


def test_an_operator_reads_the_advice_first_and_unfolds_numbers(page, served):
    page.goto("/monitoring")
    assert "kedro run --pipeline monitor" in page.locator("main").inner_text()
    write_summary(served.project)
    page.reload()
    assert page.locator(".advice h2").inner_text() == "Retrain"
    advice = page.locator(".advice").bounding_box()
    assert advice["y"] + advice["height"] < 400
    first = page.locator(".checks tbody").first
    assert "Alarm" in first.inner_text()
    assert "kedro run --pipeline retrain" in first.inner_text()
    plot = page.locator(".plots figure").first
    plot.locator("summary").click()
    assert plot.locator("tbody tr").count() == 28
    assert "Last, 28 Jun: served 0.633" in plot.locator("svg").get_attribute("aria-label")
    assert page.locator("svg polyline.limit").count() == 1


def test_the_monitoring_page_fits_a_phone_and_shows_foreign_text_as_text(browser, served):
    context = browser.new_context(base_url=served.url, viewport={"width": 390, "height": 800})
    page = context.new_page()
    for summary in (make_summary(), with_every_text(40 * HOSTILE, make_summary())):
        write_summary(served.project, **summary)
        page.goto("/monitoring")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.locator("main script").count() == 0
    context.close()
