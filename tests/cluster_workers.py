"""Worker processes for tests, as `kedro run --env cluster` starts them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

import cloudpickle
import pytest
from distributed import Client

from grocery_demand.cluster.client import connect


@contextmanager
def two_workers(variables: Mapping[str, str], module: ModuleType) -> Iterator[Client]:
    """Connect to two workers with these variables, to which a test's functions can be sent."""
    cloudpickle.register_pickle_by_value(module)
    connect.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**variables, "GROCERY_DEMAND_WORKERS": "2"}.items():
            patch.setenv(name, value)
        client = connect()
        yield client
        client.close()
        client.cluster.close()
    connect.cache_clear()
