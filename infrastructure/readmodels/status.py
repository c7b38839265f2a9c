"""A worker's report on the partition it follows: a key that expires, so that a dead worker is noticed."""

import os
import socket
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

import redis
from pydantic import BaseModel, ConfigDict

from infrastructure.readmodels.keys import PartitionKeys

HEARTBEAT: Final = 1.0
"""Seconds between two reports of one worker."""
_EXPIRY: Final = 10_000  # milliseconds
State: TypeAlias = Literal["starting", "catching_up", "live", "failed"]


class Failure(BaseModel):
    """What stopped a partition, and where, as far as an event did."""

    model_config = ConfigDict(frozen=True)

    error: str
    reason: str
    stream: str | None = None
    version: int | None = None
    position: int | None = None
    attempts: int = 1


class Status(BaseModel):
    """One report. `position` is the checkpoint's; None before the first."""

    model_config = ConfigDict(frozen=True)

    worker: str
    state: State
    position: int | None = None
    failure: Failure | None = None
    at: datetime


def worker_name() -> str:
    """Names this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def report(connection: redis.Redis, keys: PartitionKeys, status: Status) -> None:
    """Stores it until the next one, for at most ten seconds."""
    connection.set(keys.status, status.model_dump_json(), px=_EXPIRY)


def read_status(text: str) -> Status:
    """The inverse of what `report` stores."""
    return Status.model_validate_json(text)


def now() -> datetime:
    return datetime.now(UTC)
