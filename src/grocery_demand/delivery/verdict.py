"""The gate's verdict as Markdown, for the summary of a job or a comment."""

from typing import Any


def write_verdict(verdict: dict[str, Any]) -> str:
    """Return outcome, reasons and checks.

    Args:
        verdict: What the pipeline `promote` stored, see `core.gate`.
    """
    challenger, holdout = verdict["challenger"], verdict["holdout"]
    lines = [
        f"## Gate: {verdict['outcome']}",
        "",
        *(f"- {reason}" for reason in verdict["reasons"]),
        "",
        f"Challenger: version {challenger['version']} ({challenger['model']}, features "
        f"`{challenger['feature_set']}`), judged on {holdout['rows']:,} rows of "
        f"{holdout['first_date']} … {holdout['last_date']}, data {verdict['data_digest'][:12]}.",
        "",
        "| check | passed | reason |",
        "|---|---|---|",
    ]
    for check in verdict["checks"]:
        passed = {True: "yes", False: "**no**"}.get(check["passed"], "–")
        lines.append(f"| {_cell(check['name'])} | {passed} | {_cell(check['reason'])} |")
    return "\n".join(lines) + "\n"


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")
