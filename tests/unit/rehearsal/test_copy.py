"""What the copy of a rehearsal shares with others: nothing."""

import os

from grocery_demand.rehearsal.copy import leave_shared_services


def test_a_rehearsal_uses_no_registry_or_event_log_that_others_use(monkeypatch):
    names = (
        "KEDRO_ENV", "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_URL", "EVENTS_URL", "FLUENTD_HOST",
        "MONITORING_FILE", "PUBLICATION_DIR",
    )  # fmt: skip
    for name in names:
        monkeypatch.setenv(name, "http://production")
    leave_shared_services()
    assert not set(names) & set(os.environ)
