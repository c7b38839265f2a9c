"""How numbers of messages, and since when they are parked, are said."""

from infrastructure.eventstore.parked_stream import Parked
from infrastructure.times import time_text


def messages_text(number: int) -> str:
    """Such as `1 message`, `2,000 messages`."""
    return f"{number:,} message{'' if number == 1 else 's'}"


def since_text(parked: Parked) -> str:
    """Since when the oldest is parked, as the end of a clause."""
    return "" if parked.oldest is None else f", the oldest since {time_text(parked.oldest)}"
