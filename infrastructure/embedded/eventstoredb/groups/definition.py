"""The definition of a group: what it reads, from where on, and its settings."""

from dataclasses import dataclass

from infrastructure.embedded.eventstoredb.filters.selection import Selection
from infrastructure.embedded.eventstoredb.groups.errors import GroupRefused

ALL = "$all"
FROM_END = -1
STRATEGIES = ("DispatchToSingle", "RoundRobin", "Pinned", "PinnedByCorrelation")
SIZES = (
    "Specified argument was out of the range of valid values. "
    "(Parameter 'ReadBatchSize may not be greater than or equal to BufferSize')"
)
BEYOND_THE_END = (
    "Invalid Start From position: commit position must be less than or equal to "
    "the last commit position in the transaction file."
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Times in milliseconds, counts in events; 0 means: no limit of subscribers, no checkpoint by time."""

    resolve_links: bool
    extra_statistics: bool
    message_timeout_ms: int
    max_retry_count: int
    min_checkpoint_count: int
    max_checkpoint_count: int
    checkpoint_after_ms: int
    max_subscriber_count: int
    live_buffer_size: int
    read_batch_size: int
    history_buffer_size: int
    consumer_strategy: str


@dataclass(frozen=True, slots=True)
class Definition:
    """A group; `stream` None is the whole log, `start` a number, a position or FROM_END."""

    stream: str | None
    group: str
    start: int
    settings: Settings
    selection: Selection | None = None

    @property
    def source(self) -> str:
        return ALL if self.stream is None else self.stream

    @property
    def key(self) -> str:
        return key_of(self.stream, self.group)

    def format_position(self, position: int | None) -> str:
        """A position in the source as clients read it: a number, or in the log a position twice."""
        if position is None:
            return ""
        return f"C:{position}/P:{position}" if self.stream is None else str(position)

    def parse_position(self, text: str) -> int:
        """The way back from `format_position`. Raises ValueError."""
        return int(text.partition("/")[0].removeprefix("C:"))


def key_of(stream: str | None, group: str) -> str:
    return f"{ALL if stream is None else stream}::{group}"


def check_start(wanted: Definition, last_position: int) -> None:
    """Raises GroupRefused for a strategy that does not exist, or a start in the log's future."""
    strategy = wanted.settings.consumer_strategy
    if strategy not in STRATEGIES:
        reason = f"Consumer strategy {strategy} does not exist."
        raise GroupRefused(wanted.source, wanted.group, reason)
    if wanted.stream is None and wanted.start > last_position:
        raise GroupRefused(wanted.source, wanted.group, BEYOND_THE_END)


def check_sizes(wanted: Definition) -> None:
    """Raises GroupRefused where a batch would not fit into the buffer."""
    if wanted.settings.read_batch_size >= wanted.settings.history_buffer_size:
        raise GroupRefused(wanted.source, wanted.group, SIZES)
