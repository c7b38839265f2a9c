"""What has become of a blocked stream, from what Redis shows: pending until a worker has applied the word."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from domain.value import changed
from infrastructure.readmodels.block_readers import BlockedStream
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.health import GenerationHealth, PartitionHealth, ProjectionHealth
from service.cli.poison.blocked_at import blocked_in
from service.cli.poison.outcomes import PENDING, Outcome, after_record, after_retries
from service.consumers import PROJECTIONS
from tests.infrastructure.readmodels.blocking import block_at

PROJECTION = PROJECTIONS[0]
FIRST, SECOND, OTHER = "order-a2", "order-a3", "order-a1"  # of two partitions, the first has those that end in 2
BLOCK = block_at(3, 20, 5, UUID(int=7))
LATER = block_at(4, 10, 0, UUID(int=8))
RELEASED = Outcome("released")


def health(*blocked: tuple[str, Block], skips: int = 0, live: bool = True) -> ProjectionHealth:
    """With two partitions, and these streams blocked, each in its partition."""
    partitions = [
        PartitionHealth(
            number,
            Checkpoint("store", 100, skips=skips),
            None,
            blocked=tuple(BlockedStream(*each) for each in blocked if int(each[0][-1]) % 2 == number),
        )
        for number in (0, 1)
    ]
    return ProjectionHealth(1 if live else None, None if live else 1, tuple(partitions))


def tried(*now: tuple[str, Block]) -> Sequence[Outcome]:
    """The outcomes of two streams that are tried, where these are blocked afterwards."""
    blocked = blocked_in(PROJECTION, health((FIRST, BLOCK), (SECOND, LATER)))
    return after_retries(blocked)(health(*now))


def test_a_stream_that_was_tried_is_released_or_blocked_and_else_pending() -> None:
    again, further = changed(BLOCK, tries=3), changed(BLOCK, version=9, tries=1)
    assert tried((FIRST, BLOCK), (SECOND, LATER)) == [PENDING, PENDING]
    assert tried((FIRST, BLOCK)) == [RELEASED, PENDING]
    assert tried((FIRST, again)) == [RELEASED, Outcome("blocked", again)]
    assert tried((FIRST, further), (SECOND, LATER)) == [PENDING, Outcome("blocked", further)]


def test_what_was_lost_meanwhile_is_pending() -> None:
    blocked = blocked_in(PROJECTION, health((FIRST, BLOCK)))
    assert after_retries(blocked)(ProjectionHealth(None, None, ())) == [PENDING]
    assert after_retries(blocked)(replace(health(), generation=2)) == [PENDING]
    assert after_record(FIRST, 0)(ProjectionHealth(None, None, ())) == [PENDING]


def test_a_record_is_applied_once_the_checkpoint_of_its_stream_has_passed_it() -> None:
    judge = after_record(FIRST, 6)
    assert judge(health(skips=6)) == [PENDING]
    assert judge(health(skips=7)) == [RELEASED]
    assert judge(health((FIRST, BLOCK), (OTHER, LATER), skips=7)) == [Outcome("blocked", BLOCK)]


def test_the_first_of_the_log_comes_first_and_what_is_read_before_what_is_built() -> None:
    live, built = health((FIRST, BLOCK), (SECOND, LATER)), health((OTHER, LATER), live=False)
    rebuilding = GenerationHealth(3, live.partitions)
    every = replace(live, building=2, rebuilt=built.partitions, rebuilding=rebuilding)
    found = [(each.stream, each.generation, each.role, each.partition) for each in blocked_in(PROJECTION, every)]
    assert found == [
        (SECOND, 1, "live", 1),
        (FIRST, 1, "live", 0),
        (OTHER, 2, "building", 1),
        (SECOND, 3, "rebuilding", 1),
        (FIRST, 3, "rebuilding", 0),
    ]
    assert [each.generation for each in blocked_in(PROJECTION, built)] == [1]


def test_it_is_said_in_words() -> None:
    said = [outcome.described() for outcome in (RELEASED, PENDING, Outcome("blocked", BLOCK))]
    blocked = "still blocked at version 3: ValueError: a tally is never lowered"
    assert said == ["released", "no worker has applied it yet", blocked]
