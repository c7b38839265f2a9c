"""The judge of rounds finds no fault in a run that was not interrupted, and finds what was changed in it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from domain.fulfilment.events import GoodsSecured
from domain.fulfilment.saga import saga
from domain.message import Recorded
from domain.stock.stock import StockReserved
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.live_orders import LiveOrder, patient_handler
from tests.infrastructure.sagas.rounds.judge import Streams, faults

Told = Sequence[Recorded[Any]]
OTHER_ID: Final = UUID(int=0)


def _twice(told: Told) -> Told:
    return [*told, replace(told[-1], version=told[-1].version + 1)]


def _without_the_last(told: Told) -> Told:
    return told[:-1]


def _under_another_id(told: Told) -> Told:
    metadata = told[-1].metadata.model_copy(update={"command_id": OTHER_ID})
    return [*told[:-1], replace(told[-1], metadata_or_read=metadata)]


def _of_another_request(told: Told) -> Told:
    metadata = told[-1].metadata.model_copy(update={"digest": "another"})
    return [*told[:-1], replace(told[-1], metadata_or_read=metadata)]


def _led_to_by_nothing(told: Told) -> Told:
    metadata = told[-1].metadata.model_copy(update={"causation_id": OTHER_ID})
    return [*told[:-1], replace(told[-1], metadata_or_read=metadata)]


OF_A_TARGET: Final[Sequence[Callable[[Told], Told]]] = (_twice, _under_another_id, _of_another_request)
OF_THE_SAGA: Final[Sequence[Callable[[Told], Told]]] = (_without_the_last, _led_to_by_nothing)


def _until(told: Told, kind: type[Any]) -> int:
    return next(number for number, each in enumerate(told) if isinstance(each.event, kind)) + 1


def test_a_run_that_was_not_interrupted_has_none_and_what_is_changed_is_found(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            order = LiveOrder(patient_handler(client))
            await order.coordinator().react(await order.begin())
            streams: Streams = {each: await order.recorded(each) for each in (order.stream, *order.targets)}
            assert faults([saga], streams) == []
            for stream, kind, changes in (
                (order.targets[2], StockReserved, OF_A_TARGET),
                (order.stream, GoodsSecured, OF_THE_SAGA),
            ):
                end = _until(streams[stream], kind)
                for change in changes:
                    changed = [*change(streams[stream][:end]), *streams[stream][end:]]
                    assert faults([saga], {**streams, stream: changed}) != [], change.__name__

    asyncio.run(run())
