"""How far the background audit of a partition has come: stored beside the partition, for whoever goes on with it."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

import redis
from pydantic import BaseModel, ConfigDict

from domain.stream_name import stream_of_row
from infrastructure.readmodels.checkpoint import require_known_format
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.other_types import is_other_type
from infrastructure.readmodels.status import AuditReport, now
from infrastructure.readmodels.texts import text_of

_FORMAT: Final = 1
_KEPT_FOR: Final = timedelta(days=7)
_TOLD: Final = 3


class AuditProgress(BaseModel):
    """It is no part of the read model, and behind no fence: what is lost of it is looked at once more.

    `turns` were taken, and `streams` looked at. The round through the ids `began` at that time and has come to the id
    `last`; all ids have been looked at `since` the last whole round began. The round through the log has come to the
    position `logged`, -1 before its beginning. `differing` has what differs, by the ids of streams.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = _FORMAT
    turns: int = 0
    streams: int = 0
    began: datetime
    last: str | None = None
    since: datetime | None = None
    logged: int = -1
    differing: Mapping[str, str] = {}

    def report(self, category: str) -> AuditReport:
        """What a worker tells of it."""
        told = [f"{stream_of_row(category, each)}: {what}" for each, what in self.differing.items()]
        return AuditReport(
            streams=self.streams, since=self.since, differing=len(self.differing), told=tuple(told[:_TOLD])
        )


def load_progress(connection: redis.Redis, keys: PartitionKeys) -> AuditProgress:
    """A new one where nothing that could be read is stored. Raises NewerFormat, RedisError."""
    stored = _stored(connection, keys.audit)
    try:
        require_known_format("progress of an audit", json.loads(stored), _FORMAT)
        return AuditProgress.model_validate_json(stored)
    except (ValueError, AttributeError, TypeError):
        return AuditProgress(began=now())


def _stored(connection: redis.Redis, key: str) -> str:
    """Empty where there is none, or something else than a string."""
    try:
        return text_of(connection.get(key) or "")
    except redis.ResponseError as error:
        if not is_other_type(error):
            raise
        return ""


def store_progress(connection: redis.Redis, keys: PartitionKeys, progress: AuditProgress) -> None:
    """Takes the place of whatever is stored, for a week. Raises RedisError."""
    connection.set(keys.audit, progress.model_dump_json(), ex=_KEPT_FOR)
