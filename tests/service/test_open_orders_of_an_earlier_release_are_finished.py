"""A data folder of the release whose groups had one name for all filters, with orders left open: all are finished once.

`data/open_orders.tar.gz` was made by that release: five orders that have ended, which its sweep has passed, and four
that are confirmed: two without a fulfilment, one before its charge, one that was charged and has not heard of it.
"""

import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from domain.accounts.account import AccountCharged
from domain.fulfilment.events import FulfilmentStarted
from domain.ordering.events import OrderShipped
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.stream_patterns import category_pattern
from infrastructure.sagas.filters import filter_id, group_name, pattern_of
from service.consumers import DECIDERS, EVENTS, SAGAS, groups_of
from tests.infrastructure.eventstore.operator import operating
from tests.service.client import Client
from tests.support.polling import poll_until
from tests.support.service import FoldstreamProcess

DATA: Final = Path(__file__).parent / "data"
TOLD: Final[dict[str, Any]] = json.loads((DATA / "open_orders.json").read_text(encoding="utf-8"))
SWEPT: Final = 16201
"""How far that release's sweep had come."""
FULFILMENT: Final = SAGAS[0]
FORMER: Final = groups_of(FULFILMENT, "foldstream")
GROUP: Final = group_name(FORMER, filter_id(pattern_of(FULFILMENT)))
ONCE: Final = (FulfilmentStarted, AccountCharged, OrderShipped)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FoldstreamProcess]:
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(DATA / "open_orders.tar.gz") as packed:
        packed.extractall(folder, filter="data")
    with FoldstreamProcess(folder) as started:
        yield started


def test_each_open_order_is_shipped_and_charged_once(service: FoldstreamProcess) -> None:
    with Client(service.url) as client:
        assert {client.ended(order)["status"] for order in TOLD["open"]} == {"shipped"}
    with open_reader(service.uri_of("eventstore")) as reader:
        codec = EventCodec(EVENTS)
        categories = [*(decider.category for decider in DECIDERS), FULFILMENT.category]
        events = [
            each.event for record in reader.records(category_pattern(categories)) for each in codec.events_in(record)
        ]
    done = Counter((type(event), event.order_id) for event in events if isinstance(event, ONCE))
    assert {key: number for key, number in done.items() if key[1] in TOLD["open"]} == {
        (kind, order): 1 for kind in ONCE for order in TOLD["open"]
    }


def test_the_new_group_begins_where_the_old_sweep_was_and_the_old_group_is_gone(service: FoldstreamProcess) -> None:
    with operating(service.uri_of("eventstore")) as operator:
        assert operator.group_info(GROUP).start_from == f"C:{SWEPT}/P:{SWEPT}"
        poll_until(lambda: not operator.has_group(FORMER), seconds=20, what=f"the end of {FORMER}")
