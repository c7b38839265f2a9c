"""How older stored shapes of events become newer ones: a step at a time, by pure functions from dict to dicts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

Payload: TypeAlias = Mapping[str, object]
OldT = TypeVar("OldT")


@dataclass(frozen=True, slots=True)
class Stored:
    """A payload under the name and version that say how to read it."""

    name: str
    version: int
    payload: Payload


@dataclass(frozen=True)  # no slots: up to Python 3.11 they keep `Upcaster[…](…)` from being called
class Upcaster(Generic[OldT]):
    """One step from the shape that was stored under this name and version.

    `shape` is a TypedDict of what stood in the log then; a payload that does not fit it is refused. `upcast`
    returns the same in a later shape: another version or name, or several events, in the order in which they happened;
    never none. It changes the shape alone, and knows nothing but the payload.
    """

    name: str
    version: int
    shape: type[OldT]
    upcast: Callable[[OldT], Sequence[Stored]]


def reshaped(name: str, version: int, shape: type[OldT], change: Callable[[OldT], Payload]) -> Upcaster[OldT]:
    """The ordinary step: to the next version under the same name."""
    return Upcaster(name, version, shape, lambda old: (Stored(name, version + 1, change(old)),))
