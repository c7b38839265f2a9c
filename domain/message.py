"""The base classes of all messages: events, commands, and what the log adds to an event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.stream_name import aggregate_id_in
from domain.upcasting import Upcaster


class Event(BaseModel):
    """A fact, in the past tense. `name` and `version` say how it is stored; the class may be renamed, they may not.

    `upcasters` are the steps from all older names and versions that may lead to it; the upcaster of an event that was
    split stands in each of the events that it became. Members that a newer version added are ignored, so that old
    code reads on.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    stored_name: ClassVar[str]
    stored_version: ClassVar[int]
    upcasters: ClassVar[tuple[Upcaster[Any], ...]]

    def __init_subclass__(
        cls, *, name: str, version: int, upcasters: Sequence[Upcaster[Any]] = (), **options: Any
    ) -> None:
        super().__init_subclass__(**options)
        cls.stored_name = name
        cls.stored_version = version
        cls.upcasters = tuple(upcasters)

    @classmethod
    def stored_names(cls) -> frozenset[str]:
        """The names of all records that may hold it: its own and its earlier ones."""
        return frozenset({cls.stored_name, *(upcaster.name for upcaster in cls.upcasters)})


class Command(BaseModel):
    """A request, in the imperative: validated strictly, and complete with what the domain can't know by itself."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    @property
    def aggregate_id(self) -> str:
        """The id of the target aggregate; with the category it names the stream."""
        raise TypeError(f"{type(self).__name__} does not say which aggregate it asks")


class Metadata(BaseModel):
    """Who and what caused an event, under the keys that EventStoreDB and its tools use.

    `causation_id` is the id of the event that caused the command, or the command's own where a person sent it.
    `digest` is a digest of the request, so that one command id can't be used for two requests.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    correlation_id: UUID = Field(alias="$correlationId")
    causation_id: UUID = Field(alias="$causationId")
    command_id: UUID
    digest: str
    actor: str
    tenant: str
    schema_version: int
    time: datetime


class LazyMetadata:
    """A field that is set to Metadata, or to a function that returns it and is called at the first access."""

    def __get__(self, recorded: "Recorded[Any] | None", owner: type | None = None) -> Metadata:
        if recorded is None:
            raise AttributeError("metadata has no default")
        held: Metadata | Callable[[], Metadata] = vars(recorded)["metadata"]
        if not isinstance(held, Metadata):
            held = vars(recorded)["metadata"] = held()
        return held

    def __set__(self, recorded: "Recorded[Any]", value: Metadata | Callable[[], Metadata]) -> None:
        vars(recorded)["metadata"] = value


EventT_co = TypeVar("EventT_co", bound=Event, covariant=True)


@dataclass(frozen=True)  # no slots: up to Python 3.11 they keep `Recorded[…](…)` from being called
class Recorded(Generic[EventT_co]):
    """An event as the log holds it.

    `version` is its number in its stream, from 0; `position` its commit position in the whole log;
    `at` the server's clock when it was written. Several events of one older record share all of that but
    `index`, which counts them from 0.
    """

    event: EventT_co
    id: UUID
    stream: str
    version: int
    position: int
    at: datetime
    metadata: LazyMetadata = LazyMetadata()
    index: int = 0

    @property
    def aggregate_id(self) -> str:
        """What follows the category in the stream's name."""
        return aggregate_id_in(self.stream)
