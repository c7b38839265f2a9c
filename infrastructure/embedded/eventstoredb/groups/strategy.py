"""A consumer strategy: it chooses the consumer of a message."""

from enum import Enum, auto
from typing import Protocol

from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.groups.message import Message


class NoConsumer(Enum):
    """Why no consumer gets it: another message may still find one, or none can."""

    FOR_THIS_MESSAGE = auto()
    FOR_ANY_MESSAGE = auto()


class Strategy(Protocol):
    """Knows the consumers that are connected; the chosen one gets the message."""

    def connect(self, consumer: Consumer) -> None: ...

    def disconnect(self, consumer: Consumer) -> None: ...

    def choose(self, message: Message) -> Consumer | NoConsumer: ...
