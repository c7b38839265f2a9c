"""Prints how persistent subscriptions fare."""

from dataclasses import asdict
from typing import Any, Final

from infrastructure.eventstore.consumer_groups import ConsumerGroup
from infrastructure.eventstore.parked_stream import ParkedCount
from infrastructure.terminal import print_json, print_line
from service.cli.group_desk import GroupDesk, at_desk
from service.cli.parked.answers import owner_answer
from service.group_owners import owner_of
from service.tables import print_long_table, print_table

_COLUMNS: Final = ("group", "state", "behind", "waiting", "in flight", "parked", "consumers", "saga")
_CONSUMER_COLUMNS: Final = ("consumer", "from", "user", "in flight", "free", "delivered", "per second")


def print_all(uri: str, namespace: str, *, as_json: bool) -> int:
    """Prints every group. Raises StoreUnavailable."""

    found = at_desk(uri, GroupDesk.all_with_parked)
    if as_json:
        print_json({"subscriptions": [_answer(*each, namespace) for each in found]})
    elif found:
        print_long_table(_COLUMNS, (_row(*each, namespace) for each in found))
    else:
        print_line("The event store has no persistent subscription.")
    return 0


def print_one(uri: str, namespace: str, name: str, *, as_json: bool) -> int:
    """Prints all that the event store tells of a group.

    Raises NoGroup, StoreUnavailable, and BadParameter where several groups have that name.
    """

    async def look(desk: GroupDesk) -> tuple[ConsumerGroup, ParkedCount]:
        group = await desk.called(name)
        return group, await desk.parked_count(group)

    group, parked = at_desk(uri, look)
    if as_json:
        consumers = [asdict(consumer) for consumer in group.consumers]
        print_json({**_answer(group, parked, namespace), "connections": consumers, "settings": asdict(group.settings)})
        return 0
    print_table(("", ""), [*_described(group, parked, namespace), *_settings(group)])
    if group.consumers:
        print_table(_CONSUMER_COLUMNS, (tuple(asdict(consumer).values()) for consumer in group.consumers))
    else:
        print_line("Nobody consumes it.")
    return 0


def _answer(group: ConsumerGroup, parked: ParkedCount, namespace: str) -> dict[str, Any]:
    return {
        "group": group.key,
        "source": group.source,
        "name": group.name,
        "state": group.status,
        "behind": group.behind,
        "behind_in": "positions" if group.is_on_log else "events",
        "checkpointed": group.checkpointed or None,
        "known": group.known or None,
        "buffered": group.buffered,
        "retries": group.retries,
        "in_flight": group.in_flight,
        "parked": parked.count,
        "parked_exact": parked.exact,
        "delivered": group.delivered,
        "per_second": group.per_second,
        "consumers": len(group.consumers),
        **owner_answer(owner_of(group.source, group.name, namespace)),
    }


def _row(group: ConsumerGroup, parked: ParkedCount, namespace: str) -> tuple[str, ...]:
    return (
        group.key,
        group.status,
        _behind(group),
        f"{group.buffered + group.retries:,}",
        f"{group.in_flight:,}",
        _parked(parked),
        f"{len(group.consumers):,}",
        _saga(group, namespace),
    )


def _described(group: ConsumerGroup, parked: ParkedCount, namespace: str) -> list[tuple[str, str]]:
    return [
        ("group", group.key),
        ("saga", _saga(group, namespace) or "none of this service's"),
        ("state", group.status),
        ("behind", _behind(group) or "the event store does not tell"),
        ("checkpoint", group.checkpointed or "none yet"),
        ("last known", group.known or "none yet"),
        ("waiting", f"{group.buffered:,} new, {group.retries:,} to be delivered again"),
        ("in flight", f"{group.in_flight:,}"),
        ("parked", _parked(parked)),
        ("delivered", f"{group.delivered:,}, {group.per_second:,} a second"),
    ]


def _settings(group: ConsumerGroup) -> list[tuple[str, object]]:
    words = {True: "yes", False: "no"}
    settings = asdict(group.settings).items()
    return [(name.replace("_", " "), words[value] if isinstance(value, bool) else value) for name, value in settings]


def _behind(group: ConsumerGroup) -> str:
    if group.behind is None:
        return ""
    return f"{group.behind:,} {'positions' if group.is_on_log else 'events'}"


def _parked(parked: ParkedCount) -> str:
    return f"{'' if parked.exact else '~'}{parked.count:,}"


def _saga(group: ConsumerGroup, namespace: str) -> str:
    owner = owner_of(group.source, group.name, namespace)
    if owner is None:
        return ""
    return f"{owner.saga}{', of another release' if owner.is_former else ''}"
