"""Compares every key of three read models in Redis with a fold of the log by other code."""

from collections.abc import Sequence
from typing import Final

from infrastructure.eventstore.errors import StoreUnavailable
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.readmodels.durability.log_fold import Keys, LogFold
from tests.infrastructure.readmodels.durability.stored_keys import (
    connection_to,
    differences,
    live_generation,
    positions,
    repairs,
    skips_applied,
    stored_keys,
)
from tests.support.polling import poll_until

PROJECTIONS: Final = ("tallies", "raises", "summed")
_SECONDS: Final = 60.0


class Comparison:
    """Of one category and namespace."""

    def __init__(self, eventstore_uri: str, redis_uri: str, namespace: str, category: str, partitions: int) -> None:
        self._eventstore_uri: Final = eventstore_uri
        self._redis_uri: Final = redis_uri
        self._namespace: Final = namespace
        self._partitions: Final = partitions
        self.fold: Final = LogFold(category, partitions)
        self.keys = 0

    def differences(self, place: str) -> list[str]:
        """Those of all keys, once all read models are at the end of the log; each line begins with the projection."""
        poll_until(self._has_read_on, seconds=_SECONDS, what="the end of the log")
        wanted = [position for position, _ in self.fold.newest]
        found = []
        for name in PROJECTIONS:
            poll_until(lambda: self._reaches(name, wanted), seconds=_SECONDS, what=f"{name} at {wanted} {place}")  # noqa: B023 - asked in this round
            expected = self.fold.expected(name, self._namespace)
            poll_until(lambda: self._knows_skips(name, expected), seconds=_SECONDS, what=f"the skips of {name} {place}")  # noqa: B023 - asked in this round
            with connection_to(self._redis_uri) as connection:
                stored = stored_keys(connection, self._namespace, name)
            found += [f"{name} {line}" for line in differences(expected, stored)]
            self.keys += len(expected.keys() | stored.keys())
        return found

    def rebuilt(self) -> Sequence[tuple[int | None, int]]:
        """Of each read model: the live generation, and how much of it was mended."""
        with connection_to(self._redis_uri) as connection:
            return [
                (
                    live_generation(connection, self._namespace, name),
                    repairs(connection, self._namespace, name, self._partitions),
                )
                for name in PROJECTIONS
            ]

    def _has_read_on(self) -> bool:
        """The first connections to a store that was killed and started again may still be those to the killed one."""
        try:
            with operating(self._eventstore_uri) as operator:
                self.fold.read_on(operator)
        except StoreUnavailable:
            return False
        return True

    def _knows_skips(self, name: str, expected: Keys) -> bool:
        """A worker looks for them once a second."""
        wanted = [expected[f"p{number}}}:checkpoint"]["skips"] for number in range(self._partitions)]
        with connection_to(self._redis_uri) as connection:
            return skips_applied(connection, self._namespace, name, self._partitions) == wanted

    def _reaches(self, name: str, wanted: Sequence[int]) -> bool:
        with connection_to(self._redis_uri) as connection:
            found = positions(connection, self._namespace, name, self._partitions)
        return all(position >= newest for position, newest in zip(found, wanted, strict=True))
