"""Blocked streams and skipped events, as JSON."""

from typing import Any, Final

from infrastructure.eventstore.record import Record
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.skips import Skip
from infrastructure.times import time_text
from service.cli.poison.blocked_at import BlockedAt
from service.cli.poison.outcomes import Outcome

_DATA_TOLD: Final = 100_000


def blocked_answer(blocked: BlockedAt) -> dict[str, Any]:
    """A stream, where it is blocked, and why."""
    return {
        "projection": blocked.projection.name,
        "generation": blocked.generation,
        "role": blocked.role,
        "partition": blocked.partition,
        "stream": blocked.stream,
        **_block(blocked.block),
    }


def shown_answer(blocked: BlockedAt, record: Record | None) -> dict[str, Any]:
    """The same, with the data of the event as text, up to 100,000 characters; None where the event store lost it."""
    return {**blocked_answer(blocked), "data": None if record is None else data_text(record, _DATA_TOLD)}


def skip_answer(skip: Skip) -> dict[str, Any]:
    """An event that is skipped, by whom, when and why."""
    return {
        "projection": skip.projection,
        "stream": skip.stream,
        "version": skip.version,
        "event_id": str(skip.event_id),
        "by": skip.actor,
        "why": skip.why,
        "at": time_text(skip.at),
    }


def outcome_answer(outcome: Outcome) -> dict[str, Any]:
    """The word, and what blocks the stream now."""
    return {"outcome": outcome.word, "block": None if outcome.block is None else _block(outcome.block)}


def word_answer(word: Skip, outcome: Outcome | None, *, skipped: bool) -> dict[str, Any]:
    """What was said of an event, and its outcome; None where it was so before."""
    told = {"projection": word.projection, "stream": word.stream, "version": word.version}
    what = {"outcome": None, "block": None} if outcome is None else outcome_answer(outcome)
    return {**told, "changed": outcome is not None, "skip": skip_answer(word) if skipped else None, **what}


def data_text(record: Record, most: int) -> str:
    """The data of a record as far as so many characters; bytes that are no UTF-8 are escaped."""
    text = record.data[: 4 * most].decode(errors="backslashreplace")
    return text if len(text) <= most else f"{text[:most]}… ({len(record.data):,} bytes)"


def _block(block: Block) -> dict[str, Any]:
    return {
        "version": block.version,
        "position": block.position,
        "event_id": str(block.event_id),
        "event_type": block.event_type,
        "error": block.error,
        "reason": block.reason,
        "since": time_text(block.since),
        "tries": block.tries,
        "waiting": block.waiting,
    }
