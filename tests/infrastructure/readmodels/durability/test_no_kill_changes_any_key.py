"""Workers, Redis and the event store are killed again and again: every key is what a plain fold of the log says."""

from pathlib import Path

import pytest
import structlog

from tests.infrastructure.readmodels.durability.siege import Siege

logger = structlog.get_logger()


def besiege(siege: Siege, rounds: int, what: str, figures: list[str]) -> list[str]:
    """The differences of the first round that has some; what was counted goes to the `figures`."""
    try:
        while siege.counted["rounds"] < rounds and not siege.differences:
            siege.round()
    finally:
        figures.append(f"read models, {what}: {siege.figures()}")
        logger.info("siege_ended", what=what, figures=siege.figures())
        siege.close()
    return siege.differences


@pytest.mark.parametrize(("partitions", "seed"), [pytest.param(1, 1, marks=pytest.mark.soak), (2, 2)])
def test_every_key_is_that_of_a_fold_of_the_log(tmp_path: Path, figures: list[str], partitions: int, seed: int) -> None:
    siege = Siege(tmp_path, partitions, seed)
    assert besiege(siege, 5, f"seed {seed}, {partitions} partitions", figures) == []


def test_every_key_on_a_cluster_is_that_of_a_fold_of_the_log(tmp_path: Path, figures: list[str]) -> None:
    assert besiege(Siege(tmp_path, 2, 3, clustered=True), 2, "seed 3, a cluster", figures) == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10, 14))
@pytest.mark.parametrize("partitions", [1, 2])
def test_every_key_is_that_of_a_fold_of_the_log_after_hundreds_of_rounds(
    tmp_path: Path, figures: list[str], partitions: int, seed: int
) -> None:
    siege = Siege(tmp_path, partitions, seed)
    assert besiege(siege, 75, f"seed {seed}, {partitions} partitions", figures) == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10, 14))
def test_every_key_on_a_cluster_is_that_of_a_fold_of_the_log_after_many_rounds(
    tmp_path: Path, figures: list[str], seed: int
) -> None:
    assert besiege(Siege(tmp_path, 2, seed, clustered=True), 50, f"seed {seed}, a cluster", figures) == []
