"""The base classes of all messages: events, commands, and what the log adds to an event."""

from collections.abc import Callable, Sequence
from dataclasses import Field as DataclassField
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, TypeAlias, TypeVar, dataclass_transform
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.stream_name import aggregate_id_in
from domain.upcasting import Upcaster
from domain.value import value

LaterText: TypeAlias = Annotated[str | None, Field(exclude_if=lambda text: text is None)]
"""A member that an event got later: left out where it says nothing, so that the event is stored as it was before, and
passed over by code that does not know it."""


class Event:
    """A fact, in the past tense; its classes are declared with `stored_as`."""

    __slots__ = ()

    __dataclass_fields__: ClassVar[dict[str, DataclassField[Any]]]
    stored_name: ClassVar[str]
    stored_version: ClassVar[int]
    upcasters: ClassVar[tuple[Upcaster[Any], ...]]

    @classmethod
    def stored_names(cls) -> frozenset[str]:
        """The names of all records that may hold it: its own and its earlier ones."""
        return frozenset({cls.stored_name, *(upcaster.name for upcaster in cls.upcasters)})


EventT = TypeVar("EventT", bound=Event)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def stored_as(
    *, name: str, version: int, upcasters: Sequence[Upcaster[Any]] = ()
) -> Callable[[type[EventT]], type[EventT]]:
    """Declares an event. `name` and `version` say how it is stored; the class may be renamed, they may not.

    `upcasters` are the steps from all older names and versions that may lead to it; the upcaster of an event that was
    split stands in each of the events that it became. Members that a newer version added are ignored, so that old
    code reads on.
    """

    def declare(cls: type[EventT]) -> type[EventT]:
        declared = value(cls)
        declared.stored_name, declared.stored_version, declared.upcasters = name, version, tuple(upcasters)
        return declared

    return declare


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
    `digest` is a digest of the request, so that one command id can't be used for two requests. `on_behalf_of` is the
    actor of what a saga acts upon; None where a person acts, and where nobody is known. `traceparent` and `tracestate`
    are the trace that it was written in, as W3C Trace Context has them; None where none was recorded.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    correlation_id: UUID = Field(alias="$correlationId")
    causation_id: UUID = Field(alias="$causationId")
    command_id: UUID
    digest: str
    actor: str
    tenant: str
    on_behalf_of: LaterText = None
    traceparent: LaterText = None
    tracestate: LaterText = None
    schema_version: int
    time: datetime


EventT_co = TypeVar("EventT_co", bound=Event, covariant=True)


@dataclass(slots=True, eq=False)
class Recorded(Generic[EventT_co]):
    """An event as the log holds it.

    `version` is its number in its stream, from 0; `position` its commit position in the whole log;
    `at` the server's clock when it was written. Several events of one older record share all of that but
    `index`, which counts them from 0. One is made of every event that is read, so its id may be given as text, and its
    metadata as a function that reads them, which is called when they are asked for.
    """

    event: EventT_co
    id_or_text: UUID | str
    stream: str
    version: int
    position: int
    at: datetime
    metadata_or_read: Metadata | Callable[[], Metadata]
    index: int = 0

    @property
    def id(self) -> UUID:
        """Drawn when it was sent; the same for all events of one record."""
        if isinstance(self.id_or_text, str):
            self.id_or_text = UUID(self.id_or_text)
        return self.id_or_text

    @property
    def aggregate_id(self) -> str:
        """What follows the category in the stream's name."""
        return aggregate_id_in(self.stream)

    @property
    def metadata(self) -> Metadata:
        """Who and what caused it. Raises what the function raises that was given for it."""
        if not isinstance(self.metadata_or_read, Metadata):
            self.metadata_or_read = self.metadata_or_read()
        return self.metadata_or_read

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recorded) and self._members == other._members

    def __hash__(self) -> int:
        return hash((self.id, self.index))

    @property
    def _members(self) -> tuple[object, ...]:
        return (self.event, self.id, self.stream, self.version, self.position, self.at, self.index, self.metadata)
