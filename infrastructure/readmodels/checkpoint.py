"""The position up to which a partition is folded, of which store, and the record that proves it: it guards commits."""

import json
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from infrastructure.readmodels.errors import NewerFormat

FORMAT: Final = 2
"""Of a partition with blocked streams or skipped events: a release from before these has to leave it alone.

Any other is stored in format 1. Before that, a checkpoint was `<store>:<position or "start">`: format 0.
"""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The newest record of the partition's streams up to the checkpoint; both None where there was none."""

    position: int | None = None
    event_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything up to `position` of the store is folded; None where nothing of the log was of interest so far.

    `anchor` is None where it is not known: format 0 had none. `repairs` counts the rows and entries that were
    lost and written again beside the fold.
    `rows` is how many rows there are; None in a generation that was begun before rows and entries were counted.
    `partitions` is how many its generation has; None where an earlier release has stored it. `blocked` is how many
    streams are blocked. `skips` is one more than the version of the last record of skips that is applied here, 0: none.
    """

    store: str
    position: int | None
    anchor: Anchor | None = None
    repairs: int = 0
    rows: int | None = None
    partitions: int | None = None
    blocked: int = 0
    skips: int = 0

    def __str__(self) -> str:
        gaps = {"blocked": self.blocked, "skips": self.skips} if self.blocked or self.skips else {}
        stored: dict[str, Any] = {"format": FORMAT if gaps else 1, "store": self.store, "position": self.position}
        if self.anchor is not None:
            event_id = None if self.anchor.event_id is None else str(self.anchor.event_id)
            stored["anchor"] = {"position": self.anchor.position, "id": event_id}
        if self.rows is not None:
            stored["rows"] = self.rows
        if self.partitions is not None:
            stored["partitions"] = self.partitions
        return json.dumps({**stored, **gaps, "repairs": self.repairs}, separators=(",", ":"))

    def repaired(self, more: int) -> "Checkpoint":
        """The same, with so many more repairs."""
        return replace(self, repairs=self.repairs + more)

    @staticmethod
    def parse(text: str) -> "Checkpoint":
        """The inverse of `str`, and of what format 0 wrote. Raises NewerFormat, and ValueError for anything else."""
        return _parse_json(text) if text.startswith("{") else _parse_format_0(text)


def _parse_format_0(text: str) -> Checkpoint:
    store, _, position = text.rpartition(":")
    if position == "start":
        return Checkpoint(store, None, Anchor())
    return Checkpoint(store, int(position))


def _parse_json(text: str) -> Checkpoint:
    stored = json.loads(text)
    try:
        require_known_format("checkpoint", stored, FORMAT)
        return Checkpoint(
            stored["store"],
            stored["position"],
            _anchor_in(stored),
            stored["repairs"],
            stored.get("rows"),
            stored.get("partitions"),
            _count_in(stored, "blocked"),
            _count_in(stored, "skips"),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{text!r} is no checkpoint") from error


def _anchor_in(stored: dict[str, Any]) -> Anchor | None:
    if "anchor" not in stored:
        return None
    position, event_id = stored["anchor"]["position"], stored["anchor"]["id"]
    return Anchor(position, None if event_id is None else UUID(event_id))


def _count_in(stored: dict[str, Any], name: str) -> int:
    found = stored.get(name, 0)
    if not isinstance(found, int) or found < 0:
        raise ValueError(f"{name} is {found!r}, it counts from 0")
    return found


def require_known_format(what: str, stored: dict[str, Any], newest: int) -> None:
    """Raises NewerFormat for a value that a later release has stored. Without a number it is of format 0."""
    if stored.get("format", 0) > newest:
        raise NewerFormat(what, stored["format"])
