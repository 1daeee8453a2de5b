"""Continuous delivery for machine learning on a grocery demand forecast."""

import os

__version__ = "0.1.0"

# OpenMP threads that spin while they wait slow LightGBM down many times on a busy machine; the
# setting counts only if it is there before the first OpenMP library is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
for _name in ("DO_NOT_TRACK", "KEDRO_DISABLE_TELEMETRY", "MLFLOW_DISABLE_TELEMETRY"):
    os.environ.setdefault(_name, "true")
