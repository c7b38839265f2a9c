"""Has what is parked delivered again, some at a time: never more than consumers take, and none that is parked anew."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from infrastructure.eventstore.consumer_groups import ConsumerGroup
from infrastructure.eventstore.parked_stream import Parked
from infrastructure.terminal import print_json, print_line
from service.cli.group_desk import GroupDesk, at_desk
from service.cli.operator_act import Act
from service.cli.parked.words import since_text
from service.cli.plurals import counted
from service.cli.progress import ProgressLine
from service.cli.verbs import consented
from service.errors import NotReplayed

CHUNK: Final = 200
_PATIENCE: Final = 30.0  # seconds in which at least one message must get on
_LOOK_EVERY: Final = 0.1
_DECLINED: Final = 1


@dataclass(frozen=True, slots=True)
class Replay:
    """What is to be delivered again: the first `limit` messages, None: all that are parked when it is asked."""

    limit: int | None
    yes: bool
    as_json: bool
    chunk: int = CHUNK
    patience: float = _PATIENCE


def replay(uri: str, name: str, options: Replay, act: Act) -> int:
    """Asks, and has it done. Raises NoGroup, NotReplayed, StoreUnavailable, BadParameter, Abort."""
    group, parked = at_desk(uri, lambda desk: _looked_up(desk, name))
    number = 0 if parked is None else min(parked.count, parked.count if options.limit is None else options.limit)
    if parked is not None and number and not consented(_question(group, parked, number), yes=options.yes):
        return _DECLINED
    left = 0
    if parked is not None and number:
        left = at_desk(uri, lambda desk: _replayed(desk, group, parked.first, number, options))
        act.log("parked_replayed", group=group.key, messages=number, parked_now=left)
    if options.as_json:
        print_json({"group": group.key, "replayed": number, "parked": left})
    elif number:
        print_line(f"Delivered {counted(number, 'message')} of {group.key} again; {left:,} parked now.")
    else:
        print_line(f"{group.key} has nothing parked.")
    return 0


async def _looked_up(desk: GroupDesk, name: str) -> tuple[ConsumerGroup, Parked | None]:
    """The group and what it has parked, which somebody is there to take."""
    group = await desk.called(name)
    parked = await desk.parked(group)
    if parked is not None:
        _require_ready(group)
    return group, parked


def _require_ready(group: ConsumerGroup, done: int = 0) -> None:
    if group.is_replaying:
        raise NotReplayed(group.key, "the event store is at it already", done)
    if not group.consumers:
        reason = "nobody consumes it, and until somebody does, the event store has it in memory alone"
        raise NotReplayed(group.key, reason, done)


def _question(group: ConsumerGroup, parked: Parked, number: int) -> str:
    consumers = counted(len(group.consumers), "consumer")
    what = f"{number:,} of {counted(parked.count, 'message')} that {group.key} has parked{since_text(parked)}"
    return f"Deliver {what}, again, to {consumers}?"


async def _replayed(desk: GroupDesk, group: ConsumerGroup, first: int, number: int, options: Replay) -> int:
    """How many are parked then, those that were parked meanwhile included."""
    end, done = first + number, 0
    with ProgressLine(group.key) as progress:
        for stop_at in (*range(first + options.chunk, end, options.chunk), end):
            _require_ready(await desk.again(group), done)
            await desk.replay(group, stop_at)
            await _taken(desk, group, stop_at, stop_at - first, options)
            done = stop_at - first
            progress.show(f"{done:,} of {number:,} messages")
    parked = await desk.parked(group)
    return 0 if parked is None else parked.count


async def _taken(desk: GroupDesk, group: ConsumerGroup, stop_at: int, done: int, options: Replay) -> None:
    """Waits until consumers have what lies below that number. Raises NotReplayed where nothing moves."""
    best, deadline = (-1, 0), time.monotonic() + options.patience
    while True:
        parked, now = await desk.parked(group), await desk.again(group)
        first = stop_at if parked is None else min(parked.first, stop_at)
        if first == stop_at and not now.is_replaying and now.retries <= group.retries:
            return
        if (place := (first, -now.retries)) > best:
            best, deadline = place, time.monotonic() + options.patience
        elif time.monotonic() > deadline:
            waiting = f"nothing moved for {options.patience:g} s, and {now.retries:,} wait for consumers"
            raise NotReplayed(group.key, waiting, done - (stop_at - first))
        await asyncio.sleep(_LOOK_EVERY)
