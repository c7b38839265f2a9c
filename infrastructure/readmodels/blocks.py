"""What a partition remembers of a stream that it can't go on with, as it is stored: where, why, and what waits."""

import json
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AwareDatetime, Field, TypeAdapter

from domain.value import value
from infrastructure.readmodels.errors import NewerFormat

FORMAT: Final = 1
MOST_STREAMS: Final = 1_000
"""Blocked streams of a partition: at one more it stops."""
MOST_WAITING: Final = 100_000
"""Records of a partition that wait behind blocks: at one more it stops."""
_SHOWN: Final = 1_000  # characters of a reason
_Count = Annotated[int, Field(ge=0)]


@value
class Block:
    """A stream's first record that is not folded, as its place in the stream and in the log, and why it is not.

    `error` is the name of an error's class, `reason` its text. `since` is when the stream was blocked, `tries` how
    often it was refused since, the first time included. `waiting` counts the records of the stream behind it that the
    checkpoint has passed, but for those that mean nothing to the projection.
    """

    version: _Count
    position: _Count
    event_id: UUID
    event_type: str
    error: str
    reason: str
    since: AwareDatetime
    tries: _Count = 1
    waiting: _Count = 0

    def to_json(self) -> str:
        """As it is stored, with the number of the format; of a long reason the beginning."""
        stored: dict[str, Any] = _BLOCK.dump_python(self, mode="json")
        return json.dumps({"format": FORMAT, **stored, "reason": self.reason[:_SHOWN]}, separators=(",", ":"))

    @staticmethod
    def from_json(text: bytes | str) -> "Block":
        """The inverse. Raises NewerFormat for what a later release has stored, and ValueError for anything else."""
        try:
            stored = json.loads(text)
            if stored["format"] > FORMAT:
                raise NewerFormat("block", stored["format"])
            return _BLOCK.validate_python(stored)
        except (ValueError, KeyError, TypeError) as error:  # ValidationError is a ValueError
            raise ValueError(f"{text[:_SHOWN]!r} is no block") from error


_BLOCK: Final = TypeAdapter(Block)
