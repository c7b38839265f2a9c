"""Each container of the manifest, run here with its command and settings: its probes say that it started, and lives."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
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
    """A container of this machine: other paths, ports and keys than in its pod, all else as there."""

    def __init__(self, deployment: Document, folder: Path) -> None:
        self._described, self._ports = container_of(deployment), dict[str, str]()
        for port in self._described.get("ports", ()):
            self._ports[str(port["containerPort"])] = str(lasting_port())
        given = environment_of(deployment)
        if number := given.get("FOLDSTREAM_METRICS_PORT"):
            self._ports[number] = str(lasting_port())
        self._environment = {name: self._here(value, folder) for name, value in given.items()}
        self._environment |= {"FOLDSTREAM_ACCESS_KEYS": str(folder / "keys"), "FOLDSTREAM_NAMESPACE": f"pod-{uuid4()}"}

    def start(self) -> Listened:
        return Listened((*FOLDSTREAM, *(self._ports.get(word, word) for word in self.words)), self._environment)

    @property
    def words(self) -> list[str]:
        return list(self._described["command"][1:])

    def answers(self, probe: str) -> bool:
        """Whether the kubelet would be content."""
        asked = self._described[probe]
        return self._is_executed(asked["exec"]["command"]) if "exec" in asked else self._is_got(asked["httpGet"])

    def _is_executed(self, command: list[str]) -> bool:
        words = (FOLDSTREAM[0], *(self._here(word, Path()) for word in command[1:]))
        return subprocess.run(words, check=False, capture_output=True, timeout=30).returncode == 0

    def _is_got(self, asked: dict[str, Any]) -> bool:
        named = {port["name"]: str(port["containerPort"]) for port in self._described["ports"]}
        try:
            url = f"http://127.0.0.1:{self._ports[named[asked['port']]]}{asked['path']}"
            return httpx.get(url, trust_env=False).status_code < 400
        except httpx.TransportError:
            return False

    def _here(self, text: str, folder: Path) -> str:
        for there, here in self._ports.items():
            text = here if text == there else text.replace(f":{there}/", f":{here}/")
        return text.replace(SECRETS, str(folder))


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
