"""Wiring of the update pipeline."""

from kedro.pipeline import Pipeline, node

from grocery_demand.pipelines.update.nodes import add_new_days, check_new_sales


def create_pipeline(**_: object) -> Pipeline:
    """From the files of new days and the panel so far to the panel with these days."""
    return Pipeline(
        [
            node(
                check_new_sales,
                inputs=[
                    "new_raw_sales",
                    "new_raw_promotion_plan",
                    "standing_panel",
                    "items",
                    "params:quality",
                ],
                outputs=[
                    "checked_new_sales",
                    "new_promotion_plan",
                    "new_data_quality",
                    "new_quarantined_rows",
                ],
                name="check_new_sales",
            ),
            node(
                add_new_days,
                inputs=[
                    "standing_panel",
                    "checked_new_sales",
                    "new_promotion_plan",
                    "items",
                    "stores",
                    "holidays_events",
                    "new_data_quality",
                ],
                outputs=["new_sales", "panel"],
                name="add_new_days",
            ),
        ]
    )
