"""Looking back at a saga's stream shows what the engine noted, as a change of nothing."""

from infrastructure.history.past import walk
from service.history.sources import CODEC, boundary_of
from tests.infrastructure.eventstore.samples import record

STREAM = "fulfilment-0b7a3c9e-32a1-4c5e-8f65-3a9f6f1f2d01"


def test_a_note_is_a_change_without_fields() -> None:
    records = [
        record(name, STREAM, number) for number, name in enumerate(["FulfilmentStarted.1", "SagaMessageParked.1"])
    ]
    started, parked = walk(iter(records), boundary_of(STREAM), CODEC)
    assert [event.event.stored_name for event in parked.events] == ["SagaMessageParked"]
    assert (parked.before, parked.fields) == (started.after, [])
