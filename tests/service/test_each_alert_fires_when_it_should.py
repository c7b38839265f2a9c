"""Each alert fires after its time at what it is for, not before and not at less, and says where to read what to do."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from service.consumers import SAGAS
from tests.service.alert_cases import CASES, AlertCase, Series

ROOT: Final = Path(__file__).parents[2]
ALERTS: Final = ROOT / "deploy" / "prometheus" / "alerts.yml"
RUNBOOK: Final = ROOT / "docs" / "runbook.md"
RULES: Final[Mapping[str, Mapping[str, Any]]] = {
    rule["alert"]: rule
    for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}
PROMTOOL: Final = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)")
LATE: Final = 120  # minutes, when every alert has had its time
_UNITS: Final = {"m": 1, "h": 60}


def minutes(rule: Mapping[str, Any]) -> int:
    """How long it has to hold before it fires."""
    return int(rule["for"][:-1]) * _UNITS[rule["for"][-1]]


def firing(rule: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """The alert as Prometheus is to give it out."""

    def filled(text: str) -> str:
        return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels[found[1]], text)

    told = {name: filled(text) for name, text in rule["annotations"].items()}
    return {"exp_labels": {**labels, **rule["labels"]}, "exp_annotations": told}


def tried(alert: str, series: Series, expected: Mapping[int, list[Any]]) -> dict[str, Any]:
    """A test of promtool's: with these series the alert is to be so at these minutes."""
    given = [{"series": name, "values": values} for name, values in series.items()]
    asked = [{"eval_time": f"{at}m", "alertname": alert, "exp_alerts": alerts} for at, alerts in expected.items()]
    return {"interval": "1m", "input_series": given, "alert_rule_test": asked}


def told_by_promtool(folder: Path, *tests: Mapping[str, Any]) -> str:
    """What promtool finds wrong."""
    file = folder / "case.yml"
    file.write_text(json.dumps({"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": tests}))
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize(("alert", "case"), CASES.items(), ids=CASES)
def test_it_fires_after_its_time_and_neither_before_nor_at_less(alert: str, case: AlertCase, tmp_path: Path) -> None:
    rule = RULES[alert]
    at_much = tried(alert, case.fires, {minutes(rule) - 1: [], LATE: [firing(rule, case.labels)]})
    assert told_by_promtool(tmp_path, at_much, tried(alert, case.rests, {LATE: []})) == ""


@needs_promtool
@pytest.mark.parametrize(
    ("check", "file"), [("config", "deploy/prometheus/prometheus.yml"), ("rules", "deploy/prometheus/alerts.yml")]
)
def test_prometheus_can_read_its_files(check: str, file: str) -> None:
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, "check", check, str(ROOT / file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_each_alert_is_tried() -> None:
    assert sorted(CASES) == sorted(RULES)


def test_each_alert_has_an_entry_in_the_runbook_and_each_entry_an_alert() -> None:
    entries = re.findall(r"^## (\w+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    assert entries == list(RULES)
    for alert, rule in RULES.items():
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{alert.lower()}"


def test_each_alert_says_how_bad_it_is() -> None:
    assert {rule["labels"]["severity"] for rule in RULES.values()} == {"critical", "warning"}


def test_alerts_tell_every_saga_from_read_models() -> None:
    sagas = "|".join(saga.category for saga in SAGAS)
    named = [rule["expr"] for rule in RULES.values() if "fulfilment" in rule["expr"]]
    assert len(named) == 3
    assert all(f'{sagas}"' in expression for expression in named)
