"""Wiring of the update pipeline."""

from kedro.pipeline import Pipeline, node

from grocery_demand.pipelines.update.nodes import check_incoming_files, take_in_arrivals


def create_pipeline(**_: object) -> Pipeline:
    """From the files that arrived and the panel so far to the panel with these days."""
    return Pipeline(
        [
            node(
                check_incoming_files,
                inputs=[
                    "incoming_files",
                    "standing_panel",
                    "items",
                    "new_data_report",
                    "former_monitoring",
                    "params:quality",
                ],
                outputs=["arrivals", "new_data_quality", "new_quarantined_rows"],
                name="check_incoming_files",
            ),
            node(
                take_in_arrivals,
                inputs=[
                    "standing_panel",
                    "arrivals",
                    "sales",
                    "items",
                    "stores",
                    "holidays_events",
                    "new_data_quality",
                ],
                outputs=["new_sales", "panel"],
                name="take_in_arrivals",
            ),
        ]
    )
