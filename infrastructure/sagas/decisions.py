"""What a saga decides along a history, as JSON: recorded for each version of it, and compared with a later build's."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from pydantic_core import to_jsonable_python

from domain.call import Call
from domain.engine_events import SagaUndoOrdered
from domain.message import Event
from domain.reply import StoredReply
from domain.saga import Ask, Saga
from infrastructure.eventstore.codec import EventCodec
from infrastructure.sagas.instance import Instance
from infrastructure.sagas.replay import Finding

_STREAM: Final = "recorded"
_NO_ID: Final = UUID(int=0)  # of a recording from before there were any


@dataclass(frozen=True, slots=True)
class Heard:
    """What came to the saga: a message, an order to undo, a deadline, or the reply to a step; its last event's id."""

    events: tuple[Event, ...]
    step: str | None = None
    last_id: UUID = _NO_ID
    deadline: str | None = None

    @property
    def reply(self) -> StoredReply:
        """As the saga hears it."""
        return StoredReply(self.events, self.last_id)


class Decisions:
    """Of one version of a saga, alone: an instance begins on it.

    Each turn is what came, the facts that were stored for it, and what was pending then, each step with the number of
    the event since which it is: with the step's name that makes the id of its command. The deadlines of a state are
    told by their names; how long they are a deployment may choose.
    """

    def __init__(self, saga: Saga[Any, Any], codec: EventCodec) -> None:
        self._saga: Final = replace(saga, former=())
        self._codec: Final = codec

    def along(self, history: Iterable[Heard]) -> list[dict[str, Any]]:
        """What is decided, turn by turn, where what is decided is stored."""
        instance = Instance(self._saga, _STREAM)
        return [self._turn(instance, heard, self._decided(instance, heard)) for heard in history]

    def difference(self, name: str, turns: Sequence[Mapping[str, Any]]) -> Finding | None:
        """The first turn of a recorded history at which this build decides otherwise, if there is one.

        Raises KeyError, TypeError, ValueError, UnknownShape and Unfit for a history that can't be read.
        """
        instance = Instance(self._saga, _STREAM)
        for turn in turns:
            prefix, heard = instance.version + 1, self._heard(turn)
            facts = [event for fact in turn["facts"] for event in self._events(fact)]
            today = _tried(lambda heard=heard: self._decided(instance, heard))
            if today != facts:
                return Finding(name, prefix, "facts", _text(turn["facts"]), _text(self._told(today)))
            pending = _tried(lambda facts=facts: self._pending_after(instance, facts))
            if pending != turn["pending"]:
                return Finding(name, prefix + len(facts), "command", _text(turn["pending"]), _text(pending))
            deadlines = _tried(lambda: self._deadlines(instance))
            if deadlines != turn.get("deadlines", []):
                told = _text(turn.get("deadlines", []))
                return Finding(name, prefix + len(facts), "deadline", told, _text(deadlines))
        return None

    def _turn(self, instance: Instance[Any], heard: Heard, facts: Sequence[Event]) -> dict[str, Any]:
        pending = self._pending_after(instance, facts)
        return {
            **({} if heard.step is None else {"step": heard.step, "last_id": str(heard.last_id)}),
            **({} if heard.deadline is None else {"deadline": heard.deadline}),
            "heard": [self._stored(event) for event in heard.events],
            "facts": [self._stored(fact) for fact in facts],
            "pending": pending,
            **({"deadlines": deadlines} if (deadlines := self._deadlines(instance)) else {}),
        }

    def _decided(self, instance: Instance[Any], heard: Heard) -> list[Event]:
        if heard.deadline is not None:
            return instance.saga.on_deadline(heard.deadline, instance.state)
        if heard.step is None:
            return self._observed(instance, heard.events[0])
        asks = (ask for ask in instance.pending if isinstance(ask, Ask))
        ask = next((ask for ask in asks if ask.step == heard.step), None)
        return [] if ask is None else instance.saga.on_reply(ask, heard.reply, instance.state)

    @staticmethod
    def _observed(instance: Instance[Any], message: Event) -> list[Event]:
        if not isinstance(message, SagaUndoOrdered):
            return instance.observe(message)
        on_compensate = instance.saga.on_compensate
        return on_compensate(message.why, instance.state) if on_compensate is not None else []

    def _pending_after(self, instance: Instance[Any], facts: Sequence[Event]) -> list[dict[str, Any]]:
        for fact in facts:
            own_id = UUID(int=instance.version + 1)
            instance.append([fact], own_id, own_id, instance.version + 1)
        return [{**_asked(ask), "since": instance.causes[ask.step].int} for ask in instance.pending]

    def _deadlines(self, instance: Instance[Any]) -> list[str]:
        return [deadline.name for deadline in instance.saga.deadlines(instance.state)]

    def _told(self, today: Any) -> Any:
        return today if isinstance(today, str) else [self._stored(fact) for fact in today]

    def _heard(self, turn: Mapping[str, Any]) -> Heard:
        heard = tuple(event for stored in turn["heard"] for event in self._events(stored))
        return Heard(heard, turn.get("step"), UUID(turn.get("last_id", str(_NO_ID))), turn.get("deadline"))

    def _stored(self, event: Event) -> dict[str, Any]:
        data = json.loads(self._codec.schema.written(event))
        return {"name": event.stored_name, "version": event.stored_version, "data": data}

    def _events(self, stored: Mapping[str, Any]) -> list[Event]:
        """Of an older form, what that means today."""
        return self._codec.schema.read(stored["name"], stored["version"], json.dumps(stored["data"]).encode())


def _asked(ask: Ask | Call) -> dict[str, Any]:
    if isinstance(ask, Call):
        return {"step": ask.step, "call": type(ask.request).__name__, "data": to_jsonable_python(ask.request)}
    return {"step": ask.step, "command": type(ask.command).__name__, "data": ask.command.model_dump(mode="json")}


def _tried(decide: Any) -> Any:
    """What is decided, or what is raised, which is what this build would do."""
    try:
        return decide()
    except Exception as error:  # noqa: BLE001 - whatever the code raises is what it would do
        return repr(error)


def _text(decided: Any) -> str:
    return decided if isinstance(decided, str) else json.dumps(decided, ensure_ascii=False)
