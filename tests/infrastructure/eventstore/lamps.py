"""A boundary for tests of upcasters: one old record meant that a lamp was lit and named."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypeAlias, assert_never
from uuid import UUID, uuid4

from typing_extensions import TypedDict

from domain.decider import Decider
from domain.engine_events import ENGINE_EVENTS
from domain.message import Command, Event, Metadata, Recorded, stored_as
from domain.saga import Saga
from domain.upcasting import Stored, Upcaster
from domain.value import changed, value
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.record import NewRecord, Record
from projections.projection import Entry, Projection, Row, RowEntries, where_known


class _LitAndNamed(TypedDict):
    lamp_id: str
    names: list[str]


def _lit_and_named(old: _LitAndNamed) -> Sequence[Stored]:
    """The lamp was lit, and named as often as there are names."""
    lamp = {"lamp_id": old["lamp_id"]}
    return (Stored("LampLit", 1, lamp), *(Stored("LampNamed", 1, {**lamp, "name": name}) for name in old["names"]))


LIT_AND_NAMED = Upcaster("LampBegun", 1, _LitAndNamed, _lit_and_named)


@stored_as(name="LampLit", version=1, upcasters=(LIT_AND_NAMED,))
class LampLit(Event):
    lamp_id: str


@stored_as(name="LampNamed", version=1, upcasters=(LIT_AND_NAMED,))
class LampNamed(Event):
    lamp_id: str
    name: str


LampEvent: TypeAlias = LampLit | LampNamed


@dataclass(frozen=True, slots=True)
class Lamp:
    lit: int = 0
    names: tuple[str, ...] = ()


def evolve(lamp: Lamp, event: LampEvent) -> Lamp:
    match event:
        case LampLit():
            return replace(lamp, lit=lamp.lit + 1)
        case LampNamed():
            return replace(lamp, names=(*lamp.names, event.name))
        case _:
            assert_never(event)


class NameLamp(Command):
    lamp_id: str
    name: str

    @property
    def aggregate_id(self) -> str:
        return self.lamp_id


def decide(command: NameLamp, lamp: Lamp) -> list[LampEvent]:
    return [] if command.name in lamp.names else [LampNamed(lamp_id=command.lamp_id, name=command.name)]


decider = Decider[NameLamp, Lamp, LampEvent](
    category="lamp",
    events=(LampLit, LampNamed),
    initial=Lamp(),
    evolve=evolve,
    decide=decide,
    exists=lambda lamp: lamp.lit > 0,
)
LAMP: Final = "00000000-0000-4000-8000-000000000001"


def begun(lamp_id: str, *names: str, command_id: UUID | None = None) -> NewRecord:
    """A record of the time when one event said it all."""
    own_id = command_id or uuid4()
    metadata = Metadata(
        correlation_id=uuid4(),
        causation_id=own_id,
        command_id=own_id,
        digest="digest",
        actor="anonymous",
        tenant="default",
        schema_version=1,
        time=datetime(2024, 3, 1, tzinfo=UTC),
    )
    data = json.dumps({"lamp_id": lamp_id, "names": names}).encode()
    return NewRecord("LampBegun", data, metadata.model_dump_json(by_alias=True).encode())


def recorded(new: NewRecord, *, version: int, position: int) -> Record:
    """The record as the log would give it out."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Record(f"lamp-{LAMP}", version, position, uuid4(), new.type, new.data, new.metadata, at)


@value
class LampRow(Row):
    lit: int
    names: tuple[str, ...]
    version: int


def _light(row: LampRow | None, recorded: Recorded[LampLit]) -> LampRow:
    return LampRow(lit=1, names=(), version=recorded.version)


def _name(row: LampRow, recorded: Recorded[LampNamed]) -> LampRow:
    if recorded.event.name == "":
        raise ValueError("a name has letters")
    return changed(row, names=(*row.names, recorded.event.name), version=recorded.version)


LAMPS: Final = Projection[LampRow](
    name="lamps",
    category="lamp",
    row=LampRow,
    handlers={LampLit: _light, LampNamed: where_known(_name)},
    index=RowEntries[LampRow](lambda row: [Entry(f"names:{len(row.names)}", LAMP, 10)]),
)
LIGHTS: Final = Projection[LampRow](
    name="lights", category="lamp", row=LampRow, handlers={LampLit: _light}, ignored=frozenset({LampNamed})
)


@stored_as(name="NameNoted", version=1)
class NameNoted(Event):
    name: str


def _notes(names: frozenset[str], event: NameNoted) -> frozenset[str]:
    return names | {event.name}


def _observe(event: LampNamed, names: frozenset[str]) -> list[NameNoted]:
    return [] if event.name in names else [NameNoted(name=event.name)]


SAGA: Final = Saga[frozenset[str], NameNoted](
    category="lampnote",
    events=(NameNoted,),
    initial=frozenset(),
    evolve=_notes,
    reacts_to=(LampNamed,),
    begins="beginning",
    identify=lambda event: event.lamp_id,
    observe=_observe,
    pending=lambda names: [],
    on_reply=lambda ask, answer, names: [],
)
CODEC: Final = EventCodec((*decider.events, *SAGA.events, *ENGINE_EVENTS))
