"""What a saga has to store of the answers to all that it asked for at once: one append, in the order of the asks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from domain.call import Call
from domain.saga import Ask, Saga
from infrastructure.sagas.errors import SagaStuck


@dataclass(frozen=True, slots=True)
class Answer:
    """What an ask left in its target's stream, and the id of the last of these events; or what a call was answered."""

    ask: Ask | Call
    reply: Any
    cause: UUID | None


@dataclass(frozen=True, slots=True)
class GivenUp:
    """An ask that was refused as often as its saga allows, at last for this rule; it has had no effect."""

    ask: Ask
    rule: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why nothing can be stored of an ask, which may have taken effect."""

    ask: Ask | Call
    error: Exception


Heard: TypeAlias = Answer | GivenUp
Reply: TypeAlias = Heard | Failure
Told: TypeAlias = tuple[tuple[Heard, Sequence[Any]], ...]


@dataclass(frozen=True, slots=True)
class Round:
    """The facts of each answer, and the failure that is to be raised once they are stored: that of the first ask."""

    told: Told
    failure: Exception | None


def round_of(saga: Saga[Any, Any], stream: str, state: Any, replies: Sequence[Reply]) -> Round:
    """Hears the answers one after the other, each in the state after those before it.

    A step that failed may have taken effect, so it has to stay pending until it is answered: what would end that is
    kept back. It is heard again with the step, whose command and its own are both sent again under their ids.
    """
    failures = {reply.ask.step: reply.error for reply in replies if isinstance(reply, Failure)}
    answers = [reply for reply in replies if not isinstance(reply, Failure)]
    while True:  # ends after as many turns as there are answers
        heard = [answer for answer in answers if answer.ask.step not in failures]
        told = _hear(saga, stream, state, heard, failures)
        if not isinstance(told, Failure):
            first = next((failures[reply.ask.step] for reply in replies if reply.ask.step in failures), None)
            return Round(told, first)
        failures[told.ask.step] = told.error


def _hear(
    saga: Saga[Any, Any], stream: str, state: Any, answers: Sequence[Heard], failed: Collection[str]
) -> Told | Failure:
    before, told = state, list[tuple[Heard, Sequence[Any]]]()
    for answer in answers:
        try:
            facts = _facts(saga, answer, state)
        except Exception as error:  # noqa: BLE001 - it is raised once what the others answered is stored
            return Failure(answer.ask, error)
        after = saga.state_after(state, facts)
        if not failed or not _drops(saga, state, after, failed):
            told.append((answer, facts))
            state = after
    may_be_stuck = _steps(saga, state) & {answer.ask.step for answer, _ in told}
    stuck = _stuck(saga, before, told) if may_be_stuck else None
    if stuck is not None:
        return Failure(stuck, SagaStuck(stream, stuck.step, "is pending still after its answer"))
    return tuple(told)


def _facts(saga: Saga[Any, Any], answer: Heard, state: Any) -> Sequence[Any]:
    if isinstance(answer, GivenUp):
        return saga.on_failed(answer.ask, answer.rule, state)
    if isinstance(answer.ask, Call):
        return saga.on_answer(answer.ask, answer.reply, state)
    return saga.on_reply(answer.ask, answer.reply, state)


def _drops(saga: Saga[Any, Any], before: Any, after: Any, steps: Collection[str]) -> bool:
    """Whether one of these steps is pending before and not after."""
    return bool((_steps(saga, before) & set(steps)) - _steps(saga, after))


def _stuck(saga: Saga[Any, Any], state: Any, told: Sequence[tuple[Heard, Sequence[Any]]]) -> Ask | Call | None:
    """The first ask that its own answer leaves pending: it would be asked for under the same id for ever."""
    for answer, facts in told:
        state = saga.state_after(state, facts)
        if answer.ask.step in _steps(saga, state):
            return answer.ask
    return None


def _steps(saga: Saga[Any, Any], state: Any) -> set[str]:
    return {ask.step for ask in saga.pending(state)}
