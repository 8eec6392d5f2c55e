"""The manifests for Kubernetes say the same as the code, and as one another."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.topics import Topics
from segue.cli.commands import COMMANDS
from segue.config.settings import Settings

ROOT = Path(__file__).parents[2]
BASE = ROOT / "deploy" / "kubernetes" / "base"
KUSTOMIZATION = yaml.safe_load((BASE / "kustomization.yaml").read_text())
OBJECTS: list[dict[str, Any]] = [
    manifest
    for name in KUSTOMIZATION["resources"]
    for manifest in yaml.safe_load_all((BASE / name).read_text())
]
BY_KIND = {(one["kind"], one["metadata"]["name"]): one for one in OBJECTS}
SETTINGS = {f"SEGUE_{name.upper()}" for name in Settings.model_fields} | {
    "SEGUE_CONFIG",
    "SEGUE_CONSOLE_TOKEN",
}
DEFAULTS = {name: field.default for name, field in Settings.model_fields.items()}


def pods(objects: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in objects:
        if one["kind"] == "Deployment":
            yield one["spec"]["template"]["spec"]
        if one["kind"] == "CronJob":
            yield one["spec"]["jobTemplate"]["spec"]["template"]["spec"]


PODS = list(pods(OBJECTS))
WORKER = BY_KIND["Deployment", "segue-worker"]


@pytest.mark.parametrize(
    "manifest",
    [one for one in OBJECTS if one["kind"] != "ScaledObject"],  # of KEDA, whose schema Kubernetes lacks
    ids=lambda one: f"{one['kind']} {one['metadata']['name']}",
)
def test_the_schemas_of_kubernetes_accept_every_manifest(manifest: dict[str, Any]) -> None:
    schemas = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    schemas.validate(manifest, schemas.latest_version(), strict=True)  # strict: no unknown field


def test_the_overlay_of_the_docs_can_be_built(tmp_path: Path) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl on this machine")
    page = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^   ```yaml\n(.+?)^   ```", page, re.MULTILINE | re.DOTALL)
    overlay = tmp_path / "my-overlay"
    overlay.mkdir()
    (tmp_path / "segue").symlink_to(ROOT)
    (overlay / "kustomization.yaml").write_text(re.sub(r"^   ", "", block, flags=re.MULTILINE))
    for name in ("segue.toml", "triggers.toml"):
        (overlay / name).write_text(f"# my {name}")

    done = subprocess.run([kubectl, "kustomize", str(overlay)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    kinds = sorted(one["kind"] for one in built)
    assert kinds == sorted([*(one["kind"] for one in OBJECTS), "ConfigMap"])
    (files,) = [one for one in built if one["kind"] == "ConfigMap"]
    assert files["data"] == {name: f"# my {name}" for name in ("segue.toml", "triggers.toml")}
    images = {pod["containers"][0]["image"] for pod in pods(built)}
    assert images == {f"registry.example.com/segue-{name}:1.2.3" for name in ("worker", "trainer")}
    mounted = {volume["configMap"]["name"] for pod in pods(built) for volume in pod["volumes"][:1]}
    assert mounted == {files["metadata"]["name"]}


@pytest.mark.parametrize("pod", PODS, ids=lambda pod: pod["containers"][0]["name"])
def test_a_pod_runs_a_command_of_segue_without_rights(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    args = container["args"]
    commands = {command.name for command in COMMANDS}
    if "command" in container:
        (script,) = args
        assert {line.split("segue ")[1].split()[0] for line in script.splitlines() if "segue " in line} == {
            "train",
            "publish",
        }
    else:
        assert commands & {args[0], " ".join(args[:2])}
    assert pod["securityContext"]["runAsUser"] == 10001  # as in deploy/Dockerfile
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["limits"]["memory"]
    assert {one["name"] for one in container["env"]} - {"WAREHOUSE"} <= SETTINGS
    mounted = {one["name"] for one in container["volumeMounts"]}
    assert mounted == {one["name"] for one in pod["volumes"]}


def test_the_worker_is_probed_where_it_answers() -> None:
    (container,) = WORKER["spec"]["template"]["spec"]["containers"]
    environment = {one["name"]: one["value"] for one in container["env"]}
    (port,) = container["ports"]
    assert environment["SEGUE_WEB_PORT"] == str(port["containerPort"])
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert probes == {
        "startup": {"path": "/healthz", "port": port["name"]},
        "liveness": {"path": "/healthz", "port": port["name"]},
        "readiness": {"path": "/readyz", "port": port["name"]},
    }


def test_keda_scales_the_workers_by_the_lag_of_their_group() -> None:
    scaling = BY_KIND["ScaledObject", "segue-worker"]["spec"]
    assert scaling["scaleTargetRef"]["name"] == WORKER["metadata"]["name"]
    assert "replicas" not in WORKER["spec"], "KEDA and the Deployment would both set it"
    assert scaling["maxReplicaCount"] == DEFAULTS["partitions"]
    triggers = [one["metadata"] for one in scaling["triggers"]]
    assert {one["topic"] for one in triggers} == set(Topics().sources)
    file = tomllib.loads((BASE / "segue.toml").read_text())
    assert {one["consumerGroup"] for one in triggers} == {file["group"]} == {DEFAULTS["group"]}
    assert {one["bootstrapServers"] for one in triggers} == {file["kafka"]}


def test_a_disruption_leaves_workers() -> None:
    budget = BY_KIND["PodDisruptionBudget", "segue-worker"]["spec"]
    assert budget["selector"] == WORKER["spec"]["selector"]
    assert budget["maxUnavailable"] == 1


def test_a_worker_has_the_time_to_hand_its_lanes_on() -> None:
    grace_s = WORKER["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert timedelta(seconds=grace_s) >= timedelta(milliseconds=DEFAULTS["rebalance_timeout_ms"])


def test_the_files_of_the_settings_are_good() -> None:
    known = set(Settings.model_fields)
    assert set(tomllib.loads((BASE / "segue.toml").read_text())) <= known
    for files in KUSTOMIZATION["configMapGenerator"]:
        assert all((BASE / name).is_file() for name in files["files"])
