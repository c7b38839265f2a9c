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
EXPIRY: Final = 10.0
"""Seconds for which a report stands."""
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


class LastError(BaseModel):
    """The last attempt that failed since the worker began with a partition, whatever has happened since."""

    model_config = ConfigDict(frozen=True)

    error: str
    reason: str
    at: datetime


class AuditReport(BaseModel):
    """What the background audit has found of a partition.

    `streams` were looked at so far; all listed ones since that time, None before the end of the first round. So many
    are `differing`, of which some are told with what differs.
    """

    model_config = ConfigDict(frozen=True)

    streams: int = 0
    since: datetime | None = None
    differing: int = 0
    told: tuple[str, ...] = ()


class Status(BaseModel):
    """One report. `position` is the checkpoint's; None before the first.

    `rate` is how many events were folded a second lately, `batch` how many the last batch held, `still` for how many
    seconds the checkpoint has not moved. `audit` is None where there is no background audit. The last release reports
    none of these, and passes them by where it reads.
    """

    model_config = ConfigDict(frozen=True)

    worker: str
    state: State
    position: int | None = None
    failure: Failure | None = None
    at: datetime
    rate: float | None = None
    batch: int | None = None
    still: float | None = None
    last_error: LastError | None = None
    audit: AuditReport | None = None


def worker_name() -> str:
    """Names this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def report(connection: redis.Redis, keys: PartitionKeys, status: Status) -> None:
    """Stores it until the next one, for at most ten seconds."""
    connection.set(keys.status, status.model_dump_json(), px=int(EXPIRY * 1000))


def read_status(text: str) -> Status:
    """The inverse of what `report` stores."""
    return Status.model_validate_json(text)


def now() -> datetime:
    return datetime.now(UTC)
