"""The certificates by which driver, scheduler and workers know each other, as Dask is told."""

import os
import ssl
from pathlib import Path

import dask
from distributed import Security

from grocery_demand.cluster.errors import ClusterError

MEND = (
    "`deploy/cluster/make-certificates` makes certificates for all hosts of a cluster; "
    "conf/production/dask.yml says where they lie, if DASK_CONFIG names it."
)
_FILES = ("ca-file", "client.cert", "client.key")


def require_configuration() -> None:
    """See to it that there are settings where DASK_CONFIG says, as Dask would do without them.

    Raises:
        ClusterError: If there are none, or they cannot be read.
    """
    named = os.environ.get("DASK_CONFIG")
    if named and not any(dask.config.collect_yaml([named])):
        raise ClusterError(
            f"DASK_CONFIG is {named}, but {Path(named).absolute()} does not exist, cannot be read "
            "or has no settings: Dask would go on without them, and without encryption. Type the "
            "command in the project's folder, name the file by its whole path, or unset it."
        )


def load_certificates(address: str) -> Security:
    """Return what the driver shows to a scheduler.

    Args:
        address: The scheduler's, `tls://…` or `tcp://…`.

    Raises:
        ClusterError: If a certificate is missing or damaged, or does not go with the address.
    """
    security = Security()
    is_tls = address.startswith("tls://")
    if security.require_encryption and not is_tls:
        raise ClusterError(
            f"DASK_SCHEDULER_ADDRESS is {address}, which is not encrypted, but "
            "`distributed.comm.require-encryption` of Dask's configuration asks for it: "
            "give the address as tls://…"
        )
    if is_tls:
        _require_files()
        _try_certificates(security)
    return security


def _require_files() -> None:
    """Raise an error for the first file that is not named or not there."""
    for name in _FILES:
        setting = f"distributed.comm.tls.{name}"
        named = dask.config.get(setting, None)
        if not named:
            raise ClusterError(
                f"A tls:// scheduler asks for certificates; {setting} is not set. {MEND}"
            )
        if not Path(named).is_file():
            raise ClusterError(f"There is no {Path(named).absolute()} ({setting}). {MEND}")


def _try_certificates(security: Security) -> None:
    """Raise an error if OpenSSL cannot use them."""
    try:
        security.get_connection_args("client")
    except (ssl.SSLError, PermissionError) as error:
        named = ", ".join(str(dask.config.get(f"distributed.comm.tls.{name}")) for name in _FILES)
        raise ClusterError(f"The certificates {named} cannot be used: {error}. {MEND}") from error
