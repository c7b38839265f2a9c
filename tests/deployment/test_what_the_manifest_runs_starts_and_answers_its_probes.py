"""Each container of the manifest, run here with its command and settings: its probes say that it started, and lives."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx
import pytest

from service.addresses import lasting_port
from tests.deployment.manifests import Document, container_of, environment_of, name_of, of_kind
from tests.infrastructure.access.issuer import curve, key_set
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened

SECRETS: Final = "/run/secrets/foldstream"
PROBES: Final = ("startupProbe", "readinessProbe", "livenessProbe")


class Container:
    """A container of this machine: other paths, addresses and keys than in its pod, all else as there."""

    def __init__(self, deployment: Document, folder: Path) -> None:
        self._described = container_of(deployment)
        self._ports = {str(port["containerPort"]): str(lasting_port()) for port in self._described["ports"]}
        self._folder = str(folder)
        self._environment = {name: self._here(value) for name, value in environment_of(deployment).items()}
        self._environment |= {"FOLDSTREAM_ACCESS_KEYS": f"{folder}/keys", "FOLDSTREAM_NAMESPACE": f"pod-{uuid4()}"}

    def start(self) -> Listened:
        return Listened((*FOLDSTREAM, *map(self._here, self._described["command"][1:])), self._environment)

    def answers(self, probe: str) -> bool:
        """Whether the kubelet would be content."""
        asked = self._described[probe]["httpGet"]
        named = {port["name"]: str(port["containerPort"]) for port in self._described["ports"]}
        try:
            url = f"http://127.0.0.1:{self._ports[named[asked['port']]]}{asked['path']}"
            return httpx.get(url, trust_env=False).status_code < 400
        except httpx.TransportError:
            return False

    def _here(self, text: str) -> str:
        plain = self._ports.get(text, text).replace("0.0.0.0", "127.0.0.1")
        return plain.replace(SECRETS, self._folder)


@contextmanager
def running(container: Container) -> Iterator[Listened]:
    process = container.start()
    try:
        yield process
    finally:
        process.kill()


@pytest.fixture
def secrets(eventstore_uri: str, redis_uri: str, tmp_path: Path) -> Path:
    (tmp_path / "eventstore-uri").write_text(eventstore_uri)
    (tmp_path / "redis-uri").write_text(redis_uri)
    (tmp_path / "keys").write_bytes(key_set(curve()))
    return tmp_path


@pytest.mark.parametrize("deployment", of_kind("Deployment"), ids=name_of)
def test_its_probes_are_answered_while_it_runs_and_only_then(deployment: Document, secrets: Path) -> None:
    container = Container(deployment, secrets)
    assert not container.answers("startupProbe")
    with running(container) as process:
        poll_until(
            lambda: process.exit_code is not None or all(map(container.answers, PROBES)),
            seconds=60,
            what="an answer to each probe",
        )
        assert (process.exit_code, process.output) == (None, [])
    assert not container.answers("livenessProbe")
