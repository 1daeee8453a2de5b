"""Continuous delivery for machine learning on a grocery demand forecast."""

import os

__version__ = "0.1.0"

# OpenMP threads that spin long while they wait slow LightGBM down many times on a busy machine, and
# those that never spin almost by half on an idle one. The settings count only if they are there
# before the first OpenMP library is loaded; the second is that of GNU's.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
for _name in ("DO_NOT_TRACK", "KEDRO_DISABLE_TELEMETRY", "MLFLOW_DISABLE_TELEMETRY"):
    os.environ.setdefault(_name, "true")
