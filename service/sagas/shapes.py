"""How instances of sagas are told of, over HTTP and on the command line alike."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from infrastructure.sagas.timeline import Moment
from projections.saga_instance import SagaInstance, Status
from service.consumers import SAGAS


class SagaInList(BaseModel):
    """An instance of a saga. `step` is the first that is pending, `deadline` when the next one passes.

    `failed` stands still because of an error, `paused` on somebody's word; `reason` says why, or why all was undone.
    """

    id: str
    type: str
    status: Status
    step: str | None
    version: int
    code_version: int
    started_at: datetime
    updated_at: datetime
    deadline: datetime | None
    reason: str | None


class MomentAnswer(BaseModel):
    """Something that happened to an instance: by whom, and the event of its stream that tells of it."""

    at: datetime
    kind: Literal["observed", "asked", "answered", "undone", "deadline", "operator"]
    step: str | None
    detail: str
    by: str
    event_id: UUID


class SagaAnswer(SagaInList):
    """An instance with what happened to it, oldest first, from `first_version` of its stream on."""

    first_version: int
    timeline: list[MomentAnswer]


def in_list(instance: SagaInstance) -> SagaInList:
    """An instance as lists show it."""
    names = SagaInList.model_fields.keys() - {"type"}
    told = {name: getattr(instance, name) for name in names}
    return SagaInList(type=type_of(instance), **told)


def type_of(instance: SagaInstance) -> str:
    """The saga that it is an instance of."""
    return instance.stream.partition("-")[0].rpartition(".")[2]


def moment_answer(moment: Moment) -> MomentAnswer:
    """A moment as it is told."""
    return MomentAnswer(**{name: getattr(moment, name) for name in MomentAnswer.model_fields})


def unknown_type(name: str) -> str:
    """What is said where there is no saga of that name."""
    return f"there is no saga {name!r}; there is {', '.join(saga.category for saga in SAGAS)}"
