"""Values: immutable for the type checker, cheap for the machine, validated by pydantic when they are read."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value(cls: type[T]) -> type[T]:
    """Makes a class of annotated members a value: compared and hashed by its members.

    It is a dataclass of slots, which takes a sixth of a pydantic model's memory and is read a tenth faster. Nothing but
    the type checker keeps members from being set: a frozen dataclass takes half as long again to be made.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


def changed(old: T, /, **members: Any) -> T:
    """The same value with these members, in a fifth of the time that `dataclasses.replace` takes."""
    cls: Any = type(old)
    new: T = _copier(cls)(old)
    for name, member in members.items():
        setattr(new, name, member)
    return new


@cache
def _copier(cls: Any) -> Callable[[Any], Any]:
    """A function that copies a value of this class member by member; written out, as the methods of dataclasses are."""
    lines = [f"new.{field.name} = old.{field.name}" for field in fields(cls)]
    scope: dict[str, Any] = {"new_of": object.__new__, "cls": cls}
    exec("\n    ".join(["def copy(old):", "new = new_of(cls)", *lines, "return new"]), scope)
    copy: Callable[[Any], Any] = scope["copy"]
    return copy


@cache
def members_of(cls: Any) -> Callable[[Any], tuple[Any, ...]]:
    """A function from a value of this class to its members, in their order."""
    first, *more = (field.name for field in fields(cls))
    return attrgetter(first, *more) if more else lambda old: (getattr(old, first),)
