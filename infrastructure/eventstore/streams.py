"""Names streams and their partitions, in the only place that does."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

PARTITION_COUNTS: Final = (1, 2, 4, 8, 16)
_HEX_DIGITS: Final = "0123456789abcdef"
_CATEGORY: Final = re.compile(r"[a-z][a-z0-9_]*")
_SNAPSHOTS: Final = "snapshot"
_SEGMENTS: Final = "segments"


def stream_name(category: str, aggregate_id: str) -> str:
    """`<category>-<aggregate id>`. Raises ValueError for an id that no partition would be asked for."""
    if aggregate_id[-1:] not in _HEX_DIGITS or not aggregate_id:
        raise ValueError(f"an aggregate's id ends in a lower-case hexadecimal digit, unlike {aggregate_id!r}")
    return f"{_checked(category)}-{aggregate_id}"


def snapshot_stream(stream: str) -> str:
    """Where the snapshots of a stream are kept; its name is that of no aggregate, and in no partition."""
    return f"{_SNAPSHOTS}-{stream}"


def segment_stream(stream: str) -> str:
    """Where the sealed segments of a stream are kept."""
    return f"{_SEGMENTS}-{stream}"


def kept_of(kept: str) -> str:
    """The stream that snapshots or segments in a stream of this name are of."""
    return kept.partition("-")[2]


def kept_pattern(categories: Iterable[str]) -> str:
    """As `partition_pattern`, for the streams of all snapshots and segments of these categories."""
    kept_of_all = "|".join(partition_pattern(category, 0, 1) for category in categories)
    return f"(?:(?:{_SNAPSHOTS}|{_SEGMENTS})-(?:{kept_of_all}))"


def partition_of(aggregate_id: str, partitions: int) -> int:
    """Which of the partitions, from 0, an aggregate belongs to: by the last digit of its id."""
    return _HEX_DIGITS.index(aggregate_id[-1]) % _counted(partitions)


def partition_pattern(category: str, partition: int, partitions: int) -> str:
    """One regular-expression group that the names of this partition's streams match, and no others.

    It has no anchors: the client sends it as `^…$`. One group, because the client joins several patterns so that
    only the first is anchored at the start and only the last at the end.
    """
    if not 0 <= partition < _counted(partitions):
        raise ValueError(f"of {partitions} partitions there is no number {partition}")
    return f"(?:{_checked(category)}-.*[{_HEX_DIGITS[partition::partitions]}])"


@cache
def _checked(category: str) -> str:
    if not _CATEGORY.fullmatch(category):
        raise ValueError(f"a category is a lower-case word without a hyphen, unlike {category!r}")
    if category in (_SNAPSHOTS, _SEGMENTS):
        raise ValueError(f"{category} is no aggregate's category: its streams hold what is derived from others")
    return category


def _counted(partitions: int) -> int:
    if partitions not in PARTITION_COUNTS:
        raise ValueError(f"{partitions} is none of the possible numbers of partitions, {PARTITION_COUNTS}")
    return partitions
