"""The story as a table and a figure."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from grocery_demand.figure_style import (
    DATE_FORMAT,
    INK,
    MODEL_COLOUR,
    VERMILION,
    new_figure,
    style_axes,
    to_numbers,
)
from grocery_demand.storage.atomic import whole_file

_SHADES = {
    "quiet": "rgba(0,158,115,0.10)",
    "demand shift": "rgba(213,94,0,0.14)",
    "after retraining": "rgba(0,114,178,0.10)",
    "broken feed": "rgba(140,140,140,0.25)",
}


def write_story(folder: Path, days: pd.DataFrame, notes: dict[str, Any]) -> list[Path]:
    """Write table (`story.csv`), notes (`story.json`), page (`.md`) and figure (`.html`)."""
    texts = {
        "story.csv": days.to_csv(index=False),
        "story.json": json.dumps(notes, indent=2) + "\n",
        "story.md": _write_page(days, notes),
        "story.html": draw_story(days).to_html(include_plotlyjs=True, full_html=True),
    }
    paths = []
    for name, text in texts.items():
        with whole_file(folder / name) as beside:
            beside.write_text(text, encoding="utf-8")
        paths.append(folder / name)
    return paths


def draw_story(days: pd.DataFrame) -> go.Figure:
    """Draw the live error day by day, with promise, bar, scenes and what was done."""
    told = "NWRMSLE of the 7 days up to each day"
    figure = new_figure("The loop, closed", (told, "simulated sales"), 480)
    for name, colour, dash in (
        ("live_nwrmsle", MODEL_COLOUR, "solid"),
        ("promised", INK, "dot"),
        ("bar", VERMILION, "dash"),
    ):
        line = {"color": colour, "dash": dash, "width": 2}
        label = {"live_nwrmsle": "live error"}.get(name, name)
        trace = go.Scatter(
            x=list(days["date"]), y=to_numbers(days[name].astype(float), 4), name=label, line=line,
            mode="lines+markers" if name == "live_nwrmsle" else "lines",
        )  # fmt: skip
        figure.add_trace(trace)
    for scene, rows in days.groupby("scene", sort=False):
        figure.add_vrect(
            x0=rows["date"].iloc[0], x1=rows["date"].iloc[-1], fillcolor=_SHADES[str(scene)],
            line_width=0, annotation_text=str(scene), annotation_position="top left",
        )  # fmt: skip
    for day in days[days["retraining"] != ""].itertuples():
        figure.add_vline(x=day.date, line={"color": INK, "width": 1})
    figure.update_yaxes(title_text="NWRMSLE", rangemode="tozero")
    figure.update_xaxes(tickformat=DATE_FORMAT, nticks=12)
    return style_axes(figure)


def _write_page(days: pd.DataFrame, notes: dict[str, Any]) -> str:
    head = "| date | scene | live error | bar | advice | champion | served | alarms | gate |"
    lines = ["# The loop, played through", "", "Made by `make loop` on simulated sales.", ""]
    lines += [*_tell_turns(days, notes), "", head, "|" + " --- |" * (head.count("|") - 1)]
    lines += ["| " + " | ".join(_to_cells(day)) + " |" for day in days.to_dict(orient="records")]
    return "\n".join(lines) + "\n"


def _tell_turns(days: pd.DataFrame, notes: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each turn that has come."""
    quiet, broken = (days[days["scene"] == scene] for scene in ("quiet", "broken feed"))
    advised, alarmed = (quiet["advice"] != "keep").sum(), (quiet["alarms"] != "").sum()
    yield f"- Quiet days: {len(quiet)}, {advised} with false advice, {alarmed} with a false alarm."
    if "shift_days" in notes:
        yield f"- After {notes['shift_days']} days of shifted demand a challenger was promoted."
    if control := notes.get("without_retraining"):
        yield (
            f"- In the last 7 days before the feed broke, version {control['champion']} erred by "
            f"{control['nwrmsle_of_champion']:.4f}; version {control['former']}, asked on the same "
            f"days, would have erred by {control['nwrmsle_of_former']:.4f}: the rest of the fall "
            "is due to the features, which see the shifted sales, too."
        )
    if worse := notes.get("worse_model"):
        yield (
            f"- A worse model ({worse['outcome']}): {worse['reason']} Champion before and after: "
            f"version {worse['champion_before']}, version {worse['champion_after']}."
        )
    if len(broken):
        advice = ", ".join(sorted(set(broken["advice"])))
        yield f"- Broken feed: {len(broken)} days, advice {advice}."


def _to_cells(day: dict[Any, Any]) -> list[str]:
    numbers = [
        "–" if pd.isna(day[name]) else f"{day[name]:.4f}" for name in ("live_nwrmsle", "bar")
    ]
    told = [str(day[name]) for name in ("advice", "champion", "served", "alarms", "retraining")]
    return [day["date"], day["scene"], *numbers, *told]
