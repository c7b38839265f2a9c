"""Says an operator's word to all instances of a saga that a filter matches, and prints how many took it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.saga_steps import is_named
from domain.stream_name import StreamName, stream_name
from infrastructure.eventstore.errors import EventStoreError, StoreUnavailable
from infrastructure.eventstore.log import Log
from infrastructure.sagas.errors import SagaError, WordRefused
from infrastructure.sagas.open_instances import OpenInstance, Status, look_at, open_instances
from infrastructure.sagas.operator_desk import OperatorDesk
from infrastructure.sagas.words import Words
from infrastructure.terminal import print_json, print_line
from service.cli.connections import connected, streams_of
from service.cli.progress import ProgressLine
from service.cli.sagas.operation import Order, desk_of
from service.cli.surroundings import store_uri
from service.cli.verbs import consented
from service.errors import WordsNotTaken
from service.history.sources import CODEC
from service.tables import print_table


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the instances that have not ended: in this state, with this step pending, without an event for so
    long."""

    status: Status | None = None
    step: str | None = None
    older_than: timedelta | None = None

    def matches(self, instance: OpenInstance, now: datetime) -> bool:
        """Whether it is one of them."""
        return (
            self.status in {None, instance.status}
            and (self.step is None or any(is_named(step, self.step) for step in instance.steps))
            and (self.older_than is None or (instance.at is not None and now - instance.at >= self.older_than))
        )


@dataclass(frozen=True, slots=True)
class Told:
    """How many took the word, how many were so already, and which refused, with rule and reason."""

    done: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: list[tuple[str, str | None, str]] = field(default_factory=list)


def act_on_all(order: Order, wanted: Wanted, *, yes: bool) -> int:
    """Asks first, with their number; 1 where it was not to be done.

    Raises WordsNotTaken after all of it where some refused; NoStore, SettingsError, StoreUnavailable.
    """
    uri, verb = store_uri(order.data), order.verb
    found = asyncio.run(_found(uri, order, wanted))
    counted = f"{len(found):,} {'instance' if len(found) == 1 else 'instances'} of {order.saga.category}"
    if found and not consented(f"{verb.capitalize()} {counted}?", yes=yes):
        return 1
    told = Told()
    try:
        with ProgressLine(verb) as progress:
            asyncio.run(_tell_all(uri, order, wanted, progress.counted(found, "instances", len(found)), told))
    finally:  # also where the store was away in between
        _tell_of(told, order, len(found), counted)
    if told.refused:
        raise WordsNotTaken(verb, len(told.refused), len(found))
    return 0


async def _found(uri: str, order: Order, wanted: Wanted) -> list[str]:
    """Their ids, of the tenant's: the one place that says how instances are found for a filter."""
    now = datetime.now(UTC)
    async with connected(uri) as client, streams_of(client) as streams:
        words = Words(order.saga, streams, CODEC)
        names = [
            StreamName.parse(instance.stream)
            async for instance in open_instances(order.saga.category, words, Log(client))
            if wanted.matches(instance, now)
        ]
    return [name.id for name in names if name.tenant == order.tenant]


def _tell_of(told: Told, order: Order, found: int, counted: str) -> None:
    if order.as_json:
        print_json({"type": order.saga.category, "act": order.verb, "found": found, **_answer(told)})
    else:
        _print(told, order.verb, counted)


async def _tell_all(uri: str, order: Order, wanted: Wanted, found: Iterable[str], told: Told) -> None:
    """One after the other; a refusal is noted, and the next one is told. Raises StoreUnavailable.

    One that the filter does not match any more, since the question was asked, is left as it is.
    """
    async with connected(uri) as client, desk_of(order.saga, client) as desk, streams_of(client) as streams:
        words = Words(order.saga, streams, CODEC)
        for instance in found:
            seen = await look_at(stream_name(order.saga.category, instance, order.tenant), words)
            if seen is not None and wanted.matches(seen, datetime.now(UTC)):
                await _tell(order, desk, instance, told)
            else:
                told.refused.append((instance, None, "is not what the filter matches any more"))


async def _tell(order: Order, desk: OperatorDesk, instance: str, told: Told) -> None:
    try:
        done = await order.say(desk, stream_name(order.saga.category, instance, order.tenant))
    except StoreUnavailable:
        raise
    except WordRefused as error:
        told.refused.append((instance, error.rule, error.fault))
    except (SagaError, EventStoreError) as error:
        told.refused.append((instance, None, str(error)))
    else:
        (told.done if done.changed else told.unchanged).append(instance)


def _answer(told: Told) -> dict[str, Any]:
    refused = [dict(zip(("id", "rule", "reason"), each, strict=True)) for each in told.refused]
    return {"done": len(told.done), "unchanged": len(told.unchanged), "refused": refused}


def _print(told: Told, verb: str, counted: str) -> None:
    if told.refused:
        print_table(("refused", "rule", "reason"), [(each, rule or "", why) for each, rule, why in told.refused])
    unchanged = f", {len(told.unchanged):,} were so already" if told.unchanged else ""
    print_line(f"{verb} {counted}: {len(told.done):,} done{unchanged}, {len(told.refused):,} refused.")
