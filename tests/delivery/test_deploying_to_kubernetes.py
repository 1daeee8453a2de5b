"""What `kedro deploy --to kubernetes` applies, and what it says where it cannot."""

import shutil
import subprocess

import pytest
import yaml

from grocery_demand.delivery.kubernetes import KubernetesError, deploy, write_kustomization
from make_targets import ROOT

needs_kubectl = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="kubectl is not installed"
)


@pytest.fixture
def project(tmp_path):
    """The manifests, with the example's secrets for production only."""
    shutil.copytree(ROOT / "deploy/kubernetes", tmp_path / "deploy/kubernetes")
    place = tmp_path / "deploy/kubernetes/overlays/production"
    shutil.copy(place / "secrets.env.example", place / "secrets.env")
    (tmp_path / "deploy/kubernetes/overlays/local/secrets.env").unlink(missing_ok=True)
    return tmp_path


@needs_kubectl
@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("registry.example:5000/shop/grocery-demand:1.2.0",) * 2,
        ("grocery-demand:local",) * 2,
        ("ghcr.io/shop/demand@sha256:" + 64 * "a",) * 2,
        (None, "ghcr.io/example/grocery-demand:0.1.0"),
    ],
)
def test_every_container_runs_the_image_that_is_deployed(project, image, expected):
    folder = write_kustomization(project, "production", image)
    rendered = subprocess.check_output(["kubectl", "kustomize", folder], text=True)
    images = set()
    for resource in yaml.safe_load_all(rendered):
        pod = resource.get("spec", {})
        pod = pod.get("jobTemplate", {"spec": pod})["spec"]
        pod = pod.get("template", {}).get("spec", {})
        images |= {c["image"] for c in pod.get("containers", []) + pod.get("initContainers", [])}
    assert images == {expected}


def test_an_unknown_overlay_is_named_with_those_that_exist(project):
    with pytest.raises(KubernetesError, match=r"no overlay `staging`.*local, production"):
        write_kustomization(project, "staging", None)


def test_missing_secrets_are_named_with_what_to_do(project):
    with pytest.raises(KubernetesError, match=r"local/secrets\.env is missing\. Copy"):
        write_kustomization(project, "local", None)


@needs_kubectl
def test_a_cluster_that_does_not_answer_is_said(project, monkeypatch):
    config = project / "kubeconfig"
    config.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "none",
                "contexts": [{"name": "none", "context": {"cluster": "none", "user": ""}}],
                "clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:1"}}],
            }
        )
    )
    monkeypatch.setenv("KUBECONFIG", str(config))
    with pytest.raises(KubernetesError, match=r"`kubectl get .*` failed .*refused"):
        deploy(project, "production", None, lambda line: None)


def test_a_missing_kubectl_is_said(project, monkeypatch):
    monkeypatch.setenv("PATH", str(project))
    with pytest.raises(KubernetesError, match="kubectl is not installed"):
        deploy(project, "production", None, lambda line: None)
