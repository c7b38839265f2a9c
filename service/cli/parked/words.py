"""How it is said since when messages are parked."""

from infrastructure.eventstore.parked_stream import Parked
from infrastructure.times import time_text


def since_text(parked: Parked) -> str:
    """Since when the oldest is parked, as the end of a clause."""
    return "" if parked.oldest is None else f", the oldest since {time_text(parked.oldest)}"
