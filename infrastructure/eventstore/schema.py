"""The registry of stored names and versions: what today's code reads, and how older shapes become today's events."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from domain.message import Event
from domain.upcasting import Stored, Upcaster

_DOES_NOT_FIT: Final = (ArithmeticError, LookupError, TypeError, ValueError)


class Unfit(Exception):
    """A payload does not fit the name and version that it stands under; the message says where it does not."""


class UnknownShape(Exception):
    """Nobody declares this name and version; `known_name` says whether the name alone is known."""

    def __init__(self, name: str, version: int, *, known_name: bool) -> None:
        super().__init__(f"{name} version {version}")
        self.name = name
        self.version = version
        self.known_name = known_name


class Schema:
    """Every shape that these events have, and that their past says they had. Raises ValueError for two of one key."""

    def __init__(self, events: Iterable[type[Event]]) -> None:
        self.current: Final[dict[tuple[str, int], type[Event]]] = {}
        self.upcasters: Final[dict[tuple[str, int], Upcaster[Any]]] = {}
        for event in events:
            self._declare(event)
        if both := self.current.keys() & self.upcasters.keys():
            raise ValueError(f"declared both as today's and as of the past: {sorted(both)}")
        self._adapters: Final = {key: TypeAdapter(event) for key, event in self.current.items()}
        # what `validate_json` would call, which takes as long as reading a small event
        self.readers: Final = {key: adapter.validator.validate_json for key, adapter in self._adapters.items()}
        self._shapes: Final = {key: TypeAdapter(step.shape) for key, step in self.upcasters.items()}
        self.names: Final = frozenset(name for name, _ in (*self.current, *self.upcasters))

    def _declare(self, event: type[Event]) -> None:
        name, version = event.stored_name, event.stored_version
        known = self.current.setdefault((name, version), event)
        if known is not event:
            raise ValueError(f"{known} and {event} are both stored as {name} {version}")
        for step in event.upcasters:
            if self.upcasters.setdefault((step.name, step.version), step) is not step:
                raise ValueError(f"two steps lead away from {step.name} {step.version}")

    def declares(self, event: type[Event]) -> bool:
        """Whether events of this very type are written and read."""
        return self.current.get((event.stored_name, event.stored_version)) is event

    def written(self, event: Event) -> bytes:
        """The JSON of an event that is declared."""
        return self._adapters[event.stored_name, event.stored_version].dump_json(event)

    def read(self, name: str, version: int, data: bytes) -> list[Event]:
        """The events that a record means, in their order. Raises UnknownShape and Unfit."""
        key = name, version
        reader = self.readers.get(key)
        try:
            if reader is not None:
                return [reader(data)]
            step = self.upcasters.get(key)
            if step is None:
                raise UnknownShape(name, version, known_name=name in self.names)
            return list(self._onward(step, self._shapes[key].validate_json(data)))
        except ValidationError as error:
            raise Unfit(first_of(error)) from error

    def _today(self, name: str, version: int) -> TypeAdapter[Event]:
        adapter = self._adapters.get((name, version))
        if adapter is None:
            raise UnknownShape(name, version, known_name=name in self.names)
        return adapter

    def _onward(self, step: Upcaster[Any], payload: object) -> Iterator[Event]:
        for stored in _upcast(step, payload):
            key = (stored.name, stored.version)
            following = self.upcasters.get(key)
            if following is None:
                yield self._today(*key).validate_python(stored.payload)
            else:
                yield from self._onward(following, self._shapes[key].validate_python(stored.payload))


def first_of(error: ValidationError) -> str:
    """The first thing that is wrong, and where."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def _upcast(step: Upcaster[Any], payload: object) -> list[Stored]:
    try:
        stored = list(step.upcast(payload))
    except _DOES_NOT_FIT as error:
        raise Unfit(f"version {step.version} can't be said anew: {type(error).__name__} {error}") from error
    if not stored:
        raise Unfit(f"version {step.version} became nothing")
    return stored
