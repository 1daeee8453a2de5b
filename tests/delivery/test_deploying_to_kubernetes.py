"""What `kedro deploy --to kubernetes` applies, and what it says where it cannot."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml

from grocery_demand.delivery.kubernetes import KubernetesError, deploy, write_kustomization
from make_targets import ROOT

TLS = "deploy/kubernetes/overlays/cluster/tls"
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
    shutil.rmtree(tmp_path / TLS, ignore_errors=True)
    return tmp_path


def make_certificates(project) -> None:
    """Put something into the place of certificates: nothing here reads them."""
    (project / TLS).mkdir(exist_ok=True)
    for name in ("ca.crt", "node.crt", "node.key"):
        (project / TLS / name).write_text("made up")


@needs_kubectl
@pytest.mark.parametrize("overlay", ["production", "cluster"])
@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("registry.example:5000/shop/grocery-demand:1.2.0",) * 2,
        ("grocery-demand:local",) * 2,
        ("ghcr.io/shop/demand@sha256:" + 64 * "a",) * 2,
        (None, "ghcr.io/example/grocery-demand:0.1.0"),
    ],
)
def test_every_container_runs_the_image_that_is_deployed(project, overlay, image, expected):
    make_certificates(project)
    folder = write_kustomization(project, overlay, image)
    rendered = subprocess.check_output(["kubectl", "kustomize", folder], text=True)
    images = set()
    for resource in yaml.safe_load_all(rendered):
        pod = resource.get("spec", {})
        pod = pod.get("jobTemplate", {"spec": pod})["spec"]
        pod = pod.get("template", {}).get("spec", {})
        images |= {c["image"] for c in pod.get("containers", []) + pod.get("initContainers", [])}
    assert images == {expected}


def test_an_unknown_overlay_is_named_with_those_that_exist(project):
    with pytest.raises(KubernetesError, match=r"no overlay `staging`.*cluster, local, production"):
        write_kustomization(project, "staging", None)


def test_missing_secrets_are_named_with_what_to_do(project):
    with pytest.raises(KubernetesError, match=r"local/secrets\.env is missing\. Copy"):
        write_kustomization(project, "local", None)


def test_missing_certificates_are_named_with_what_makes_them(project):
    with pytest.raises(
        KubernetesError, match=rf"{TLS}/ca\.crt is missing\. `.*certificates {TLS}`"
    ):
        write_kustomization(project, "cluster", None)


def test_missing_secrets_of_what_an_overlay_builds_on_are_named(project):
    make_certificates(project)
    (project / "deploy/kubernetes/overlays/production/secrets.env").unlink()
    with pytest.raises(KubernetesError, match=r"production/secrets\.env is missing\. Copy"):
        write_kustomization(project, "cluster", None)


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


STAND_IN = """#!{python}
import json, pathlib, sys
said = pathlib.Path({said!r})
said.write_text(said.read_text() + json.dumps(sys.argv[1:]) + "\\n")
answers = json.loads(pathlib.Path({answers!r}).read_text())
for words, answer in answers.items():
    if " ".join(sys.argv[1:]).startswith(words):
        sys.stdout.write(answer)
        sys.exit(answer == "fails")
"""


@pytest.fixture
def cluster(project, monkeypatch):
    """A stand-in for kubectl that answers as one with a cluster does; return what was asked of it.

    There is no cluster to try with; what it is given is rendered by the real one in tests above.
    """
    program, said, answers = (project / name for name in ("kubectl", "said", "answers.json"))
    said.write_text("")
    text = STAND_IN.format(python=sys.executable, said=str(said), answers=str(answers))
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(project))

    def answer(**given: str) -> None:
        answers.write_text(json.dumps({name.replace("_", " "): a for name, a in given.items()}))

    def asked() -> list[str]:
        return [" ".join(json.loads(line)[:2]) for line in said.read_text().splitlines()]

    answer()
    return SimpleNamespace(answer=answer, asked=asked)


def test_pods_that_serve_are_replaced_and_nothing_is_trained(project, cluster):
    cluster.answer(get_deployment="2")
    deploy(project, "production", "grocery-demand:2", lambda line: None)
    assert cluster.asked() == ["get deployment/web", "apply -k", "rollout status"]


def test_where_nothing_serves_yet_a_champion_is_trained_before_the_pods_are_waited_for(
    project, cluster
):
    cluster.answer(get_job="Complete")
    deploy(project, "production", None, lambda line: None)
    assert cluster.asked() == [
        "get deployment/web", "apply -k", "delete job", "create job", "get job",
        "wait --for=condition=Available",
    ]  # fmt: skip


def test_a_first_training_that_fails_says_what_to_look_at(project, cluster):
    cluster.answer(get_job="Failed FailureTarget")
    with pytest.raises(KubernetesError, match="Are the sales on the volume"):
        deploy(project, "production", None, lambda line: None)
    assert not {"rollout status", "wait --for=condition=Available"} & set(cluster.asked())


def test_pods_that_do_not_become_ready_are_taken_back(project, cluster):
    cluster.answer(get_deployment="2", rollout_status="fails")
    with pytest.raises(KubernetesError, match="rollout status"):
        deploy(project, "production", None, lambda line: None)
    assert cluster.asked()[-1] == "rollout undo"
