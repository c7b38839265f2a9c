"""Reads what one partition of a category has in the log, as a worker does, without decoding it."""

from infrastructure.eventstore.frames import CaughtUp, CheckpointReached
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.record_messages import RecordMessage
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.subscriptions.catch_up import CatchUp


def read_batches(
    uri: str, category: str, partitions: int = 1, *, after: int | None = None, most: int | None = None
) -> list[list[RecordMessage | CheckpointReached | CaughtUp]]:
    """The batches of the first of so many partitions: up to the end of the log, or until there are as many frames."""
    batches: list[list[RecordMessage | CheckpointReached | CaughtUp]] = []
    frames, pattern = 0, partition_pattern(category, 0, partitions)
    with open_reader(uri) as reader, CatchUp(reader, pattern, after, _undecoded) as subscription:
        for batch in subscription.batches():
            batches.append(batch)
            frames += len(batch)
            at_end = any(isinstance(frame, CaughtUp) for frame in batch)
            if at_end or (most is not None and frames >= most):
                break
    return batches


def _undecoded(message: RecordMessage) -> RecordMessage:
    return message
