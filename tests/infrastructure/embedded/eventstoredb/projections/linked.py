"""Links as the tests look at them, and a way to know that all have come."""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from esdbclient import EventStoreDBClient, NewEvent, RecordedEvent, StreamState
from esdbclient.exceptions import NotFound

from tests.support.polling import poll_until

ALL = ("$by_category", "$by_event_type", "$by_correlation_id", "$streams", "$stream_by_category")
SECONDS = 60.0


def enable(client: EventStoreDBClient, *names: str) -> None:
    """Some projections, or all of them."""
    for name in names or ALL:
        client.enable_projection(name)


def event(
    kind: str, *, correlation: str | None = None, data: bytes = b"{}", content: str = "application/json"
) -> NewEvent:
    metadata = b"" if correlation is None else json.dumps({"$correlationId": correlation}).encode()
    return NewEvent(type=kind, data=data, metadata=metadata, content_type=content)  # type: ignore[arg-type] # any text


def append(client: EventStoreDBClient, stream: str, *events: NewEvent) -> int:
    """The position of the last of them."""
    return client.append_events(stream, current_version=StreamState.ANY, events=events)


def read(client: EventStoreDBClient, stream: str, **options: Any) -> Sequence[RecordedEvent]:
    """Nothing of a stream that is not there."""
    try:
        return client.get_stream(stream, **options)
    except NotFound:
        return ()


def links(client: EventStoreDBClient, stream: str) -> list[str]:
    """What the links in a stream say, in order."""
    return [link.data.decode() for link in read(client, stream)]


def settle(client: EventStoreDBClient) -> None:
    """Returns once all that was appended before has its links: those of one more event have come."""
    mark = f"Settled{uuid4().hex}"
    append(client, mark, event(mark))
    poll_until(lambda: links(client, f"$et-{mark}"), seconds=SECONDS, what="the links of the newest event")


def everything(client: EventStoreDBClient) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The links that there are, by stream, and those that there must be for the plain events in the log."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    wanted: defaultdict[str, list[str]] = defaultdict(list)
    for each in client.read_all(filter_exclude=()):
        if each.stream_name.startswith(("$ce-", "$et-", "$bc-", "$streams", "$category-")):
            found[each.stream_name].append(each.data.decode())
        elif not each.stream_name.startswith("$"):
            for stream, text in _wanted(each):
                wanted[stream].append(text)
    return dict(found), dict(wanted)


def _wanted(each: RecordedEvent) -> list[tuple[str, str]]:
    address = f"{each.stream_position}@{each.stream_name}"
    category, dash, _ = each.stream_name.partition("-")
    streams = [(f"$et-{each.type}", address)]
    if dash:
        streams.append((f"$ce-{category}", address))
    if each.metadata:
        streams.append((f"$bc-{json.loads(each.metadata)['$correlationId']}", address))
    if each.stream_position == 0:
        streams.append(("$streams", address))
    if each.stream_position == 0 and dash:
        streams.append((f"$category-{category}", each.stream_name))
    return streams
