"""An account's story in a store, and how the tests ask about it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from esdbclient import EventStoreDBClient, NewEvent, RecordedEvent, StreamState

from domain.accounts.account import AccountEvent, AccountOpened, MoneyDeposited, MoneyWithdrawn, decider
from domain.message import Event, Metadata
from domain.money import Money
from infrastructure.eventstore.codec import EventCodec
from infrastructure.history.past import Past
from infrastructure.history.records import Records
from infrastructure.history.states import Boundary

NOW = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)
CODEC = EventCodec(decider.events)
BOUNDARY = Boundary(decider.category, frozenset(decider.events), decider.initial, decider.evolve)


def euros(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def opened(account_id: str) -> AccountOpened:
    return AccountOpened(account_id=account_id, owner_id="harbour", currency="EUR", credit_limit=euros("0.00"))


def deposited(account_id: str, amount: str) -> MoneyDeposited:
    return MoneyDeposited(account_id=account_id, amount=euros(amount))


def withdrawn(account_id: str, amount: str) -> MoneyWithdrawn:
    return MoneyWithdrawn(account_id=account_id, amount=euros(amount))


def metadata(
    event: Event, *, correlation: UUID, cause: UUID | None = None, command: UUID | None = None, actor: str = "harbour"
) -> Metadata:
    """A request's own, where no cause is named."""
    command_id = command or uuid4()
    return Metadata(
        correlation_id=correlation,
        causation_id=cause or command_id,
        command_id=command_id,
        digest="digest",
        actor=actor,
        tenant="default",
        schema_version=event.stored_version,
        time=NOW,
    )


def stored(event: AccountEvent) -> NewEvent:
    return CODEC.encode(event, uuid4(), metadata(event, correlation=uuid4()))


def append(client: EventStoreDBClient, stream: str, events: Sequence[NewEvent]) -> list[RecordedEvent]:
    """The records as the store tells them."""
    client.append_to_stream(stream, current_version=StreamState.ANY, events=events, timeout=10)
    return list(client.get_stream(stream, backwards=True, limit=len(events), timeout=10))[::-1]


def told(client: EventStoreDBClient, *amounts: str) -> tuple[str, list[RecordedEvent]]:
    """An account that was opened and then paid into; its stream, and its records."""
    account = str(uuid4())
    stream = f"account-{account}"
    events: list[AccountEvent] = [opened(account), *(deposited(account, amount) for amount in amounts)]
    return stream, [append(client, stream, [stored(event)])[0] for event in events]


def past(client: EventStoreDBClient, stream: str) -> Past:
    return Past(Records(client, stream), BOUNDARY, CODEC)


def balance(amount: str) -> dict[str, object]:
    """An account of this balance as it is shown."""
    nothing, there = ({"amount": digits, "currency": "EUR"} for digits in ("0.00", amount))
    return {"is": "Account", "balance": there, "credit_limit": nothing}
