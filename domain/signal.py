"""Signals: words from outside that an instance of a saga waits for, by name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Payload: TypeAlias = Mapping[str, Any]
"""What comes with a signal: an object of JSON."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A name, and what becomes of a word that comes while the instance does not wait for it.

    It is kept and counts once the instance waits for it, or is ignored for good.
    """

    name: str
    early: Literal["keep", "ignore"] = "keep"


def awaits_nothing(state: Any) -> Collection[str]:
    """The names of no signals."""
    return ()


def nothing_follows_from_a_signal(name: str, payload: Payload, state: Any) -> list[Any]:
    """No facts."""
    return []
