"""A long log whose links are yet to be made."""

from pathlib import Path
from time import monotonic

import pytest
from esdbclient import EventStoreDBClient, NewEvent

from tests.infrastructure.embedded.eventstoredb.projections.linked import append, enable, event, read
from tests.support.eventstore import EventStoreProcess, resident_bytes

MIB = 1024 * 1024


def fill(client: EventStoreDBClient, count: int) -> None:
    for number in range(count // 500):
        append(client, f"order-{number}", *[NewEvent(type="T", data=b'"%s"' % (b"x" * 400)) for _ in range(500)])


@pytest.mark.parametrize("count", [3_000, pytest.param(100_000, marks=[pytest.mark.soak, pytest.mark.timeout(600)])])
def test_appends_go_on_and_memory_stays_while_links_of_a_long_log_are_made(folder: Path, count: int) -> None:
    with EventStoreProcess(folder) as process, EventStoreDBClient(process.uri) as client:
        fill(client, count)
        before = resident_bytes(process)
        enable(client, "$by_category", "$by_event_type")
        longest, appends = 0.0, 0
        while client.get_projection_statistics(name="$by_category").progress < 99:
            began = monotonic()
            append(client, "plain", event("T"))
            longest, appends = max(longest, monotonic() - began), appends + 1
            assert resident_bytes(process) < before + 60 * MIB
        assert len(read(client, "$ce-order", limit=count)) >= count * 0.9
        assert appends > count / 1_000
        assert longest < 2.0
