"""What a consumer strategy answers when it is asked who gets a message."""

from enum import Enum, auto
from typing import Protocol

from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.groups.message import Message


class Nobody(Enum):
    """Why nobody gets it: another message may still find a consumer, or none can."""

    FOR_THIS = auto()
    FOR_ANY = auto()


class Strategy(Protocol):
    """Knows the consumers that are connected; whoever is chosen gets the message."""

    def connect(self, consumer: Consumer) -> None: ...

    def disconnect(self, consumer: Consumer) -> None: ...

    def choose(self, message: Message) -> Consumer | Nobody: ...
