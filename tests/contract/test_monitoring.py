"""Alerts and dashboard ask for metrics that exist, and name sections that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.checks.promtool import promtool

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
(GROUP,) = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
RULES: list[dict[str, Any]] = GROUP["rules"]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboards" / "segue.json").read_text())
# tests/unit/streamer/status/test_worker_metrics.py holds this page against the code.
WORKER_PAGE = (ROOT / "docs" / "worker.md").read_text(encoding="utf-8")
KNOWN = set(re.findall(r"^\| `(segue_[a-z_]+)` \|", WORKER_PAGE, re.MULTILINE))


def expressions() -> list[str]:
    shown = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    return [*shown, *(rule["expr"] for rule in RULES)]


def test_every_metric_that_is_asked_for_exists() -> None:
    asked = {name for text in expressions() for name in re.findall(r"\bsegue_[a-z_]+", text)}
    assert len(asked) > 15
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked} <= KNOWN


def test_every_alert_names_a_section_of_the_runbook() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    sections = {title.lower().replace(" ", "-") for title in re.findall(r"^## (.+)$", page, re.MULTILINE)}
    assert {rule["annotations"]["runbook"] for rule in RULES} <= sections
    assert {rule["alert"] for rule in RULES} <= set(re.findall(r"`(Segue\w+)`", page))


def test_every_alert_is_tested() -> None:
    tests = (PROMETHEUS / "alerts-test.yml").read_text()
    assert [rule["alert"] for rule in RULES if rule["alert"] not in tests] == []


@pytest.mark.parametrize(
    "words",
    [
        ["check", "config", "--syntax-only", "prometheus.yml"],
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts-test.yml"],
    ],
)
def test_promtool_accepts_the_configuration_and_the_alerts(words: list[str]) -> None:
    promtool(*words, folder=PROMETHEUS)


def test_promtool_can_read_what_the_dashboard_asks_for(tmp_path: Path) -> None:
    asked = [text.replace("$__rate_interval", "5m") for text in expressions()]
    rules = [{"record": f"of_a_panel:{number}", "expr": text} for number, text in enumerate(asked)]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", "rules.yml", folder=tmp_path)


def test_compose_gives_grafana_its_dashboard_and_prometheus_its_workers() -> None:
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "segue.yml").read_text())["providers"]
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    mounted = {volume.split(":")[1]: volume.split(":")[0] for volume in SERVICES["grafana"]["volumes"]}
    assert (ROOT / mounted[provider["options"]["path"]] / "segue.json").is_file()
    assert ROOT / mounted["/etc/grafana/provisioning"] == provisioning
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"] if "targets" in panel} == {
        source["uid"]
    }
    assert source["url"] == "http://prometheus:9090"

    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    (workers,) = job["dns_sd_configs"]
    (name,) = workers["names"]
    assert SERVICES[name]["environment"]["SEGUE_WEB_PORT"] == workers["port"]
    mounted = {volume.split(":")[1]: volume.split(":")[0] for volume in SERVICES["prometheus"]["volumes"]}
    for file in map(Path, config["rule_files"]):
        assert (ROOT / mounted[str(file.parent)] / file.name).is_file()
