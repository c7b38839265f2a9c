"""What compose.yaml mounts and Prometheus reads is there, images are of one version, nothing is published widely."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).parents[2]
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
SCRAPED: Final = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
OBSERVING: Final = ("collector", "grafana", "jaeger", "prometheus")


def of_each(member: str) -> list[Any]:
    """What stands in this list of all services."""
    return [each for service in SERVICES.values() for each in service.get(member, ())]


def test_every_file_and_volume_that_is_mounted_is_there() -> None:
    sources = [volume.partition(":")[0] for volume in of_each("volumes")]
    missing = [
        each
        for each in sources
        if not (each in COMPOSE["volumes"] or (each.startswith("./") and (ROOT / each).is_dir()))
    ]
    assert missing == []


def test_every_image_is_of_one_version() -> None:
    images = {service["image"] for service in SERVICES.values()}
    assert [image for image in images if not re.fullmatch(r"[\w./-]+:v?\d+\.\d+(\.\d+)?", image)] == []


def test_only_this_machine_reaches_what_is_published() -> None:
    assert [port for port in of_each("ports") if not port.startswith("127.0.0.1:")] == []


def test_plain_compose_runs_none_of_what_observes() -> None:
    profiles = {name: service.get("profiles") for name, service in SERVICES.items()}
    assert [name for name, chosen in sorted(profiles.items()) if chosen == ["observability"]] == list(OBSERVING)


@pytest.mark.parametrize("job", SCRAPED["scrape_configs"], ids=lambda job: job["job_name"])
def test_prometheus_reads_services_that_there_are(job: dict[str, Any]) -> None:
    found = [name for each in job.get("dns_sd_configs", ()) for name in each["names"]]
    told = [target.partition(":")[0] for each in job.get("static_configs", ()) for target in each["targets"]]
    assert [name for name in (*found, *told) if name in SERVICES] == [*found, *told] != []
