"""Reads which events are skipped, and records it, for all threads of a process."""

from typing import Final

from infrastructure.readmodels.act_readers import ActWatch
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.skips import Skip, Skips, record_of_skip, recorded_skips


class SkipWatch:
    """For one process, in any of its threads. What can't be read changes nothing of what was known."""

    def __init__(self, deployment: Deployment) -> None:
        self._acts: Final = ActWatch(deployment, recorded_skips(deployment.namespace), "skips")

    def of(self, projection: str) -> Skips:
        """What is skipped by a projection.

        Looks again where a second has passed since the last look. Raises EventStoreError where no look has succeeded.
        """
        return self._acts.known().get(projection, Skips())

    def latest(self, projection: str) -> Skips:
        """The same, read now. Raises EventStoreError."""
        self._acts.append(lambda _: None)
        return self.of(projection)

    def skip(self, skip: Skip) -> Skip | None:
        """Records that the event is skipped, where it is not so yet; the skip that stood before.

        Afterwards `of` says so too. Raises EventStoreError, as where it may have happened: to do it again is no harm.
        """
        return self._record(skip, skipped=True)

    def unskip(self, skip: Skip) -> Skip | None:
        """Records that it counts again; the skip that stood before. The setting ends its own skips alone.

        Raises as `skip`.
        """
        return self._record(skip, skipped=False)

    def close(self) -> None:
        """Ends the connection; another look opens one again."""
        self._acts.close()

    def _record(self, skip: Skip, *, skipped: bool) -> Skip | None:
        before = self._acts.append(lambda known: record_of_skip(known, skip, skipped=skipped))
        return before.get(skip.projection, Skips()).of(skip.stream, skip.version)
