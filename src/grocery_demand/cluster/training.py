"""LightGBM fitted on rows that stay with the workers that made them.

This is what `lightgbm.dask` does, with the `LightGBM.fit` of one machine on each worker. That
module gives workers of one host their ranks at random, so that a fit does not repeat itself, and
has the bins of each feature found on one worker's rows: here, on some of the stores.
"""

import logging
import os
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
from distributed import Future

from grocery_demand.cluster.client import only, pin
from grocery_demand.cluster.errors import ClusterError, WorkerLostError
from grocery_demand.cluster.gathering import Crew
from grocery_demand.cluster.ports import find_port, host_of, share_ports
from grocery_demand.core.models.fit_plan import dataset_params
from grocery_demand.core.models.gradient_boosted import LightGBM, Peers
from grocery_demand.core.rows import Recipe, Rows

_BIN_ROWS = 200_000
"""Rows on which bins are found at most, as many as LightGBM takes on one machine."""

_MINUTES = 5
"""After which a worker gives the others up."""

_NOT_THEIR_OWN = (
    "LightGBM did not find a worker's address among those of its host's own interfaces, as it does "
    "not where addresses are translated, or are loopback ones other than 127.0.0.1. Start workers "
    "with `--host` and an address that their host has itself."
)

_PROCESS = uuid.uuid4().hex
"""Tells a worker from the one that is started in its place, which may have the same address."""

_OF_THIS_RUN = ("[machines:", "[local_listen_port:", "[time_out:")
"""Lines of a model's text that name this run's addresses."""


def fit_where_rows_lie(crew: Crew, blocks: list[Future], recipe: Recipe) -> LightGBM:
    """Fit the trees by exchanging histograms, and return an ordinary model.

    The same rows on the same number of workers give the same model: each worker has its rows in
    the order of parts, and its rank among the others by them. Another number adds the histograms
    up in another order and draws other rows for each tree.

    Args:
        crew: The workers of the parts.
        blocks: Of each part, its list of `Rows`.
        recipe: What is fitted.

    Raises:
        DataShortageError: If there is no row.
        WorkerLostError: If a worker ends meanwhile.
    """
    submit = partial(crew.client.submit, pure=False)
    joined = _join_by_worker(crew, blocks)
    sizes = crew.gather([submit(len, rows) for rows in joined.values()], counted=blocks)
    n_rows = sum(sizes)
    recipe.require_rows(n_rows)
    rows = {home: own for (home, own), size in zip(joined.items(), sizes, strict=True) if size}
    bins = submit(bytes, _find_bins(crew, rows, n_rows, recipe))
    ports = share_ports(rows)
    asked = [submit(_make_ready, ports[home], **only(home)) for home in rows]
    ready = crew.gather(asked, of="workers", together=True)
    hosts = map(host_of, rows)
    machines = ",".join(f"{host}:{port}" for host, (port, _) in zip(hosts, ready, strict=True))
    fits = [
        submit(_fit, own, bins, recipe, machines, at, n_rows, **only(home))
        for (home, own), at in zip(rows.items(), ready, strict=True)
    ]
    try:
        return LightGBM.from_files(recipe.names, crew.gather(fits, of="workers", together=True)[0])
    except WorkerLostError:
        crew.client.cancel(fits, force=True)
        raise
    except lgb.basic.LightGBMError as error:
        crew.client.cancel(fits, force=True)
        if "local machine" in str(error):
            raise ClusterError(f"{_NOT_THEIR_OWN} The workers: {', '.join(rows)}.") from error
        if "socket" not in str(error).lower():
            raise
        raise WorkerLostError(f"A worker ended while {crew.stage}: {error}.") from error


def _join_by_worker(crew: Crew, blocks: list[Future]) -> dict[str, Future]:
    """Return each worker's rows by its address, in the order of parts."""
    own: dict[str, list[Future]] = {}
    for block, home in zip(blocks, crew.homes, strict=True):
        own.setdefault(home, []).append(block)
    return {
        home: crew.client.submit(Rows.join, parts, pure=False, **pin(home))
        for home, parts in own.items()
    }


def _find_bins(crew: Crew, rows: dict[str, Future], n_rows: int, recipe: Recipe) -> bytes:
    """Find the features' bins on rows drawn from all workers; return them in LightGBM's format."""
    share = min(_BIN_ROWS / n_rows, 1.0)
    submit = partial(crew.client.submit, pure=False)
    drawn = [
        submit(_draw, own, share, (recipe.seed, rank)) for rank, own in enumerate(rows.values())
    ]
    sample = np.concatenate(crew.gather(drawn, of="workers"))
    names, params = list(recipe.names), dataset_params(recipe.settings)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bins"
        lgb.Dataset(sample, feature_name=names, params=params).construct().save_binary(path)
        return path.read_bytes()


def _draw(rows: Rows, share: float, seed: tuple[int, int]) -> np.ndarray:
    """Return the features of some rows."""
    if share == 1:
        return rows.matrix
    chosen = np.random.default_rng(seed).random(len(rows)) < share
    return rows.matrix[chosen]


def _make_ready(ports: Sequence[int]) -> tuple[int, str]:
    """Return a port that is free, and which process says so."""
    return find_port(ports), _PROCESS


def _fit(
    rows: Rows, bins: bytes, recipe: Recipe, machines: str, at: tuple[int, str], n_rows: int
) -> dict[str, bytes]:
    """Fit on the rows of one worker, in step with the others; return the model's files."""
    port, process = at
    if process != _PROCESS:
        raise WorkerLostError("A worker was started again before it could fit with the others.")
    network: dict[str, Any] = {}
    if "," in machines:
        network = {"machines": machines, "local_listen_port": port, "time_out": _MINUTES}
        network |= {"tree_learner": "data", "num_machines": machines.count(",") + 1}
    with tempfile.TemporaryDirectory() as folder, _silence():
        path = Path(folder) / "bins"
        path.write_bytes(bins)
        of_all = lgb.Dataset(path, params=dataset_params(recipe.settings)).construct()
        peers = Peers(network, n_rows, of_all)
        model = LightGBM.fit(
            recipe.names,
            rows.matrix,
            rows.target,
            rows.weight,
            recipe.settings,
            recipe.seed,
            peers,
        )
    return {name: _without_addresses(text) for name, text in model.to_files().items()}


@contextmanager
def _silence() -> Iterator[None]:
    """Leave out what LightGBM tells of its network; its errors are raised anyway.

    Its thread that listens knows of no logger, and writes to the process's output.
    """
    log = logging.getLogger("lightgbm")
    log.setLevel(logging.ERROR)
    lgb.register_logger(log)
    output = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(output, 1)
        os.close(output)


def _without_addresses(model_text: bytes) -> bytes:
    """Return the text without what differs from run to run, so that equal models are equal."""
    lines = model_text.decode().split("\n")
    return "\n".join(line for line in lines if not line.startswith(_OF_THIS_RUN)).encode()
