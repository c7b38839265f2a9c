"""Prints which groups have parked messages, and the messages of one."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from infrastructure.eventstore.consumer_groups import ConsumerGroup
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.parked_stream import (
    Parked,
    ParkedCount,
    ParkedMessage,
    parked_messages,
    parked_stream,
)
from infrastructure.terminal import print_json, print_json_list, print_line
from infrastructure.times import time_text
from service.cli.group_desk import GroupDesk, at_desk
from service.cli.parked.answers import group_answer, message_answer
from service.cli.plurals import counted
from service.group_owners import owner_of
from service.tables import print_long_table

_COLUMNS: Final = ("group", "parked", "oldest", "numbers", "saga")
_MESSAGE_COLUMNS: Final = ("number", "parked", "by", "event", "stream", "version", "position", "reason")
_SHOWN: Final = 300  # characters of a reason in a table


class Page(NamedTuple):
    """At most `limit` messages, from the one under `first` on."""

    first: int
    limit: int


def print_groups(uri: str, namespace: str, *, as_json: bool) -> int:
    """Prints every group with what it has parked. Raises StoreUnavailable."""
    found = at_desk(uri, GroupDesk.all_with_parked)
    if as_json:
        print_json({
            "groups": [
                group_answer(group, parked, owner_of(group.source, group.name, namespace)) for group, parked in found
            ],
        })  # fmt: skip
        return 0
    if found:
        print_long_table(_COLUMNS, (_row(group, parked, namespace) for group, parked in found))
    print_line(_summary(found))
    return 0


def print_messages(uri: str, name: str, page: Page, *, as_json: bool) -> int:
    """Prints what a group has parked, page by page as it is read.

    Raises NoGroup, StoreUnavailable, and BadParameter where several groups have that name.
    """

    async def look(desk: GroupDesk) -> tuple[ConsumerGroup, Parked | None]:
        group = await desk.called(name)
        return group, await desk.parked(group)

    group, parked = at_desk(uri, look)
    end = _end(parked, page)
    if as_json:
        about = {"group": group.key, "parked": 0 if parked is None else parked.count, "next": end}
        print_json_list(map(message_answer, _messages(uri, group, parked, page)), "messages", **about)
        return 0
    if parked is None:
        print_line(f"{group.key} has nothing parked.")
        return 0
    print_long_table(_MESSAGE_COLUMNS, map(_message_row, _messages(uri, group, parked, page)))
    if end is not None:
        print_line(f"{parked.last - end + 1:,} more, from number {end} on: --from {end}")
    return 0


def _messages(uri: str, group: ConsumerGroup, parked: Parked | None, page: Page) -> Iterator[ParkedMessage]:
    if parked is None or page.first > parked.last:
        return
    first = max(page.first, parked.first)
    with open_reader(uri) as reader:
        found = parked_messages(reader, parked_stream(group.key), Parked(first, parked.last, parked.oldest))
        yield from islice(found, page.limit)


def _end(parked: Parked | None, page: Page) -> int | None:
    """The number that the next page begins with, None where there is none."""
    if parked is None:
        return None
    following = max(page.first, parked.first) + page.limit
    return following if following <= parked.last else None


def _row(group: ConsumerGroup, parked: ParkedCount, namespace: str) -> tuple[str, ...]:
    found, owner = parked.found, owner_of(group.source, group.name, namespace)
    saga = "" if owner is None else f"{owner.saga}{', of another release' if owner.is_former else ''}"
    oldest = "" if found is None or found.oldest is None else time_text(found.oldest)
    numbers = "" if found is None else f"{found.first} to {found.last}"
    return group.key, f"{'' if parked.exact else '~'}{parked.count:,}", oldest, numbers, saga


def _summary(found: Sequence[tuple[ConsumerGroup, ParkedCount]]) -> str:
    """How many groups, on the log and on streams, and what both have parked."""
    said = []
    for where, is_on_log in (("$all", True), ("streams", False)):
        counts = [parked.count for group, parked in found if group.is_on_log is is_on_log]
        groups = counted(len(counts), "group")
        said.append(f"{groups} of {where} with {sum(counts):,} parked messages")
    return f"{said[0]}, {said[1]}."


def _message_row(message: ParkedMessage) -> tuple[str, ...]:
    event = message.event
    reason = message.reason if len(message.reason) <= _SHOWN else f"{message.reason[:_SHOWN]}…"
    return (
        str(message.number),
        "" if message.at is None else time_text(message.at),
        message.by or "",
        "(gone)" if event is None else event.type,
        message.stream or "",
        "" if message.version is None else str(message.version),
        "" if event is None else str(event.position),
        reason,
    )
