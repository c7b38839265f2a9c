"""What follows when a step of a saga is refused: another attempt, what the saga says, or a standstill."""

from collections import OrderedDict
from typing import Any, Final
from uuid import UUID, uuid5

from domain.errors import DomainError
from domain.saga import Ask
from infrastructure.sagas.errors import StepExhausted, StepRefused
from infrastructure.sagas.instance import Instance

_MOST: Final = 10_000  # steps that are being refused


class StepRetries:
    """Counts the refusals of each command of one saga, in this process: another one, or the next, begins anew.

    All messages of an instance ask for the same command, so they share its attempts.
    """

    def __init__(self) -> None:
        self._refusals: Final[OrderedDict[UUID, int]] = OrderedDict()

    def give_up(self, instance: Instance[Any], ask: Ask, refused: DomainError) -> str:
        """The last broken rule, where the step is given up and undone.

        Raises StepRefused where it is to be asked for again, StepExhausted where the instance is to stand still, and
        the refusal itself where the saga declares no rule.
        """
        rule = instance.saga.retry(ask.step)
        if rule is None:
            raise refused
        command_id = uuid5(instance.cause_of(ask.step), ask.step)
        refusals = self._refusals.pop(command_id, 0) + 1
        if not rule.is_exhausted(refusals, refused.rule):
            self._remember(command_id, refusals)
            raise StepRefused(instance.stream, ask.step, refused, rule.pause_after(refusals)) from refused
        if rule.exhausted == "stand":
            raise StepExhausted(instance.stream, ask.step, refused, refusals) from refused
        return refused.rule

    def answered(self, command_id: UUID) -> None:
        """The command was not refused this time."""
        self._refusals.pop(command_id, None)

    def _remember(self, command_id: UUID, refusals: int) -> None:
        self._refusals[command_id] = refusals
        if len(self._refusals) > _MOST:
            self._refusals.popitem(last=False)
