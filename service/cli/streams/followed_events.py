"""Prints a stream, or the whole log, as it grows, until somebody has had enough of it."""

from collections.abc import Callable

from infrastructure.eventstore.record import Record
from infrastructure.terminal import flush_output, is_output_read, print_error, require_output
from service.cli.streams.follower import Follower


def print_followed(follower: Follower, show: Callable[[Record], bool], limit: int | None) -> int:
    """Shows `limit` records at most, None: without an end. It also ends where `show` says that nobody reads them.

    Raises as `Follower.batches`, and OutputUnusable.
    """
    require_output()
    left = limit
    for records in follower.batches():
        is_read = all(map(show, records[:left]))
        left = None if left is None else max(0, left - len(records))
        if not (is_read and flush_output() and is_output_read()) or left == 0:
            break
    return 0


def say(what: str) -> None:
    """Says on the errors what keeps it waiting."""
    print_error(f"foldstream read: {what}")
