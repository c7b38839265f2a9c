"""While workers, Redis and the store are killed, operators rebuild, repair, try, skip, and are killed themselves."""

from pathlib import Path

import pytest

from tests.infrastructure.readmodels.durability.siege import Siege
from tests.infrastructure.readmodels.durability.test_no_kill_changes_any_key import besiege
from tests.infrastructure.rebuilds.operators import TallyOperators


def operated(folder: Path, seed: int, *, clustered: bool = False) -> Siege:
    return Siege(folder, 2, seed, clustered=clustered, hiring=TallyOperators)


def test_every_key_is_that_of_a_fold_of_what_operators_have_not_skipped(tmp_path: Path, figures: list[str]) -> None:
    assert besiege(operated(tmp_path, 5), 5, "operators, seed 5", figures) == []


@pytest.mark.soak
def test_every_key_on_a_cluster_is_that_of_such_a_fold(tmp_path: Path, figures: list[str]) -> None:
    assert besiege(operated(tmp_path, 6, clustered=True), 2, "operators, seed 6, a cluster", figures) == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(20, 24))
@pytest.mark.parametrize("clustered", [False, True])
def test_every_key_is_that_of_such_a_fold_after_many_rounds(
    tmp_path: Path, figures: list[str], seed: int, clustered: bool
) -> None:
    siege = operated(tmp_path, seed, clustered=clustered)
    assert besiege(siege, 40, f"operators, seed {seed}{', a cluster' if clustered else ''}", figures) == []
