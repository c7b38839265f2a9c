"""Reads the numbers by which calls name a place: an event's number in a stream, or a position in the log."""

from typing import Final

from infrastructure.embedded.eventstoredb.log import MAX
from infrastructure.embedded.eventstoredb.wire.calls import thrown_by_handler

END: Final = 2**64 - 1


def checked_number(number: int) -> int:
    """The same number, or END. Raises Failure for one that no event can have."""
    if MAX < number < END:
        raise thrown_by_handler()
    return number


def checked_position(commit: int, prepare: int) -> int:
    """The position of a record, or END. Raises Failure for one that can't be."""
    if prepare > commit:
        raise thrown_by_handler()
    return checked_number(commit)
