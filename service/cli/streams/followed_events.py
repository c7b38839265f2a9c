"""Prints a stream, or the whole log, as it grows, until somebody has had enough of it."""

from collections.abc import Callable, Sequence

from infrastructure.eventstore.record import Record
from infrastructure.terminal import flush_output, is_output_read, print_error, print_raw, require_output
from service.cli.streams.follower import Follower


def print_followed(follower: Follower, lines: Callable[[Record], Sequence[str]], limit: int | None) -> int:
    """Prints `limit` records at most, None: without an end. It also ends where nobody reads the output any more.

    Raises as `Follower.batches`, and OutputUnusable.
    """
    require_output()
    left = limit
    for records in follower.batches():
        is_read = all(print_raw(line) for record in records[:left] for line in lines(record))
        left = None if left is None else max(0, left - len(records))
        if not (is_read and flush_output() and is_output_read()) or left == 0:
            break
    return 0


def say(what: str) -> None:
    """Says on the errors what keeps it waiting."""
    print_error(f"foldstream read: {what}")
