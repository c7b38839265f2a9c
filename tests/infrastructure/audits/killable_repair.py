"""An audit that repairs, in a process that can be killed at any instruction; it begins within milliseconds."""

from types import TracebackType
from typing import Final

from infrastructure.audits.audit import audit_of
from infrastructure.audits.findings import Findings
from infrastructure.readmodels.deployment import Deployment
from tests.infrastructure.readmodels.tallies import tallies
from tests.infrastructure.readmodels.workers import deployment
from tests.support.forked import forking

_FORKED: Final = forking(__name__)
_SECONDS: Final = 20.0


class KillableRepair:
    """Of the tallies of a category: all of them, until it is done or killed."""

    def __init__(self, deployed: Deployment, category: str) -> None:
        place = (deployed.eventstore_uri, deployed.redis_uri, deployed.namespace, deployed.partitions)
        self._process: Final = _FORKED.Process(target=_repair, args=(category, *place), daemon=True)

    def __enter__(self) -> "KillableRepair":
        self._process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """SIGKILL, at whatever instruction."""
        self._process.kill()
        self._process.join(_SECONDS)
        assert not self._process.is_alive()

    @property
    def has_ended(self) -> bool:
        """Whether it was done before anybody killed it."""
        return self._process.exitcode is not None


def _repair(category: str, uri: str, redis_uri: str, namespace: str, partitions: int) -> None:
    deployed = deployment(uri, redis_uri, namespace, partitions)
    with Findings() as findings, audit_of(tallies(category), deployed) as audit:
        audit.run(findings, None, int)
        audit.repair(findings)
