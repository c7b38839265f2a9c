"""Streams that a partition can't go on with, as those find them who ask about it."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from domain.stream_name import stream_of_row
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.texts import text_of

_REMEMBERED: Final = 20_000
"""Blocks that were read before: readiness looks at all of them every second."""


class BlockedStream(NamedTuple):
    """A stream, and where and why it is blocked."""

    stream: str
    block: Block


def blocked_streams(category: str, stored: Mapping[bytes | str, bytes | str]) -> tuple[BlockedStream, ...]:
    """Those of a partition as its hash has them, the first of the log first. Raises NewerFormat, ValueError."""
    found = [BlockedStream(stream_of_row(category, text_of(each)), block_in(text)) for each, text in stored.items()]
    return tuple(sorted(found, key=lambda each: each.block.position))


@lru_cache(_REMEMBERED)
def block_in(stored: bytes | str) -> Block:
    """The block as it is stored. Raises NewerFormat, ValueError."""
    return Block.from_json(stored)
