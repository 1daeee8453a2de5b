"""A summary as pipeline `monitor` writes it, with everything that occurs."""

import datetime as dt
import json
import math
from pathlib import Path

SUMMARY = "data/08_reporting/monitoring/summary.json"
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"
CUTOFF = dt.date(2017, 6, 28)

_DRIVERS = ("recent sales", "promotion", "weekday", "season", "store and product", "oil price")


def make_summary(**changes: object) -> dict:
    """Return a summary of a model four weeks old whose error has begun to rise."""
    return {
        "format": "grocery-demand monitoring",
        "version": 1,
        "made_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "simulated": True,
        "model_version": 1,
        "champion_cutoff": "2017-05-31",
        "cutoff": str(CUTOFF),
        "advice": {
            "decision": "retrain",
            "since": "2017-06-26",
            "reasons": [
                "The live error of seven days is 0.634, above the bar of 0.620, for 3 days.",
                "Features served equal those of training: retraining can help.",
            ],
            "next": "kedro run --pipeline retrain",
            "champion_since": None,
            "former_version": None,
        },
        "checks": _checks(),
        "live_error": [_error(i) for i in range(28)],
        "live_by_step": [
            {"step": s, "nwrmsle": 0.57 + 0.004 * s + 0.006 * math.sin(s),
             "promised": 0.561 + 0.0032 * s}
            for s in range(1, 17)
        ],
        "live_by_week": [
            {"weeks_since_cutoff": 1, "nwrmsle": 0.581, "rows": 9240},
            {"weeks_since_cutoff": 2, "nwrmsle": 0.586, "rows": 9261},
            {"weeks_since_cutoff": 3, "nwrmsle": 0.604, "rows": 9267},
            {"weeks_since_cutoff": 4, "nwrmsle": 0.634, "rows": 9270},
        ],
        "outputs": [_output(i) for i in range(42)],
        "drift": [
            {"column": "unit_sales", "statistic": "PSI", "value": 0.083, "threshold": 0.2,
             "state": "ok"},
            {"column": "onpromotion", "statistic": "PSI", "value": 0.241, "threshold": 0.2,
             "state": "watch"},
            {"column": "transactions", "statistic": "KS", "value": None, "threshold": 0.1,
             "state": "unknown"},
        ],
        "skew": [
            _skew("moving_average_28", psi=0.004, ks=0.011),
            _skew("days_since_promotion", psi=0.312, ks=0.144, state="alarm"),
            _skew("oil_price", psi=None, ks=None, served_missing_share=None, state="unknown"),
        ],
        "explanations": _explanations(),
        "fairness": _fairness(),
        "challenger": _challenger(),
        "usage": _usage(),
        "files": [
            {"file": "2017-06-26.csv", "status": "joined", "reason": ""},
            {"file": "2017-06-27.csv", "status": "refused",
             "reason": "41 % of rows are missing: 1,204 of 2,913 series sold nothing."},
        ],
    } | changes  # fmt: skip


def write_summary(project: Path, **changes: object) -> Path:
    """Write a summary into a project's folder, as the pipeline does: as a whole."""
    path = project / SUMMARY
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(make_summary(**changes)))
    return beside.replace(path)


def bare_summary(**changes: object) -> dict:
    """Return a summary of which nothing is known."""
    summary = make_summary()
    for name, value in summary.items():
        if isinstance(value, list):
            summary[name] = []
    unknown = {
        "usage": None,
        "challenger": None,
        "model_version": None,
        "champion_cutoff": None,
        "cutoff": None,
    }
    advice = {"decision": "keep", "since": None, "reasons": [], "next": ""}
    return summary | unknown | {"advice": advice} | changes


def with_every_number(value: object, part: object) -> object:
    """Return a summary whose measured numbers are all one value, or None."""
    kept = ("version", "step", "weeks_since_cutoff", "item_nbr", "store_nbr", "model_version")
    if isinstance(part, dict):
        return {k: v if k in kept else with_every_number(value, v) for k, v in part.items()}
    if isinstance(part, list):
        return [with_every_number(value, entry) for entry in part]
    is_number = isinstance(part, int | float) and not isinstance(part, bool)
    return value if is_number else part


def with_every_text(text: str, part: object) -> object:
    """Return a summary whose free texts are all one text."""
    kept = ("format", "made_at", "state", "decision", "date", "week", "since", "cutoff",
            "champion_cutoff", "mode")  # fmt: skip
    if isinstance(part, dict):
        return {k: v if k in kept else with_every_text(text, v) for k, v in part.items()}
    if isinstance(part, list):
        return [with_every_text(text, entry) for entry in part]
    return text if isinstance(part, str) else part


def _challenger() -> dict:
    return {
        "model_version": 2, "run_id": "run2", "mode": "canary", "share": 0.25,
        "since": "2026-11-24T12:00:00+00:00",
        "live": {"rows": 9240, "series": 1320, "days": 7, "champion": 0.634, "challenger": 0.601,
                 "difference": -0.033, "lower": -0.051, "upper": -0.015},
        "differences": {"rows": 21120, "total_champion": 90210.0, "total_challenger": 95120.0,
                        "mean_difference": 0.07, "differing_share": 0.12, "shadow_rows": 400,
                        "shadow_mean_difference": 0.064},
        "measures": [
            {"measure": "nwrmsle", "champion": 0.634, "challenger": 0.601},
            {"measure": "bias", "champion": -0.12, "challenger": -0.04},
            {"measure": "requests", "champion": 309.0, "challenger": 103.0},
            {"measure": "what is new", "champion": None, "challenger": 1.0},
        ],
    }  # fmt: skip


def _check(area: str, name: str, state: str = "ok", detail: str = "", **others: object) -> dict:
    check = {"area": area, "name": name, "state": state, "since": "2017-06-01", "value": None,
             "threshold": None, "detail": detail, "mend": "", "days": []}  # fmt: skip
    return check | others


def _checks() -> list[dict]:
    return [
        _check("usage", "requests", detail="412 requests a day, as usual.", value=412.0),
        _check("usage", "refused requests", detail="1.3 % were refused.", value=0.013,
               threshold=0.1),
        _check("usage", "long-range share", detail="6.2 % lie beyond 16 days.", value=0.062,
               threshold=0.3),
        _check("training–serving skew", "distributions", "alarm",
               "days_since_promotion differs: PSI 0.312.", since="2017-06-27", value=0.312,
               threshold=0.25, mend="Compare the feature's source on both sides: "
               "`kedro run --pipeline monitor` shows which days differ."),
        _check("training–serving skew", "served equals batch", value=0.0, threshold=0.001,
               detail="All 2,000 events recomputed are equal."),
        _check("training–serving skew", "missing values", detail="As in training."),
        _check("drift of sales", "onpromotion", "watch", "Twice as many promotions as learnt from.",
               since="2017-06-20", value=0.241, threshold=0.2,
               mend="Nothing yet; retrain if the live error follows."),
        _check("drift of sales", "unit_sales", value=0.083, threshold=0.2, detail="PSI 0.083."),
        _check("outputs", "totals", value=0.021, threshold=0.1,
               detail="The forecasts' total is 2.1 % above what was sold."),
        _check("live error", "above the bar", "alarm",
               "NWRMSLE of seven days 0.634, the bar is 0.620.", since="2017-06-26", value=0.634,
               threshold=0.62, mend="`kedro run --pipeline retrain`"),
        _check("live error", "better than baselines", value=0.634, threshold=0.671,
               detail="The moving average would have had 0.671."),
        _check("live error", "coverage", value=0.781, threshold=0.7,
               detail="78 % of actuals lay in the 80 % interval."),
        _check("explanations", "shares of drivers", value=0.03, threshold=0.15,
               detail="As in the first week."),
        _check("fairness", "bias by family", "watch", "DAIRY: 9 % too low [−13 %, −5 %].",
               since="2017-06-21", value=-0.09, threshold=0.08, mend="Look at the table below."),
        _check("fairness", "skill by store", detail="Every store does better than its average."),
        _check("data health", "files", "watch", "2017-06-27.csv was refused.", since="2017-06-27",
               value=1.0, threshold=0.0, mend="Ask for the file anew, then `kedro run --pipeline "
               "update`."),
        _check("data health", "latest day", "unknown", "No calendar of deliveries is known."),
        _check("age", "age of the champion", value=28.0, threshold=56.0,
               detail="Its sales end 28 days ago."),
    ]  # fmt: skip


def _error(i: int) -> dict:
    nwrmsle = 0.579 + 0.006 * math.sin(i / 2) + 0.05 * max(i - 14, 0) ** 2 / 170
    return {
        "date": str(CUTOFF - dt.timedelta(27 - i)), "rows": 64_700 + 13 * i,
        "nwrmsle": None if i == 9 else round(nwrmsle, 4),
        "moving_average": round(0.664 + 0.008 * math.sin(i / 3), 4),
        "seasonal_naive": round(0.781 + 0.01 * math.sin(i / 2.5), 4), "promised": 0.584,
        "bar": 0.62, "wape": round(0.411 + i / 900, 4), "bias": round(0.01 - i / 900, 4),
        "coverage": round(0.806 - i / 1100, 4), "mean_step": 8.5,
    }  # fmt: skip


def _output(i: int) -> dict:
    day = CUTOFF - dt.timedelta(27 - i)
    usual = 21_000 + 7_000 * (day.weekday() >= 5) + 1_500 * math.sin(i)
    return {
        "date": str(day),
        "sold": round(usual) if i < 28 else None,
        "forecast": round(usual * (1.03 - 0.004 * math.cos(2 * i))),
    }


def _skew(feature: str, **others: object) -> dict:
    skew = {"feature": feature, "served_missing_share": 0.021, "training_missing_share": 0.019,
            "psi": 0.01, "ks": 0.02, "threshold": 0.25, "ks_threshold": 0.2, "differing_share": 0.0,
            "state": "ok"}  # fmt: skip
    return skew | others


def _explanations() -> list[dict]:
    shares = (0.46, 0.21, 0.14, 0.09, 0.07, 0.03)
    found = []
    for i in range(5):
        week = CUTOFF - dt.timedelta(7 * (4 - i) + 2)
        moved = [share + 0.02 * i * (1 if j == 1 else -0.2) for j, share in enumerate(shares)]
        for driver, share in zip(_DRIVERS, moved, strict=True):
            found.append(
                {
                    "week": str(week),
                    "is_training": i < 1,
                    "driver": driver,
                    "share": share,
                    "mean": share / 3,
                }
            )
    return found


def _fairness() -> list[dict]:
    def one(name: str, value: object, bias: float, skill: float, state: str = "ok") -> dict:
        return {
            "slice": name, "value": value, "rows": 9240, "series": 330, "nwrmsle": 0.55 + bias / 2,
            "promised_nwrmsle": 0.54,
            "bias": bias, "bias_low": bias - 0.04, "bias_high": bias + 0.04, "skill": skill,
            "promised_bias": 0.004,
            "skill_low": skill - 0.05, "skill_high": skill + 0.05, "state": state,
        }  # fmt: skip

    families = ("GROCERY I", "BEVERAGES", "CLEANING", "PRODUCE", "BREAD/BAKERY", "DELI", "MEATS")
    return [
        *(one("family", name, 0.01 * i - 0.03, 0.16 - 0.01 * i) for i, name in enumerate(families)),
        one("family", "DAIRY", -0.09, 0.06, "watch"),
        one("family", "SEAFOOD", 0.14, -0.08, "alarm"),
        *(one("store_nbr", store, 0.004, 0.12) for store in (1, 8, 44, 47)),
        one("perishable", True, -0.02, 0.11),
        one("perishable", False, 0.006, 0.14),
        {"slice": "family", "value": "BOOKS", "rows": 12, "series": 2, "nwrmsle": None,
         "promised_nwrmsle": None,
         "bias": None, "bias_low": None, "bias_high": None, "promised_bias": None, "skill": None,
         "skill_low": None,
         "skill_high": None, "state": "unknown"},
    ]  # fmt: skip


def _usage() -> dict:
    days = [CUTOFF - dt.timedelta(20 - i) for i in range(21)]
    return {
        "requests": 8652,
        "refused": 112,
        "failed": 21,
        "long_range_share": 0.062,
        "refused_share": 0.013,
        "failed_share": 0.0024,
        "by_day": [
            {"date": str(day), "requests": 412 - 180 * (day.weekday() >= 5) + 9 * (i % 5),
             "refused": 3 + 12 * (i % 6 == 2), "failed": i % 3}
            for i, day in enumerate(days)
        ],
        "products": [{"item_nbr": n, "requests": r} for n, r in
                     ((99197, 2410), (105574, 1302), (1963838, 655))],
        "stores": [{"store_nbr": n, "requests": r} for n, r in ((47, 5120), (44, 2210), (8, 700))],
        "clients": [{"client": c, "requests": r} for c, r in
                    (("ordering", 7400), ("curl/8.9.1", 1000), ("Mozilla", 252))],
    }  # fmt: skip
