"""Steps from older shapes: what they say anew, and that they hold on to all that was said."""

from typing import Any

import pytest

from domain.accounts.account import Address
from infrastructure.eventstore.errors import UnknownEventVersion, UnreadableEvent
from infrastructure.eventstore.record import Record
from tests.infrastructure.eventstore.samples import CODEC, record


def _saying(sample: str, old: str, new: str) -> Record:
    """The sample with other words in its payload."""
    recorded = record(sample)
    assert old.encode() in recorded.data
    return recorded._replace(data=recorded.data.replace(old.encode(), new.encode()))


def _read(recorded: Record) -> Any:
    [event] = CODEC.events_in(recorded)
    return event.event


def test_an_adjustment_upwards_was_a_deposit() -> None:
    event = _read(_saying("BalanceAdjusted.1", '"-2.50"', '"2.50"'))
    assert (event.stored_name, str(event.amount.amount)) == ("MoneyDeposited", "2.50")


@pytest.mark.parametrize(
    ("owner", "owner_id", "address"),
    [
        ("cafe-harbour", "cafe-harbour", None),
        ("cafe-harbour, Porto", "cafe-harbour", Address(street="", town="Porto")),
        ("cafe-harbour, Unit 3, 12 Quay, Porto", "cafe-harbour", Address(street="Unit 3, 12 Quay", town="Porto")),
    ],
)
def test_an_envelope_is_taken_apart(owner: str, owner_id: str, address: Address | None) -> None:
    event = _read(_saying("AccountOpened.1", "cafe-harbour, 12 Quay Street, 4050 Porto", owner))
    assert (event.owner_id, event.address) == (owner_id, address)


def test_the_events_of_one_record_share_its_place_and_are_counted() -> None:
    created, confirmed = CODEC.events_in(record("OrderPlaced.1", "order-1", 7))
    assert (created.id, created.stream, created.version, created.position, created.at) == (
        confirmed.id,
        confirmed.stream,
        confirmed.version,
        confirmed.position,
        confirmed.at,
    )
    assert created.metadata == confirmed.metadata
    assert (created.version, created.index, confirmed.index) == (7, 0, 1)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"unit_price":"8.90"', '"unit_price":8.9', "items.0.unit_price: Input should be a valid string"),
        ('"unit_price":"8.90"', '"unit_price":"8.9"', "lines.0.unit_price: Value error, EUR has 2 decimals"),
        ('"total":', '"sum":', "total: Field required"),
    ],
)
def test_an_old_payload_that_does_not_fit_is_refused_with_its_place(old: str, new: str, reason: str) -> None:
    recorded = _saying("OrderPlaced.1", old, new)._replace(stream="order-1", version=4, position=9)
    with pytest.raises(UnreadableEvent, match=f"OrderPlaced: {reason}") as refusal:
        CODEC.events_in(recorded)
    assert (refusal.value.stream, refusal.value.version, refusal.value.position) == ("order-1", 4, 9)


def test_a_version_from_the_future_is_named() -> None:
    recorded = record("OrderCreated.3")
    newer = recorded._replace(metadata=recorded.metadata.replace(b'"schema_version":3', b'"schema_version":4'))
    with pytest.raises(UnknownEventVersion, match="OrderCreated in the unknown version 4"):
        CODEC.events_in(newer)
