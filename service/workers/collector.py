"""Keeps the cyclic garbage collector off what lives as long as the process: modules, models, routes."""

import gc
from typing import Final

_YOUNG: Final = 10_000  # objects; by default 700, so that a command's own objects are looked through several times
_YOUNG_OF_A_FOLD: Final = 100_000  # a batch of 500 events makes some 20,000, and keeps most of them as rows


def freeze_startup_objects() -> None:
    """To be called once, when all is set up: a command costs a tenth less (docs/performance.md)."""
    _freeze(_YOUNG, 20, 20)


def freeze_before_folding() -> None:
    """The same for a worker that folds: what it holds is rows, which refer to nothing that refers to them.

    By default each full collection looks through all of them, which takes more than half of a replay.
    """
    _freeze(_YOUNG_OF_A_FOLD, 50, 1_000)


def _freeze(*thresholds: int) -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(*thresholds)
