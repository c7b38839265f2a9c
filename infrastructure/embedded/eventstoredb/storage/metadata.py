"""What a stream's metadata says about which of its events readers see."""

import json
from dataclasses import dataclass
from typing import Any

MAX = 2**63 - 1
TRUNCATE_BEFORE = "$tb"


@dataclass(frozen=True, slots=True)
class Metadata:
    """The effective limits of a stream; an age is in seconds, None stands for no limit."""

    max_count: int | None = None
    max_age: int | None = None
    truncate_before: int | None = None

    @property
    def soft_deleted(self) -> bool:
        """Whether everything up to now is hidden for good, until the next append."""
        return self.truncate_before == MAX

    def first_visible(self, last: int) -> int:
        """The lowest number that a reader may see in a stream whose last event is `last`."""
        by_count = 0 if self.max_count is None else last - self.max_count + 1
        return max(0, by_count, self.truncate_before or 0)


NOTHING = Metadata()
OF_METASTREAMS = Metadata(max_count=1)


def parse(data: bytes, is_json: bool) -> Metadata:
    """Metadata that can't be read as a whole limits nothing."""
    document = as_object(data) if is_json else None
    if document is None:
        return NOTHING
    limits = [document.get(key) for key in ("$maxCount", "$maxAge", TRUNCATE_BEFORE)]
    if not all(limit is None or _is_number(limit) for limit in limits):
        return NOTHING
    count, age, before = limits
    return Metadata(
        max_count=count if count is not None and count > 0 else None,
        max_age=age if age is not None and age > 0 else None,
        truncate_before=before if before is not None and before >= 0 else None,
    )


def undeleted(data: bytes, is_json: bool, first: int) -> bytes | None:
    """The same metadata hiding only what is before number `first`; None if it is no JSON object."""
    document = as_object(data) if is_json else None
    if document is None:
        return None
    text = json.dumps({**document, TRUNCATE_BEFORE: first}, ensure_ascii=False, indent=2)
    return text.encode(errors="backslashreplace")  # half a surrogate pair can be in JSON, but only so


def as_object(data: bytes) -> dict[str, Any] | None:
    """A JSON object, or None for anything else."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def original_of(stream: str) -> str | None:
    """The stream that this one is the metastream of, if it is one."""
    return stream[2:] if stream.startswith("$$") else None


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -MAX - 1 <= value <= MAX
