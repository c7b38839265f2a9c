"""Asks for all that is pending of an instance at once, and collects the answers."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from domain.call import Call
from domain.decider import Decider
from domain.engine_events import SagaCallBegun
from domain.errors import DomainError
from domain.message import Command
from domain.reply import StoredReply
from domain.saga import Ask
from infrastructure.commands.handler import CommandHandler
from infrastructure.sagas.errors import SagaStuck
from infrastructure.sagas.outside import Outside
from infrastructure.sagas.round import Answer, Failure, GivenUp, Reply, Round, round_of
from infrastructure.sagas.run import Run
from infrastructure.sagas.step_retries import StepRetries

Sent: TypeAlias = Mapping[str, SagaCallBegun]
_RESULTS: Final[Mapping[type[Reply], str]] = {Answer: "answered", GivenUp: "refused", Failure: "failed"}
_OF_ONE: Final = 16  # asks of one instance under way together
_OF_ALL: Final = 32  # of all instances: each may need one of the calls that a connection has
_MOST: Final = 256  # asks of a round, whose answers must fit into one append


class Asker:
    """Sends the commands of one saga's instances, each under the id that its step keeps."""

    def __init__(
        self, route: Callable[[Command], Decider[Any, Any, Any]], handler: CommandHandler, outside: Outside
    ) -> None:
        self._route: Final = route
        self._handler: Final = handler
        self._outside: Final = outside
        self._slots: Final = asyncio.Semaphore(_OF_ALL)
        self._retries: Final = StepRetries()

    async def round(self, run: Run, sent: Sent) -> Round:
        """What the saga has to store of the answers to all that is pending now.

        The calls to the outside that were `sent`, by their steps, may have been done before.
        Its failure is what the domain refuses the saga, SagaStuck, what handling a command or a call raises, or the
        saga.
        """
        own = asyncio.Semaphore(_OF_ONE)
        replies = await asyncio.gather(*(self._reply(run, ask, own, sent) for ask in self.next_of(run)))
        self._count(run, replies)
        return round_of(run.instance.saga, run.instance.stream, run.instance.state, replies)

    @staticmethod
    def next_of(run: Run) -> Sequence[Ask | Call]:
        """What a round asks for."""
        return run.instance.pending[:_MOST]

    def _count(self, run: Run, replies: Sequence[Reply]) -> None:
        steps = self._handler.counts.steps
        for reply in replies:
            steps.labels(run.instance.saga.category, _RESULTS[type(reply)]).inc()

    async def _reply(self, run: Run, ask: Ask | Call, own: asyncio.Semaphore, sent: Sent) -> Reply:
        try:
            return await (self._answer(run, ask, own) if isinstance(ask, Ask) else self._called(run, ask, sent))
        except Exception as error:  # noqa: BLE001 - it is raised once what the others answered is stored
            return Failure(ask, error)

    async def _answer(self, run: Run, ask: Ask, own: asyncio.Semaphore) -> Answer | GivenUp:
        request = run.request(ask)
        try:
            async with own, self._slots:
                outcome = await self._handler.handle(self._route(ask.command), ask.command, request)
        except DomainError as error:
            return GivenUp(ask, self._retries.give_up(run.instance, ask, error))
        self._retries.answered(request.command_id)
        if not outcome.events or outcome.last_id is None:
            raise SagaStuck(run.instance.stream, ask.step, "left no event in its target's stream")
        return Answer(ask, StoredReply(outcome.events, outcome.last_id), outcome.last_id)

    async def _called(self, run: Run, call: Call, sent: Sent) -> Answer:
        """It needs no connection to the store, and waits for no turn: its time runs since it was noted."""
        key, stream = run.request(call).command_id, run.instance.stream
        answer = await self._outside.answer(call, key, stream, sent.get(call.step), run.clock())
        return Answer(call, answer, None)
