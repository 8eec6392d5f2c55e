"""Alerts and dashboard ask for metrics that exist, and name sections that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
(GROUP,) = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
RULES: list[dict[str, Any]] = GROUP["rules"]
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


@pytest.mark.parametrize("words", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts-test.yml"]])
def test_promtool_accepts_the_alerts(words: list[str]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool on this machine (Debian's package prometheus has it)")
    done = subprocess.run([promtool, *words], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
