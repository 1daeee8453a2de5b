"""Deploys an image to a Kubernetes cluster with kubectl, and goes back if it does not come up."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import yaml

from grocery_demand.core.errors import GroceryDemandError

OVERLAYS = Path("deploy/kubernetes/overlays")
FOLDER = Path("build/deploy/kubernetes")
NAMESPACE, DEPLOYMENT = "grocery-demand", "deployment/web"
IMAGE = "grocery-demand"
_ROLLOUT_SECONDS = 300


class KubernetesError(GroceryDemandError):
    """kubectl is missing, or the cluster does not take what it is given."""


def deploy(project: Path, overlay: str, image: str | None, tell: Callable[[str], None]) -> None:
    """Apply an overlay with an image and wait until the new pods have replaced the old ones.

    Args:
        project: The project's folder.
        overlay: Name of a folder in deploy/kubernetes/overlays.
        image: Image with its tag or digest; None for the one that the overlay names.
        tell: Is given a line for each step.

    Raises:
        KubernetesError: If the cluster refuses, or the pods do not become ready; what ran before
            then runs still.
    """
    folder = write_kustomization(project, overlay, image)
    tell(f"Applying {folder} …")
    _kubectl(project, "apply", "-k", str(folder))
    try:
        _kubectl(
            project, "rollout", "status", DEPLOYMENT, "-n", NAMESPACE,
            f"--timeout={_ROLLOUT_SECONDS}s",
        )  # fmt: skip
    except KubernetesError:
        tell("The new pods do not become ready; going back …")
        undo(project)
        raise


def undo(project: Path) -> None:
    """Go back to the pods before the last deployment.

    Raises:
        KubernetesError: If there were none, or the cluster refuses.
    """
    _kubectl(project, "rollout", "undo", DEPLOYMENT, "-n", NAMESPACE)


def write_kustomization(project: Path, overlay: str, image: str | None) -> Path:
    """Write what is applied: the overlay with the image; return its folder.

    Raises:
        KubernetesError: If there is no such overlay, or its secrets are not given.
    """
    source = project / OVERLAYS / overlay
    if not (source / "kustomization.yaml").is_file():
        known = sorted(path.name for path in (project / OVERLAYS).iterdir())
        raise KubernetesError(f"There is no overlay `{overlay}` in {OVERLAYS}: {', '.join(known)}.")
    if not (source / "secrets.env").is_file():
        raise KubernetesError(
            f"{OVERLAYS / overlay}/secrets.env is missing. Copy secrets.env.example beside it and "
            "put the secrets in; git ignores it."
        )
    folder = project / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    up = "/".join([".."] * len(FOLDER.parts))
    contents = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"{up}/{OVERLAYS / overlay}"],
        "images": [{"name": IMAGE, **_split(image)}] if image else [],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(contents), encoding="utf-8")
    return folder


def _split(image: str) -> dict[str, str]:
    """Return name and tag, or digest, of an image as kustomize takes them."""
    name, at, digest = image.partition("@")
    if at:
        return {"newName": name, "digest": digest}
    host, slash, rest = image.rpartition("/")
    last, colon, tag = rest.partition(":")
    return {"newName": f"{host}{slash}{last}"} | ({"newTag": tag} if colon else {})


def _kubectl(project: Path, *arguments: str) -> None:
    program = shutil.which("kubectl")
    if program is None:
        raise KubernetesError("kubectl is not installed; it deploys to Kubernetes.")
    try:
        subprocess.run([program, *arguments], cwd=project, check=True)  # noqa: S603
    except subprocess.CalledProcessError as error:
        raise KubernetesError(
            f"`kubectl {' '.join(arguments)}` failed with status {error.returncode}; it says why "
            "above."
        ) from error
