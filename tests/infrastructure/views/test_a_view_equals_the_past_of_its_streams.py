"""A row of a view by time is what looking back at its stream tells of that time, wherever the clock stepped back."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from uuid import uuid4

import pytest

from domain.accounts.account import AccountEvent, decider
from infrastructure.history.errors import OutOfReach
from infrastructure.history.past import StateAsOf
from infrastructure.views.errors import ViewIsPast
from projections import account_balance
from projections.account_balance import AccountBalance
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.infrastructure.history.ledger import CODEC, deposited, opened, past, stored
from tests.infrastructure.readmodels.workers import deployment
from tests.infrastructure.views.album import Album
from tests.infrastructure.views.clocked_log import moment, put_times
from tests.infrastructure.views.counts import counts_of
from tests.support.eventstore import EventStoreProcess

ACCOUNTS = [str(uuid4()) for _ in range(12)]
"""Their clock goes back up to nine seconds between two events, once in three."""


@dataclass
class Ledger:
    uri: str
    store: Operator
    seconds: dict[int, int]
    """By position: when each event was written."""

    def as_of(self, account: str, second: int) -> StateAsOf | None:
        try:
            return past(self.store, f"account-{account}").as_of_time(moment(second))
        except OutOfReach:
            return None


def event_of(account: str, number: int) -> AccountEvent:
    return opened(account) if number == 0 else deposited(account, f"{number}.00")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    folder = tmp_path_factory.mktemp("ledger")
    draw = random.Random(7)
    counts, seconds, second = dict.fromkeys(ACCOUNTS, 0), dict[int, int](), 20
    with ExitStack() as stack:
        store = stack.enter_context(EventStoreProcess(folder))
        with operating(store.uri) as operator:
            for _ in range(240):
                account = draw.choice(ACCOUNTS)
                record = stored(event_of(account, counts[account]))
                second += draw.choice([0, 1, 2, 3, 4, -3, -9])
                seconds[operator.append(f"account-{account}", record)] = second
                counts[account] += 1
        store.stop()
        put_times(folder, seconds)
        store.start()
        yield Ledger(store.uri, stack.enter_context(operating(store.uri)), seconds)


def test_rows_equal_their_streams_at_every_time(ledger: Ledger, redis_uri: str, namespace: str) -> None:
    earliest, latest = min(ledger.seconds.values()), max(ledger.seconds.values())
    for partitions in (1, 4):
        deployed = deployment(ledger.uri, redis_uri, f"{namespace}{partitions}", partitions)
        album = Album(replace(deployed, codec=CODEC), account_balance.projection)
        for second in random.Random(partitions).sample(range(earliest - 1, latest + 1), 8):
            album.make(f"t{second}", as_of=moment(second))
            found = told(album.rows(f"t{second}", ACCOUNTS))
            assert found == {each: known for each in ACCOUNTS if (known := expected(ledger, each, second)) is not None}


def told(rows: dict[str, AccountBalance]) -> dict[str, tuple[int, str]]:
    return {each: (row.version, str(row.balance.amount)) for each, row in rows.items()}


def expected(ledger: Ledger, account: str, second: int) -> tuple[int, str] | None:
    known = ledger.as_of(account, second)
    return None if known is None else (known.version, known.state["balance"]["amount"])


def test_between_two_times_lie_the_events_after_the_one_state_up_to_the_other(
    ledger: Ledger, redis_uri: str, namespace: str
) -> None:
    album = Album(
        replace(deployment(ledger.uri, redis_uri, namespace, 2), codec=CODEC), counts_of("account", decider.events)
    )
    seconds = sorted(random.Random(3).sample(sorted(ledger.seconds.values()), 5))
    for since, until in pairwise(seconds):
        name = f"from-{since}-to-{until}"
        album.make(name, from_time=moment(since), as_of=moment(until))
        found = {each: row.events for each, row in album.rows(name, ACCOUNTS).items()}
        lengths = {each: length(ledger, each, until) - length(ledger, each, since) for each in ACCOUNTS}
        assert found == {each: events for each, events in lengths.items() if events > 0}


def length(ledger: Ledger, account: str, second: int) -> int:
    """How many events it had then."""
    known = ledger.as_of(account, second)
    return 0 if known is None else known.version + 1


def test_up_to_its_position_a_view_by_time_holds_everything(ledger: Ledger, redis_uri: str, namespace: str) -> None:
    album = Album(replace(deployment(ledger.uri, redis_uri, namespace, 2), codec=CODEC), account_balance.projection)
    second = sorted(ledger.seconds.values())[120]
    position = album.make("then", as_of=moment(second)).position
    assert position is not None
    first_later = min(place for place, written in ledger.seconds.items() if written > second)
    assert position == first_later - 1
    with pytest.raises(ViewIsPast):
        album.page("then", "none", at_least=first_later)
