"""A real Prometheus for tests, on a port and in a folder of its own, which reads what it is told to each second."""

import json
import shutil
from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

from service.addresses import lasting_port
from tests.support.polling import poll_until
from tests.support.processes import Listened

PROMETHEUS: Final = shutil.which("prometheus")


class PrometheusProcess:
    """Debian's, with these jobs of scraping and this file of rules."""

    def __init__(self, folder: Path, jobs: Sequence[Mapping[str, Any]], rules: Path) -> None:
        self._port: Final = lasting_port()
        self._folder: Final = folder
        self._http: Final = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", trust_env=False, timeout=10)
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": list(jobs),
        }
        (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")

    def __enter__(self) -> Self:
        assert PROMETHEUS is not None, "not installed"
        options = {
            "config.file": self._folder / "prometheus.yml",
            "storage.tsdb.path": self._folder / "series",
            "web.listen-address": f"127.0.0.1:{self._port}",
            "log.level": "error",
        }
        self._process = Listened((PROMETHEUS, *(f"--{name}={value}" for name, value in options.items())), {})
        poll_until(self._is_ready, seconds=30, what="Prometheus")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()
        self._process.kill()

    def numbers(self, query: str) -> list[float]:
        """The values of the series that a query finds, without those that are no number. Fails where it is none."""
        found = self._asked("query", query=query)["result"]
        return [value for series in found if not isnan(value := float(series["value"][1]))]

    def names(self) -> set[str]:
        """The names of all metrics that it has read."""
        return set(self._asked("label/__name__/values"))

    def rules(self) -> dict[str, tuple[str, str]]:
        """Of each rule: how its last evaluation went, and why it failed."""
        rules = [rule for group in self._asked("rules")["groups"] for rule in group["rules"]]
        return {rule["name"]: (rule["health"], rule.get("lastError", "")) for rule in rules}

    def _is_ready(self) -> bool:
        try:
            return self._http.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def _asked(self, path: str, **parameters: str) -> Any:
        answer = self._http.get(f"/api/v1/{path}", params=parameters)
        assert answer.status_code == 200, (parameters, answer.text)
        return answer.json()["data"]
