"""Tells the server by a pattern which streams to send: those of categories, of a partition, of snapshots.

Each pattern is one regular-expression group without anchors: the client sends it as `^…$`, and joins several so that
only the first is anchored at the start and only the last at the end. They match the streams of every tenant, unless
one is named.
"""

import re
from collections.abc import Iterable
from typing import Final

from domain.stream_name import DEFAULT_TENANT, HEX_DIGITS, SEGMENTS, SNAPSHOTS, checked_category, checked_tenant

PARTITION_COUNTS: Final = (1, 2, 4, 8, 16)
_TENANT: Final = rf"(?:(?!{DEFAULT_TENANT}\.)[a-z][a-z0-9_]{{0,31}}\.)?"
EVERY_STREAM: Final = r"(?:[\s\S]*)"
_METASTREAM: Final = "$$"
_USERS_STREAM: Final = r"(?:[^$][\s\S]*)"  # the names of the system's own begin with $


def partition_of(aggregate_id: str, partitions: int) -> int:
    """Which of the partitions, from 0, an aggregate belongs to: by the last digit of its id."""
    return HEX_DIGITS.index(aggregate_id[-1]) % _counted(partitions)


def partition_pattern(category: str, partition: int, partitions: int) -> str:
    """Matches the names of this partition's streams, and no others."""
    if not 0 <= partition < _counted(partitions):
        raise ValueError(f"of {partitions} partitions there is no number {partition}")
    return f"(?:{_TENANT}{checked_category(category)}-.*[{HEX_DIGITS[partition::partitions]}])"


def category_pattern(categories: Iterable[str], tenant: str | None = None) -> str:
    """Matches the names of all streams of these categories, of one tenant or of every. Raises ValueError for none."""
    checked = "|".join(checked_category(category) for category in categories)
    if not checked:
        raise ValueError("a pattern of categories names at least one")
    return f"(?:{_of_tenant(tenant)}(?:{checked})-.*[{HEX_DIGITS}])"


def named_pattern(category: str | None, tenant: str | None) -> str:
    """Matches the streams that clients have named, whatever they hold: of a category, of a tenant, None: of every.

    Raises ValueError for what no tenant can be called.
    """
    if category is not None:
        return rf"(?:{_of_tenant(tenant)}{re.escape(category)}-[\s\S]*)"
    if tenant is None:
        return _USERS_STREAM
    return (
        rf"(?:(?!{_TENANT[:-1]}){_USERS_STREAM})" if tenant == DEFAULT_TENANT else rf"(?:{_of_tenant(tenant)}[\s\S]+)"
    )


def with_metadata(pattern: str) -> str:
    """Matches what a pattern does, and the streams that hold the metadata of these."""
    return rf"(?:(?:\$\$)?{pattern})"


def metadata_of(name: str) -> str | None:
    """Whose metadata the stream of this name holds; None for another."""
    return name.removeprefix(_METASTREAM) if name.startswith(_METASTREAM) else None


def without(pattern: str, names: Iterable[str]) -> str:
    """Matches what a pattern does but streams of these very names."""
    listed = "|".join(map(re.escape, names))
    return rf"(?:(?!(?:{listed})(?![\s\S])){pattern})" if listed else pattern


def derived_pattern(categories: Iterable[str]) -> str:
    """Matches the streams of all snapshots and segments of these categories."""
    return f"(?:(?:{SNAPSHOTS}|{SEGMENTS})-{category_pattern(categories)})"


def _of_tenant(tenant: str | None) -> str:
    if tenant is None:
        return _TENANT
    return "" if checked_tenant(tenant) == DEFAULT_TENANT else rf"{tenant}\."


def _counted(partitions: int) -> int:
    if partitions not in PARTITION_COUNTS:
        raise ValueError(f"{partitions} is none of the possible numbers of partitions, {PARTITION_COUNTS}")
    return partitions
