"""Blocks as they are stored, of this release and a later one; and the checkpoint that counts them."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.checkpoint import Anchor, Checkpoint
from infrastructure.readmodels.errors import NewerFormat

BLOCK = Block(3, 40, UUID(int=7), "Raised", "ValueError", "naïve \ud800", datetime(2026, 5, 1, tzinfo=UTC), 2, 9)
CHECKPOINT = Checkpoint("store-1", 40, Anchor(40, UUID(int=7)), 1, 2, 4)


def test_a_block_is_read_as_it_was_stored() -> None:
    assert Block.from_json(BLOCK.to_json()) == BLOCK
    assert Block.from_json(BLOCK.to_json().encode()) == BLOCK


def test_of_a_long_reason_the_beginning_is_stored() -> None:
    long = replace(BLOCK, reason="x" * 5_000)
    assert Block.from_json(long.to_json()) == replace(BLOCK, reason="x" * 1_000)


def test_a_block_of_a_later_release_is_waited_for() -> None:
    with pytest.raises(NewerFormat, match="format 2 was stored by a later release"):
        Block.from_json('{"format":2}')


@pytest.mark.parametrize(
    "rubbish", [b"", b"\xff", b"[]", b"{}", b'{"format":"x"}', b'{"format":1}', BLOCK.to_json().replace(":9", ":-9")]
)
def test_anything_else_is_refused(rubbish: bytes | str) -> None:
    with pytest.raises(ValueError, match="is no block"):
        Block.from_json(rubbish)


@pytest.mark.parametrize("checkpoint", [replace(CHECKPOINT, blocked=1), replace(CHECKPOINT, skips=1)])
def test_a_checkpoint_over_a_gap_is_of_a_format_that_the_last_release_leaves_alone(checkpoint: Checkpoint) -> None:
    assert str(checkpoint).startswith('{"format":2,')
    assert Checkpoint.parse(str(checkpoint)) == checkpoint


def test_a_checkpoint_without_one_is_stored_as_before() -> None:
    assert str(CHECKPOINT) == (
        '{"format":1,"store":"store-1","position":40,"anchor":{"position":40,"id":"00000000-0000-0000-0000-000000000007"},'
        '"rows":2,"partitions":4,"repairs":1}'
    )


@pytest.mark.parametrize("rubbish", ['"x"', "-1", "null"])
def test_a_number_of_blocks_that_is_none_is_refused(rubbish: str) -> None:
    stored = str(replace(CHECKPOINT, blocked=1)).replace('"blocked":1', f'"blocked":{rubbish}')
    with pytest.raises(ValueError, match="it counts from 0"):
        Checkpoint.parse(stored)
