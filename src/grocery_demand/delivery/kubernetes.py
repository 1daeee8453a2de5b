"""Deploys an image to a Kubernetes cluster with kubectl, and goes back if it does not come up."""

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from grocery_demand.core.errors import GroceryDemandError

OVERLAYS = Path("deploy/kubernetes/overlays")
FOLDER = Path("build/deploy/kubernetes")
NAMESPACE, DEPLOYMENT = "grocery-demand", "deployment/web"
IMAGE = "grocery-demand"
FIRST_TRAINING = "first-training"
_ROLLOUT_SECONDS, _TRAINING_SECONDS, _SECONDS_BETWEEN_LOOKS = 300, 7200, 5


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
    is_first = not _serves(project)
    tell(f"Applying {folder.relative_to(project)} …")
    _kubectl(project, "apply", "-k", str(folder))
    if is_first:
        tell("No pod serves yet: training a champion, which the web app waits for …")
        _train(project)
    try:
        # The deadline of a first rollout may have passed while the champion was trained.
        ready = ["wait", "--for=condition=Available"] if is_first else ["rollout", "status"]
        timeout = f"--timeout={_ROLLOUT_SECONDS}s"
        _kubectl(project, *ready, DEPLOYMENT, "-n", NAMESPACE, timeout)
    except KubernetesError:
        if is_first:
            raise
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
    _require_secrets(source, project)
    folder = project / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    up = "/".join([".."] * len(FOLDER.parts))
    contents = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"{up}/{OVERLAYS / overlay}"],
        "images": [{"name": _image_of(source), **_split(image)}] if image else [],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(contents), encoding="utf-8")
    return folder


def _require_secrets(overlay: Path, project: Path) -> None:
    """Raise an error for the first file of secrets that is not there.

    Those of the overlay's own come first, then those of what it builds on.
    """
    contents = yaml.safe_load((overlay / "kustomization.yaml").read_text(encoding="utf-8"))
    for generator in contents.get("secretGenerator", []):
        for name in [*generator.get("envs", []), *generator.get("files", [])]:
            if not (overlay / name).is_file():
                missing = (overlay / name).relative_to(project)
                raise KubernetesError(
                    f"{missing} is missing. {_say_how(overlay, name)} Git ignores it."
                )
    for name in contents.get("resources", []):
        if (overlay / name / "kustomization.yaml").is_file():
            _require_secrets((overlay / name).resolve(), project.resolve())


def _say_how(overlay: Path, name: str) -> str:
    """Return what makes a file of secrets."""
    if (overlay / f"{name}.example").is_file():
        return f"Copy {name}.example beside it and put the secrets in."
    folder = (OVERLAYS / overlay.name / name).parent
    return f"`deploy/cluster/make-certificates {folder}` makes it."


def _image_of(overlay: Path) -> str:
    """Return the name that an overlay gives the image."""
    contents = yaml.safe_load((overlay / "kustomization.yaml").read_text(encoding="utf-8"))
    renamed = {entry["name"]: entry.get("newName") for entry in contents.get("images", [])}
    return renamed.get(IMAGE) or IMAGE


def _split(image: str) -> dict[str, str]:
    """Return name and tag, or digest, of an image as kustomize takes them."""
    name, at, digest = image.partition("@")
    if at:
        return {"newName": name, "digest": digest}
    host, slash, rest = image.rpartition("/")
    last, colon, tag = rest.partition(":")
    return {"newName": f"{host}{slash}{last}"} | ({"newTag": tag} if colon else {})


def _serves(project: Path) -> bool:
    """Return whether any pod of the web app is available."""
    available = "jsonpath={.status.availableReplicas}"
    said = _kubectl(
        project, "get", DEPLOYMENT, "-n", NAMESPACE, "--ignore-not-found", "-o", available
    )
    return said.strip() not in ("", "0")


def _train(project: Path) -> None:
    """Run the training job once and wait until it has succeeded.

    Raises:
        KubernetesError: If it fails or takes too long.
    """
    _kubectl(project, "delete", "job", FIRST_TRAINING, "-n", NAMESPACE, "--ignore-not-found")
    _kubectl(project, "create", "job", FIRST_TRAINING, "--from=cronjob/train", "-n", NAMESPACE)
    ended = 'jsonpath={.status.conditions[?(@.status=="True")].type}'
    deadline = time.monotonic() + _TRAINING_SECONDS
    while True:
        said = _kubectl(project, "get", "job", FIRST_TRAINING, "-n", NAMESPACE, "-o", ended)
        if "Complete" in said:
            return
        if "Failed" in said or time.monotonic() > deadline:
            raise KubernetesError(
                f"The first training did not succeed; kubectl logs job/{FIRST_TRAINING} -n "
                f"{NAMESPACE} says why. Are the sales on the volume? Mend it and deploy again."
            )
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _kubectl(project: Path, *arguments: str) -> str:
    """Run kubectl and return what it writes.

    Raises:
        KubernetesError: If it is not installed or fails, with what it says.
    """
    program = shutil.which("kubectl")
    if program is None:
        raise KubernetesError("kubectl is not installed; it deploys to Kubernetes.")
    outcome = subprocess.run(  # noqa: S603
        [program, *arguments], cwd=project, capture_output=True, text=True, check=False
    )
    if outcome.returncode:
        raise KubernetesError(
            f"`kubectl {' '.join(arguments)}` failed with status {outcome.returncode}: "
            f"{outcome.stderr.strip()}"
        )
    return outcome.stdout
