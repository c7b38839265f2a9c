"""Events are stored under their declared name as JSON, and read back whole or refused with their place."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from domain.message import Event, Recorded, stored_as
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import UnknownEventType, UnknownEventVersion, UnreadableEvent
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.record_messages import record_in
from tests.infrastructure.commands.tally import CODEC, CORRELATION, NOW, Counted, TallyOpened, request
from tests.infrastructure.eventstore.messages import message_of

COMMAND = UUID("22222222-2222-4222-8222-222222222222")
EVENT = UUID("33333333-3333-4333-8333-333333333333")
COUNTED = Counted(by=Decimal("1.50"))
METADATA = request(COMMAND).metadata(COUNTED)
NEW = CODEC.encode(COUNTED, METADATA)
STORED = Record("tally-0", 4, 99, EVENT, "Counted", NEW.data, NEW.metadata, datetime(2026, 3, 1, tzinfo=UTC))


def test_an_event_is_stored_as_json_with_its_decimals_as_text() -> None:
    assert (NEW.type, NEW.content_type) == ("Counted", "application/json")
    assert json.loads(NEW.data) == {"by": "1.50"}


def test_metadata_is_stored_under_the_names_that_tools_know() -> None:
    assert json.loads(NEW.metadata) == {
        "$correlationId": str(CORRELATION),
        "$causationId": str(COMMAND),
        "command_id": str(COMMAND),
        "digest": "digest",
        "actor": "anonymous",
        "tenant": "default",
        "schema_version": 1,
        "time": "2026-03-01T15:00:00Z",
    }


def test_an_event_is_read_back_as_it_was() -> None:
    assert CODEC.events_in(STORED) == [
        Recorded(
            event=COUNTED,
            id_or_text=EVENT,
            stream="tally-0",
            version=4,
            position=99,
            at=datetime(2026, 3, 1, tzinfo=UTC),
            metadata_or_read=METADATA,
        )
    ]
    assert METADATA.time == NOW


def test_members_of_a_newer_writer_are_ignored() -> None:
    newer = STORED._replace(data=b'{"by": "1.50", "colour": "red"}', metadata=_metadata(trace="t"))
    assert CODEC.events_in(newer) == CODEC.events_in(STORED)


@pytest.mark.parametrize(
    "metadata",
    [
        NEW.metadata,
        json.dumps(json.loads(NEW.metadata)).encode(),
        NEW.metadata.replace(b':"digest"', b':"\\"command_id\\":\\""'),
    ],
)
def test_the_id_of_a_command_is_read_whoever_wrote_the_metadata(metadata: bytes) -> None:
    assert CODEC.command_id_in(STORED._replace(metadata=metadata, data=b"\xff")) == COMMAND


def test_metadata_without_the_id_of_a_command_are_refused_with_their_place() -> None:
    with pytest.raises(UnreadableEvent, match="Counted: metadata: ") as refusal:
        CODEC.command_id_in(STORED._replace(metadata=b'{"command_id":"1"}'))
    assert (refusal.value.stream, refusal.value.version, refusal.value.position) == ("tally-0", 4, 99)


def test_the_stored_version_is_the_events_own() -> None:
    @stored_as(name="Recounted", version=3)
    class Recounted(Event):
        by: int

    codec = EventCodec([Recounted])
    assert json.loads(codec.encode(Recounted(by=1), METADATA).metadata)["schema_version"] == 3


def test_an_unknown_name_is_refused_with_its_place() -> None:
    with pytest.raises(UnknownEventType) as refusal:
        CODEC.events_in(STORED._replace(type="Melted", metadata=b""))
    error = refusal.value
    assert (error.stream, error.version, error.position, error.type) == ("tally-0", 4, 99, "Melted")


def test_an_unknown_version_of_a_known_name_is_refused() -> None:
    with pytest.raises(UnknownEventVersion) as refusal:
        CODEC.events_in(STORED._replace(metadata=_metadata(schema_version=2)))
    error = refusal.value
    assert (error.stream, error.version, error.position, error.type) == ("tally-0", 4, 99, "Counted")
    assert error.schema_version == 2


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (STORED._replace(data=b"{}"), "Counted: by: Field required"),
        (STORED._replace(data=b"\xff"), "Counted: Invalid JSON: expected value at line 1 column 1"),
        (STORED._replace(metadata=b"{}"), r"Counted: metadata: \$correlationId: Field required"),
        (STORED._replace(metadata=b""), r"Counted: metadata: Invalid JSON: EOF"),
        (STORED._replace(position=None), "Counted: the server did not say where"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(damaged: Record, reason: str) -> None:
    with pytest.raises(UnreadableEvent, match=reason) as refusal:
        CODEC.events_in(damaged)
    assert (refusal.value.stream, refusal.value.version) == ("tally-0", 4)


def test_metadata_as_we_write_it_is_read_when_it_is_asked_for() -> None:
    with_a_day_that_never_was = NEW.metadata.replace(b"2026-03-01T", b"2026-02-30T")
    [recorded] = CODEC.events_in(STORED._replace(metadata=with_a_day_that_never_was))
    assert recorded.event == COUNTED
    with pytest.raises(UnreadableEvent, match="Counted: metadata: time: ") as refusal:
        _ = recorded.metadata
    assert (refusal.value.stream, refusal.value.version, refusal.value.position) == ("tally-0", 4, 99)


def test_a_message_is_read_as_the_record_that_it_carries() -> None:
    assert record_in(message_of(STORED)) == STORED._replace(prepare_position=0)
    [read, again] = [CODEC.message_reader(["Counted"])(message_of(STORED)) for _ in range(2)]
    assert [read] == [again] == CODEC.events_in(STORED)


@pytest.mark.parametrize(
    "other",
    [
        STORED._replace(type="Melted"),
        STORED._replace(data=b"{}"),
        STORED._replace(metadata=b"{}"),
        STORED._replace(metadata=NEW.metadata.replace(b'"schema_version":1', b'"schema_version":2')),
        STORED._replace(at=None),
    ],
)
def test_whatever_is_not_as_it_is_written_today_is_not_read_off_its_message(other: Record) -> None:
    assert CODEC.message_reader(["Counted", "Melted"])(message_of(other)) is None


def test_only_what_is_wanted_is_read_off_its_message() -> None:
    assert CODEC.message_reader(["TallyOpened"])(message_of(STORED)) is None


@pytest.mark.parametrize("last", ['{"schema_version":9,"time":"2026-03-01T15:00:00Z"}', '",\\"schema_version\\":9"'])
def test_only_the_metadatas_own_schema_version_counts(last: str) -> None:
    ours = NEW.metadata[:-1].decode()
    recorded = STORED._replace(metadata=f'{ours},"by_a_newer_writer":{last}}}'.encode())
    assert CODEC.events_in(recorded) == CODEC.events_in(STORED)


def test_an_event_that_could_not_be_read_again_is_not_stored() -> None:
    with pytest.raises(ValueError, match="TallyOpened is not among the events"):
        EventCodec([Counted]).encode(TallyOpened(limit=Decimal(1)), METADATA)


def test_two_types_can_not_share_a_stored_name_and_version() -> None:
    @stored_as(name="Counted", version=1)
    class Imposter(Event):
        pass

    with pytest.raises(ValueError, match="both stored as Counted 1"):
        EventCodec([Counted, Imposter])


def _metadata(**changes: object) -> bytes:
    return json.dumps(json.loads(NEW.metadata) | changes).encode()
