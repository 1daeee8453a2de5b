"""The preprocessing pipeline."""

from kedro.pipeline import Pipeline, node

from grocery_demand.pipelines.preprocessing import nodes

CHECKED = ["checked_reference_tables", "checked_sales", "checked_promotion_plan"]
RAW_REFERENCE = ["raw_items", "raw_stores", "raw_holidays_events", "raw_oil", "raw_transactions"]
REFERENCE = ["items", "stores", "transactions", "oil", "holidays_events"]


def create_pipeline() -> Pipeline:
    """Raw files → checked tables, data-quality report and panel.

    No table is stored before every one has passed its checks.
    """
    return Pipeline(
        [
            node(
                nodes.check_reference_tables,
                [*RAW_REFERENCE, "params:quality"],
                "checked_reference_tables",
                name="check_reference_tables",
            ),
            node(
                nodes.check_sales,
                ["raw_sales", "checked_reference_tables", "params:quality"],
                "checked_sales",
                name="check_sales",
            ),
            node(
                nodes.check_promotion_plan,
                ["raw_promotion_plan", "checked_reference_tables", "params:quality"],
                "checked_promotion_plan",
                name="check_promotion_plan",
            ),
            node(
                nodes.report_quality,
                CHECKED,
                ["data_quality", "quarantined_rows"],
                name="report_quality",
            ),
            node(
                nodes.keep_good_rows,
                CHECKED,
                ["sales", "promotion_plan", *REFERENCE],
                name="keep_good_rows",
            ),
            node(
                nodes.make_panel,
                ["sales", "promotion_plan", "items", "stores", "holidays_events", "data_quality"],
                "panel",
                name="make_panel",
            ),
        ],
        namespace="preprocessing",
        prefix_datasets_with_namespace=False,
    )
