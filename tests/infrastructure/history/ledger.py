"""Writes the history of an account to a store, and looks back on it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from domain.accounts.account import AccountEvent, AccountOpened, MoneyDeposited, MoneyWithdrawn, decider
from domain.message import Event, Metadata
from domain.money import Money
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.history.past import Past
from infrastructure.history.records import Records
from infrastructure.history.states import Boundary
from tests.infrastructure.eventstore.operator import Operator

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
    """Says that a request left the event, where no cause is named."""
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


def stored(event: AccountEvent) -> NewRecord:
    """The event as a request of its own leaves it."""
    return CODEC.encode(event, metadata(event, correlation=uuid4()))


def append(store: Operator, stream: str, records: Sequence[NewRecord]) -> list[Record]:
    """The records as they are stored, whatever the stream's version was."""
    store.append(stream, *records)
    newest_first = store.reader.page(stream, None, len(records), backwards=True)
    return list(newest_first or ())[::-1]


def told(store: Operator, *amounts: str) -> tuple[str, list[Record]]:
    """The stream and the records of an account that was opened, and then paid into."""
    account = str(uuid4())
    stream = f"account-{account}"
    events: list[AccountEvent] = [opened(account), *(deposited(account, amount) for amount in amounts)]
    return stream, [append(store, stream, [stored(event)])[0] for event in events]


def past(store: Operator, stream: str) -> Past:
    return Past(Records(store.reader, stream), BOUNDARY, CODEC)


def balance(amount: str) -> dict[str, object]:
    """An account with this balance and no credit, as states are shown."""
    zero, held = ({"amount": digits, "currency": "EUR"} for digits in ("0.00", amount))
    return {"is": "Account", "owner_id": "harbour", "balance": held, "credit_limit": zero}
