"""What a filter looks for in $all: a pattern or prefixes, in event types or in stream names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """Looks at the stream's name if `by_stream`, else at the event's type; a pattern wins over prefixes."""

    by_stream: bool
    regex: str
    prefixes: tuple[str, ...]
