"""Reads which projections are paused, for the workers of a process and for those who ask in an event loop."""

from typing import Final

from infrastructure.eventstore.log import Log
from infrastructure.readmodels.act_readers import ActReads, ActWatch
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.pauses import Operation, Pauses, recorded_pauses


class PauseWatch:
    """For the workers of one process. What can't be read changes nothing of what was known."""

    def __init__(self, deployment: Deployment) -> None:
        self._acts: Final = ActWatch(deployment, recorded_pauses(deployment.namespace), "pauses")

    def of(self, projection: str) -> Operation | None:
        """The pause of a projection, None where it is to be followed.

        Looks again where a second has passed since the last look. Raises EventStoreError where no look has succeeded.
        """
        return self._acts.known().get(projection)

    def close(self) -> None:
        """Ends the connection; another look opens one again."""
        self._acts.close()


class PauseReads:
    """For those who ask in an event loop, all of whom share a read. Where the store does not answer, what was known."""

    def __init__(self, log: Log, namespace: str) -> None:
        self._acts: Final = ActReads(log, recorded_pauses(namespace))

    async def known(self) -> Pauses:
        """The pauses as they were a second ago, or later."""
        return await self._acts.known() or {}
