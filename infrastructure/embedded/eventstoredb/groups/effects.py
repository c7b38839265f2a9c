"""The effects that a group's engine wants; the group carries them out."""

from dataclasses import dataclass
from typing import TypeAlias

from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.groups.message import Message


@dataclass(frozen=True, slots=True)
class Deliver:
    """Send the message to the consumer."""

    consumer: Consumer
    message: Message


@dataclass(frozen=True, slots=True)
class Park:
    """Write the message to the parked stream, and report that with `Engine.parked`."""

    message: Message
    reason: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Remember that everything up to this position of the source is done."""

    position: int


Effect: TypeAlias = Deliver | Park | Checkpoint
