"""Drops what is parked: it is truncated away in the stream that the event store keeps it in."""

from infrastructure.eventstore.consumer_groups import ConsumerGroup
from infrastructure.eventstore.parked_stream import Parked
from infrastructure.terminal import print_json, print_line
from service.cli.group_desk import GroupDesk, at_desk
from service.cli.operator_act import Act
from service.cli.parked.words import since_text
from service.cli.plurals import counted
from service.cli.verbs import consented

_DECLINED = 1


def drop(uri: str, name: str, up_to: int | None, act: Act, *, yes: bool, as_json: bool) -> int:
    """Asks, and drops all that is parked when it is asked, or what lies up to a number.

    Raises NoGroup, StoreUnavailable, BadParameter, Abort, and what appending raises.
    """
    group, parked = at_desk(uri, lambda desk: _looked_up(desk, name))
    last = -1 if parked is None else min(parked.last, parked.last if up_to is None else up_to)
    number = 0 if parked is None else max(0, last + 1 - parked.first)
    if parked is not None and number and not consented(_question(group, parked, last, number), yes=yes):
        return _DECLINED
    left = 0 if parked is None else parked.count
    if number:
        left = at_desk(uri, lambda desk: _dropped(desk, group, last + 1, act))
        act.log("parked_dropped", group=group.key, messages=number, up_to=last)
    if as_json:
        print_json({"group": group.key, "dropped": number, "parked": left})
    elif number:
        print_line(f"Dropped {counted(number, 'message')} that {group.key} had parked; {left:,} parked now.")
    else:
        print_line(f"{group.key} has nothing parked{'' if up_to is None else f' up to number {up_to}'}.")
    return 0


async def _looked_up(desk: GroupDesk, name: str) -> tuple[ConsumerGroup, Parked | None]:
    group = await desk.called(name)
    return group, await desk.parked(group)


async def _dropped(desk: GroupDesk, group: ConsumerGroup, before: int, act: Act) -> int:
    """How many are parked then."""
    await desk.drop(group, before, act.metadata())
    parked = await desk.parked(group)
    return 0 if parked is None else parked.count


def _question(group: ConsumerGroup, parked: Parked, last: int, number: int) -> str:
    what = f"{number:,} of {counted(parked.count, 'message')} that {group.key} has parked{since_text(parked)}"
    return f"Drop {what}, up to number {last}? It will not get them again; the events stay."
