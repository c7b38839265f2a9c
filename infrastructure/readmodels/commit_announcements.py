"""Announces commits to whoever waits for them: on one channel of Redis for each namespace, without any promise."""

from typing import Final

import redis
import structlog

from infrastructure.readmodels.keys import PartitionId, PartitionKeys

_FORM: Final = b"1"
_logger: Final = structlog.get_logger()


def channel_of(namespace: str) -> str:
    """The channel on which the commits of a namespace are announced."""
    return f"{namespace}:commits"


def announcement(keys: PartitionKeys, position: int | None) -> str:
    """Says that the partition has come to this position."""
    return f"1 {keys.projection} {keys.generation} {keys.partition} {position or 0}"


def parse_announcement(message: bytes) -> tuple[PartitionId, int] | None:
    """What a message says; None for one of another form, as of a later release."""
    try:
        form, projection, *numbers = message.split(b" ")
        generation, partition, position = map(int, numbers)
        return ((projection.decode(), generation, partition), position) if form == _FORM else None
    except ValueError:
        return None


class CommitAnnouncements:
    """Whether this process may announce; says once that it may not."""

    def __init__(self) -> None:
        self._told = False

    def begin(self, connection: redis.Redis, keys: PartitionKeys, position: int | None) -> bool:
        """Announces where a partition stands; False where Redis refuses that, as a user's rights may have it do.

        In a transaction such a refusal would undo everything. Raises RedisError for any other failure.
        """
        try:
            connection.publish(channel_of(keys.namespace), announcement(keys, position))
        except redis.ResponseError as error:
            if not self._told:
                _logger.warning("commits_not_announced", channel=channel_of(keys.namespace), reason=str(error))
            self._told = True
            return False
        return True
