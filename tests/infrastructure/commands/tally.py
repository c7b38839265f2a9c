"""A boundary for tests: a tally that is opened and counted up, never beyond its limit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias, assert_never
from uuid import UUID, uuid4

from domain.decider import Decider
from domain.errors import Rejected, Unknown
from domain.message import Command, Event, stored_as
from infrastructure.commands.request import Request
from infrastructure.eventstore.client import CommandClient, command_client
from infrastructure.eventstore.codec import EventCodec

NOW = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)
CORRELATION = UUID("11111111-1111-4111-8111-111111111111")


@stored_as(name="TallyOpened", version=1)
class TallyOpened(Event):
    limit: Decimal


@stored_as(name="Counted", version=1)
class Counted(Event):
    by: Decimal


@stored_as(name="LimitMet", version=1)
class LimitMet(Event):
    pass


TallyEvent: TypeAlias = TallyOpened | Counted | LimitMet


@dataclass(frozen=True, slots=True)
class Tally:
    limit: Decimal | None = None
    count: Decimal = Decimal(0)


def evolve(tally: Tally, event: TallyEvent) -> Tally:
    match event:
        case TallyOpened():
            return replace(tally, limit=event.limit)
        case Counted():
            return replace(tally, count=tally.count + event.by)
        case LimitMet():
            return tally
        case _:
            assert_never(event)


class _TallyCommand(Command):
    tally_id: str

    @property
    def aggregate_id(self) -> str:
        return self.tally_id


class OpenTally(_TallyCommand):
    limit: Decimal


class Count(_TallyCommand):
    by: Decimal


class CountUpTo(_TallyCommand):
    number: Decimal


TallyCommand: TypeAlias = OpenTally | Count | CountUpTo


def decide(command: TallyCommand, tally: Tally) -> list[TallyEvent]:
    match command:
        case OpenTally():
            if tally.limit is not None:
                raise Rejected("tally-exists", "It is open.")
            return [TallyOpened(limit=command.limit)]
        case Count():
            return _count(command.tally_id, command.by, tally)
        case CountUpTo():
            missing = command.number - tally.count
            return _count(command.tally_id, missing, tally) if missing > 0 else []
        case _:
            assert_never(command)


def _count(tally_id: str, by: Decimal, tally: Tally) -> list[TallyEvent]:
    if tally.limit is None:
        raise Unknown("tally", tally_id)
    total = tally.count + by
    if total > tally.limit:
        raise Rejected("limit-exceeded", f"{total} is more than {tally.limit}.")
    counted = Counted(by=by)
    return [counted, LimitMet()] if total == tally.limit else [counted]


decider = Decider[TallyCommand, Tally, TallyEvent](
    category="tally",
    events=(TallyOpened, Counted, LimitMet),
    initial=Tally(),
    evolve=evolve,
    decide=decide,
    exists=lambda tally: tally.limit is not None,
)
CODEC = EventCodec(decider.events)


def request(command_id: UUID | None = None, *, digest: str = "digest", if_version: int | None = None) -> Request:
    """A request as a person sends it: its own cause."""
    own_id = command_id or uuid4()
    return Request(
        command_id=own_id,
        digest=digest,
        correlation_id=CORRELATION,
        causation_id=own_id,
        actor="anonymous",
        tenant="default",
        time=NOW,
        if_version=if_version,
    )


@asynccontextmanager
async def connected(uri: str) -> AsyncIterator[CommandClient]:
    """A client that is closed at the end."""
    client = await command_client(uri)
    try:
        yield client
    finally:
        await client.close()
