"""Asks for all that is pending of an instance at once, and collects the answers."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from domain.decider import Decider
from domain.message import Command
from domain.saga import Ask, Saga
from infrastructure.commands.handler import CommandHandler
from infrastructure.sagas.errors import SagaStuck
from infrastructure.sagas.round import Answer, Failure, Reply, Round, round_of
from infrastructure.sagas.run import Run

_OF_ONE: Final = 16  # asks of one instance under way together
_OF_ALL: Final = 32  # of all instances: each may need one of the calls that a connection has
_MOST: Final = 256  # asks of a round, whose answers must fit into one append


class Asker:
    """Sends the commands of one saga, each under the id that its step keeps."""

    def __init__(
        self, saga: Saga[Any, Any], route: Callable[[Command], Decider[Any, Any, Any]], handler: CommandHandler
    ) -> None:
        self._saga: Final = saga
        self._route: Final = route
        self._handler: Final = handler
        self._slots: Final = asyncio.Semaphore(_OF_ALL)

    async def round(self, run: Run) -> Round:
        """What the saga has to store of the answers to all that is pending now; it has not happened before that.

        Its failure is what the domain refuses the saga, SagaStuck, what handling a command raises, or the saga.
        """
        own = asyncio.Semaphore(_OF_ONE)
        asks = run.instance.pending[:_MOST]
        replies = await asyncio.gather(*(self._reply(run, ask, own) for ask in asks))
        return round_of(self._saga, run.instance.stream, run.instance.state, replies)

    async def _reply(self, run: Run, ask: Ask, own: asyncio.Semaphore) -> Reply:
        async with own, self._slots:
            try:
                return await self._answer(run, ask)
            except Exception as error:  # noqa: BLE001 - it is raised once what the others answered is stored
                return Failure(ask, error)

    async def _answer(self, run: Run, ask: Ask) -> Answer:
        outcome = await self._handler.handle(self._route(ask.command), ask.command, run.request(ask))
        if not outcome.events or outcome.last_id is None:
            raise SagaStuck(run.instance.stream, ask.step, "left no event in its target's stream")
        return Answer(ask, outcome.events, outcome.last_id)
