"""Asks for what is pending of an instance, and turns the answers into its next facts."""

from collections.abc import Callable
from typing import Any, Final

from domain.decider import Decider
from domain.message import Command, Event
from domain.saga import Ask, Saga
from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Request
from infrastructure.sagas.errors import SagaStuck
from infrastructure.sagas.run import Run


class Asker:
    """Sends the commands of one saga, each under the id that its step keeps."""

    def __init__(
        self, saga: Saga[Any, Any], route: Callable[[Command], Decider[Any, Any, Any]], handler: CommandHandler
    ) -> None:
        self._saga: Final = saga
        self._route: Final = route
        self._handler: Final = handler

    async def answered(self, run: Run, ask: Ask) -> tuple[Request, list[Event]]:
        """What the saga has to store of the answer, and on whose behalf.

        Raises what the domain refuses the saga, SagaStuck, and what handling the command raises.
        """
        request = run.request(ask)
        outcome = await self._handler.handle(self._route(ask.command), ask.command, request)
        if not outcome.events or outcome.last_id is None:
            raise SagaStuck(run.instance.stream, ask.step, "left no event in its target's stream")
        facts = self._saga.on_reply(ask, outcome.events, run.instance.state)
        run.instance.require_progress(ask.step, facts)
        return run.reaction_to(outcome.last_id), facts
